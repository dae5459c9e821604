"""Renderers that only pretend, for the driver at scale and in chaos: true records, images of bytes that mean nothing.

python tests/bench/simulated.py RECIPE ROOT ADDRESS SECONDS [PRIORITY]   a run as `digidouble render … --progress jsonl`
"""

from __future__ import annotations

import functools
import hashlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from farm.cluster import driver
from farm.cluster.driver import Farm, run
from farm.cluster.lines import JsonLines
from farm.cluster.plan import Task
from farm.cluster.policy import Policy
from farm.dataset import Engine, Record, clean_uncommitted, commit_record, open_dataset
from farm.dataset.files import replace_bytes
from farm.recipe import load_recipe

ENGINE = Engine(blender="5.2.3 LTS", build_hash="0" * 12, device="cpu", device_name="simulated", digidouble="0" * 16)
IMAGES = ("noisy_0001spp_r00.exr", "reference.exr")


def pretended(task: Task, digest: str, files: dict[str, Any], *, engine: Engine = ENGINE, **more: Any) -> Record:
    """The record of a pair that nobody rendered, of a dataset of the recipe with that digest."""
    one = {"fl_x": 1, "fl_y": 1, "cx": 1, "cy": 1, "focal_length": 1, "sensor_width": 1, "sensor_height": 1}
    residual = {"relmse": 0, "best_noisy_relmse": 1, "ratio": 0, "threshold": 1, "samples": 8, "converged": True}
    said = {
        "task": task.key,
        "recipe": digest,
        "variant_id": task.variant.id,
        "variant": task.variant,
        "view": task.view,
        "files": files,
        "residual": residual,
        "camera": {"matrix_world": [[0] * 4] * 4, **one},
        "settings": {f"cycles.setting_{number}": number for number in range(40)},
        "engine": engine,
        "timings": {"reference": 1.0},
    }
    return Record.model_validate(said | more)


class Pretender:
    """Sleeps, writes images whose bytes depend on the task alone, and commits them."""

    def __init__(self, nap: float, scratch: Path, advanced: Callable[..., None]) -> None:
        del scratch
        self.nap, self.advanced, self.seconds = nap, advanced, {"reference": nap}

    def engine(self) -> Engine:
        """What it would be."""
        return ENGINE

    def render(self, task: Task, root: str) -> str:
        """Do as if."""
        dataset = open_dataset(root)
        folder = dataset.pair(task.variant.id, task.view.frame)
        files = {}
        for name in IMAGES:
            time.sleep(self.nap / len(IMAGES))
            self.advanced()
            data = hashlib.sha256(f"{task.key}/{name}".encode()).digest() * 256
            replace_bytes(folder.path / name, data)
            files[name] = {
                "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), "seeds": (1,), "samples": 1
            }  # fmt: skip
        commit_record(dataset, pretended(task, dataset.info.recipe.digest, files))
        return task.key


def main(recipe: str, root: str, address: str, seconds: str, priority: str = "0") -> int:
    """A run on a cluster that says what happens; its pairs make no index and no report."""
    driver._publish = lambda dataset, splits: clean_uncommitted(dataset)
    policy = Policy(stall=10.0)
    farm = Farm(device="cpu", workers=2, threads=1, address=address, priority=int(priority), policy=policy)
    lines = JsonLines(sys.stdout)
    summary = run(load_recipe(Path(recipe)), root, lines, farm, renderer=functools.partial(Pretender, float(seconds)))
    lines.write("ended", complete=summary.complete)
    return 0 if summary.complete else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
