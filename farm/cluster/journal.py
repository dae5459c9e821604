"""What has happened in a run so far, and how it stands: the counts behind `status.json`, lines and metrics."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Final

from farm.cluster.plan import Task
from farm.cluster.status import Cause, FailedTask, NodeStatus, RunStatus, State, WorkerStatus
from farm.dataset.layout import REFERENCE_NAME, pair_key

__all__ = ["Journal", "Summary"]

WINDOW: Final = 600.0
"""Seconds over which the rate is taken, where enough pairs fall into them."""
FEW: Final = 20
SHOWN: Final = 100
PREVIEWS: Final = 12


@dataclass
class Summary:
    """What a run came to."""

    total: int
    done: int
    rendered: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    given_up: list[FailedTask] = field(default_factory=list)
    interrupted: bool = False

    @property
    def complete(self) -> bool:
        """Whether every pair of the recipe is there."""
        return self.done + self.rendered == self.total


@dataclass
class Journal:
    """Counts of one run."""

    run: str
    recipe: str
    priority: int = 0
    total: int = 0
    done_before: int = 0
    rendered: int = 0
    retries: Counter[Cause] = field(default_factory=Counter)
    failures: Counter[Cause] = field(default_factory=Counter)
    phases: Counter[str] = field(default_factory=Counter)
    _given_up: deque[FailedTask] = field(default_factory=lambda: deque(maxlen=SHOWN))
    _previews: deque[str] = field(default_factory=lambda: deque(maxlen=PREVIEWS))
    _commits: deque[float] = field(default_factory=lambda: deque(maxlen=1000))
    _started: float = field(default_factory=time.time)
    _began: float = field(default_factory=time.monotonic)

    def began(self, *, total: int, done: int) -> None:
        """The first worker is ready."""
        self.total, self.done_before = total, done
        self._began = time.monotonic()

    def committed(self, task: Task, seconds: dict[str, float]) -> None:
        """A pair is in the dataset, after so many seconds by step."""
        self.rendered += 1
        self.phases.update(seconds)
        self._commits.append(time.monotonic())
        self._previews.appendleft(f"{pair_key(task.variant.id, task.view.frame)}/{REFERENCE_NAME}")

    def retried(self, cause: Cause) -> None:
        """A try failed and is repeated."""
        self.retries[cause] += 1

    def gave_up(self, failure: FailedTask) -> None:
        """A pair is given up."""
        self.failures[failure.cause] += 1
        self._given_up.append(failure)

    @property
    def rate(self) -> float:
        """Pairs a second, over the last minutes."""
        now = time.monotonic()
        while len(self._commits) > FEW and now - self._commits[0] > WINDOW:
            self._commits.popleft()
        if not self._commits:
            return 0.0
        since = self._began if len(self._commits) == self.rendered else self._commits[0]
        return len(self._commits) / max(now - since, 1e-3)

    def status(
        self,
        state: State,
        *,
        message: str = "",
        waiting: int = 0,
        workers: tuple[WorkerStatus, ...] = (),
        nodes: tuple[NodeStatus, ...] = (),
    ) -> RunStatus:
        """How the run stands."""
        running = sum(worker.state in ("rendering", "leaving") for worker in workers)
        left = self.total - self.done_before - self.rendered - self.failures.total()
        rate = self.rate
        return RunStatus(
            run=self.run,
            recipe=self.recipe,
            state=state,
            message=message,
            started=round(self._started, 3),
            updated=round(time.time(), 3),
            total=self.total,
            done=self.done_before + self.rendered,
            rendered=self.rendered,
            waiting=waiting,
            running=running,
            failed=self.failures.total(),
            rate=round(3600 * rate, 3),
            eta=round(left / rate, 1) if rate and state == "running" else None,
            priority=self.priority,
            retries=dict(self.retries),
            failures=dict(self.failures),
            given_up=tuple(self._given_up),
            phases={name: round(value, 3) for name, value in sorted(self.phases.items())},
            workers=workers,
            nodes=nodes,
            previews=tuple(self._previews),
        )
