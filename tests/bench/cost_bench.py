"""What a pair's noisy images and data cost against its reference, and what the farm adds: ratios within one run."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from rich.table import Table

from farm.cluster.machine import cpu_count
from farm.cluster.plan import plan_tasks
from farm.cluster.worker import Worker
from farm.dataset import create_dataset
from farm.recipe import Recipe, load_recipe, templates

__all__ = ["cost_table", "measure_cost"]

STEPS = ("apply", "data", "noisy", "reference", "write")


def cost_recipe(side: int, passes: str) -> Recipe:
    """One double with long hair at 1, 2, 4, 8 and 32 samples against 1,024 that are not cut short."""
    demo = load_recipe(templates.path("recipes", "demo"))
    data = demo.model_dump(exclude_unset=True) | {"name": "cost", "count": 1}
    data["axes"] = {"hair": {"style": "shoulder_straight"}, "stunt": {"name": "jump", "phase": 0.4}}
    data["capture"] = {
        "resolution": [side, side],
        "samples": [1, 2, 4, 8, 32],
        "reference": {"samples": 1024, "residual": 1e-9},
        "frames": 2,
        "passes": [passes] if passes else [],
    }
    return Recipe.model_validate(data)


def measure_cost(side: int, passes: str) -> dict[str, float]:
    """Seconds by step of a warm pair."""
    recipe = cost_recipe(side, passes)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "cost"
        worker = Worker(recipe, "cpu", cpu_count(), root.parent)
        engine = worker.engine()
        create_dataset(root, recipe, engine=engine.build)
        for task in plan_tasks(recipe, engine.build):
            worker.render(task, str(root))
        record = json.loads(sorted(root.glob("pairs/*/*/record.json"))[-1].read_text())
    timings: dict[str, float] = record["timings"]
    return timings


def cost_table(side: int = 256) -> Table:
    """Each step's share of the reference's path tracing, without passes and with all."""
    table = Table("step", "denoise", "everything", title=f"{side}², 1+2+4+8+32 samples against 1,024: share of it")
    plain, full = (measure_cost(side, passes) for passes in ("denoise", "everything"))
    for step in STEPS:
        table.add_row(step, *(f"{100 * found[step] / found['reference']:.1f} %" for found in (plain, full)))
    for name, steps in (("noisy and data", ("noisy", "data")), ("apply and write", ("apply", "write"))):
        shares = (sum(found[step] for step in steps) / found["reference"] for found in (plain, full))
        table.add_row(name, *(f"{100 * share:.1f} %" for share in shares))
    return table


if __name__ == "__main__":
    import sys

    from rich.console import Console

    Console().print(cost_table(*(int(side) for side in sys.argv[1:])))
