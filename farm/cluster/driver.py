"""The driver of a run: it starts Ray on this machine, shares out the tasks, and loses nothing.

Its only state is the dataset's commit records. Kill it anywhere and start it again: what is committed stays, the
rest is rendered.
"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any, Final, Protocol

import ray
from ray.exceptions import RayError, RayTaskError

from farm.cluster.machine import Pool, available_memory, cpu_count, gpu_count, size_pool
from farm.cluster.plan import Task, plan_tasks
from farm.cluster.worker import Worker
from farm.dataset import Dataset, Engine, build_index, clean_uncommitted, create_dataset, write_report
from farm.dataset.folder import check_place
from farm.dataset.lease import exclusive
from farm.dataset.place import Place, open_place
from farm.double.expression import load_expression
from farm.double.groom.beard_style import load_beard
from farm.double.groom.style import load_hairstyle
from farm.double.groom.texture import load_hairtype
from farm.double.wardrobe.outfit import load_outfit
from farm.errors import DigidoubleError, FarmError, StorageError
from farm.motion.pose import load_pose
from farm.recipe import Recipe
from farm.stage.template import load_camera_move, load_framing, load_light_set

__all__ = ["Listener", "Summary", "run"]

TRIES: Final = 2
"""How often a task that kills its worker is tried."""
POLL_SECONDS: Final = 0.25
TRACEBACK: Final = "DIGIDOUBLE_TRACEBACK"
"""Set in the environment, it lets a worker's whole traceback be the reason of a failure."""


class Listener(Protocol):
    """Who watches a run."""

    def starting(self, pool: Pool) -> None:
        """Workers are being started."""

    def began(self, *, total: int, done: int, engine: Engine) -> None:
        """The workers are ready; `done` pairs of `total` were there already."""

    def tick(self, running: int) -> None:
        """Time has passed."""

    def committed(self, task: Task, seconds: float) -> None:
        """A pair is in the dataset."""

    def failed(self, task: Task, reason: str) -> None:
        """A pair could not be made."""


@dataclass
class Summary:
    """What a run came to."""

    total: int
    done: int
    rendered: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    interrupted: bool = False

    @property
    def complete(self) -> bool:
        """Whether every pair of the recipe is there."""
        return self.done + self.rendered == self.total


@dataclass
class _Attempt:
    task: Task
    actor: Any
    started: float


def run(
    recipe: Recipe, root: Place | str, listener: Listener, *, device: str = "auto", workers: int | None = None
) -> Summary:
    """Render what is missing of a recipe's dataset at `root` with a Ray of its own; write its index and report.

    device   `cpu`, `optix`, `cuda`, `hip`, `oneapi`, `metal`; `auto` is OptiX with an NVIDIA GPU, else the CPU
    workers  how many processes; left out, as many as CPUs, memory and tasks allow, or one a GPU

    Raises BadInput, with nothing written, when the folder, a template or the device cannot be used, and
    KeyboardInterrupt for an interrupt (SIGINT, SIGTERM) before the first pair. A later one ends the run early with
    `Summary.interrupted`.
    """
    check_templates(recipe)
    total = recipe.count * recipe.capture.frames.count
    root = open_place(root)
    with contextlib.ExitStack() as stack:
        interrupted = stack.enter_context(_interruptible())
        there = check_place(root, recipe)
        if there is not None:
            owned = stack.enter_context(exclusive(root))
        missing = _missing(there, recipe) if there is not None else total
        if there is not None and not missing:
            _publish(create_dataset(root, recipe, engine=there.info.engine))
            return Summary(total=total, done=total)
        gpus = gpu_count() if device != "cpu" else 0
        device = ("optix" if gpus else "cpu") if device == "auto" else device
        pool = size_pool(missing, cpus=cpu_count(), memory=available_memory(), gpus=gpus, workers=workers)
        listener.starting(pool)
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="digidouble-", ignore_cleanup_errors=True))
        stack.enter_context(_local_ray(pool))
        crew = _Crew(recipe, root, device=device, pool=pool, scratch=Path(scratch))
        stack.callback(crew.dismiss)
        engine = crew.engine()
        dataset = create_dataset(root, recipe, engine=engine.build)
        if there is None:
            owned = stack.enter_context(exclusive(root))
        crew.owned = owned
        return _render_missing(dataset, recipe, engine, crew, listener, interrupted)


def check_templates(recipe: Recipe) -> None:
    """Read the templates that a recipe's variants name; TemplateError for one that is missing or wrong.

    Irises and cloths are read by the workers, with Blender.
    """
    variants = list(recipe.draw())
    for load, names in (
        (load_light_set, {variant.light.preset for variant in variants}),
        (load_framing, {variant.camera.framing for variant in variants}),
        (load_camera_move, {variant.camera.move for variant in variants}),
        (load_hairstyle, {variant.hair.style for variant in variants}),
        (load_hairtype, {variant.hair.type for variant in variants}),
        (load_beard, {variant.beard.style for variant in variants}),
        (load_outfit, {variant.wardrobe.outfit for variant in variants}),
        (load_expression, {name for variant in variants for name in (variant.face.expression, variant.face.second)}),
        (load_pose, {name for variant in variants for name in (variant.pose.name, variant.pose.second)}),
    ):
        for name in sorted(names):
            load(name)


def _render_missing(
    dataset: Dataset, recipe: Recipe, engine: Engine, crew: _Crew, listener: Listener, interrupted: Event
) -> Summary:
    clean_uncommitted(dataset)
    plan = plan_tasks(recipe, engine.build)
    done = dataset.committed()
    todo = [task for task in plan if task.key not in done]
    summary = Summary(total=len(plan), done=len(plan) - len(todo))
    listener.began(total=summary.total, done=summary.done, engine=engine)
    try:
        crew.work(todo, summary, listener, interrupted)
    except KeyboardInterrupt:
        summary.interrupted = True
    except StorageError as error:
        summary.failures["the run was ended"] = str(error)
    crew.dismiss()
    if summary.done + summary.rendered:
        _publish(dataset)
    else:
        clean_uncommitted(dataset)
    return summary


def _publish(dataset: Dataset) -> None:
    """Bring what is made from the records up to date: the index and the report."""
    clean_uncommitted(dataset)
    build_index(dataset)
    write_report(dataset)


def _missing(dataset: Dataset, recipe: Recipe) -> int:
    """How many pairs a dataset lacks, by the build that it was begun with."""
    done = dataset.committed()
    return sum(task.key not in done for task in plan_tasks(recipe, dataset.info.engine))


class _Crew:
    """The workers, one task in flight each."""

    def __init__(self, recipe: Recipe, root: Place, *, device: str, pool: Pool, scratch: Path) -> None:
        self._root = root
        self._options = {"num_cpus": pool.threads, "num_gpus": pool.gpu_share, "max_restarts": 0, "max_task_retries": 0}
        self._arguments = (recipe, device, pool.threads, scratch)
        self._idle = [self._hire() for _ in range(pool.workers)]
        self._busy: dict[Any, _Attempt] = {}
        self.owned: Callable[[], None] = lambda: None

    def _hire(self) -> Any:
        return ray.remote(Worker).options(**self._options).remote(*self._arguments)

    def engine(self) -> Engine:
        """Let all workers open Blender at once; returns what they render with, which must be the same for all."""
        try:
            engines = [_result(future) for future in [actor.engine.remote() for actor in self._idle]]
        except RayError as error:
            raise FarmError(f"a worker died while it opened Blender; `digidouble doctor` looks why: {error}") from error
        if any(engine != engines[0] for engine in engines):
            raise FarmError(f"the workers differ: {', '.join(sorted({str(engine) for engine in engines}))}")
        first: Engine = engines[0]
        return first

    def work(self, tasks: list[Task], summary: Summary, listener: Listener, interrupted: Event) -> None:
        """Do all tasks; failures are recorded in `summary`, a store that cannot be written ends the work.

        KeyboardInterrupt once `interrupted` is set.
        """
        waiting = deque(tasks)
        crashes: Counter[str] = Counter()
        while waiting or self._busy:
            if interrupted.is_set():
                raise KeyboardInterrupt
            while waiting and self._idle:
                self._start(waiting.popleft())
            ready, _ = ray.wait(list(self._busy), timeout=POLL_SECONDS)
            listener.tick(len(self._busy))
            self.owned()
            for future in ready:
                attempt = self._busy.pop(future)
                try:
                    _result(future)
                except RayError:  # the worker died, or was killed for the memory it took
                    ray.kill(attempt.actor)
                    self._idle.append(self._hire())
                    crashes[attempt.task.key] += 1
                    if crashes[attempt.task.key] < TRIES:
                        waiting.append(attempt.task)
                    else:
                        _fail(attempt.task, f"its worker died {TRIES} times", summary, listener)
                except StorageError:
                    raise
                except DigidoubleError as error:
                    self._idle.append(attempt.actor)
                    _fail(attempt.task, str(error), summary, listener)
                else:
                    self._idle.append(attempt.actor)
                    summary.rendered += 1
                    listener.committed(attempt.task, time.monotonic() - attempt.started)

    def dismiss(self) -> None:
        """End all workers, in the middle of a pair or not."""
        for actor in [*self._idle, *(attempt.actor for attempt in self._busy.values())]:
            ray.kill(actor)
        for future in self._busy:
            with contextlib.suppress(RayError, DigidoubleError):
                _result(future)
        self._idle, self._busy = [], {}

    def _start(self, task: Task) -> None:
        actor = self._idle.pop()
        self._busy[actor.render.remote(task, str(self._root))] = _Attempt(task, actor, time.monotonic())


def _fail(task: Task, reason: str, summary: Summary, listener: Listener) -> None:
    summary.failures[task.name] = reason
    listener.failed(task, reason)


def _result(future: Any) -> Any:
    """A future's value. Our own errors come as they were raised, others as FarmError with their last line."""
    try:
        return ray.get(future)
    except RayTaskError as error:
        if isinstance(error.cause, DigidoubleError):
            raise error.cause from None
        shown = str(error) if os.environ.get(TRACEBACK) else f"{type(error.cause).__name__}: {error.cause}"
        raise FarmError(shown) from error


@contextlib.contextmanager
def _local_ray(pool: Pool) -> Iterator[None]:
    """A Ray of this process alone, without dashboard, gone when the block ends."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "1"
    ray.init(
        address="local",
        num_cpus=pool.workers * pool.threads,
        num_gpus=pool.gpus,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
        configure_logging=True,
    )
    try:
        yield
    finally:
        ray.shutdown()


@contextlib.contextmanager
def _interruptible() -> Iterator[Event]:
    """Let SIGTERM end a run as Ctrl-C does; the event is set by either.

    It stays where the exception is lost: one raised while Ray frees an object or calls back is dropped there.
    """
    asked = Event()

    def interrupt(*_: object) -> None:
        asked.set()
        raise KeyboardInterrupt

    before = {each: signal.signal(each, interrupt) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
