"""`digidouble plan` behind its options: what a run will take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from farm.cluster.calibration import UNKNOWN_BUILD, from_dataset, warm_up
from farm.cluster.estimate import Calibration, as_data, estimate, tell
from farm.cluster.plan import plan_tasks
from farm.dataset.folder import check_place
from farm.dataset.place import open_place
from farm.errors import DatasetError
from farm.recipe import Recipe

__all__ = ["estimates"]


def estimates(
    recipe: Recipe,
    *,
    out: str | None,
    calibrate: bool,
    device: str,
    workers: int,
    price: float | None,
    double: Path | None = None,
) -> tuple[dict[str, Any] | None, list[str]]:
    """What a run will take, as plain data and as lines; no data where nothing was measured.

    Raises DatasetError for an `out` that holds no dataset of the recipe.
    """
    found = warm_up(recipe, device, workers=workers, double=double) if calibrate else _measured(recipe, out)
    if found is None:
        return None, ["time and disk are not known yet: --calibrate renders a pair or two to tell them"]
    expected = estimate(plan_tasks(recipe, UNKNOWN_BUILD), recipe, found)
    said = tell(expected, found, workers=workers, price=price)
    return as_data(expected, found, workers=workers, price=price), said


def _measured(recipe: Recipe, out: str | None) -> Calibration | None:
    """What the recipe's dataset tells, where there is one."""
    try:
        there = check_place(open_place(out) if out is not None else Path("out") / recipe.name, recipe)
    except DatasetError:
        if out is not None:
            raise
        return None
    return None if there is None else from_dataset(there, recipe)
