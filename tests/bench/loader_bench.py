"""What crops cost to load, against a loop that decodes whole frames: `make bench`.

A pair of 1,024² frames, as the dataset's tests make them, is read in crops of 256²: by `PairDataset`, and by OpenEXR's
own reader with a slice. Both on one core, without decoding threads; processor time, so that what else runs here counts
little.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import OpenEXR
from rich.console import Console
from rich.table import Table

from farm.dataset import build_index, create_dataset
from farm.learn import PairDataset
from farm.recipe import parse_recipe

SIDE, CROP = 1024, 256
LAYERS = ("albedo", "normal")
CROPS = 24


def frames(root: Path) -> Path:
    """A dataset of one pair."""
    place = Path(__file__).parents[1] / "dataset" / "conftest.py"
    spec = importlib.util.spec_from_file_location("balls", place)
    balls = importlib.util.module_from_spec(spec)
    sys.modules["balls"] = balls
    spec.loader.exec_module(balls)
    text = balls.RECIPE.replace("[48, 32]", f"[{SIDE}, {SIDE}]").replace("count: 3", "count: 1")
    text = text.replace("[1, 4]", "[4]").replace("replicas: 2", "replicas: 1").replace("frames: 2", "frames: 1")
    recipe = parse_recipe(text, source="bench.yaml")
    dataset = create_dataset(root, recipe, engine=balls.BUILD)
    balls.render_pair(dataset, recipe, recipe.variant(0), 1)
    build_index(dataset)
    return root


def naive_crop(folder: Path, row: int, column: int) -> None:
    """The crop that a loop would cut out of whole frames."""
    channels = {"noisy_0004spp_r00.exr": [*"RGB", *(f"{n}.{c}" for n, cs in (("albedo", "RGB"), ("normal", "XYZ"))
                                                  for c in cs)], "reference.exr": [*"RGB"]}  # fmt: skip
    for name, wanted in channels.items():
        with OpenEXR.File(str(folder / name), separate_channels=True, num_threads=0) as image:
            found = image.channels()
            for channel in wanted:
                found[channel].pixels[row : row + CROP, column : column + CROP].copy()


def per_second(work: Callable[[int], object]) -> float:
    """How often a core does the work in a second, after a first time."""
    work(0)
    start = time.process_time()
    for number in range(CROPS):
        work(number)
    return CROPS / (time.process_time() - start)


def main() -> None:
    """Measure and print."""
    OpenEXR.set_global_thread_count(0)
    with tempfile.TemporaryDirectory() as scratch:
        dataset = PairDataset(frames(Path(scratch) / "frames"), layers=LAYERS, crop=CROP, crops=CROPS)
        folder = dataset.items[0].pair
        windows = [dataset._window(number) for number in range(CROPS)]
        naive = per_second(lambda n: naive_crop(Path(scratch) / "frames" / folder, windows[n].row, windows[n].column))
        ours = per_second(lambda n: dataset[n])
    table = Table("what", "figure", title=f"{CROP}² crops of {SIDE}² pairs, one core")
    table.add_row("whole frames, then a slice", f"{naive:.1f} crops/s")
    table.add_row("PairDataset", f"{ours:.1f} crops/s")
    table.add_row("PairDataset against whole frames", f"{ours / naive:.1f} ×")
    Console().print(table)


if __name__ == "__main__":
    main()
