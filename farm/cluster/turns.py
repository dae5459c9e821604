"""Priorities between runs on one cluster: who may have how many workers now.

The runs of a cluster find each other through one small actor that outlives them all. A run says every few seconds
how many workers it could use, and is told how many it may have; what it has beyond that it gives back, each worker
after its pair. A run that falls silent is forgotten.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import ray
from ray.exceptions import RayError

from farm.cluster.machine import Pool
from farm.cluster.session import living_nodes

__all__ = ["Claim", "Turns", "share_out"]

ACTOR: Final = "digidouble-turns"
SILENT: Final = 30.0
"""Seconds after which a run that says nothing is forgotten."""
PERIOD: Final = 3.0
"""Seconds between two claims of a run."""


@dataclass(frozen=True)
class Claim:
    """What a run could use: so many workers of so many CPUs and GPUs each."""

    priority: int
    workers: int
    cpus: float
    gpus: float


def share_out(claims: Mapping[str, Claim], cpus: float, gpus: float) -> dict[str, int]:
    """How many workers each run may have of a cluster with these CPUs and GPUs.

    Higher priorities are served first, to the full. Equal ones get a worker each in turn, in the order of `claims`.
    """
    shares = dict.fromkeys(claims, 0)
    for priority in sorted({claim.priority for claim in claims.values()}, reverse=True):
        hungry = [name for name, claim in claims.items() if claim.priority == priority]
        while hungry:
            for name in list(hungry):
                claim = claims[name]
                if shares[name] >= claim.workers or claim.cpus > cpus or claim.gpus > gpus:
                    hungry.remove(name)
                    continue
                shares[name] += 1
                cpus -= claim.cpus
                gpus -= claim.gpus
    return shares


class _Table:
    """The actor: the claims of the cluster's runs."""

    def __init__(self) -> None:
        self._claims: dict[str, Claim] = {}
        self._heard: dict[str, float] = {}

    def claim(self, run: str, claim: Claim, cpus: float, gpus: float) -> int:
        """Say what a run could use; returns how many workers it may have."""
        now = time.monotonic()
        self._claims[run], self._heard[run] = claim, now
        for other in [name for name, heard in self._heard.items() if now - heard > SILENT]:
            self.leave(other)
        return share_out(self._claims, cpus, gpus)[run]

    def leave(self, run: str) -> None:
        """A run is over."""
        self._claims.pop(run, None)
        self._heard.pop(run, None)


class Turns:
    """A run's side."""

    def __init__(self, run: str, pool: Pool, priority: int) -> None:
        self._run, self._pool, self._priority = run, pool, priority
        self._asked = 0.0
        self._answer: Any = None
        self._allowed: int | None = None

    def allowance(self, wanted: int) -> int:
        """How many of the wanted workers the run may have now, as far as it has been told."""
        if self._answer is not None and ray.wait([self._answer], timeout=0)[0]:
            with contextlib.suppress(RayError):  # the actor's node is gone; the next claim makes another
                self._allowed = ray.get(self._answer)
            self._answer = None
        if self._answer is None and time.monotonic() - self._asked > PERIOD:
            self._asked = time.monotonic()
            nodes = living_nodes()
            claim = Claim(self._priority, wanted, self._pool.threads, self._pool.gpu_share)
            cpus, gpus = sum(node.cpus for node in nodes), sum(node.gpus for node in nodes)
            self._answer = _table().claim.remote(self._run, claim, cpus, gpus)
        return wanted if self._allowed is None else min(wanted, self._allowed)

    def close(self) -> None:
        """The run is over."""
        _table().leave.remote(self._run)


def _table() -> Any:
    options = {"name": ACTOR, "lifetime": "detached", "get_if_exists": True, "num_cpus": 0, "max_restarts": -1}
    return ray.remote(_Table).options(**options).remote()
