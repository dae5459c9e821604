"""What is still to be rendered, shared out so that each worker keeps the scene that it has."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Final, NamedTuple

from farm.cluster.plan import Task

__all__ = ["Given", "Queue"]


ELSEWHERE: Final = 60.0
"""Seconds for which a task that failed waits for another node; after them any will do."""


@dataclass(frozen=True)
class _Again:
    """A task whose worker failed: not for that node where there is another, perhaps for a fresh process alone."""

    task: Task
    node: str
    alone: bool
    since: float


class Given(NamedTuple):
    """A task for a worker; `alone` where the worker's process is to end with it."""

    task: Task
    alone: bool


class Queue:
    """A run's tasks. A worker gets one double's after another; one that has none left takes half of another's.

    So a double is built once, and once more for each time that its tasks are divided.
    """

    def __init__(self, tasks: Iterable[Task], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._groups = deque(deque(group) for _, group in groupby(tasks, key=lambda task: task.double or task.key))
        self._leases: dict[str, deque[Task]] = {}
        self._again: list[_Again] = []
        self._length = sum(map(len, self._groups))

    def __len__(self) -> int:
        return self._length

    def take(self, worker: str, *, node: str = "", fresh: bool = False, only_node: bool = True) -> Given | None:
        """The next task for a worker, None where there is none for it now.

        fresh      whether the worker has rendered nothing yet: what is to be rendered alone asks for such a one
        only_node  whether there is no other node to use, so that what failed on it must be tried on it
        """
        given = self._take_again(node, fresh=fresh, only_node=only_node)
        if given is None:
            task = self._next(worker)
            given = None if task is None else Given(task, alone=False)
        self._length -= given is not None
        return given

    @property
    def wants_fresh(self) -> bool:
        """Whether a task waits for a process of its own."""
        return any(again.alone for again in self._again)

    @property
    def shunned(self) -> str:
        """The node that the first waiting task failed on, where nothing is left but such as wait for another node."""
        waiting = [again.node for again in self._again if self._waits(again)]
        return waiting[0] if waiting and len(waiting) == len(self) else ""

    def put_back(self, task: Task, *, node: str = "", alone: bool = False) -> None:
        """Have a task tried again, on another node than `node` where there is one."""
        self._again.append(_Again(task, node, alone, self._clock()))
        self._length += 1

    def leave(self, worker: str) -> None:
        """A worker is gone: what it had before it is anybody's."""
        rest = self._leases.pop(worker, None)
        if rest:
            self._groups.appendleft(rest)

    def _take_again(self, node: str, *, fresh: bool, only_node: bool) -> Given | None:
        for again in self._again:
            elsewhere = only_node or again.node != node or not self._waits(again)
            if elsewhere and (fresh or not again.alone):
                self._again.remove(again)
                return Given(again.task, again.alone)
        return None

    def _waits(self, again: _Again) -> bool:
        """Whether a task still waits for another node than the one that it failed on."""
        return bool(again.node) and self._clock() - again.since < ELSEWHERE

    def _next(self, worker: str) -> Task | None:
        lease = self._leases.get(worker)
        if not lease:
            lease = self._groups.popleft() if self._groups else self._half()
            if lease is None:
                return None
            self._leases[worker] = lease
        return lease.popleft()

    def _half(self) -> deque[Task] | None:
        """The latter half of the longest lease, parted between variants where it holds several."""
        longest = max(self._leases.values(), key=len, default=None)
        if not longest:
            return None
        middle = len(longest) // 2
        tasks = list(longest)
        starts = [at for at in range(1, len(tasks)) if tasks[at].variant is not tasks[at - 1].variant]
        cut = min(starts, key=lambda at: abs(at - middle), default=middle)
        longest.clear()
        longest.extend(tasks[:cut])
        return deque(tasks[cut:])
