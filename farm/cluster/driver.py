"""A run from its beginning to its end: the place is checked, workers are started, the rest is rendered and published.

Its only state is the dataset's commit records. Kill it anywhere and start it again, on this machine or another one that
reaches the dataset: what is committed stays, the rest is rendered.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Final

from farm.cluster.double_file import find_double, place_double
from farm.cluster.host import RendererFactory
from farm.cluster.journal import Journal, Summary
from farm.cluster.listener import Listener, Listeners
from farm.cluster.loop import Loop
from farm.cluster.machine import Pool, available_memory, cpu_count, decide, gpu_count, size_pool
from farm.cluster.metrics import Metrics
from farm.cluster.plan import Task, plan_tasks
from farm.cluster.policy import Policy, StoreTrouble
from farm.cluster.pool import Crew
from farm.cluster.quarantine import drop_logs
from farm.cluster.session import join_cluster, living_nodes, local_ray, size_of_cluster
from farm.cluster.status import State
from farm.cluster.turns import Turns
from farm.cluster.worker import Worker
from farm.dataset import Dataset, build_index, clean_uncommitted, create_dataset, write_report
from farm.dataset.folder import check_place
from farm.dataset.lease import exclusive
from farm.dataset.place import Place, open_place
from farm.double.expression import load_expression
from farm.double.groom.beard_style import load_beard
from farm.double.groom.style import load_hairstyle
from farm.double.groom.texture import load_hairtype
from farm.double.wardrobe.outfit import load_outfit
from farm.errors import DigidoubleError, StorageError
from farm.motion.pose import load_pose
from farm.recipe import Recipe, Variant
from farm.render.kinds import AUTO, CPU, GPU
from farm.stage.template import load_camera_move, load_framing, load_light_set

__all__ = ["Farm", "Summary", "check_templates", "run"]

ENDED: Final = "the run was ended"
"""What stands for the pair's name where it is the run itself that failed."""


@dataclass(frozen=True)
class Farm:
    """What a run renders on.

    device    `cpu`, `gpu`, or a kind of GPU; `auto` is a GPU where Ray has one, else the CPU (`farm.render.kinds`)
    workers   how many processes; left out, as many as CPUs, memory and tasks allow, or one a GPU
    threads   CPUs of each worker on a cluster; left out, four or as many as the smallest node has
    address   the Ray cluster that this is a node of: `auto`, `HOST:PORT`; left out, a Ray of this process alone
    priority  of runs on one cluster, those of a higher one get workers first
    policy    how much failure is borne
    """

    device: str = "auto"
    workers: int | None = None
    threads: int | None = None
    address: str | None = None
    priority: int = 0
    policy: Policy = field(default_factory=Policy)


def run(
    recipe: Recipe,
    root: Place | str,
    listener: Listener,
    farm: Farm | None = None,
    *,
    renderer: RendererFactory | None = None,
    double: Path | None = None,
) -> Summary:
    """Render what is missing of a recipe's dataset at `root`; write its index and report.

    `renderer` takes the place of Blender, for tests and simulations. `double` is the packed file of the artist's double
    that the recipe names; left out, the dataset has it, or it came with the job.

    Raises BadInput, with nothing written, when the folder, a template or the device cannot be used, FarmError where
    workers do not come up, and KeyboardInterrupt for an interrupt (SIGINT, SIGTERM) before the first pair. A later one
    ends the run early with `Summary.interrupted`.
    """
    farm = farm or Farm()
    variants, splits = _draw(recipe)
    total = recipe.count * recipe.capture.frames.count
    root = open_place(root)
    with contextlib.ExitStack() as stack:
        interrupts = stack.enter_context(_Interrupts())
        there = check_place(root, recipe)
        packed = find_double(recipe, there, double)
        if there is not None:
            owned = stack.enter_context(exclusive(root))
        todo = _missing(there, plan_tasks(recipe, there.info.engine, variants)) if there is not None else None
        if there is not None and not todo:
            dataset = create_dataset(root, recipe, engine=there.info.engine)
            place_double(dataset, recipe, packed)
            _publish(dataset, splits)
            return Summary(total=total, done=total)
        tasks = total if todo is None else len(todo)
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="digidouble-", ignore_cleanup_errors=True))
        begun_on = None if there is None else there.info.engine.device
        device, pool = stack.enter_context(_workplace(farm, tasks, listener, begun_on))
        interrupts.take()
        name = _run_name(recipe, root)
        listener = Listeners([listener, Metrics(name)])
        make = renderer or functools.partial(Worker, recipe, device, pool.threads)
        crew = Crew(make, pool, scratch=None if farm.address else Path(scratch))
        stack.callback(crew.close)
        journal = Journal(run=name, recipe=recipe.name, priority=farm.priority)
        loop = Loop(crew, pool, listener, journal, policy=farm.policy, interrupted=interrupts.asked)
        stack.callback(loop.close)
        shared = farm.address is None and device == CPU
        loop.cores = min(pool.workers * pool.threads, cpu_count()) if shared else 0
        if farm.address is not None:
            turns = Turns(name, pool, farm.priority)
            stack.callback(turns.close)
            loop.allowance = turns.allowance
        engine = loop.first_engine(tasks, None if there is None else there.info.engine)
        if device == GPU:  # workers to come are told which kind the first one chose
            crew.settle(renderer or functools.partial(Worker, recipe, engine.device, pool.threads))
        dataset = create_dataset(root, recipe, engine=engine.build)
        if there is None:
            owned = stack.enter_context(exclusive(root))
        loop.owned = owned
        clean_uncommitted(dataset)
        place_double(dataset, recipe, packed)
        if todo is None:
            todo = _missing(dataset, plan_tasks(recipe, engine.build, variants))
        journal.began(total=total, done=total - len(todo))
        listener.began(total=total, done=total - len(todo), engine=engine)
        publish = functools.partial(_publish, dataset, splits)
        return _work(loop, dataset, todo, Summary(total=total, done=total - len(todo)), publish, farm.policy)


def _draw(recipe: Recipe) -> tuple[list[Variant], dict[str, str]]:
    """A recipe's variants, whose templates are there, and the split of each by its id."""
    variants = recipe.draw()
    check_templates(variants)
    return variants, recipe.splits(variants)


def check_templates(variants: Sequence[Variant]) -> None:
    """Read the templates that variants name; TemplateError for one that is missing or wrong.

    Irises and cloths are read by the workers, with Blender.
    """
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


@contextlib.contextmanager
def _workplace(farm: Farm, tasks: int, listener: Listener, begun_on: str | None) -> Iterator[tuple[str, Pool]]:
    """Ray, here or where it is; gives the device that renders, and how many workers there are to be.

    What `auto` is was decided where a dataset was begun: it goes on with that.
    """
    wanted = begun_on if farm.device == AUTO and begun_on is not None else farm.device
    if farm.address is None:
        gpus = gpu_count() if wanted != CPU else 0
        pool = size_pool(tasks, cpus=cpu_count(), memory=available_memory(), gpus=gpus, workers=farm.workers)
        listener.starting(pool)
        with local_ray(pool):
            yield decide(wanted, gpus=gpus > 0), pool
    else:
        with join_cluster(farm.address):
            nodes = living_nodes()
            device = decide(wanted, gpus=any(node.gpus for node in nodes))
            pool = size_of_cluster(tasks, nodes, gpus=device != CPU, workers=farm.workers, threads=farm.threads)
            listener.starting(pool)
            yield device, pool


def _work(
    loop: Loop, dataset: Dataset, todo: list[Task], summary: Summary, publish: Callable[[], None], policy: Policy
) -> Summary:
    """Render, end the workers, and bring index and report up to date."""
    try:
        loop.work(dataset, todo, summary)
    except KeyboardInterrupt:
        summary.interrupted = True
    except DigidoubleError as error:
        summary.failures[ENDED] = str(error)
    loop.close()
    loop.say("finishing")
    if summary.done + summary.rendered:
        _publish_patiently(publish, policy.patience)
    else:
        clean_uncommitted(dataset)
    ended = summary.failures.get(ENDED, "")
    loop.say(_end_state(summary, ended), ended)
    return summary


def _end_state(summary: Summary, ended: str) -> State:
    if summary.complete:
        return "complete"
    if summary.interrupted:
        return "stopped"
    return "failed" if ended else "incomplete"


def _publish(dataset: Dataset, splits: Mapping[str, str]) -> None:
    """Bring what is made from the records up to date: the index and the report; and drop the logs of what is well."""
    clean_uncommitted(dataset)
    build_index(dataset, splits)
    write_report(dataset)
    drop_logs(dataset)


def _publish_patiently(publish: Callable[[], None], patience: float) -> None:
    """Publish, again after a pause that doubles while the store fails; StorageError once that has gone on for long."""
    trouble = StoreTrouble(patience)
    while True:
        try:
            return publish()
        except StorageError as error:
            trouble.failed(error)
        trouble.wait()


def _missing(dataset: Dataset, plan: list[Task]) -> list[Task]:
    """The tasks whose pairs a dataset lacks."""
    done = dataset.committed()
    return [task for task in plan if task.key not in done]


def _run_name(recipe: Recipe, root: Place) -> str:
    """A run's name: the recipe's, and a hash of where its dataset lies."""
    place = str(root.resolve()) if isinstance(root, Path) else str(root)
    return f"{recipe.name}-{hashlib.sha256(place.encode()).hexdigest()[:8]}"


class _Interrupts:
    """Lets SIGTERM end a run as Ctrl-C does; `asked` is set by either.

    It stays where the exception is lost: one raised while Ray frees an object or calls back is dropped there.
    """

    def __init__(self) -> None:
        self.asked = Event()
        self._before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}

    def __enter__(self) -> _Interrupts:
        self.take()
        return self

    def __exit__(self, *_: object) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)

    def take(self) -> None:
        """Have the signals; Ray takes SIGTERM for itself as it is joined."""
        for each in self._before:
            signal.signal(each, self._interrupt)

    def _interrupt(self, *_: object) -> None:
        self.asked.set()
        raise KeyboardInterrupt
