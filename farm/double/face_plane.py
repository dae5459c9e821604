"""The head unrolled to a plane, in which lines and areas of the face are drawn (numpy only)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["ARC_RADIUS", "AXIS_Y", "area_distance", "face_plane", "line_distance"]

Array = NDArray[np.float64]

AXIS_Y: Final = -0.045
ARC_RADIUS: Final = 0.075
"""The head's upright axis, from which azimuths are measured, and the radius of the cylinder around it, in metres."""


def face_plane(points: Array) -> Array:
    """The unshaped head (N, 3) unrolled to a cylinder: arc from the face's middle and height (N, 2), in metres."""
    azimuth = np.arctan2(points[:, 0], AXIS_Y - points[:, 1])
    return np.stack([azimuth * ARC_RADIUS, points[:, 2]], axis=1)


def line_distance(points: Array, line: Array) -> tuple[Array, Array]:
    """From points (N, 2) to a polyline (L, 2): distance (N,), left of it positive, and how far beyond its ends."""
    starts, along = line[:-1], np.diff(line, axis=0)
    lengths = np.linalg.norm(along, axis=1)
    offsets = points[:, None] - starts[None]
    share = (offsets * along).sum(-1) / lengths**2
    nearest = offsets - np.clip(share, 0.0, 1.0)[..., None] * along
    distance = np.linalg.norm(nearest, axis=-1)
    best = distance.argmin(axis=1)
    row = np.arange(len(points))
    side = along[best, 0] * offsets[row, best, 1] - along[best, 1] * offsets[row, best, 0]
    before = np.where(best == 0, -share[:, 0] * lengths[0], 0.0)
    after = np.where(best == len(along) - 1, (share[:, -1] - 1) * lengths[-1], 0.0)
    across = np.abs(side) / lengths[best]
    return np.sign(side) * across, np.maximum(np.maximum(before, after), 0.0)


def area_distance(points: Array, outline: Array) -> Array:
    """Signed distance (N,) of points (N, 2) to a closed outline (L, 2), positive inside (even-odd rule)."""
    ends = np.roll(outline, -1, axis=0)
    along = ends - outline
    offsets = points[:, None] - outline[None]
    share = np.clip((offsets * along).sum(-1) / (along**2).sum(-1), 0.0, 1.0)
    distance = np.linalg.norm(offsets - share[..., None] * along, axis=-1).min(axis=1)
    height = points[:, None, 1]
    spans = (outline[:, 1] > height) != (ends[:, 1] > height)
    rise = np.where(along[:, 1] == 0, 1.0, along[:, 1])
    crossed = outline[:, 0] + (height - outline[:, 1]) * along[:, 0] / rise
    inside = (spans & (points[:, None, 0] < crossed)).sum(axis=1) % 2 == 1
    signed: Array = np.where(inside, distance, -distance)
    return signed
