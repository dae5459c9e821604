"""Where an estimate's measures come from: a dataset's own pairs, or a warm-up that is rendered for the purpose."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from farm.cluster.double_file import place_double
from farm.cluster.estimate import Calibration, calibrate
from farm.cluster.machine import cpu_count, decide, gpu_count
from farm.cluster.plan import Task, plan_tasks
from farm.dataset import Dataset, EngineBuild, Record, create_dataset, read_record
from farm.dataset.scan import find_commits
from farm.recipe import Recipe

__all__ = ["UNKNOWN_BUILD", "from_dataset", "warm_up"]

UNKNOWN_BUILD: Final = EngineBuild(blender="", build_hash="", device="", digidouble="")
"""For a plan whose keys do not matter."""
LOOKED_AT: Final = 50
"""Records of a dataset that are read for an estimate."""


def from_dataset(dataset: Dataset, recipe: Recipe) -> Calibration | None:
    """From the pairs that a dataset of the recipe holds; None where it holds none."""
    records = list(islice(_records(dataset), LOOKED_AT))
    return calibrate(records, recipe.capture) if records else None


def _records(dataset: Dataset) -> Iterator[Record]:
    for pair in find_commits(dataset.root):
        if pair.intact:
            yield read_record(pair.folder.record)


def warm_up(recipe: Recipe, device: str, *, workers: int = 1, double: Path | None = None) -> Calibration:
    """Render the recipe's first pair and one that follows it warm, as one of so many workers would; about a minute.

    The first pair builds the double; the second says what a warm one takes. `double` is the packed file of an artist's.
    """
    from farm.cluster.worker import Worker

    with tempfile.TemporaryDirectory(prefix="digidouble-") as folder:
        worker = Worker(recipe, decide(device, gpus=gpu_count() > 0), max(1, cpu_count() // workers), Path(folder))
        engine = worker.engine()
        dataset = create_dataset(Path(folder) / "warm-up", recipe, engine=engine.build)
        place_double(dataset, recipe, double)
        for task in _first(plan_tasks(recipe, engine.build)):
            worker.render(task, str(dataset.root))
        return calibrate(list(_records(dataset)), recipe.capture)


def _first(tasks: list[Task]) -> list[Task]:
    """The first task, and the first other one of the same double, or else none."""
    again = next((task for task in tasks[1:] if task.double == tasks[0].double), None)
    return tasks[:1] if again is None else [tasks[0], again]
