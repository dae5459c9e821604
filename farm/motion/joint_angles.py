"""The anatomical angles of rotations: the inverse of `farm.motion.anatomy.rotations`, and how far they break limits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.motion.anatomy import ANGLES, AXES, SLOTS
from farm.motion.rotation import about, swing_twist
from farm.motion.skeleton import BONES, INDEX

__all__ = ["LIMITS", "angles_of", "beyond_limits"]

Array = NDArray[np.float64]
LOCKED: Final = 1e-5
"""Where the outer axes are this near to parallel, only the sum of their angles is known: the outer one is 0."""


def _limits() -> Array:
    limits = np.zeros((len(BONES), SLOTS, 2))
    for bone, angles in ANGLES.items():
        for slot, angle in enumerate(angles):
            limits[INDEX[bone], slot] = angle.low, angle.high
    return limits


LIMITS: Final = _limits()
"""The lowest and highest degrees (B, SLOTS, 2) of each angle; 0 where a bone has none."""


def angles_of(local: Array, bones: Iterable[str] = BONES) -> Array:
    """Angles (..., B, SLOTS) in degrees of local rotations (..., B, 3, 3); 0 for all but `bones`.

    Of a bone with three angles they are exact, by the decomposition that keeps to its limits or breaks them least
    (Davenport's angles, as in Shuster and Markley 2003, "Generalization of the Euler angles"). With fewer, what the
    bone cannot do is left out.
    """
    angles = np.zeros((*local.shape[:-2], SLOTS))
    for bone in bones:
        index = INDEX[bone]
        turned, axes, count = local[..., index, :, :], AXES[index], len(ANGLES[bone])
        if count == 3:
            angles[..., index, :] = _three(turned, axes, LIMITS[index])
        else:
            angles[..., index, :count] = _few(turned, axes[:count])
    return angles


def beyond_limits(angles: Array) -> Array:
    """By how many degrees (..., B, SLOTS) angles (..., B, SLOTS) break their limits; 0 within them."""
    over: Array = np.maximum(np.maximum(LIMITS[..., 0] - angles, angles - LIMITS[..., 1]), 0.0)
    return over


def _few(turned: Array, axes: Array) -> Array:
    """The angles (..., 1 or 2) in degrees about one or two axes."""
    found = []
    if len(axes) == 2:
        outer = _turn_about(axes[0], axes[1], turned @ axes[1])
        turned = about(axes[0], -outer) @ turned
        found.append(outer)
    found.append(swing_twist(turned, axes[-1])[1])
    return np.degrees(np.stack(found, axis=-1))


def _three(turned: Array, axes: Array, limits: Array) -> Array:
    """The angles (..., 3) in degrees about three axes, the middle one across the others."""
    first, middle, last = axes
    third = np.cross(first, middle)
    lead = np.arctan2(last @ third, last @ first)
    moved = turned @ last
    along, beside, across = moved @ first, moved @ middle, moved @ third
    away = np.hypot(beside, across)
    candidates = []
    for sign in (1.0, -1.0):
        outer = np.where(away > LOCKED, np.arctan2(-sign * beside, sign * across), 0.0)
        inner = lead - np.arctan2(sign * away, along)
        rest = np.swapaxes(about(first, outer) @ about(middle, inner), -1, -2) @ turned
        candidates.append(_wrapped(np.degrees(np.stack([outer, inner, swing_twist(rest, last)[1]], axis=-1)), limits))
    costs = [_cost(candidate, limits) for candidate in candidates]
    return np.where((costs[0] <= costs[1])[..., None], candidates[0], candidates[1])


def _wrapped(angles: Array, limits: Array) -> Array:
    """Angles (..., 3) in degrees by whole turns as near as can be to the middle of their limits (3, 2)."""
    middle = limits.mean(axis=-1)
    wrapped: Array = middle + np.mod(angles - middle + 180.0, 360.0) - 180.0
    return wrapped


def _cost(angles: Array, limits: Array) -> Array:
    """What is beyond the limits (...), and a little of the angles' size to choose between equals."""
    over = np.maximum(np.maximum(limits[..., 0] - angles, angles - limits[..., 1]), 0.0)
    cost: Array = np.sum(over, axis=-1) + 1e-3 * np.sum(np.abs(angles), axis=-1)
    return cost


def _turn_about(axis: Array, start: Array, end: Array) -> Array:
    """The angle (...) about an axis (3,) that brings the direction `start` (3,) above `end` (..., 3)."""
    flat = start - (start @ axis) * axis
    angle: Array = np.arctan2(end @ np.cross(axis, flat), end @ flat)
    return angle
