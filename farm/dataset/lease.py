"""Only one run at a time writes into a dataset: a lock on a local folder, a lease in a store.

A lease is an object that its holder writes anew again and again. Who finds one that has not changed for `LEASE`
seconds of its own clock takes over by making the next higher number, which a store with conditional writes lets one
alone do; the holder that finds a higher number than its own has lost the dataset and ends. No two machines' clocks are
compared. The same is done on a file system without locks on folders, such as NFS.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from farm.dataset import layout
from farm.dataset.files import read_bytes, remove, replace_bytes
from farm.dataset.place import Place, StorePath
from farm.errors import DatasetError, StorageError

__all__ = ["LEASE", "exclusive"]

LEASE: Final = 60.0
"""Seconds without a sign of life after which a lease's holder counts as dead."""
_LOOK: Final = 2.0
"""Seconds between looks at another's lease."""

Check = Callable[[], None]


@contextlib.contextmanager
def exclusive(root: Place, *, lease: float = LEASE) -> Iterator[Check]:
    """Keeps other runs from writing into a dataset while the block runs.

    Gives a function that raises StorageError once the dataset is no longer ours, to be called now and then; a local
    lock is never lost, and goes with its process. Raises DatasetError where another run holds it. A lease whose holder
    died on this machine is taken over at once, any other after as many seconds of silence as its holder's `lease`,
    which this waits for.
    """
    if isinstance(root, Path):
        folder = _open(root)
        try:
            if _locked(folder, root):
                yield lambda: None
                return
        finally:
            os.close(folder)
    with _leased(root, lease) as check:
        yield check


def _open(root: Path) -> int:
    try:
        return os.open(root, os.O_RDONLY)
    except OSError as error:
        raise DatasetError(f"cannot open {root}: {error.strerror}") from error


def _locked(folder: int, root: Path) -> bool:
    """Locks an open folder; False where its file system has no such locks."""
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _taken(root) from None
    except OSError:
        return False
    return True


def _taken(root: Place, holder: str = "") -> DatasetError:
    who = f" {holder}" if holder else ""
    return DatasetError(f"another run{who} is writing into {root}; wait for it or give another folder")


@contextlib.contextmanager
def _leased(root: Place, lease: float) -> Iterator[Check]:
    own = _Lease(root, lease)
    own.take()
    stopped = threading.Event()
    keeper = threading.Thread(target=own.keep, args=(stopped,), name="lease", daemon=True)
    keeper.start()
    try:
        yield own.check
    finally:
        stopped.set()
        keeper.join()
        own.release()


class _Lease:
    """One run's claim on a dataset."""

    def __init__(self, root: Place, seconds: float) -> None:
        self._root = root
        self._seconds = seconds
        self._about: dict[str, Any] = {
            "id": secrets.token_hex(8),
            "host": socket.gethostname(),
            "process": _process(),
            "seconds": seconds,
        }
        self._number = 0
        self._lost: StorageError | None = None

    def take(self) -> None:
        """Waits for an earlier holder to be surely dead, and makes the next lease; DatasetError for one that lives."""
        highest, seen = self._highest()
        began = time.monotonic()
        while seen and (lives := _lives_here(seen)) is not False:
            if lives:
                raise _taken(self._root, "of this machine")
            if time.monotonic() - began > max(self._seconds, _seconds(seen)):
                break
            time.sleep(min(_LOOK, self._seconds / 4))
            number, now = self._highest()
            if now and (number, now) != (highest, seen):
                raise _taken(self._root, f"on {now.get('host', 'another machine')}")
            highest, seen = number, now
        self._number = highest + 1
        if not self._create():
            raise _taken(self._root)
        for number in self._numbers():
            if number < self._number:
                remove(self._place(number))
        self.check_number()

    def keep(self, stopped: threading.Event) -> None:
        """Shows that its holder lives, until it is stopped or has lost the dataset."""
        beat = 0
        while self._lost is None and not stopped.wait(self._seconds / 4):
            beat += 1
            try:
                self.check_number()
                replace_bytes(self._place(self._number), self._content(beat))
            except (StorageError, DatasetError) as error:
                self._lost = StorageError(str(error))

    def check(self) -> None:
        """StorageError once the dataset is another's, or the store does not let this one keep it."""
        if self._lost is not None:
            raise self._lost

    def check_number(self) -> None:
        """StorageError where a higher lease than this one is there."""
        if max(self._numbers(), default=0) > self._number:
            raise StorageError(f"another run took {self._root} over, since this one gave no sign of life; it ends here")

    def release(self) -> None:
        """Gives the dataset free."""
        with contextlib.suppress(StorageError):
            remove(self._place(self._number))

    def _place(self, number: int) -> Place:
        return self._root / layout.LEASE_NAME.format(number=number)

    def _numbers(self) -> list[int]:
        found = (layout.LEASE_NAME.parse(entry.name) for entry in self._root.iterdir())
        return sorted(int(values["number"]) for values in found if values is not None)

    def _highest(self) -> tuple[int, dict[str, Any]]:
        """The highest lease's number and what it says; 0 and nothing where there is none."""
        numbers = self._numbers()
        if not numbers:
            return 0, {}
        try:
            said = json.loads(read_bytes(self._place(numbers[-1])))
        except DatasetError:  # it was given free just now
            return self._highest() if numbers != self._numbers() else (numbers[-1], {"host": "?"})
        except ValueError:
            said = {}
        return numbers[-1], said if isinstance(said, dict) and said else {"host": "?"}

    def _content(self, beat: int) -> bytes:
        return json.dumps({**self._about, "beat": beat}).encode("ascii")

    def _create(self) -> bool:
        place = self._place(self._number)
        if isinstance(place, StorePath):
            made = place.store.create(place.key, self._content(0))
            return made or self._highest()[1].get("id") == self._about["id"]  # made, but the answer was lost
        try:
            with place.open("xb") as file:
                file.write(self._content(0))
        except FileExistsError:
            return False
        except OSError as error:
            raise StorageError(f"cannot write {place}: {error.strerror or error}") from error
        return True


def _process() -> list[str] | None:
    """What names this process among all that ever ran on any machine; None where the system does not tell."""
    return _identity(os.getpid())


def _identity(pid: int) -> list[str] | None:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        started = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19]
        return [boot, str(Path("/proc/self/ns/pid").readlink()), str(pid), started]
    except (OSError, IndexError):
        return None


def _lives_here(holder: dict[str, Any]) -> bool | None:
    """Whether a lease's holder, of this machine and this container, lives; None where it is of another."""
    theirs, ours = holder.get("process"), _process()
    if not isinstance(theirs, list) or len(theirs) != 4 or ours is None or theirs[:2] != ours[:2]:
        return None
    return str(theirs[2]).isdecimal() and _identity(int(theirs[2])) == theirs


def _seconds(holder: dict[str, Any]) -> float:
    """After how long a lease's holder says that it counts as dead."""
    said = holder.get("seconds")
    return float(said) if isinstance(said, int | float) else 0.0
