"""Lips that touch at rest: the base mesh's stand a millimetre apart, through which teeth would show (numpy only)."""

from __future__ import annotations

import functools
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from farm.double.base_mesh import base_mesh, target
from farm.double.face import unit_path

__all__ = ["seal_lips"]

Array = NDArray[np.float64]

MOUTH: Final = ((-0.0215, 0.0215), (-0.162, -0.141), (0.652, 0.668))
"""Where the unshaped mesh's lips meet: from and to, by axis, in metres."""
SPLIT: Final = 0.010
"""The jaw opening takes the lower lip further down than this, in metres, and the upper one less far."""
PAIR: Final = 0.0035
PRESS: Final = 0.0005
"""How far lips are pressed into each other, in metres: smoothing takes it off their edges again."""
SPREAD: Final = 0.0035
"""Over this distance in metres the skin around comes along."""


class _Contact(NamedTuple):
    """Pairs (N,) of upper and lower lip vertices, and how much (V, N) the vertices of each lip follow each pair's."""

    upper: NDArray[np.intp]
    lower: NDArray[np.intp]
    moved: NDArray[np.intp]
    share: Array


def seal_lips(shape: Array) -> Array:
    """The vertices (V, 3) with both lips moved half way towards each other wherever they are apart."""
    contact = _contact()
    gap = np.maximum(shape[contact.upper, 2] - shape[contact.lower, 2] + PRESS, 0.0)
    sealed = shape.copy()
    sealed[contact.moved, 2] += contact.share @ (gap / 2)
    return sealed


@functools.cache
def _contact() -> _Contact:
    rest = base_mesh().vertices
    skin = base_mesh().group_vertices("body")
    opened = np.zeros_like(rest)
    vertices, offsets = target(unit_path("jawOpen"))
    opened[vertices] = offsets
    inside = np.all([(rest[skin, axis] > low) & (rest[skin, axis] < high) for axis, (low, high) in enumerate(MOUTH)], 0)
    near = skin[inside]
    above, below = near[opened[near, 2] > -SPLIT], near[opened[near, 2] < -SPLIT]
    lower = below[cKDTree(rest[below]).query(rest[above])[1]]
    apart = np.linalg.norm(rest[above] - rest[lower], axis=1)
    back = cKDTree(rest[above]).query(rest[lower])[1]
    met = (apart < PAIR) & (above[back] == above)
    upper, lower = above[met], lower[met]
    middle = (rest[upper] + rest[lower]) / 2
    around = skin[cKDTree(middle).query(rest[skin], distance_upper_bound=3 * SPREAD)[0] < np.inf]
    high = opened[around, 2] > -SPLIT
    ends = np.where(high[:, None, None], rest[upper], rest[lower])
    distance = np.linalg.norm(rest[around, None] - ends, axis=2)
    weight = np.exp(-((distance / SPREAD) ** 2))
    share = weight * weight.max(axis=1, keepdims=True) / np.maximum(weight.sum(axis=1, keepdims=True), 1e-12)
    return _Contact(upper, lower, around, share * np.where(high, -1.0, 1.0)[:, None])
