"""The workers of a run, as Ray actors: hired, watched, retired. What to do about failures is the loop's."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from farm.cluster.board import Board
from farm.cluster.host import Host, Placed, Rendered, RendererFactory, read_log
from farm.cluster.lending import lend
from farm.cluster.machine import WORKER_MEMORY, Pool
from farm.cluster.plan import Task
from farm.cluster.status import WorkerStatus
from farm.dataset import Engine
from farm.errors import StorageError

__all__ = ["Crew", "Member"]

LOG_SECONDS: Final = 10.0
"""How long a node is given to hand over a log."""
GROWTH: Final = 1.5
"""A worker that holds more than its share, and so many times what it held after its first pair, is recycled."""

State = Literal["placing", "opening", "idle", "rendering"]


@dataclass(eq=False)
class Member:
    """One worker as the driver sees it."""

    name: str
    actor: Any
    future: Any
    threads: int
    state: State = "placing"
    since: float = field(default_factory=time.monotonic)
    place: Placed | None = None
    engine: Engine | None = None
    task: Task | None = None
    leaving: bool = False
    hung: bool = False
    tries: int = 0
    pairs: int = 0
    memory: int = 0
    first_memory: int = 0
    silence: float = 0.0

    def enter(self, state: State, future: Any = None) -> None:
        """Go into a state, with what is awaited in it."""
        self.state, self.future, self.since = state, future, time.monotonic()

    @property
    def node(self) -> str:
        """The id of its node; empty before it has its place."""
        return self.place.node if self.place else ""

    @property
    def host(self) -> str:
        """The name of its node; empty before it has its place."""
        return self.place.host if self.place else ""

    @property
    def is_fresh(self) -> bool:
        """Whether it has rendered nothing yet."""
        return self.tries == 0

    def account(self, done: Rendered) -> None:
        """Take note of a pair."""
        self.pairs += 1
        self.memory = done.memory
        self.first_memory = self.first_memory or done.memory

    @property
    def is_swollen(self) -> bool:
        """Whether it holds more memory than it should."""
        return self.memory > WORKER_MEMORY and self.memory > GROWTH * self.first_memory

    def status(self) -> WorkerStatus:
        """As `status.json` shows it."""
        return WorkerStatus(
            name=self.name,
            node=self.host,
            device=self.engine.device_name if self.engine else "",
            state="leaving" if self.leaving else self.state,
            task=self.task.name if self.task else "",
            seconds=round(time.monotonic() - self.since, 1),
            since_progress=round(self.silence, 1),
            pairs=self.pairs,
            memory=self.memory,
        )


class Crew:
    """The workers that there are now."""

    def __init__(self, make: RendererFactory, pool: Pool, *, scratch: Path | None = None) -> None:
        self._options = {"num_cpus": pool.threads, "num_gpus": pool.gpu_share, "max_restarts": 0, "max_task_retries": 0}
        self._threads = pool.threads
        self._make = ray.put(make)
        self.settled = False
        self._scratch = scratch
        self._names = (f"w{number}" for number in itertools.count(1))
        self._home = ray.get_runtime_context().get_node_id()
        here = NodeAffinitySchedulingStrategy(node_id=self._home, soft=True)
        self.board = ray.remote(Board).options(num_cpus=0, max_restarts=-1, scheduling_strategy=here).remote()
        self.members: list[Member] = []
        self._awaited: dict[Any, Member] = {}
        self._silence: Any = None

    def settle(self, make: RendererFactory) -> None:
        """Have workers to come make their renderer so."""
        self._make = ray.put(make)
        self.settled = True

    def hire(self, avoid: Iterable[str] = ()) -> Member:
        """Ask for one more worker, not on the nodes to avoid; Ray gives it a place once there is one."""
        name = next(self._names)
        shunned = ",".join(sorted(avoid))
        where = {"label_selector": {"ray.io/node-id": f"!in({shunned})"}} if shunned else {}
        actor = ray.remote(Host).options(**self._options, **where).remote(name, self._make, self.board, self._scratch)
        member = Member(name, actor, actor.where.remote(), self._threads)
        self.members.append(member)
        self._awaited[member.future] = member
        return member

    def open(self, member: Member) -> None:
        """Let a worker that has its place open its renderer."""
        self._await(member, "opening", member.actor.open.remote())

    def render(self, member: Member, task: Task, root: str) -> None:
        """Give a worker a task."""
        member.task = task
        member.tries += 1
        self._await(member, "rendering", member.actor.render.remote(task, root))

    def lend(self, member: Member, threads: int) -> None:
        """Let a worker on this machine use so many threads; where its disk is full it keeps those that it has."""
        if member.place is not None:
            with contextlib.suppress(StorageError):
                lend(Path(member.place.logs), threads)
                member.threads = threads

    def rest(self, member: Member) -> None:
        """A worker has nothing to do."""
        member.task = None
        member.enter("idle")

    def ready(self, seconds: float) -> Iterator[tuple[Member, Any]]:
        """Those workers of which something came within some seconds, with what it was awaited by."""
        if not self._awaited:
            time.sleep(seconds)
            return
        found, _ = ray.wait(list(self._awaited), timeout=seconds)
        for future in found:
            member = self._awaited.pop(future, None)
            if member is not None:
                member.future = None
                yield member, future

    def dismiss(self, member: Member) -> None:
        """End a worker, in the middle of a pair or not."""
        ray.kill(member.actor, no_restart=True)
        self.members.remove(member)
        self._awaited.pop(member.future, None)
        self.board.forget.remote(member.name)

    def kill(self, member: Member) -> None:
        """End a worker that hangs; that its pair failed comes back through `ready`."""
        member.hung = True
        ray.kill(member.actor, no_restart=True)

    def dismiss_all(self, result: Callable[[Any], Any]) -> None:
        """End all workers, and wait until they are gone; `result` gets a future's value or raises."""
        pending = list(self._awaited)
        for member in list(self.members):
            self.dismiss(member)
        for future in pending:
            with contextlib.suppress(Exception):
                result(future)

    def close(self) -> None:
        """End the board as well."""
        ray.kill(self.board)

    def listen(self) -> None:
        """Bring what is known of the workers' progress up to date, without waiting for it."""
        if self._silence is None:
            self._silence = self.board.silence.remote()
        if not ray.wait([self._silence], timeout=0)[0]:
            return
        with contextlib.suppress(RayError):  # the board is being started again
            silence = ray.get(self._silence)
            for member in self.members:
                member.silence = silence.get(member.name, 0.0)
        self._silence = None

    def log_of(self, member: Member, name: str) -> str:
        """The end of a worker's log, fetched from its node; empty where it went with the node."""
        if member.place is None:
            return ""
        folder = member.place.logs
        if member.node == self._home:
            return read_log(folder, name)
        there = NodeAffinitySchedulingStrategy(node_id=member.node, soft=False)
        future = ray.remote(read_log).options(num_cpus=0, max_retries=0, scheduling_strategy=there).remote(folder, name)
        try:
            text: str = ray.get(future, timeout=LOG_SECONDS)
        except RayError:
            return ""
        return text

    @property
    def idle(self) -> list[Member]:
        """The workers that could begin a task now."""
        return [member for member in self.members if member.state == "idle"]

    @property
    def busy(self) -> list[Member]:
        """The workers that are at a task."""
        return [member for member in self.members if member.state == "rendering"]

    @property
    def nodes(self) -> set[str]:
        """The nodes that workers are on."""
        return {member.node for member in self.members if member.node}

    def _await(self, member: Member, state: State, future: Any) -> None:
        member.enter(state, future)
        self._awaited[future] = member
