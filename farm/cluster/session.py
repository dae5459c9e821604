"""Ray itself: one of this process alone, or a cluster that is there; and what nodes it has."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

import ray
import ray._private.state

from farm.cluster.machine import Pool
from farm.errors import BadInput, FarmError

__all__ = ["NAMESPACE", "Node", "Nodes", "join_cluster", "living_nodes", "local_ray", "size_of_cluster"]

NAMESPACE: Final = "digidouble"
THREADS: Final = 4
"""CPUs of a cluster's worker, where not said otherwise."""
REACHED: Final = 10.0
"""Seconds in which a cluster's head must take a connection."""
LOOK: Final = 2.0
"""Seconds between two looks at the nodes."""
QUIET: Final[dict[str, Any]] = {"log_to_driver": False, "logging_level": "ERROR", "configure_logging": True}


@dataclass(frozen=True)
class Node:
    """A node that is alive, and what Ray may hand out of it."""

    id: str
    name: str
    cpus: int
    gpus: int

    def carries(self, threads: int, *, gpus: bool) -> int:
        """How many workers of `threads` CPUs, and one GPU each where `gpus` are asked for, find room on it."""
        by_cpus = self.cpus // threads
        return min(by_cpus, self.gpus) if gpus else by_cpus


@contextlib.contextmanager
def local_ray(pool: Pool) -> Iterator[None]:
    """A Ray of this process alone, without dashboard, gone when the block ends. FarmError where it does not start."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "1"
    try:
        ray.init(
            address="local",
            namespace=NAMESPACE,
            num_cpus=pool.workers * pool.threads,
            num_gpus=pool.gpus,
            include_dashboard=False,
            **QUIET,
        )
    except Exception as error:  # Ray raises just that where its processes do not come up in time
        reason = str(error).strip().splitlines()[0]
        raise FarmError(f"Ray does not start on this machine: {reason} Wait until it is less busy") from error
    try:
        yield
    finally:
        ray.shutdown()


@contextlib.contextmanager
def join_cluster(address: str) -> Iterator[None]:
    """A cluster that is there, joined from a node of it; it goes on when the block ends.

    FarmError where there is none, BadInput for the address of a Ray Client.
    """
    if address.startswith("ray://"):
        raise BadInput(f"{address} is for Ray Client; from another machine send the run with `digidouble submit`")
    _refuse_absent(address)
    try:
        ray.init(address=address, namespace=NAMESPACE, **QUIET)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise _no_cluster(address, str(error).strip().splitlines()[0]) from error
    try:
        yield
    finally:
        ray.shutdown()


def _refuse_absent(address: str) -> None:
    """FarmError where nobody listens at `HOST:PORT`: Ray itself would ask for ten minutes."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=REACHED).close()
    except (OSError, OverflowError) as error:
        raise _no_cluster(address, getattr(error, "strerror", None) or str(error)) from error


def _no_cluster(address: str, reason: str) -> FarmError:
    return FarmError(f"no Ray cluster at '{address}': {reason}; start one with `ray start --head`")


def living_nodes() -> list[Node]:
    """The nodes that are alive, by their id."""
    nodes = [
        Node(
            id=str(node["NodeID"]),
            name=str(node.get("NodeManagerHostname") or node["NodeName"]),
            cpus=int(node["Resources"].get("CPU", 0)),
            gpus=int(node["Resources"].get("GPU", 0)),
        )
        for node in ray.nodes()
        if node["Alive"]
    ]
    return sorted(nodes, key=lambda node: node.id)


class Nodes:
    """The cluster's nodes, looked up anew every few seconds: which carry a run's workers, which are being drained."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._looked = -LOOK
        self._living: list[Node] = []
        self._drained: frozenset[str] = frozenset()

    def lives(self, node: str) -> bool:
        """Whether a node is alive now."""
        return any(each.id == node for each in living_nodes())

    def has_another(self, node: str, avoided: Collection[str]) -> bool:
        """Whether a node beside this one, and none of those that are avoided, carries workers."""
        self._look()
        threads, gpus = self._pool.threads, self._pool.gpus > 0
        others = [each for each in self._living if each.id not in {node, *avoided, *self._drained}]
        return any(each.carries(threads, gpus=gpus) for each in others)

    @property
    def drained(self) -> frozenset[str]:
        """The nodes that go away soon: a spot instance that is reclaimed, one that the autoscaler ends."""
        self._look()
        return self._drained

    def _look(self) -> None:
        if time.monotonic() - self._looked > LOOK:
            self._living, self._looked = living_nodes(), time.monotonic()
            self._drained = frozenset(ray._private.state.state.get_draining_nodes())


def size_of_cluster(
    tasks: int, nodes: list[Node], *, gpus: bool, workers: int | None = None, threads: int | None = None
) -> Pool:
    """The pool for `tasks` pairs on a cluster: as many workers as it carries now, or `workers`, which it may grow to.

    Where `threads` is left out a worker gets four CPUs, or as many as the smallest node has. FarmError for a cluster
    that carries none and has not been told how many there will be.
    """
    smallest = min((node.cpus for node in nodes if node.cpus and (node.gpus or not gpus)), default=THREADS)
    threads = threads or max(1, min(THREADS, smallest))
    fitting = sum(node.carries(threads, gpus=gpus) for node in nodes)
    if not fitting and workers is None:
        what = f"{threads} CPUs and a GPU" if gpus else f"{threads} CPUs"
        raise FarmError(f"no node of the cluster has {what}; add one, or say how many --workers there will be")
    count = max(1, min(tasks, workers or fitting))
    return Pool(workers=count, threads=threads, gpus=count if gpus else 0)
