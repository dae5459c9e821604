"""What to do when work fails: how often a task is tried, when a node is avoided, when a run is given up. No Ray here.

| why a try failed                    | what follows                                                          |
|-------------------------------------|-----------------------------------------------------------------------|
| `scene`: an error of the pair's own | given up at once: it would fail the same way again                    |
| `crash`: its process died           | tried on another worker, then in a process of its own, then given up  |
| `memory`: killed for its memory     | tried in a process of its own, then given up                          |
| `hang`: no progress for long        | tried on another worker, then given up                                |
| `lost`: its node went away          | tried again, and not counted; from the sixth time on it is a crash    |
| `store`: the dataset is unwritable  | tried again after a pause that doubles; the run ends after `patience` |

A pair that is given up is in quarantine: its log is kept in the dataset, the rest of the run goes on, and the next run
tries it anew.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Final, Literal

from farm.cluster.status import Cause
from farm.errors import StorageError, StoreAccessError

__all__ = ["LADDERS", "Judge", "Policy", "StoreTrouble", "Verdict"]

Step = Literal["elsewhere", "alone", "give up"]

LADDERS: Final[dict[Cause, tuple[Step, ...]]] = {
    "scene": (),
    "crash": ("elsewhere", "alone"),
    "memory": ("alone",),
    "hang": ("elsewhere",),
}
"""What follows a task's first, second … failure of a cause; after the last of them it is given up."""
PAUSE_MAX: Final = 30.0
"""Seconds; a store that fails is tried again after pauses that double up to this."""
COUNTED: Final = max(map(len, LADDERS.values()))
"""A task that fails for more than one cause is given up after so many repeats in all."""


@dataclass(frozen=True)
class Policy:
    """The figures of a run's patience; seconds where they are times.

    stall          how long a worker may show no progress before it is taken to hang
    opening        how long a worker that has its place may take to open its renderer: GPUs compile kernels, for minutes
    patience       how long the store may fail before the run ends
    losses         how often a task's node may go away before that counts as a crash
    in_a_row       after so many different tasks failing one after another, a node is avoided
    hopeless       after so many on the only node that is left, the run ends
    recycle_pairs  after so many pairs a worker makes room for a new process
    """

    stall: float = 900.0
    opening: float = 1800.0
    patience: float = 120.0
    losses: int = 5
    in_a_row: int = 3
    hopeless: int = 10
    recycle_pairs: int = 500


@dataclass(frozen=True)
class Verdict:
    """What follows a failure. `counted` is how many tries of the task have failed of their own."""

    step: Step
    tries: int
    avoid_node: bool = False


class Judge:
    """Counts failures by task and by node."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._by_task: defaultdict[str, Counter[Cause]] = defaultdict(Counter)
        self._in_a_row: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self.avoided: set[str] = set()

    def failed(self, task: str, cause: Cause, node: str) -> Verdict:
        """A try of a task failed on a node: what follows."""
        counts = self._by_task[task]
        if cause == "lost":
            counts["lost"] += 1
            if counts["lost"] <= self.policy.losses:
                return Verdict("elsewhere", tries=self._tries(counts))
            cause = "crash"
        counts[cause] += 1
        ladder = LADDERS[cause]
        repeats = self._tries(counts) - 1
        given_up = counts[cause] > len(ladder) or repeats >= COUNTED
        step: Step = "give up" if given_up else ladder[counts[cause] - 1]
        return Verdict(step, tries=repeats + 1, avoid_node=cause != "scene" and self._condemn(node, task))

    def succeeded(self, node: str) -> None:
        """A pair was committed on a node."""
        self._in_a_row.pop(node, None)

    def opening_failed(self, node: str, worker: str) -> bool:
        """A worker could not open its renderer on a node; whether the node is to be avoided from now on."""
        return self._condemn(node, worker)

    def failures_in_a_row(self, node: str) -> int:
        """How many different tasks failed on a node since one succeeded there."""
        return len(self._in_a_row[node]) if node in self._in_a_row else 0

    def is_hopeless(self, node: str) -> bool:
        """Whether so much failed on a node that there is no point in going on, were it the only one."""
        return self.failures_in_a_row(node) >= self.policy.hopeless

    def _condemn(self, node: str, what: str) -> bool:
        self._in_a_row[node][what] = None
        if node in self.avoided or self.failures_in_a_row(node) < self.policy.in_a_row:
            return False
        self.avoided.add(node)
        return True

    @staticmethod
    def _tries(counts: Counter[Cause]) -> int:
        """How many tries of a task failed that count."""
        return sum(number for cause, number in counts.items() if cause != "lost")


class StoreTrouble:
    """For how long the store has failed, and when it is to be tried again."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self.since: float | None = None
        self._pause = 1.0
        self._again = 0.0

    def failed(self, error: StorageError) -> None:
        """It failed; raises the error once that has gone on for too long, or at once where waiting does not help."""
        if isinstance(error, StoreAccessError):
            raise error
        now = time.monotonic()
        self.since = now if self.since is None else self.since
        if now - self.since + self._pause > self._patience:
            raise error
        self._again = now + self._pause
        self._pause = min(2 * self._pause, PAUSE_MAX)

    def over(self) -> None:
        """It was written."""
        self.since, self._pause = None, 1.0

    def wait(self) -> None:
        """Let the pause pass."""
        time.sleep(max(0.0, self._again - time.monotonic()))

    def allows(self, busy: int) -> bool:
        """Whether a pair may be begun: while the store fails one at a time, after each pause."""
        return self.since is None or (time.monotonic() >= self._again and not busy)
