"""Where the time goes, as ratios within one run: `make bench`.

Wall-clock seconds depend on the machine; the ratios hold. Each figure comes after a warm-up pair.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cost_bench import cost_table
from groom_bench import groom_table, measure_apart
from motion_bench import measure_motion_apart, motion_table
from rich.console import Console
from rich.table import Table

from farm.cluster.machine import cpu_count
from farm.cluster.plan import plan_tasks
from farm.cluster.worker import Worker
from farm.dataset import check_dataset, create_dataset, read_image
from farm.recipe import Recipe, load_recipe, templates

FRAMES = 4
"""Pairs that are measured, after one that warms up."""


def bench_recipe() -> Recipe:
    """One double with long hair over a few frames of a jump, captured as the demo is."""
    demo = load_recipe(templates.path("recipes", "demo"))
    data = demo.model_dump(exclude_unset=True) | {"name": "bench", "count": 1}
    data["axes"] = {"hair": {"style": "shoulder_straight"}, "stunt": {"name": "jump", "phase": 0.4}}
    data["capture"] |= {"frames": FRAMES + 1}
    return Recipe.model_validate(data)


def render_here(recipe: Recipe, root: Path, frames: slice) -> list[float]:
    """Render some frames in this process; returns seconds a pair."""
    worker = Worker(recipe, "cpu", cpu_count(), root.parent)
    engine = worker.engine()
    create_dataset(root, recipe, engine=engine.build)
    seconds = []
    for task in plan_tasks(recipe, engine.build)[frames]:
        start = time.perf_counter()
        worker.render(task, str(root))
        seconds.append(time.perf_counter() - start)
    return seconds


def render_one_in_a_process(root: Path, frame: int) -> float:
    """Seconds that a process of its own needs for one frame's pair."""
    start = time.perf_counter()
    subprocess.run([sys.executable, __file__, str(root), str(frame)], check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    recipe = bench_recipe()
    table = Table("what", "figure", title=f"{recipe.capture.resolution[0]}² pairs on {cpu_count()} CPUs")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "warm"
        warm = render_here(recipe, root, slice(None))[1:]
        records = [json.loads(file.read_text()) for file in sorted(root.glob("pairs/*/*/record.json"))[1:]]
        tracing = [record["timings"]["noisy"] + record["timings"]["reference"] for record in records]
        whole = [sum(record["timings"].values()) for record in records]
        single = render_one_in_a_process(Path(folder) / "cold", FRAMES)
        start = time.process_time()
        report = check_dataset(root, workers=1)
        seconds = time.process_time() - start
        pixels = sum(channel.nbytes for file in root.glob("pairs/*/*/*.exr") for channel in read_image(file).values())
    overhead = statistics.median(total / traced - 1 for total, traced in zip(whole, tracing, strict=True))
    table.add_row("a warm pair, median", f"{statistics.median(warm):.1f} s")
    table.add_row("all but its radiance renders (apply, data pass, write), of those renders", f"{100 * overhead:.1f} %")
    table.add_row("a process a frame, against a warm worker", f"{single / statistics.median(warm):.2f} ×")
    table.add_row(
        "check, on one core", f"{report.bytes / 1e6 / seconds:.0f} MB/s of EXR, {pixels / 1e6 / seconds:.0f} of pixels"
    )
    Console().print(table)
    Console().print(cost_table())
    Console().print(motion_table(measure_motion_apart()))
    Console().print(groom_table(measure_apart()))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        number = int(sys.argv[2])
        render_here(bench_recipe(), Path(sys.argv[1]), slice(number, number + 1))
    else:
        main()
