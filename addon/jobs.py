"""The list of renders, here and on clusters: kept in a file, so that it survives restarts.

A render's only truth is its dataset, and what its process or cluster says; what the file keeps of its state is how it
was when it was last looked at. No token is ever in it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final

from farm.dataset.files import replace_bytes
from farm.dataset.layout import CONTACT_SHEET_FILE, REPORT_FILE

__all__ = ["ACTIVE", "DONE", "FAILED", "RUNNING", "STOPPED", "WAITING", "Job", "JobList", "last_error"]

WAITING: Final = "waiting"
RUNNING: Final = "running"
DONE: Final = "done"
STOPPED: Final = "stopped"
FAILED: Final = "failed"
ACTIVE: Final = (WAITING, RUNNING)
"""States that are looked at again."""
FILE: Final = "jobs.json"
ERROR: Final = "error: "
"""How the command line begins a line that names an error."""


@dataclass(frozen=True)
class Job:
    """One render, and how it was at the last look.

    folder    its dataset, as those who render see it
    log       the file of what its process says; '' on a cluster
    total     its pairs, of which `done` are committed
    process   its process' number; 0 on a cluster
    cluster   the cluster's name, '' for this machine; `address` where it answers, `id` what it calls the job
    copy      the folder of what was fetched of it; '' where nothing was
    left      seconds left; None where that cannot be said
    failures  pairs that were given up, by cause
    trouble   what went wrong
    """

    name: str
    folder: str
    log: str
    total: int
    process: int = 0
    cluster: str = ""
    address: str = ""
    id: str = ""
    copy: str = ""
    state: str = WAITING
    done: int = 0
    left: float | None = None
    failures: dict[str, int] = field(default_factory=dict)
    trouble: str = ""

    @property
    def key(self) -> str:
        """What tells it from all others."""
        return f"{self.address} {self.id}" if self.cluster else self.folder

    @property
    def active(self) -> bool:
        """Whether it may still change."""
        return self.state in ACTIVE

    def here(self, name: str) -> Path | None:
        """A file of its dataset that this machine can read: of the dataset itself, or of what was fetched of it."""
        places = [Path(folder) for folder in (self.folder, self.copy) if folder and "://" not in folder]
        return next((place / name for place in places if (place / name).is_file()), None)

    @property
    def report(self) -> Path | None:
        """Its report, once it is written and here."""
        return self.here(REPORT_FILE)

    @property
    def sheet(self) -> Path | None:
        """Its contact sheet, once it is written and here."""
        return self.here(CONTACT_SHEET_FILE)


def last_error(log: str) -> str:
    """The last error that a render's log names, in its own words; '' where it names none."""
    said = [line.removeprefix(ERROR) for line in log.splitlines() if line.startswith(ERROR)]
    return said[-1] if said else ""


class JobList:
    """The jobs, the newest first, kept in `home`.

    Several Blenders may share it: each change is made to what is there.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self._file = home / FILE
        self._lock = threading.Lock()
        self.jobs: tuple[Job, ...] = self._read()

    def find(self, key: str) -> Job | None:
        """The job of a key."""
        return next((job for job in self.jobs if job.key == key), None)

    def add(self, job: Job) -> None:
        """Put a job first, in the place of one with its key."""
        self._change(lambda there: (job, *(each for each in there if each.key != job.key)))

    def update(self, key: str, **facts: Any) -> None:
        """Change what is known of a job; one that is gone stays gone. The file is written where that is worth it."""
        before = self.find(key)
        if before is None:
            return
        after = replace(before, **facts)
        self.jobs = tuple(after if each.key == key else each for each in self.jobs)
        if (after.state, after.copy) != (before.state, before.copy):
            self._change(lambda there: there)

    def forget(self, key: str) -> None:
        """Take a job off the list; its dataset stays."""
        self._change(lambda there: tuple(each for each in there if each.key != key))

    def _change(self, edit: Callable[[tuple[Job, ...]], tuple[Job, ...]]) -> None:
        with self._lock:
            self.jobs = edit(tuple(self.find(each.key) or each for each in self._read()))
            text = json.dumps([asdict(job) for job in self.jobs], indent=1)
            replace_bytes(self._file, text.encode())

    def _read(self) -> tuple[Job, ...]:
        known = {each.name for each in fields(Job)}
        try:
            listed = json.loads(self._file.read_text(encoding="utf-8"))
            return tuple(Job(**{name: value for name, value in each.items() if name in known}) for each in listed)
        except (OSError, ValueError, TypeError, AttributeError):
            return ()
