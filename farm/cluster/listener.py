"""Who watches a run: the terminal, a program that reads lines, a status page, a metrics store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from farm.cluster.machine import Pool
from farm.cluster.plan import Task
from farm.cluster.status import FailedTask, RunStatus
from farm.dataset import Engine

__all__ = ["Listener", "Listeners"]


class Listener:
    """Is told what happens in a run; each does what it will with what it wants to know."""

    def starting(self, pool: Pool) -> None:
        """Workers are being started."""

    def began(self, *, total: int, done: int, engine: Engine) -> None:
        """The first worker is ready; `done` pairs of `total` were there already."""

    def tick(self, running: int) -> None:
        """Time has passed; so many pairs are being rendered."""

    def committed(self, task: Task, seconds: float, phases: Mapping[str, float]) -> None:
        """A pair is in the dataset, after so many seconds on its worker; `phases` are those by step."""

    def failed(self, task: Task, failure: FailedTask) -> None:
        """A pair was given up."""

    def noticed(self, message: str) -> None:
        """Something that people may want to know: a try that failed, a node that is avoided, a pause."""

    def status(self, status: RunStatus) -> None:
        """How the run stands, every few seconds and at its end."""

    def close(self) -> None:
        """The run is over, well or not."""


class Listeners(Listener):
    """Several listeners as one."""

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self._all = tuple(listeners)

    def _tell(self, how: Callable[[Listener], None]) -> None:
        for each in self._all:
            how(each)

    def starting(self, pool: Pool) -> None:
        """Tell all."""
        self._tell(lambda each: each.starting(pool))

    def began(self, *, total: int, done: int, engine: Engine) -> None:
        """Tell all."""
        self._tell(lambda each: each.began(total=total, done=done, engine=engine))

    def tick(self, running: int) -> None:
        """Tell all."""
        self._tell(lambda each: each.tick(running))

    def committed(self, task: Task, seconds: float, phases: Mapping[str, float]) -> None:
        """Tell all."""
        self._tell(lambda each: each.committed(task, seconds, phases))

    def failed(self, task: Task, failure: FailedTask) -> None:
        """Tell all."""
        self._tell(lambda each: each.failed(task, failure))

    def noticed(self, message: str) -> None:
        """Tell all."""
        self._tell(lambda each: each.noticed(message))

    def status(self, status: RunStatus) -> None:
        """Tell all."""
        self._tell(lambda each: each.status(status))

    def close(self) -> None:
        """Tell all."""
        self._tell(lambda each: each.close())
