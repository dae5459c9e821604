"""Where the time goes, as ratios within one run: `make bench`, or `bench.py PART …` for some of it.

pairs   a warm worker against a process for each frame
cost    what noisy images, data and the farm add to the reference; how fast `check` is
motion  what stunts cost
hair    what grooms cost
addon   how soon the add-on shows a change, and draws its panels

Seconds depend on the machine; the ratios hold. Each part runs in a process of its own, so that Blender begins anew.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from addon_bench import addon_tables, measure_addon_apart
from cost_bench import check_table, cost_table, measure_cost_apart
from groom_bench import groom_table, measure_apart
from motion_bench import measure_motion_apart, motion_table
from rich.console import Console
from rich.table import Table

from farm.cluster.machine import cpu_count
from farm.cluster.plan import plan_tasks
from farm.cluster.worker import Worker
from farm.dataset import create_dataset
from farm.recipe import Recipe, load_recipe, templates

FRAMES: Final = 2
"""Pairs that are measured, after one that warms up."""


def bench_recipe() -> Recipe:
    """One double with long hair over a few frames of a jump, captured as the demo is."""
    demo = load_recipe(templates.path("recipes", "demo"))
    data = demo.model_dump(exclude_unset=True) | {"name": "bench", "count": 1}
    data["axes"] = {"hair": {"style": "shoulder_straight"}, "stunt": {"name": "jump", "phase": 0.4}}
    data["capture"] |= {"frames": FRAMES + 1}
    return Recipe.model_validate(data)


def render_frames(first: int) -> list[float]:
    """Render the frames from `first` on, counted from 0, in this process; seconds of CPU time of each."""
    recipe = bench_recipe()
    with tempfile.TemporaryDirectory() as folder:
        worker = Worker(recipe, "cpu", cpu_count(), Path(folder))
        engine = worker.engine()
        root = Path(folder) / "bench"
        create_dataset(root, recipe, engine=engine.build)
        seconds = []
        for task in plan_tasks(recipe, engine.build)[first:]:
            start = time.process_time()
            worker.render(task, str(root))
            seconds.append(time.process_time() - start)
    return [*seconds, time.process_time()]


def pairs_table() -> Table:
    """A warm worker's frames, and the last one in a process that renders nothing else."""

    def apart(first: int) -> list[float]:
        command = [sys.executable, __file__, "--json", str(first)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found: list[float] = json.loads(done.stdout.splitlines()[-1])
        return found

    warm, single = statistics.median(apart(0)[1:-1]), apart(FRAMES)[-1]
    side = bench_recipe().capture.resolution[0]
    table = Table("what", "figure", title=f"frames of a clip at {side}², in CPU time")
    table.add_row("a frame's pair on a warm worker, median", f"{warm:.1f} s")
    table.add_row("a process a frame, against that", f"{single / warm:.2f} ×")
    return table


def cost_tables() -> list[Table]:
    """What a pair costs, and its check."""
    costs = measure_cost_apart()
    return [cost_table(costs), check_table(costs)]


PARTS: Final[dict[str, Callable[[], list[Table]]]] = {
    "pairs": lambda: [pairs_table()],
    "cost": cost_tables,
    "motion": lambda: [motion_table(measure_motion_apart())],
    "hair": lambda: [groom_table(measure_apart())],
    "addon": lambda: addon_tables(measure_addon_apart()),
}


def main(parts: list[str]) -> int:
    """Measure and print, part by part."""
    if unknown := set(parts) - set(PARTS):
        Console(stderr=True).print(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
        return 2
    for part in parts or PARTS:
        for table in PARTS[part]():
            Console().print(table)
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--json"]:
        print(json.dumps(render_frames(int(sys.argv[2]))))  # noqa: T201
    else:
        sys.exit(main(sys.argv[1:]))
