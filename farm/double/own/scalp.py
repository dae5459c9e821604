"""Where hair grows on a head that we did not make: our hairline, carried over by the fitted template (numpy)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.double.own.fit import HeadFit, template
from farm.double.own.surface import Surface

__all__ = ["GROUPS", "find_scalp", "scalp_area"]

Array = NDArray[np.float64]

GROUPS: Final = (
    "scalp",
    "hair",
    "hair_cap",
    "haircap",
    "hair_scalp",
    "scalp_hair",
    "hair_density",
    "density",
    "helper-hair",
)
"""Names of vertex groups, in lower case and without a namespace, that are taken for the scalp; the first one counts."""

AGREE: Final = 0.2
FARTHEST: Final = 0.012
"""Skin farther than this from the fitted template bears no hair, in metres on a head of common size."""


def find_scalp(head: Surface, fit: HeadFit) -> Array:
    """How densely hair grows at each vertex (V,) of a head, 0..1, in the axes that the fit was made in."""
    density = np.zeros(len(head.vertices))
    low, high = fit.surface.vertices.min(axis=0), fit.surface.vertices.max(axis=0)
    near = np.flatnonzero(((head.vertices > low - 0.02) & (head.vertices < high + 0.02)).all(axis=1))
    sample, _, distance = fit.surface.nearest(head.vertices[near], head.normals[near], agree=AGREE)
    carried = fit.surface.values_at(sample, template().scalp[:, None])[:, 0]
    density[near] = np.where(distance < FARTHEST * fit.scale, np.clip(carried, 0.0, 1.0), 0.0)
    return density


def scalp_area(head: Surface, density: Array) -> float:
    """Area that bears hair at least half as densely as it can, in m²."""
    inside = density[head.triangles].mean(axis=1) > 0.5
    return float(head.areas[inside].sum())
