"""Renders on this machine: `digidouble render` in a process of its own, which goes on when Blender is closed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any, Final

from farm.cluster.status import read_status
from farm.dataset.layout import RECIPE_FILE
from farm.errors import BadInput, DatasetError, RecipeError, StorageError
from farm.recipe import Recipe, load_recipe

from .jobs import DONE, FAILED, RUNNING, STOPPED, Job, last_error

__all__ = ["alive", "cancel", "fetch_by_command", "find_command", "log", "look", "start"]

COMMAND: Final = "digidouble"
RECORDS: Final = "pairs/*/*/record.json"
LIVE: Final = ("running", "paused", "waiting")
"""States of a run whose status is of now, and not of an earlier run into the same dataset."""
_children: Final[dict[int, subprocess.Popen[bytes]]] = {}


def find_command(chosen: str) -> str:
    """The command that renders: the chosen one, else the one on the path; BadInput where there is none."""
    found = shutil.which(chosen or COMMAND)
    if found is None:
        where = f"'{chosen}' cannot be run" if chosen else f"no command '{COMMAND}' is installed"
        raise BadInput(f"{where}: install Digidouble for rendering, and choose its command in the preferences")
    return found


def start(recipe: Recipe, base: Path, home: Path, command: str) -> Job:
    """Render a recipe into a folder of its name in `base`; a dataset of that recipe that is there is gone on with.

    Raises BadInput where the command cannot be run, StorageError where a folder cannot be written.
    """
    text = recipe.to_yaml()
    try:
        folder = _place(base, recipe)
        home.mkdir(parents=True, exist_ok=True)
        base.mkdir(parents=True, exist_ok=True)
        written, log = (home / f"{folder.name}{ending}" for ending in (".yaml", ".log"))
        written.write_text(text, encoding="utf-8")
        with log.open("wb") as said:
            child = subprocess.Popen(
                [find_command(command), "render", str(written), "--out", str(folder)],
                stdout=said, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, **_apart(),
            )  # fmt: skip
    except OSError as error:
        raise StorageError(f"cannot render into {base}: {error.strerror or error}") from error
    _children[child.pid] = child
    total = recipe.count * recipe.capture.frames.count
    return Job(recipe.name, str(folder), str(log), total, child.pid, state=RUNNING)


def look(job: Job) -> dict[str, Any]:
    """How a job stands now: state, pairs done, seconds left, failures, trouble."""
    running = alive(job)
    done, left, failures = None, None, {}
    try:
        status = read_status(Path(job.folder))
        failures = dict(status.failures)
        if running and status.state in LIVE:
            done, left = status.done, status.eta
    except DatasetError:
        pass
    if done is None:
        done = sum(1 for _ in Path(job.folder).glob(RECORDS))
    trouble = "" if running else _trouble(job)
    ended = DONE if done >= job.total and job.report else FAILED if trouble else STOPPED
    return {
        "state": RUNNING if running else ended,
        "done": done,
        "left": left,
        "failures": failures,
        "trouble": "" if ended == DONE else trouble,
    }


def cancel(job: Job) -> None:
    """End a job that is running; what is committed stays, and starting it again goes on from there."""
    if alive(job):
        os.kill(job.process, signal.SIGTERM)


def log(job: Job) -> str:
    """What its process has said."""
    try:
        return Path(job.log).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise StorageError(f"cannot read {job.log}: {error.strerror or error}") from error


def fetch_by_command(source: str, to: Path, command: str, *, whole: bool) -> None:
    """Fetch a dataset from an object store with the installed Digidouble, which has what speaks to it.

    BadInput where there is none, StorageError with what it says where it fails.
    """
    done = subprocess.run(
        [find_command(command), "fetch", source, "--to", str(to), *([] if whole else ["--previews"])],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False, **_apart(),
    )  # fmt: skip
    if done.returncode:
        raise StorageError(last_error(done.stderr) or f"{source} cannot be fetched")


def _trouble(job: Job) -> str:
    """The error that the process named; '' where it named none."""
    try:
        return last_error(log(job))
    except StorageError:
        return ""


def alive(job: Job) -> bool:
    """Whether its process goes on."""
    child = _children.get(job.process)
    if child is not None:
        return child.poll() is None
    try:  # a job of an earlier Blender: its number may be another process' by now
        said = Path(f"/proc/{job.process}/cmdline").read_bytes()
    except OSError:
        return False
    return job.folder.encode() in said.split(b"\0")


def _place(base: Path, recipe: Recipe) -> Path:
    """A folder for a dataset: one that holds this very recipe's, else one that is not there yet."""
    number = 1
    while True:
        folder = base / (recipe.name if number == 1 else f"{recipe.name}-{number}")
        if not folder.exists() or _recipe_in(folder) == recipe.digest:
            return folder
        number += 1


def _recipe_in(folder: Path) -> str:
    """The digest of a dataset's recipe; empty where there is none. It does not tell where an own double's file lies."""
    try:
        return load_recipe(folder / RECIPE_FILE).digest
    except RecipeError:
        return ""


def _apart() -> dict[str, Any]:
    """How a process is started so that closing Blender does not end it, and so that it uses its own packages."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "BLENDER_"))}
    if os.name == "nt":
        return {"env": environment, "creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    return {"env": environment, "start_new_session": True}
