"""The farm's pairs an hour against those of processes that each render one thing: `frame_bench.py [SIDE]`.

The demo recipe, on the whole machine, by the clock. The farm renders all of it, from nothing to its report. Against it
stand the same pairs, one after another, each with all cores:

a process a pair     opens Blender, builds the scene once, and renders all of a pair
a process an image   as `blender --background` renders frames: it opens Blender, builds the scene, renders one image.
                     A pair is its noisy images, the two halves of its reference, and its data

Of the latter only some pairs are rendered; what share of the work they are is taken from the processes a pair. With
fewer pixels path tracing takes as little of a pair as it does on a machine that much faster: 96² is a seventh of 256².
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from farm.cluster.driver import Farm, run
from farm.cluster.listener import Listener
from farm.cluster.plan import plan_tasks
from farm.cluster.worker import Worker
from farm.dataset import create_dataset, open_dataset
from farm.recipe import Recipe, load_recipe, templates
from farm.render.seeds import data_role, half_role, noisy_role, view_seeds
from farm.render.settings import FIRST_SAMPLE

__all__ = ["frame_table"]

SIDE = 256
COMPARED = (0, 3)
"""Tasks whose images processes of their own render."""


def demo(side: int) -> Recipe:
    """The recipe that all of them render: the demo, in pictures of `side`²."""
    data = load_recipe(templates.path("recipes", "demo")).model_dump(exclude_unset=True)
    data["capture"] |= {"resolution": [side, side]}
    return Recipe.model_validate(data)


def render_farm(side: int, root: Path) -> tuple[float, list[dict[str, Any]]]:
    """Seconds that the farm takes for the whole recipe, and its records in the order of tasks."""
    start = time.perf_counter()
    summary = run(demo(side), root, Listener(), Farm(device="cpu"))
    seconds = time.perf_counter() - start
    if not summary.complete:
        raise RuntimeError(f"the farm rendered {summary.rendered} of {summary.total} pairs")
    found = (json.loads(file.read_text()) for file in root.glob("pairs/*/*/record.json"))
    records = {record["task"]: record for record in found}
    return seconds, [records[task.key] for task in plan_tasks(demo(side), open_dataset(root).info.engine)]


def images_of(recipe: Recipe, samples: int) -> list[tuple[str, int]]:
    """A pair's images by role, with the samples of each, its reference having `samples`."""
    noisy = [(noisy_role(count, 0), count) for count in recipe.capture.samples]
    return [(data_role(), 1), *noisy, (half_role(0), samples // 2), (half_role(1), samples // 2)]


def render_image_apart(side: int, index: int, role: str, samples: int) -> None:
    """One image of a variant, in this process."""
    from farm.render.blender import open_scene
    from farm.render.passes import data_pass, render_image
    from farm.render.settings import prepare_subset
    from farm.render.shader_outputs import write_outputs
    from farm.stage.apply import Stage

    recipe = demo(side)
    capture = recipe.capture
    scene, engine = open_scene(capture)
    task = plan_tasks(recipe, engine.build)[index]
    stage = Stage(scene, resolution=capture.resolution)
    stage.apply(task.variant, frames=capture.frames.numbers, rate=capture.frames.rate)
    seed = view_seeds(task.name, [role])[role]
    with tempfile.TemporaryDirectory() as folder:
        if role == data_role():
            write_outputs(scene)
            with data_pass(scene, motion=False):
                prepare_subset(scene, seed=seed, offset=0, length=1)
                render_image(scene, Path(folder), "data", capture.layers)
        else:
            prepare_subset(scene, seed=seed, offset=FIRST_SAMPLE, length=samples)
            render_image(scene, Path(folder), "radiance", capture.layers)


def render_pair_apart(side: int, index: int) -> None:
    """A pair, in this process."""
    recipe = demo(side)
    with tempfile.TemporaryDirectory() as folder:
        worker = Worker(recipe, "cpu", 0, Path(folder))
        engine = worker.engine()
        root = Path(folder) / "apart"
        create_dataset(root, recipe, engine=engine.build)
        worker.render(plan_tasks(recipe, engine.build)[index], str(root))


def apart(*words: object) -> float:
    """Seconds of a process that does one thing."""
    start = time.perf_counter()
    subprocess.run([sys.executable, __file__, "--apart", *map(str, words)], check=True, capture_output=True)
    return time.perf_counter() - start


def frame_table(side: int = SIDE) -> Table:
    """Pairs an hour of each way."""
    with tempfile.TemporaryDirectory() as folder:
        farm, records = render_farm(side, Path(folder) / "farm")
    recipe = demo(side)
    pairs = [apart("pair", side, index) for index in range(len(records))]
    images = sum(
        apart("image", side, index, *image)
        for index in COMPARED
        for image in images_of(recipe, records[index]["residual"]["samples"])
    )
    images *= sum(pairs) / sum(pairs[index] for index in COMPARED)
    hour = 3600 * len(records)
    table = Table("what", "pairs an hour", "the farm's against it", title=f"the demo recipe, {side}², whole machine")
    table.add_row("the farm", f"{hour / farm:.0f}", "")
    for name, seconds in (("a process an image", images), ("a process a pair", sum(pairs))):
        table.add_row(name, f"{hour / seconds:.0f}", f"{seconds / farm:.2f} ×")
    return table


if __name__ == "__main__":
    if sys.argv[1:2] == ["--apart"]:
        what, side, index, *image = sys.argv[2:]
        if what == "pair":
            render_pair_apart(int(side), int(index))
        else:
            render_image_apart(int(side), int(index), image[0], int(image[1]))
    else:
        Console().print(frame_table(*map(int, sys.argv[1:])))
