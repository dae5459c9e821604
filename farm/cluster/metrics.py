"""A run's figures for Prometheus, through Ray: every node's metrics agent serves them under `ray_…`.

| metric                              | kind      | tags                |
|-------------------------------------|-----------|---------------------|
| `digidouble_pairs_committed_total`  | counter   | `run`               |
| `digidouble_tries_failed_total`     | counter   | `run`, `cause`      |
| `digidouble_pairs_given_up_total`   | counter   | `run`, `cause`      |
| `digidouble_phase_seconds`          | histogram | `run`, `phase`      |
| `digidouble_pair_seconds`           | histogram | `run`               |
| `digidouble_pairs_waiting`          | gauge     | `run`               |
| `digidouble_pairs_running`          | gauge     | `run`               |
| `digidouble_workers`                | gauge     | `run`, `state`      |
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from ray.util.metrics import Counter as RayCounter
from ray.util.metrics import Gauge, Histogram

from farm.cluster.listener import Listener
from farm.cluster.plan import Task
from farm.cluster.status import RunStatus

__all__ = ["Metrics"]

SECONDS: Final = [0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000]
STATES: Final = ("placing", "opening", "idle", "rendering", "leaving")


class Metrics(Listener):
    """Keeps a run's metrics; to be made once Ray is there."""

    def __init__(self, run: str) -> None:
        self._run = {"run": run}
        by_run, by_cause = ("run",), ("run", "cause")
        self._committed = RayCounter("digidouble_pairs_committed_total", "Pairs committed.", by_run)
        self._tries = RayCounter("digidouble_tries_failed_total", "Tries that failed and were repeated.", by_cause)
        self._given_up = RayCounter("digidouble_pairs_given_up_total", "Pairs that were given up.", by_cause)
        self._phases = Histogram("digidouble_phase_seconds", "Seconds of a pair's step.", SECONDS, ("run", "phase"))
        self._pairs = Histogram("digidouble_pair_seconds", "Seconds of a pair.", SECONDS, by_run)
        self._waiting = Gauge("digidouble_pairs_waiting", "Pairs that no worker has begun.", by_run)
        self._running = Gauge("digidouble_pairs_running", "Pairs that are being rendered.", by_run)
        self._workers = Gauge("digidouble_workers", "Workers by state.", ("run", "state"))
        self._told: Counter[str] = Counter()

    def committed(self, task: Task, seconds: float, phases: Mapping[str, float]) -> None:
        """A pair is in the dataset."""
        del task
        self._committed.inc(1, self._run)
        self._pairs.observe(seconds, self._run)
        for phase, spent in phases.items():
            self._phases.observe(spent, {**self._run, "phase": phase})

    def status(self, status: RunStatus) -> None:
        """How the run stands."""
        for counter, counts in ((self._tries, status.retries), (self._given_up, status.failures)):
            for cause, count in counts.items():
                new = count - self._told[f"{id(counter)}/{cause}"]
                if new > 0:
                    counter.inc(new, {**self._run, "cause": cause})
                    self._told[f"{id(counter)}/{cause}"] = count
        self._waiting.set(status.waiting, self._run)
        self._running.set(status.running, self._run)
        states = Counter(worker.state for worker in status.workers)
        for state in STATES:
            self._workers.set(states[state], {**self._run, "state": state})
