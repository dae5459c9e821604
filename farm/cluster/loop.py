"""The driver's own loop: it gives tasks to workers, sees how they end, and does as the policy says."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from threading import Event
from typing import Any, Final

from farm.cluster.control import Control
from farm.cluster.failure import cause_of, reason_of, result
from farm.cluster.host import OPENING, Rendered
from farm.cluster.journal import Journal, Summary
from farm.cluster.lending import places_lent, raised
from farm.cluster.listener import Listener
from farm.cluster.machine import Pool
from farm.cluster.plan import Task
from farm.cluster.policy import Judge, Policy, StoreTrouble
from farm.cluster.pool import Crew, Member
from farm.cluster.quarantine import Quarantine
from farm.cluster.queue import Queue
from farm.cluster.session import Nodes
from farm.cluster.status import Cause, NodeStatus, RunStatus, State, write_status
from farm.cluster.status_page import StatusPage
from farm.dataset import Dataset, Engine, EngineBuild
from farm.errors import DigidoubleError, FarmError, StorageError

__all__ = ["Loop"]

POLL: Final = 0.25
STATUS_PERIOD: Final = 3.0


def _differ_by_device(one: Engine, other: Engine) -> bool:
    """Whether two engines are the same but for the kind of device."""
    return one.device != other.device and one.build.model_copy(update={"device": other.device}) == other.build


class Loop:
    """One run's loop: `first_engine`, then `work`, then `close`."""

    def __init__(
        self, crew: Crew, pool: Pool, listener: Listener, journal: Journal, *, policy: Policy, interrupted: Event
    ) -> None:
        self._crew, self._pool, self._listener, self._journal = crew, pool, listener, journal
        self._policy, self._interrupted = policy, interrupted
        self._judge = Judge(policy)
        self._queue = Queue(())
        self._summary = Summary(0, 0)
        self._store = StoreTrouble(policy.patience)
        self._engine: Engine | None = None
        self._expected: EngineBuild | None = None
        self._dataset: Dataset | None = None
        self._control: Control | None = None
        self._quarantine = Quarantine(None, listener)
        self._nodes = Nodes(pool)
        self._hosts: dict[str, str] = {}
        self._left: set[str] = set()
        self._unplaced = 0
        self._told = 0.0
        self._was_paused = False
        self.owned: Callable[[], None] = lambda: None
        """Raises StorageError once the dataset is another run's."""
        self.cores = 0
        """How many cores the workers share at the end, once some are done; 0 where none are lent."""
        self.allowance: Callable[[int], int] = lambda wanted: wanted
        """How many workers of those wanted the run may have now."""

    def first_engine(self, tasks: int, expected: EngineBuild | None) -> Engine:
        """Ask for workers for so many tasks; returns what the first one that is ready renders with.

        A worker of another build than is `expected` is passed over where there are others to wait for.
        """
        self._expected = expected
        while self._engine is None:
            wanted = self.allowance(min(tasks, self._pool.workers))  # a claim, too: others give workers back for it
            for _ in range(wanted - len(self._crew.members)):
                self._crew.hire(self._judge.avoided)
            self._turn()
            self._tell()
        return self._engine

    def work(self, dataset: Dataset, tasks: list[Task], summary: Summary) -> None:
        """Do all tasks; what fails for good is in `summary`.

        KeyboardInterrupt for an interrupt, StorageError for a store that cannot be written, FarmError where no node
        renders anything.
        """
        self._dataset, self._summary, self._control = dataset, summary, Control(dataset)
        self._page = StatusPage(dataset.root)
        self._quarantine = Quarantine(dataset, self._listener)
        self._queue = Queue(tasks)
        while self._queue or self._crew.busy:
            self.owned()
            self._leave_drained()
            self._fit()
            self._assign()
            self._lend()
            self._turn()
            self._tell()

    def close(self) -> None:
        """End all workers."""
        self._crew.dismiss_all(result)

    def say(self, state: State, message: str = "") -> RunStatus:
        """Tell everybody how the run stands, and write it into the dataset."""
        crew = self._crew
        counts = {node: sum(member.node == node for member in crew.members) for node in self._hosts}
        nodes = tuple(
            NodeStatus(
                name=host,
                workers=counts[node],
                failures_in_a_row=self._judge.failures_in_a_row(node),
                avoided=node in self._judge.avoided,
            )
            for node, host in sorted(self._hosts.items())
        )
        status = self._journal.status(
            state,
            message=message,
            waiting=len(self._queue),
            workers=tuple(member.status() for member in crew.members),
            nodes=nodes,
        )
        self._listener.status(status)
        if self._dataset is not None:
            with contextlib.suppress(StorageError):  # the pairs themselves say whether the store can be written
                write_status(self._dataset.root, status)
                self._page.write(status)
        return status

    def _tell(self) -> None:
        self._listener.tick(len(self._crew.busy))
        if time.monotonic() - self._told < STATUS_PERIOD:
            return
        self._told = time.monotonic()
        if self._engine is None:
            self.say("starting", "no worker is ready yet")
        elif self._was_paused:
            self.say("paused", "paused; go on with `digidouble resume`")
        elif self._store.since is not None:
            self.say("waiting", "the dataset cannot be written now")
        elif not any(member.state in ("idle", "rendering") for member in self._crew.members):
            self.say("waiting", "no worker is ready")
        else:
            self.say("running")

    def _leave_drained(self) -> None:
        """Begin nothing more on nodes that go away soon; pairs at hand are finished, if there is time."""
        drained = self._nodes.drained
        for node in sorted(drained & self._crew.nodes - self._left):
            self._left.add(node)
            self._listener.noticed(f"{self._hosts[node]} is being drained: its workers end after their pairs")
        for member in [each for each in self._crew.members if each.node in drained and not each.leaving]:
            self._let_go(member)

    def _fit(self) -> None:
        """Have as many workers as there is work and leave for."""
        crew = self._crew
        paused = self._control is not None and self._control.paused
        if paused != self._was_paused:
            self._was_paused = paused
            self._listener.noticed("paused: running pairs are finished" if paused else "going on")
        wanted = min(self._pool.workers, len(self._queue) + len(crew.busy))
        wanted = 0 if paused else min(wanted, self.allowance(wanted))
        staying = [member for member in crew.members if not member.leaving]
        lent = places_lent([member.threads for member in crew.members], self._pool.threads)
        for _ in range(wanted - len(staying) - lent):
            shunned = self._queue.shunned
            crew.hire(self._judge.avoided | ({shunned} if shunned and self._can_spare(shunned) else set()))
        surplus = len(staying) - wanted
        if surplus > 0:
            for member in sorted(staying, key=lambda each: each.state == "rendering")[:surplus]:
                self._let_go(member)

    def _assign(self) -> None:
        crew = self._crew
        opening = any(member.state in ("placing", "opening") for member in crew.members)
        for member in crew.idle:
            if not self._store.allows(len(crew.busy)):
                return
            only = not self._can_spare(member.node)
            given = self._queue.take(member.name, node=member.node, fresh=member.is_fresh, only_node=only)
            if given is not None:
                member.leaving = given.alone
                crew.render(member, given.task, str(self._root))
            elif not opening and (self._queue.wants_fresh or self._queue.shunned == member.node):
                self._let_go(member)
                opening = True

    def _lend(self) -> None:
        """Share all cores among the workers that still render, where nothing is left to begin and no other is there."""
        busy = self._crew.busy
        if not self.cores or self._queue or not busy or len(busy) < len(self._crew.members):
            return
        shares = raised([member.threads for member in busy], self.cores)
        for member, threads in zip(busy, shares, strict=True):
            if threads > member.threads:
                self._crew.lend(member, threads)

    @property
    def _root(self) -> Any:
        if self._dataset is None:
            raise FarmError("the run has no dataset yet")
        return self._dataset.root

    def _turn(self) -> None:
        """Wait for what comes next, and see to it."""
        if self._interrupted.is_set():
            raise KeyboardInterrupt
        for member, future in self._crew.ready(POLL):
            settle = {"placing": self._placed, "opening": self._opened, "rendering": self._rendered}[member.state]
            settle(member, future)
        self._crew.listen()
        for member in self._crew.members:
            age = time.monotonic() - member.since
            hangs = member.state == "rendering" and min(member.silence, age) > self._policy.stall
            if not member.hung and (hangs or (member.state == "opening" and age > self._policy.opening)):
                self._crew.kill(member)

    def _placed(self, member: Member, future: Any) -> None:
        try:
            member.place = result(future)
        except Exception as error:
            self._opening_failed(member, error)
            return
        self._unplaced = 0
        self._hosts[member.node] = member.host
        if member.node in self._judge.avoided:
            self._let_go(member)
        else:
            self._crew.open(member)

    def _opened(self, member: Member, future: Any) -> None:
        try:
            engine = result(future)
        except Exception as error:
            self._opening_failed(member, error)
            return
        expected = self._expected if self._engine is None else self._engine.build
        if self._engine is not None and self._crew.settled and _differ_by_device(engine, self._engine):
            self._let_go(member)  # it chose another kind of GPU before the first worker's choice was known
            return
        if expected is not None and engine.build != expected and self._avoid(member.node):
            self._listener.noticed(f"{member.host} is not used: it has {engine.build.label}, not {expected.label}")
            return
        if self._engine is not None and engine.build != self._engine.build:
            raise FarmError(f"the workers differ: {engine.build.label}, and {self._engine.build.label}")
        self._engine = self._engine or engine
        member.engine = engine
        self._crew.rest(member)

    def _opening_failed(self, member: Member, error: Exception) -> None:
        """A worker did not come up. What it says itself ends a run that has not begun: a GPU that is not there."""
        node, host = member.node, member.host
        told = isinstance(error, DigidoubleError)
        self._let_go(member)
        if not node:
            self._never_placed(error)
            return
        if told and self._engine is None and not self._can_spare(node):
            raise error
        condemned = self._judge.opening_failed(node, member.name)
        if condemned or told:
            log = self._crew.log_of(member, OPENING).strip().splitlines()
            last = f": {error}" if told else f"; {log[-1]}" if log else ""
            if not self._avoid(node):
                raise FarmError(f"workers die on {host} while they open Blender; `digidouble doctor` looks why{last}")
            self._listener.noticed(f"{host} is not used: its workers do not open Blender{last}")

    def _never_placed(self, error: Exception) -> None:
        """A process ended before it said where it is."""
        self._unplaced += 1
        if self._unplaced >= self._policy.hopeless:
            raise FarmError(f"worker processes end as they start: {str(error).splitlines()[0]}") from error

    def _rendered(self, member: Member, future: Any) -> None:
        task, seconds = member.task, time.monotonic() - member.since
        if task is None:
            raise FarmError(f"{member.name} rendered nothing that it was given")
        try:
            done: Rendered = result(future)
        except Exception as error:
            self._failed(member, task, error)
            return
        member.account(done)
        self._judge.succeeded(member.node)
        self._store.over()
        self._quarantine.release(task)
        self._summary.rendered += 1
        self._journal.committed(task, done.seconds)
        self._listener.committed(task, seconds, done.seconds)
        self._crew.rest(member)
        if member.leaving or member.is_swollen or member.pairs >= self._policy.recycle_pairs:
            self._let_go(member)

    def _failed(self, member: Member, task: Task, error: Exception) -> None:
        lives = self._nodes.lives(member.node)
        cause = cause_of(error, hung=member.hung, node_lives=lives)
        if isinstance(error, StorageError):
            self._again(task, "store", f"{task.name}: {error}")
            self._crew.rest(member)
            self._store.failed(error)
            return
        verdict = self._judge.failed(task.key, cause, member.node)
        reason = reason_of(error, cause, verdict.tries)
        log = self._crew.log_of(member, task.key) if cause != "lost" else ""
        self._quarantine.log(task, f"=== {member.name} on {member.host}: {reason}\n{log}")
        if cause == "scene":
            self._crew.rest(member)
        if cause != "scene" or member.leaving:
            self._let_go(member)
        if verdict.step == "give up":
            self._give_up(task, cause, verdict.tries, reason)
        else:
            where = "in a process of its own" if verdict.step == "alone" else "on another worker"
            message = f"{task.name}: {reason} on {member.host}; it is tried again {where}"
            self._again(task, cause, message, node=member.node, alone=verdict.step == "alone")
        if verdict.avoid_node and self._avoid(member.node):
            self._listener.noticed(f"{member.host} is not used any more: {self._policy.in_a_row} tasks failed in a row")
        if self._judge.is_hopeless(member.node) and not self._can_spare(member.node):
            log = self._quarantine.keep(task) or "none"
            raise FarmError(
                f"the last {self._policy.hopeless} pairs killed their workers on {member.host}, and there is no other"
                f" node; the log of one: {log}"
            )

    def _again(self, task: Task, cause: Cause, message: str, *, node: str = "", alone: bool = False) -> None:
        self._queue.put_back(task, node=node, alone=alone)
        self._journal.retried(cause)
        self._listener.noticed(message)

    def _give_up(self, task: Task, cause: Cause, tries: int, reason: str) -> None:
        failure = self._quarantine.give_up(task, cause, tries, reason)
        self._summary.failures[task.name] = reason
        self._summary.given_up.append(failure)
        self._journal.gave_up(failure)
        self._listener.failed(task, failure)

    def _let_go(self, member: Member) -> None:
        """End a worker, at once or after its pair; what was to come to it is anybody's."""
        self._queue.leave(member.name)
        if member.state == "rendering" and member.future is not None:
            member.leaving = True
        else:
            self._crew.dismiss(member)

    def _avoid(self, node: str) -> bool:
        """Use a node no more; False, and it stays in use, where there is no other."""
        if not self._can_spare(node):
            self._judge.avoided.discard(node)
            return False
        self._judge.avoided.add(node)
        for member in [each for each in self._crew.members if each.node == node]:
            self._let_go(member)
        return True

    def _can_spare(self, node: str) -> bool:
        """Whether the run can do without a node: another one carries workers."""
        return self._nodes.has_another(node, self._judge.avoided)
