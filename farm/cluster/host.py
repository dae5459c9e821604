"""The process that a renderer lives in: a Ray actor that logs each task apart, and tells its pulse and its memory."""

from __future__ import annotations

import contextlib
import errno
import faulthandler
import os
import platform
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, Protocol

import ray

from farm.cluster.board import Pulse
from farm.cluster.plan import Task
from farm.dataset import Engine
from farm.errors import StorageError

__all__ = ["LOG_BYTES", "OPENING", "Host", "Placed", "Rendered", "Renderer", "RendererFactory", "read_log"]

SCRATCH_PREFIX: Final = "digidouble-worker-"
OPENING: Final = "opening"
"""The name of the log of a worker that opens its renderer; others have their task's key."""
LOGS_STAY: Final = 600.0
"""Seconds."""
FULL: Final = (errno.ENOSPC, errno.EDQUOT)
LOG_BYTES: Final = 64 * 1024
"""So much of the end of a log is kept."""


class Renderer(Protocol):
    """What renders: `farm.cluster.worker.Worker`, or a stand-in for tests and simulations."""

    @property
    def seconds(self) -> Mapping[str, float]:
        """By step, of the last pair."""

    def engine(self) -> Engine:
        """Open what is needed; says what renders."""

    def render(self, task: Task, root: str) -> str:
        """Render a task and commit it into the dataset at `root`; returns the task's key."""


RendererFactory = Callable[[Path, Callable[..., None]], Renderer]
"""Makes a renderer from a folder for its scratch files and a function that it calls whenever it has advanced."""


@dataclass(frozen=True)
class Placed:
    """Where a worker is: its node's id and name, its process, and the folder of its logs there."""

    node: str
    host: str
    pid: int
    logs: str


@dataclass(frozen=True)
class Rendered:
    """A pair is committed."""

    key: str
    seconds: dict[str, float] = field(default_factory=dict)
    memory: int = 0


class Host:
    """One worker's process. `scratch` is a folder that is removed by others; left out, it is cleared when it can be."""

    def __init__(self, name: str, make: RendererFactory, board: Any, scratch: Path | None = None) -> None:
        self._name = name
        _clear_scratch()
        self._scratch = Path(tempfile.mkdtemp(prefix=f"{SCRATCH_PREFIX}{os.getpid()}-", dir=scratch))
        self._pulse = Pulse(board, name)
        self._make = make
        self._renderer: Renderer | None = None

    def where(self) -> Placed:
        """Where it is."""
        node = ray.get_runtime_context().get_node_id()
        return Placed(node, platform.node(), os.getpid(), str(self._scratch))

    def open(self) -> Engine:
        """Open the renderer; says what it is."""
        with self._logged(OPENING):
            if self._renderer is None:
                self._renderer = self._make(self._scratch, self._pulse.tick)
            engine = self._renderer.engine()
        self._pulse.tick()
        return engine

    def render(self, task: Task, root: str) -> Rendered:
        """Render a task; what it prints, and where it dies, stands in its log."""
        if self._renderer is None:
            raise RuntimeError(f"{self._name} is not open")
        self._pulse.tick()
        with self._logged(task.key):
            key = self._renderer.render(task, root)
        self._pulse.tick()
        return Rendered(key, dict(self._renderer.seconds), _resident())

    @contextlib.contextmanager
    def _logged(self, name: str) -> Iterator[None]:
        """Send all that is printed into a log of its own, which goes when all is well.

        StorageError for what fails because a disk is full: this one's, or another that the renderer writes to.
        """
        path = self._scratch / f"{name}.log"
        try:
            with path.open("wb", buffering=0) as log, _redirected(log):
                faulthandler.enable(log)
                try:
                    yield
                except BaseException:
                    with contextlib.suppress(OSError):
                        log.write(traceback.format_exc().encode())
                    raise
                finally:
                    faulthandler.disable()
        except OSError as error:
            if error.errno not in FULL:
                raise
            raise StorageError(f"no space left on {platform.node()}, in {error.filename or path.parent}") from error
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _redirected(log: IO[bytes]) -> Iterator[None]:
    """Let standard output and errors of this process, also of what is not Python, go into a file."""
    _flush()
    kept = [os.dup(1), os.dup(2)]
    try:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        yield
    finally:
        _flush()
        for stream, copy in enumerate(kept, start=1):
            os.dup2(copy, stream)
            os.close(copy)


def _flush() -> None:
    """Let go of what was printed; a full disk has no room for it."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()


def _resident() -> int:
    """Bytes of memory that this process holds now."""
    statm = Path("/proc/self/statm")
    if statm.is_file():
        return int(statm.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _clear_scratch() -> None:
    """Remove the scratch of this node's killed workers, once their drivers have had time to read the logs."""
    for folder in Path(tempfile.gettempdir()).glob(f"{SCRATCH_PREFIX}*"):
        pid = folder.name.removeprefix(SCRATCH_PREFIX).partition("-")[0]
        with contextlib.suppress(OSError):
            if pid.isdecimal() and not _runs(int(pid)) and time.time() - folder.stat().st_mtime > LOGS_STAY:
                shutil.rmtree(folder, ignore_errors=True)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def read_log(folder: str, name: str) -> str:
    """The end of a worker's log, on its node; empty where there is none."""
    try:
        data = (Path(folder) / f"{name}.log").read_bytes()
    except OSError:
        return ""
    return data[-LOG_BYTES:].decode("utf-8", "replace")
