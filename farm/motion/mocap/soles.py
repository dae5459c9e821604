"""Feet that stand flat where the performer's did.

A rest pose says where a foot points but not how its sole lies: where it has its legs apart, the soles are tilted with
them. So the tilt is taken from the frames in which a foot stands still and low, in which soles lie on the floor.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.motion.clip import Clip
from farm.motion.planting import ENTER_SPEED, LEG, point_speed
from farm.motion.rotation import between, unit
from farm.motion.skeleton import INDEX, SIDES, Skeleton

__all__ = ["level_soles"]

Array = NDArray[np.float64]

UP: Final = np.array([0.0, 0.0, 1.0])
LOW: Final = 0.2
"""The share of still ankles below which the lowest are."""
AROUND: Final = 0.02
"""How far, in metres, still ankles may be above these to count as low."""
SHORTEST: Final = 0.1
"""Seconds that a foot must stand for its tilt to be known."""
MOST: Final = np.radians(40.0)
"""More is no sole on the floor."""


def level_soles(clip: Clip, skeleton: Skeleton, fps: float) -> Clip:
    """The clip with each foot tilted by as much as makes it level, in the median, while it stands."""
    turned, places = skeleton.pose(clip.rotations, clip.hips)
    rotations = clip.rotations.copy()
    size = skeleton.leg / LEG
    for side in SIDES:
        foot, toes = INDEX[f"{side}Foot"], INDEX[f"{side}Toes"]
        still = (point_speed(places[:, foot], fps) < ENTER_SPEED * size) & (
            point_speed(places[:, toes], fps) < ENTER_SPEED * size
        )
        if still.sum() < SHORTEST * fps:
            continue
        height = places[:, foot, 2]
        still &= height <= np.quantile(height[still], LOW) + AROUND * size
        sole = unit(np.median((np.swapaxes(turned[:, foot], -1, -2) @ UP)[still], axis=0))
        if sole[2] < np.cos(MOST):
            continue
        tilt = between(UP, sole)
        rotations[:, foot] = rotations[:, foot] @ tilt
        rotations[:, toes] = tilt.T @ rotations[:, toes] @ tilt
    return Clip(clip.hips, rotations)
