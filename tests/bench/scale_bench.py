"""The driver at scale, by simulation: renderers that sleep, 100,000 tasks over 64 workers; and resuming from as many.

    python tests/bench/scale_bench.py [TASKS [WORKERS]]

Everything is real but Blender: Ray, its actors, the driver, status.json, and the records that the scan reads.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from simulated import ENGINE, IMAGES, pretended

from farm.cluster import driver
from farm.cluster.driver import Farm, run
from farm.cluster.listener import Listener
from farm.cluster.plan import Task, plan_tasks
from farm.dataset import Engine, create_dataset, open_dataset
from farm.recipe import Recipe, load_recipe, templates

__all__ = ["measure_driver", "measure_scan", "scale_table"]

NAP = 0.02
"""Seconds that a simulated pair takes."""
MB = 2**20


def scale_recipe(tasks: int) -> Recipe:
    """A hundredth of the tasks as variants, a hundred frames each."""
    smoke = load_recipe(templates.path("recipes", "smoke"))
    data = smoke.model_dump(exclude_unset=True) | {"name": "scale", "count": max(1, tasks // 100)}
    data["capture"] = {"resolution": [32, 32], "samples": [1], "reference": 8, "frames": min(100, tasks)}
    return Recipe.model_validate(data)


class Sleeper:
    """A renderer that sleeps."""

    seconds = {"reference": NAP}  # noqa: RUF012

    def __init__(self, scratch: Path, advanced: Any) -> None:
        del scratch, advanced

    def engine(self) -> Engine:
        """What it would be."""
        return ENGINE

    def render(self, task: Task, root: str) -> str:
        """Sleep."""
        del root
        time.sleep(NAP)
        return task.key


def resident() -> int:
    """Bytes of memory that this process holds."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Gauge(Listener):
    """Takes the driver's memory and CPU time as pairs are committed."""

    def __init__(self, tasks: int) -> None:
        self.every = max(1, tasks // 20)
        self.pairs = 0
        self.memory: list[int] = []
        self.looking = 0.0
        self.began_at = self.main = self.whole = 0.0

    def began(self, *, total: int, done: int, engine: Engine) -> None:
        """The clocks start."""
        del total, done, engine
        self.began_at, self.main, self.whole = time.monotonic(), time.thread_time(), time.process_time()

    def committed(self, task: Task, seconds: float, phases: Any) -> None:
        """Count, and look at the memory now and then."""
        del task, seconds, phases
        self.pairs += 1
        if self.pairs % self.every == 0:
            start = time.thread_time()
            self.memory.append(resident())
            self.looking += time.thread_time() - start


def measure_driver(tasks: int, workers: int) -> dict[str, float]:
    """One simulated run: seconds of the driver's own thread and of its whole process a task, and its memory."""
    recipe = scale_recipe(tasks)
    gauge = Gauge(tasks)
    publish, driver._publish = driver._publish, lambda dataset, splits: None
    try:
        with tempfile.TemporaryDirectory() as folder:
            summary = run(recipe, Path(folder) / "d", gauge, Farm(device="cpu", workers=workers), renderer=Sleeper)
            whole, main = time.process_time() - gauge.whole, time.thread_time() - gauge.main
            whole, main = whole - gauge.looking, main - gauge.looking
            wall = time.monotonic() - gauge.began_at
    finally:
        driver._publish = publish
    if summary.rendered != gauge.pairs or not summary.complete:
        raise RuntimeError(f"{summary.rendered} of {summary.total} tasks came back")
    return {
        "tasks": summary.total,
        "main": main / summary.total,
        "process": whole / summary.total,
        "wall": wall,
        "memory": gauge.memory[0],
        "growth": gauge.memory[-1] - gauge.memory[len(gauge.memory) // 4],
    }


def fill(root: Path, tasks: int) -> Recipe:
    """A dataset of so many committed pairs: true records, images of the right length that hold nothing."""
    recipe = scale_recipe(tasks)
    dataset = create_dataset(root, recipe, engine=ENGINE.build)
    entry = {"sha256": "0" * 64, "bytes": 5000, "seeds": (1,), "samples": 1}
    for task in plan_tasks(recipe, ENGINE.build):
        record = pretended(task, dataset.info.recipe.digest, dict.fromkeys(IMAGES, entry))
        folder = record.folder(root)
        folder.path.mkdir(parents=True)
        for name in record.files:
            with (folder.path / name).open("wb") as file:
                file.truncate(entry["bytes"])
        folder.record.write_text(json.dumps(record.model_dump(mode="json"), indent=1, sort_keys=True) + "\n")
    return recipe


def measure_scan(tasks: int) -> dict[str, float]:
    """Seconds to find what is committed, and to plan what is not."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "d"
        recipe = fill(root, tasks)
        dataset = open_dataset(root)
        start = time.perf_counter()
        done = dataset.committed()
        scanned = time.perf_counter()
        missing = [task for task in plan_tasks(recipe, ENGINE.build) if task.key not in done]
        planned = time.perf_counter()
    if missing or len(done) != scale_recipe(tasks).count * min(100, tasks):
        raise RuntimeError(f"{len(done)} records found, {len(missing)} tasks missing")
    return {"records": len(done), "scan": scanned - start, "plan": planned - scanned}


def scale_table(tasks: int = 100_000, workers: int = 64) -> Table:
    """Both, as a table."""
    table = Table("what", "figure", title=f"{tasks} tasks over {workers} simulated workers of {1000 * NAP:.0f} ms")
    found = measure_scan(tasks)
    table.add_row(f"resume: scan of {found['records']} records", f"{found['scan']:.1f} s")
    table.add_row("resume: planning as many tasks", f"{found['plan']:.1f} s")
    run_ = measure_driver(tasks, workers)
    table.add_row("the driver's loop, CPU time a task", f"{1000 * run_['main']:.2f} ms")
    table.add_row("its process with Ray's threads, CPU time a task", f"{1000 * run_['process']:.2f} ms")
    table.add_row("time of the run", f"{run_['wall']:.0f} s")
    table.add_row("the driver's memory, and its growth over the last three quarters",
                  f"{run_['memory'] / MB:.0f} MB, {run_['growth'] / MB:+.1f} MB")  # fmt: skip
    return table


if __name__ == "__main__":
    Console().print(scale_table(*(int(word) for word in sys.argv[1:])))
