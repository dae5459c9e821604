"""Hands laid flat where they hold or bear: the arms by two-bone inverse kinematics, wrists as far as they bend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.motion.anatomy import rotations
from farm.motion.contact import OUTWARD, two_bone
from farm.motion.flesh import CAPSULES, stature
from farm.motion.joint_angles import LIMITS, angles_of
from farm.motion.rotation import about, unit
from farm.motion.skeleton import BONES, INDEX, SIDES, Skeleton

__all__ = ["Hands", "solve_arms"]

Array = NDArray[np.float64]
X_AXIS, Z_AXIS = np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])
BACK: Final = np.array([0.0, 1.0, 0.0])
"""Where the elbow points in the T-pose."""
TWIST: Final = 1
THICK: Final = next(capsule.radius for capsule in CAPSULES if capsule.name == "leftHand")
"""Half a hand's thickness in statures."""


@dataclass(frozen=True)
class Hands:
    """Where hands lie, palms down, for SIDES.

    place  (2, 3) what is under the middle finger's knuckle, metres
    turn   (2,) fingers inward from straight ahead, radians
    laid   (2,) which hands lie there; the others are as the joints' angles say
    """

    place: Array
    turn: Array
    laid: NDArray[np.bool_]

    def palms(self) -> Array:
        """World rotations (2, 3, 3) of the hands."""
        ahead: Array = about(Z_AXIS, OUTWARD * (self.turn - np.pi / 2))
        return ahead

    def wrists(self, skeleton: Skeleton) -> Array:
        """Where the wrists are (2, 3)."""
        offsets = np.stack([skeleton.joint(f"{side}MiddleProximal") - skeleton.joint(f"{side}Hand") for side in SIDES])
        offsets[:, 2] = 0.0
        above = THICK * stature(skeleton) * Z_AXIS
        wrists: Array = self.place + above - (self.palms() @ offsets[..., None])[..., 0]
        return wrists


def solve_arms(skeleton: Skeleton, local: Array, hips: Array, hands: Hands) -> Array:
    """Local rotations (B, 3, 3) with the arms set so that the hands lie; elbows point where the template's do."""
    solved = local.copy()
    turned, places = skeleton.pose(local, hips)
    wrists, palms = hands.wrists(skeleton), hands.palms()
    for side, name in enumerate(SIDES):
        if not hands.laid[side]:
            continue
        upper, lower, hand = (INDEX[f"{name}{part}"] for part in ("UpperArm", "LowerArm", "Hand"))
        lengths = tuple(np.array(skeleton.length(f"{name}{a}", f"{name}{b}")) for a, b in _SEGMENTS)
        first, second, _ = two_bone(places[upper], wrists[side], turned[upper] @ BACK, (lengths[0], lengths[1]))
        hinge = unit(np.cross(first, second))
        above, elbow = (_arm_frame(direction, hinge, OUTWARD[side]) for direction in (first, second))
        solved[upper] = turned[INDEX[f"{name}Shoulder"]].T @ above
        solved[lower] = above.T @ elbow
        _turn_palm(solved, lower, hand, elbow.T @ palms[side])
    return solved


_SEGMENTS: Final = (("UpperArm", "LowerArm"), ("LowerArm", "Hand"))


def _arm_frame(direction: Array, hinge: Array, outward: float) -> Array:
    """World rotation of an arm's bone that points along ±X at rest, its elbow's hinge along ∓Z."""
    x, z = direction * outward, -hinge * outward
    return np.stack([x, np.cross(z, x), z], axis=-1)


def _turn_palm(solved: Array, lower: int, hand: int, palm: Array) -> None:
    """Share a hand's rotation (3, 3), as an untwisted forearm sees it, between forearm and wrist within limits."""
    angles, only = angles_of(solved, (BONES[lower],)), solved.copy()
    twist = np.degrees(np.arctan2(-palm[1, 2], palm[2, 2]))
    angles[lower, TWIST] = np.clip(twist, *LIMITS[lower, TWIST])
    only[hand] = about(X_AXIS, -np.radians(angles[lower, TWIST])) @ palm
    angles[hand] = np.clip(angles_of(only, (BONES[hand],))[hand], LIMITS[hand, :, 0], LIMITS[hand, :, 1])
    turned = rotations(angles)
    solved[lower], solved[hand] = turned[lower], turned[hand]
