"""Joints within their limits: legs that stand on nothing, and ankles."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.motion.anatomy import rotations
from farm.motion.joint_angles import LIMITS, angles_of
from farm.motion.pose import LEG_BONES
from farm.motion.skeleton import INDEX, SIDES

__all__ = ["level_off", "within_limits"]

Array = NDArray[np.float64]
SOFT: Final = 0.8
"""Degrees: how softly an ankle's angles level off."""
TINY: Final = 1e-9


def level_off(angles: Array, low: Array, high: Array, soft: float) -> Array:
    """Angles (..., F) that level off at limits (F,), as softly as `soft` says; all in one unit."""
    over, under = (np.logaddexp(0.0, beyond / soft) for beyond in (angles - high, low - angles))
    levelled: Array = angles - soft * (over - under)
    return levelled


def within_limits(local: Array, planted: Array) -> Array:
    """Local rotations (N, B, 3, 3) with the legs' joints within their limits, as far as they are free.

    `planted` (N, 2) are the weights of the feet on what they stand on. A foot that cannot lie flat stands on its edge.
    """
    within = local.copy()
    for side, name in enumerate(SIDES):
        bones = [f"{name}{part}" for part in LEG_BONES]
        chosen, foot = [INDEX[bone] for bone in bones], INDEX[f"{name}Foot"]
        angles = angles_of(local, bones)
        over = np.clip(angles, LIMITS[..., 0], LIMITS[..., 1]) - angles
        over *= (1.0 - planted[:, side])[:, None, None]
        low, high = LIMITS[foot].T
        over[:, foot] = level_off(angles[:, foot], low, high, SOFT) - angles[:, foot]
        broken = np.abs(over[:, chosen]).max(axis=(1, 2)) > TINY
        eased = rotations(angles[broken] + over[broken])
        within[np.ix_(broken, chosen)] = eased[:, chosen]
    return within
