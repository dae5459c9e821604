"""Units that people write in recipes, and their conversion to the unit of a parameter."""

from __future__ import annotations

import math
from typing import Final

__all__ = ["DIMENSIONS", "accepted_units", "convert", "dimension"]

DIMENSIONS: Final[dict[str, dict[str, float]]] = {
    "length": {"mm": 0.001, "cm": 0.01, "m": 1.0, "in": 0.0254, "ft": 0.3048},
    "angle": {
        "deg": 1.0, "degree": 1.0, "degrees": 1.0, "°": 1.0,
        "rad": 180 / math.pi, "radian": 180 / math.pi, "radians": 180 / math.pi,
    },
    "time": {"year": 1.0, "years": 1.0, "month": 1 / 12, "months": 1 / 12},
}  # fmt: skip
"""Dimension -> unit -> its size in the dimension's base unit. The first spelling of a size is the one shown."""


def dimension(unit: str) -> str:
    """What a unit measures, such as `length`; '' for the unitless ''."""
    return next((name for name, units in DIMENSIONS.items() if unit in units), "")


def accepted_units(unit: str) -> list[str]:
    """One spelling of each unit that converts to `unit`, the smallest first; empty for the unitless ''."""
    shown = {size: spelling for spelling, size in reversed(DIMENSIONS.get(dimension(unit), {}).items())}
    return [shown[size] for size in sorted(shown)]


def convert(value: float, source: str, target: str) -> float:
    """`value` in unit `source`, expressed in unit `target`, to 12 significant digits.

    Raises:
        KeyError: `source` does not measure what `target` measures.
    """
    sizes = DIMENSIONS.get(dimension(target), {})
    return value if source == target else float(f"{value * sizes[source] / sizes[target]:.12g}")
