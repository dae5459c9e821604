"""Strands led out of the skin and clothes that they sank into (numpy and scipy).

Interpolation, curls and motion know guides, not skin: a strand between two guides may cut a corner that both go around.
Its points are pushed along the normal of the nearest surface sample (Hoppe et al. 1992, as in
`farm.double.groom.collider`), what is beside them follows softly, and every segment keeps its length (Müller, Kim,
Chentanez 2012). So strands bend around what they meet, without a kink, and their roots stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, maximum_filter1d, uniform_filter1d
from scipy.spatial import cKDTree

from farm.algebra import searchers
from farm.double.groom.collider import Shell, surface_samples

__all__ = ["CLOTH", "Solid", "bare", "lead_out"]

Array = NDArray[np.float64]
Single = NDArray[np.float32]

DEEP: Final = 0.0005
"""How deep in metres a point may lie: at its root a strand is in the skin, and samples do not tell less."""
GAIN: Final = 1.2
"""How far a point is pushed, relative to what it lies too deep."""
ASIDE: Final = 0.012
WIDENS: Final = 0.5
"""How far beside its nearest sample a point may lie in metres, and how much farther for each metre of its depth: beyond
that it has passed the edge of a garment."""
CELL: Final = 0.007
"""Size in metres of the cells by which most points are told to be far from any surface."""
CELLS_NEAR: Final = 8
"""How many cells from a surface, outside or inside, points are looked at."""
SOFT: Final = 0.012
"""Length in metres of a strand, to either side of what is pushed, that follows."""
ROUNDS_FOR_ALL: Final = 2
ROUNDS: Final = 8
TOLERATED: Final = 0.001
"""Rounds for all strands that lie inside, and in all for those that still lie so much deeper than `DEEP`, in metres."""
CLOTH: Final = 0.0015
"""How far clothes as they are rendered lie outside of their samples, in metres."""
WIDE: Final = 128
"""Points whose bounds are taken at once."""
COVER: Final = 0.025
STRAIGHT: Final = 0.7
"""What a garment covers: skin up to so many metres behind it, with at least this cosine to its normal."""


@dataclass(frozen=True)
class Solid:
    """What strands stay out of: samples (N, 3) of a surface and their outward unit normals (N, 3)."""

    samples: Array
    normals: Array

    @classmethod
    def of(cls, shells: Sequence[Shell], around: Array | Single) -> Solid:
        """The surface of shells, skin first, near points (P, 3); what clothes cover of the skin is left out."""
        box = np.stack(_bounds(around)).astype(np.float64)
        parts = [surface_samples(shell, box) for shell in shells]
        kept = bare(*parts[0], [part for part in parts[1:] if len(part[0])])
        parts = [(parts[0][0][kept], parts[0][1][kept]), *((place + CLOTH * out, out) for place, out in parts[1:])]
        return cls(*(np.concatenate([part[index] for part in parts]) for index in (0, 1)))


def bare(samples: Array, normals: Array, clothes: Sequence[tuple[Array, Array]]) -> NDArray[np.bool_]:
    """Which samples (N,) of the skin no garment covers; `clothes` are samples and normals of one garment each."""
    kept = np.ones(len(samples), dtype=bool)
    for places, outward in clothes:
        span, index = cKDTree(places).query(samples, distance_upper_bound=COVER)
        found = np.flatnonzero(np.isfinite(span))
        near = index[found]
        along = np.einsum("nc,nc->n", samples[found] - places[near], outward[near])
        alike = np.einsum("nc,nc->n", normals[found], outward[near]) > 0
        kept[found[alike & (along < 0) & (-along > STRAIGHT * span[found])]] = False
    return kept


def lead_out(points: Single, solid: Solid) -> Single:
    """Strands (S, N, 3), root first, out of a solid; those that are outside keep their points bit for bit."""
    if not len(points) or not len(solid.samples):
        return points
    tree = cKDTree(solid.samples)
    result, chosen = points, np.arange(len(points))
    for turn in range(ROUNDS):
        strands = result[chosen]
        depth, normal = _depths(strands, solid, tree)
        sunk = (depth > (0.0 if turn < ROUNDS_FOR_ALL else TOLERATED)).any(axis=1)
        if not sunk.any():
            break
        if result is points:
            result = points.copy()
        chosen = chosen[sunk]
        result[chosen] = _pushed(strands[sunk], GAIN * depth[sunk], normal[sunk])
    return result


def _depths(strands: Single, solid: Solid, tree: cKDTree) -> tuple[Single, Single]:
    """How much too deep points (S, N) lie, 0 outside, and the way out (S, N, 3)."""
    flat = strands.reshape(-1, 3)
    depth, normal = np.zeros(len(flat), dtype=np.float32), np.zeros_like(flat)
    candidates = _candidates(strands, solid, tree)
    near = (CELLS_NEAR + 1) * CELL
    span, index = tree.query(flat[candidates], distance_upper_bound=near, workers=searchers(len(candidates)))
    found = np.isfinite(span)
    candidates, index, span = candidates[found], index[found], span[found]
    along = np.einsum("nc,nc->n", flat[candidates] - solid.samples[index], solid.normals[index])
    inside = (along < -DEEP) & (span**2 - along**2 < (ASIDE - WIDENS * along) ** 2)
    depth[candidates[inside]] = -along[inside] - DEEP
    normal[candidates[inside]] = solid.normals[index[inside]]
    return depth.reshape(strands.shape[:2]), normal.reshape(strands.shape)


def _candidates(strands: Single, solid: Solid, tree: cKDTree) -> NDArray[np.int64]:
    """Points, by number, that may lie inside: those behind the sample that is nearest to the middle of their cell.

    Cells whose middle lies outside by more than half their diagonal hold none.
    """
    low, high = _bounds(strands.reshape(-1, 3))
    low = low - np.float32(CELL)
    shape = ((high - low) / CELL).astype(np.int32) + 2
    cells = np.zeros((len(strands), strands.shape[1] - 1), dtype=np.int32)
    for axis in range(3):
        cells *= shape[axis]
        cells += ((strands[:, 1:, axis] - low[axis]) * np.float32(1 / CELL)).astype(np.int32)
    place = np.floor((solid.samples - low) / CELL).astype(np.int64)
    place = place[((place >= 0) & (place < shape)).all(axis=1)]
    near = np.zeros(shape, dtype=bool)
    near[tuple(place.T)] = True
    near = binary_dilation(near, iterations=CELLS_NEAR)
    close = np.flatnonzero(near.ravel()[cells])
    cells = cells.ravel()[close]
    used = np.zeros(near.size, dtype=bool)
    used[cells] = True
    named = np.flatnonzero(used)
    middles = (np.stack(np.unravel_index(named, shape), axis=1) + 0.5) * CELL + low
    sample = tree.query(middles, workers=searchers(len(middles)))[1]
    low_lying = np.einsum("nc,nc->n", middles - solid.samples[sample], solid.normals[sample]) < CELL
    nearest = np.full(near.size, -1, dtype=np.int32)
    nearest[named[low_lying]] = sample[low_lying]
    sample = nearest[cells]
    close, sample = close[sample >= 0], sample[sample >= 0]
    count = strands.shape[1]
    close = close // (count - 1) * count + close % (count - 1) + 1
    away = strands.reshape(-1, 3)[close] - solid.samples[sample]
    behind: NDArray[np.int64] = close[np.einsum("nc,nc->n", away, solid.normals[sample]) < 0]
    return behind


def _bounds(points: Array | Single) -> tuple[Any, Any]:
    """The least and the greatest (3,) of points (P, 3), many rows at once, which is twenty times faster."""
    rows = len(points) // WIDE
    wide = np.ascontiguousarray(points)[: rows * WIDE].reshape(rows, 3 * WIDE)
    ends: list[Any] = [points[rows * WIDE :]]
    if rows:
        ends += [wide.min(axis=0).reshape(-1, 3), wide.max(axis=0).reshape(-1, 3)]
    every = np.concatenate(ends)
    return every.min(axis=0), every.max(axis=0)


def _pushed(strands: Single, depth: Single, normal: Single) -> Single:
    """Strands (S, N, 3) whose points lie too deep (S, N) bent out along normals (S, N, 3), segments as long as before.

    What is beside a point goes with it: the way out is the mean of the greatest around, so nowhere less than is needed.
    """
    segments = np.diff(strands, axis=1)
    length = np.sqrt(np.einsum("snc,snc->sn", segments, segments))[..., None]
    grown = np.cumsum(length[..., 0], axis=1)
    width = 2 * int(np.ceil(SOFT / max(float(length.mean()), 1e-6))) + 1
    size = uniform_filter1d(maximum_filter1d(depth, width, axis=1, mode="nearest"), width, axis=1, mode="nearest")
    way = uniform_filter1d(depth[..., None] * normal, 2 * width + 1, axis=1, mode="nearest")
    way /= np.maximum(np.linalg.norm(way, axis=2, keepdims=True), 1e-12)
    moved = size[:, 1:, None] * way[:, 1:] * np.minimum(grown / SOFT, 1.0)[..., None]
    laid = segments + np.diff(moved, axis=1, prepend=np.float32(0.0))
    laid *= length / np.maximum(np.sqrt(np.einsum("snc,snc->sn", laid, laid))[..., None], 1e-9)
    result = np.empty_like(strands)
    result[:, 0] = strands[:, 0]
    result[:, 1:] = strands[:, :1] + np.cumsum(laid, axis=1)
    return result
