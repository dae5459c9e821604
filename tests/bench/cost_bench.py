"""What a pair's noisy images and data cost against its reference, and what the farm adds: `cost_bench.py [SIDE]`.

In seconds of CPU time over all threads, so that what else runs here counts little. A reference is rendered in a round
of two chunks of 64 samples; from these and the shortest noisy image follow a render's fixed part (sync, files) and
what a sample costs, and with both the reference of 1,024 samples.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from rich.console import Console
from rich.table import Table

from farm.cluster.machine import cpu_count
from farm.cluster.plan import Task, plan_tasks
from farm.cluster.worker import Worker
from farm.dataset import create_dataset, read_image
from farm.dataset.examination import examine_pairs
from farm.dataset.folder import pair_folders
from farm.recipe import Recipe, load_recipe, templates

__all__ = ["KINDS", "PairCost", "check_table", "cost_table", "measure_cost_apart"]

KINDS = ("denoise", "everything")
SAMPLES = (1, 2, 4, 8, 32)
REFERENCE, CHUNK = 1024, 64
SIDE = 256
TRIES = 3


class PairCost(NamedTuple):
    """Seconds of CPU time of a pair in a process that has rendered another double.

    apply    a new variant put on the stage: double, clothes, motion, hair, light, camera
    noisy    all noisy images
    data     the data pass, and the render of coverage where a pass needs it
    tracing  the samples of a whole reference alone
    renders  what all its chunks take beside their samples: sync, files
    write    inspection, writing, reading back
    check    `digidouble check` of the pair
    files    megabytes of its images on disk
    pixels   megabytes of these decoded
    """

    apply: float
    noisy: float
    data: float
    tracing: float
    renders: float
    write: float
    check: float
    files: float
    pixels: float


def cost_recipe(side: int, passes: str) -> Recipe:
    """Two doubles with long hair in a jump, at 1, 2, 4, 8 and 32 samples."""
    demo = load_recipe(templates.path("recipes", "demo"))
    data = demo.model_dump(exclude_unset=True) | {"name": "cost", "count": 2}
    data["axes"] = {"hair": {"style": "shoulder_straight"}, "stunt": {"name": "jump", "phase": 0.4}}
    data["capture"] = {
        "resolution": [side, side],
        "samples": list(SAMPLES),
        "reference": {"samples": 2 * CHUNK, "chunk": CHUNK, "residual": 1e-9},
        "passes": [passes],
    }
    return Recipe.model_validate(data)


@contextmanager
def timed_renders() -> Iterator[list[tuple[str, int, float]]]:
    """Meanwhile the farm's own clocks tell CPU time; gives kind, samples and seconds of each render."""
    from farm.render import pair

    rendered: list[tuple[str, int, float]] = []
    render = pair.render_image

    def timed(scene: Any, scratch: Path, kind: str, *others: Any, **named: Any) -> Any:
        start = time.process_time()
        image = render(scene, scratch, kind, *others, **named)
        rendered.append((kind, scene.cycles.sample_subset_length, time.process_time() - start))
        return image

    with mock.patch.object(pair, "render_image", timed), mock.patch.object(time, "perf_counter", time.process_time):
        yield rendered


def measure_cost(side: int, passes: str) -> PairCost:
    """Put one double on the stage and render it in a sample, then measure the pair of another."""
    recipe = cost_recipe(side, passes)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "cost"
        worker = Worker(recipe, "cpu", cpu_count(), root.parent)
        engine = worker.engine()
        create_dataset(root, recipe, engine=engine.build)
        first, second = plan_tasks(recipe, engine.build)
        warm_up(worker, first, Path(folder))
        with timed_renders() as rendered:
            worker.render(second, str(root))
        record = next(root.glob(f"pairs/{second.variant.id}/*/record.json"))
        steps: dict[str, float] = json.loads(record.read_text())["timings"]
        checked = measure_check(root)
    light = [(samples, seconds) for kind, samples, seconds in rendered if kind == "radiance"]
    least = next(seconds for samples, seconds in light if samples == SAMPLES[0])
    chunk = sum(seconds for samples, seconds in light if samples == CHUNK) / 2
    sample = (chunk - least) / (CHUNK - SAMPLES[0])
    return PairCost(
        apply=steps["apply"],
        noisy=steps["noisy"],
        data=steps["data"],
        tracing=REFERENCE * sample,
        renders=REFERENCE / CHUNK * (steps["reference"] / 2 - CHUNK * sample),
        write=steps["write"],
        **checked,
    )


def warm_up(worker: Worker, task: Task, scratch: Path) -> None:
    """Leave the worker as it is after a pair of another double."""
    from farm.render.passes import render_image
    from farm.render.settings import FIRST_SAMPLE, prepare_subset

    stage, _ = worker._open()
    stage.apply(task.variant, frames=range(1, 2))
    prepare_subset(stage.scene, seed=0, offset=FIRST_SAMPLE, length=1)
    render_image(stage.scene, scratch, "radiance")


def measure_check(root: Path) -> dict[str, float]:
    """The least of some tries at re-verifying all pairs."""
    places = list(pair_folders(root))
    tries = []
    for _ in range(TRIES):
        start = time.process_time()
        for _ in examine_pairs(places, None):
            pass
        tries.append(time.process_time() - start)
    images = list(root.glob("pairs/*/*/*.exr"))
    pixels = sum(channel.nbytes for image in images for channel in read_image(image).values())
    return {
        "check": min(tries),
        "files": sum(image.stat().st_size for image in images) / 1e6,
        "pixels": pixels / 1e6,
    }


def measure_cost_apart(side: int = SIDE) -> dict[str, PairCost]:
    """`measure_cost` of each kind, in a process of its own."""
    found = {}
    for kind in KINDS:
        command = [sys.executable, __file__, "--json", kind, str(side)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found[kind] = PairCost(*json.loads(done.stdout.splitlines()[-1]))
    return found


def cost_table(costs: dict[str, PairCost], side: int = SIDE) -> Table:
    """Each step's share of the reference's path tracing."""
    samples = "+".join(map(str, SAMPLES))
    table = Table(title=f"a pair of {side}²: {samples} samples against {REFERENCE:,}, in CPU time")
    table.add_column("step")
    for kind in costs:
        table.add_column(kind, justify="right")

    def row(name: str, *steps: str) -> None:
        shares = (sum(getattr(cost, step) for step in steps) / cost.tracing for cost in costs.values())
        table.add_row(name, *(f"{100 * share:.1f} %" for share in shares))

    table.add_row("path tracing of the reference", *(f"{cost.tracing:.0f} s" for cost in costs.values()))
    row("noisy images", "noisy")
    row("data pass", "data")
    row("noisy images and data pass together", "noisy", "data")
    row("apply a new variant", "apply")
    row("the reference's renders beside their samples", "renders")
    row("verify and write", "write")
    row("the farm: apply, sync, verify, write", "apply", "renders", "write")
    table.add_row(
        "pairs an hour against Cycles alone, same samples", *(f"{_of_cycles(cost):.3f}" for cost in costs.values())
    )
    return table


def _of_cycles(cost: PairCost) -> float:
    """The share of a pair's time in which Cycles renders its images."""
    cycles = cost.tracing + cost.noisy + cost.data
    return cycles / (cycles + cost.apply + cost.renders + cost.write)


def check_table(costs: dict[str, PairCost]) -> Table:
    """How fast one core re-verifies pairs."""
    table = Table(title="check of whole pairs, one core")
    table.add_column("what")
    for kind in costs:
        table.add_column(kind, justify="right")
    table.add_row("EXR files", *(f"{cost.files / cost.check:.0f} MB/s" for cost in costs.values()))
    table.add_row("their decoded pixels", *(f"{cost.pixels / cost.check:.0f} MB/s" for cost in costs.values()))
    return table


if __name__ == "__main__":
    if sys.argv[1:2] == ["--json"]:
        print(json.dumps(measure_cost(int(sys.argv[3]), sys.argv[2])))  # noqa: T201
    else:
        wanted = int(sys.argv[1]) if len(sys.argv) > 1 else SIDE
        found = measure_cost_apart(wanted)
        Console().print(cost_table(found, wanted))
        Console().print(check_table(found))
