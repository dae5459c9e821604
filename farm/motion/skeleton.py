"""The canonical skeleton: VRM 1.0 humanoid bones in a T-pose that faces −Y, with Z up and the left side at +X.

At rest every bone's axes are the world's, so a local rotation of a bone is one about the world's axes as they lie at
its parent. Joint positions are those of the double at hand: `farm.motion.rig` measures them on its rig.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.double.rig_table import PARENTS

__all__ = ["BONES", "INDEX", "MIRROR", "PARENTS", "SIDES", "Skeleton", "axis_at_rest"]

Array = NDArray[np.float64]

SIDES: Final = ("left", "right")


BONES: Final = tuple(PARENTS)
INDEX: Final = {bone: index for index, bone in enumerate(BONES)}
PARENT_INDEX: Final = tuple(INDEX[parent] if parent is not None else -1 for parent in PARENTS.values())


def _other_side(bone: str) -> str:
    if bone.startswith("left"):
        return bone.replace("left", "right", 1)
    return bone.replace("right", "left", 1)


MIRROR: Final = np.array([INDEX[_other_side(bone)] for bone in BONES])
"""For each bone, the index of its counterpart on the other side (itself for bones of the middle)."""


def axis_at_rest(bone: str) -> Array:
    """The direction (3,) along a bone in the canonical T-pose."""
    side = 1.0 if bone.startswith("left") else -1.0
    if "Leg" in bone:
        return np.array([0.0, 0.0, -1.0])
    if bone.endswith(("Foot", "Toes", "Eye")) or bone == "jaw":
        return np.array([0.0, -1.0, 0.0])
    if bone.startswith(SIDES):
        return np.array([side, 0.0, 0.0])
    return np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class Skeleton:
    """One double's canonical skeleton in its T-pose, standing on z = 0.

    joints  (B, 3) where each bone of BONES begins, in metres
    soles   (2, 3, 3) for each of SIDES, the points of the sole on the floor: heel, which moves with the foot,
            and ball and tip, which move with the toes
    """

    joints: Array
    soles: Array

    def joint(self, bone: str) -> Array:
        """Where a bone begins (3,)."""
        place: Array = self.joints[INDEX[bone]]
        return place

    def length(self, bone: str, child: str) -> float:
        """The distance from where a bone begins to where its child does, in metres."""
        return float(np.linalg.norm(self.joint(child) - self.joint(bone)))

    @property
    def leg(self) -> float:
        """Thigh and shin, in metres: the unit of distances in templates."""
        return self.length("leftUpperLeg", "leftLowerLeg") + self.length("leftLowerLeg", "leftFoot")

    def pose(self, local: Array, hips: Array) -> tuple[Array, Array]:
        """Forward kinematics: local rotations (..., B, 3, 3) and the hips' positions (..., 3).

        Returns world rotations (..., B, 3, 3) and where the bones begin (..., B, 3).
        """
        turned = np.empty_like(local)
        for bone, parent in enumerate(PARENT_INDEX):
            above = local[..., bone, :, :]
            turned[..., bone, :, :] = above if parent < 0 else turned[..., parent, :, :] @ above
        return turned, self.places(turned, hips)

    def places(self, turned: Array, hips: Array) -> Array:
        """Where the bones begin (..., B, 3), of world rotations (..., B, 3, 3) and the hips' positions (..., 3)."""
        places = np.empty(turned.shape[:-1])
        for bone, parent in enumerate(PARENT_INDEX):
            if parent < 0:
                places[..., bone, :] = hips
                continue
            offset = self.joints[bone] - self.joints[parent]
            places[..., bone, :] = places[..., parent, :] + turned[..., parent, :, :] @ offset
        return places
