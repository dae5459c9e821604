"""Texture coordinates in which no two places of the scalp meet: the mesh's own, or a cell for each triangle (numpy)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.double.own.surface import Surface
from farm.recipe.variant import stream

__all__ = ["cell_uvs", "overlaps", "usable_uvs"]

Array = NDArray[np.float64]

GRID: Final = 512
APART: Final = 0.02
"""Places of one cell of the grid that lie this far apart, in metres, share their coordinates."""
SAMPLES: Final = 12
INSET: Final = 0.08


def usable_uvs(surface: Surface, bearing: NDArray[np.bool_], uvs: Array | None) -> tuple[Array, bool]:
    """Coordinates (T, 3, 2) for all triangles, those of the `bearing` ones within 0..1; and whether they are `uvs`."""
    if uvs is None or overlaps(surface, bearing, uvs):
        return cell_uvs(bearing), False
    chosen = uvs[bearing].reshape(-1, 2)
    low = chosen.min(axis=0)
    return (uvs - low) / max(float((chosen.max(axis=0) - low).max()), 1e-9) * (1 - 1e-6), True


def overlaps(surface: Surface, bearing: NDArray[np.bool_], uvs: Array) -> bool:
    """Whether two places of the bearing triangles (T,) share texture coordinates (T, 3, 2)."""
    corners = surface.vertices[surface.triangles[bearing]]
    flat = uvs[bearing]
    share = stream(0, "overlaps").dirichlet((2, 2, 2), size=SAMPLES)
    places = np.einsum("sk,tkc->tsc", share, corners).reshape(-1, 3)
    coordinates = np.einsum("sk,tkc->tsc", share, flat).reshape(-1, 2)
    low, size = coordinates.min(axis=0), np.ptp(coordinates, axis=0).max()
    if not size > 0:
        return True
    cell = np.minimum(((coordinates - low) / size * GRID).astype(int), GRID - 1)
    _, number = np.unique(cell[:, 0] * GRID + cell[:, 1], return_inverse=True)
    count = number.max() + 1
    spread = np.zeros(count)
    for axis in range(3):
        least, most = np.full(count, np.inf), np.full(count, -np.inf)
        np.minimum.at(least, number, places[:, axis])
        np.maximum.at(most, number, places[:, axis])
        spread = np.maximum(spread, most - least)
    return bool(spread.max() > APART)


def cell_uvs(bearing: NDArray[np.bool_]) -> Array:
    """A cell of the unit square for each bearing triangle: coordinates (T, 3, 2)."""
    count = int(bearing.sum())
    side = max(1, int(np.ceil(np.sqrt(count))))
    corner = np.array([[INSET, INSET], [1 - INSET, INSET], [INSET, 1 - INSET]])
    place = np.stack([np.arange(count) % side, np.arange(count) // side], axis=1)
    uvs = np.zeros((len(bearing), 3, 2))
    uvs[bearing] = (place[:, None] + corner) / side
    return uvs
