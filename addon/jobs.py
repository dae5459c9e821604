"""Renders on this machine: `digidouble render` in a process of its own, which goes on when Blender is closed.

A job's only state is its dataset: pairs are counted by the records that commit them. The list of jobs is a file, so
that it survives restarts.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from farm.errors import BadInput, StorageError
from farm.recipe import Recipe

__all__ = ["Job", "JobList", "find_command"]

COMMAND: Final = "digidouble"
RECORDS: Final = "pairs/*/*/record.json"
SHEET: Final = "contact_sheet.png"
REPORT: Final = "report.html"

RUNNING: Final = "running"
DONE: Final = "done"
STOPPED: Final = "stopped"


def find_command(chosen: str) -> str:
    """The command that renders: the chosen one, else the one on the path; BadInput where there is none."""
    found = shutil.which(chosen or COMMAND)
    if found is None:
        where = f"'{chosen}' cannot be run" if chosen else f"no command '{COMMAND}' is installed"
        raise BadInput(f"{where}: install Digidouble for rendering, and choose its command in the preferences")
    return found


@dataclass(frozen=True)
class Job:
    """One render. `folder` is its dataset's, `log` the file of what the process says, `total` its pairs."""

    name: str
    folder: str
    log: str
    total: int
    process: int

    def done(self) -> int:
        """Pairs that are committed."""
        return sum(1 for _ in Path(self.folder).glob(RECORDS))

    def trouble(self) -> str:
        """The first error that the process named; '' where it named none."""
        try:
            lines = Path(self.log).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ""
        return next((line.removeprefix("error: ") for line in lines if line.startswith("error: ")), "")

    @property
    def report(self) -> Path:
        """Its report, once it is written."""
        return Path(self.folder) / REPORT

    @property
    def sheet(self) -> Path:
        """Its contact sheet, once it is written."""
        return Path(self.folder) / SHEET


class JobList:
    """The jobs, the newest first, kept in `home`."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._file = home / "jobs.json"
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self.jobs: list[Job] = self._read()

    def start(self, recipe: Recipe, base: Path, command: str) -> Job:
        """Render a recipe into a folder of its name in `base`; a dataset of that recipe that is there is gone on with.

        Raises:
            BadInput: the command cannot be run.
            StorageError: the folder cannot be written.
        """
        text = recipe.to_yaml()
        try:
            folder = _place(base, recipe.name, text)
            self._home.mkdir(parents=True, exist_ok=True)
            base.mkdir(parents=True, exist_ok=True)
            written, log = (self._home / f"{folder.name}{ending}" for ending in (".yaml", ".log"))
            written.write_text(text, encoding="utf-8")
            with log.open("wb") as said:
                child = subprocess.Popen(
                    [find_command(command), "render", str(written), "--out", str(folder)],
                    stdout=said, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, **_apart(),
                )  # fmt: skip
        except OSError as error:
            raise StorageError(f"cannot render into {base}: {error.strerror or error}") from error
        self._children[child.pid] = child
        job = Job(recipe.name, str(folder), str(log), recipe.count * recipe.capture.frames.count, child.pid)
        self.jobs = [job, *(each for each in self.jobs if each.folder != job.folder)]
        self._write()
        return job

    def state(self, job: Job) -> str:
        """Whether a job is running, done or stopped."""
        if self._alive(job):
            return RUNNING
        return DONE if job.done() >= job.total and job.report.is_file() else STOPPED

    def cancel(self, job: Job) -> None:
        """End a job that is running; what is committed stays, and starting it again goes on from there."""
        if self._alive(job):
            os.kill(job.process, signal.SIGTERM)

    def forget(self, job: Job) -> None:
        """Take a job off the list; its dataset stays."""
        self.jobs = [each for each in self.jobs if each != job]
        self._write()

    def _alive(self, job: Job) -> bool:
        child = self._children.get(job.process)
        if child is not None:
            return child.poll() is None
        try:  # a job of an earlier Blender: its number may be another process' by now
            said = Path(f"/proc/{job.process}/cmdline").read_bytes()
        except OSError:
            return False
        return job.folder.encode() in said.split(b"\0")

    def _read(self) -> list[Job]:
        try:
            return [Job(**each) for each in json.loads(self._file.read_text(encoding="utf-8"))]
        except (OSError, ValueError, TypeError):
            return []

    def _write(self) -> None:
        partial = self._file.with_suffix(".partial")
        partial.write_text(json.dumps([asdict(job) for job in self.jobs], indent=1), encoding="utf-8")
        partial.replace(self._file)


def _place(base: Path, name: str, text: str) -> Path:
    """A folder for a dataset: one that holds this very recipe's, else one that is not there yet."""
    number = 1
    while True:
        folder = base / (name if number == 1 else f"{name}-{number}")
        if not folder.exists():
            return folder
        recipe = folder / "recipe.yaml"
        if recipe.is_file() and recipe.read_text(encoding="utf-8") == text:
            return folder
        number += 1


def _apart() -> dict[str, Any]:
    """How a process is started so that closing Blender does not end it, and so that it uses its own packages."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "BLENDER_"))}
    if os.name == "nt":
        return {"env": environment, "creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    return {"env": environment, "start_new_session": True}
