"""Where hair grows on the head: a soft mask over the vertices of the base mesh (numpy only).

The hairline is drawn once on the unshaped head, so each vertex keeps its weight on every identity, age and build.
"""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.double.base_mesh import base_mesh, target

__all__ = ["ear_mask", "scalp_mask"]

AXIS_Y: Final = -0.045
"""The head's upright axis, from which azimuths are measured: 0° is the face, 90° an ear, 180° the back."""

HAIRLINE: Final = np.array([
    # forehead: a third of the face above the brows, receding at the temples
    (0, 0.797), (15, 0.797), (28, 0.797), (36, 0.792), (44, 0.779), (51, 0.763), (55, 0.748),
    # sideburn, then around the ear
    (57, 0.735), (59, 0.712), (60, 0.698), (70, 0.698), (72, 0.718), (75, 0.736), (80, 0.743), (90, 0.744),
    (97, 0.740), (102, 0.728), (107, 0.708), (113, 0.686),
    # nape
    (121, 0.669), (135, 0.660), (155, 0.655), (180, 0.655),
])  # fmt: skip
"""Azimuth in degrees and height in metres of the hairline on the unshaped head."""

ARC_RADIUS: Final = 0.075
SOFT_EDGE: Final = 0.010
EAR_TARGETS: Final = ("shape-round", "wing-incr", "lobe-incr", "flap-incr")
EAR_MOVED: Final = 0.004


@functools.cache
def scalp_mask() -> NDArray[np.float64]:
    """How densely hair grows at each base-mesh vertex (V,): 1 well inside the hairline, 0 outside and on the ears.

    The weight rises smoothly over `SOFT_EDGE` metres inside the hairline. Cached; treat it as read-only.
    """
    x, y, height = base_mesh().vertices.T
    azimuth = np.degrees(np.arctan2(np.abs(x), AXIS_Y - y))
    inside = height > np.interp(azimuth, HAIRLINE[:, 0], HAIRLINE[:, 1])
    depth = _distance_to_hairline(azimuth, height) / SOFT_EDGE
    rising = np.clip(depth, 0.0, 1.0)
    weights = np.where(inside, rising * rising * (3 - 2 * rising), 0.0)
    weights[ear_mask()] = 0.0
    outside = np.ones(len(weights), dtype=bool)
    outside[base_mesh().group_vertices("body")] = False
    weights[outside] = 0.0
    return weights


@functools.cache
def ear_mask() -> NDArray[np.bool_]:
    """Which base-mesh vertices (V,) belong to the ears."""
    moved = np.zeros(len(base_mesh().vertices), dtype=bool)
    for side in "lr":
        for name in EAR_TARGETS:
            vertices, offsets = target(f"ears/{side}-ear-{name}")
            moved[vertices] |= np.linalg.norm(offsets, axis=1) > EAR_MOVED
    return moved


def _distance_to_hairline(azimuth: NDArray[np.float64], height: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance (V,) in metres to the hairline, on the head unrolled to a cylinder."""
    points = np.stack([np.radians(azimuth) * ARC_RADIUS, height], axis=1)
    line = np.stack([np.radians(HAIRLINE[:, 0]) * ARC_RADIUS, HAIRLINE[:, 1]], axis=1)
    starts, along = line[:-1], np.diff(line, axis=0)
    offsets = points[:, None] - starts[None]
    fraction = np.clip((offsets * along).sum(-1) / (along**2).sum(-1), 0.0, 1.0)
    nearest = np.linalg.norm(offsets - fraction[..., None] * along, axis=-1)
    distances: NDArray[np.float64] = nearest.min(axis=1)
    return distances
