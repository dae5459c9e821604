"""Joints within their limits: hands that lie flat as far as wrist and forearm allow, and legs that stand on nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from farm.motion.anatomy import rotations
from farm.motion.joint_angles import LIMITS, angles_of
from farm.motion.limbs import mix
from farm.motion.pose import LEG_BONES
from farm.motion.rotation import about, swing_twist
from farm.motion.skeleton import INDEX, SIDES

__all__ = ["ease_wrists", "within_limits"]

Array = NDArray[np.float64]
X_AXIS = np.array([1.0, 0.0, 0.0])


def ease_wrists(local: Array, laid: Array) -> Array:
    """Local rotations (N, B, 3, 3) with wrists and forearms within their limits, as far as hands are laid on something.

    What a hand turns about the forearm is the forearm's to do (pronation); what is then too much for the wrist is left
    out, so that the heel of the hand stays on the ground and the fingers come off. `laid` (N, 2) are the weights.
    """
    eased = local.copy()
    for side, name in enumerate(SIDES):
        chosen = laid[:, side] > 0.0
        if not chosen.any():
            continue
        share = laid[chosen, side]
        forearm, hand = (INDEX[name + part] for part in ("LowerArm", "Hand"))
        _, back = swing_twist(np.swapaxes(eased[chosen, hand], -1, -2), X_AXIS)
        turn = about(X_AXIS, -share * back)
        eased[chosen, forearm] = eased[chosen, forearm] @ turn
        eased[chosen, hand] = np.swapaxes(turn, -1, -2) @ eased[chosen, hand]
        angles = angles_of(eased[chosen], (f"{name}LowerArm", f"{name}Hand"))
        within = rotations(np.clip(angles, LIMITS[..., 0], LIMITS[..., 1]))
        for bone in (forearm, hand):
            eased[chosen, bone] = mix(eased[chosen, bone], within[:, bone], share)
    return eased


def within_limits(local: Array, planted: Array) -> Array:
    """Local rotations (N, B, 3, 3) with the legs' joints within their limits, as far as they are free.

    `planted` (N, 2) are the weights of the feet on what they stand on.
    """
    within = local.copy()
    for side, name in enumerate(SIDES):
        bones = [f"{name}{part}" for part in LEG_BONES]
        chosen = [INDEX[bone] for bone in bones]
        angles = angles_of(local, bones)
        over = np.clip(angles, LIMITS[..., 0], LIMITS[..., 1]) - angles
        broken = np.abs(over[:, chosen]).max(axis=(1, 2)) > 0.0
        eased = rotations(angles[broken] + (1.0 - planted[broken, side])[:, None, None] * over[broken])
        within[np.ix_(broken, chosen)] = eased[:, chosen]
    return within
