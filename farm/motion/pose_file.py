"""Posed skeletons as pose templates: the anatomical angles and how high the body is, as YAML."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.motion.anatomy import ANGLES
from farm.motion.joint_angles import LIMITS, angles_of, beyond_limits
from farm.motion.settle import lowest_part
from farm.motion.skeleton import INDEX, Skeleton

__all__ = ["PoseText", "write_pose"]

Array = NDArray[np.float64]

GROUNDED: Final = 0.06
"""Leg lengths: a body whose lowest part is no higher stands on the floor."""
NOTED: Final = 1.0
"""Degrees beyond a joint's limit that are told."""
HEADER: Final = "# See standing.yaml for how a pose is written. Every joint is posed by its angles.\n"


@dataclass(frozen=True)
class PoseText:
    """A pose template's text, and the angles that were brought within their joints' limits: `leftHand bend by 12°`."""

    text: str
    clipped: tuple[str, ...]


def write_pose(skeleton: Skeleton, hips: Array, local: Array, *, description: str) -> PoseText:
    """The template of a posed body: hips (3,) and local rotations (B, 3, 3), to a hundredth of a degree.

    It stands as it is, its lowest part on the floor, or above it where it is in the air.
    """
    angles = angles_of(local)
    beyond = beyond_limits(angles)
    kept = np.clip(np.round(angles, 2), LIMITS[..., 0], LIMITS[..., 1])
    clearance = lowest_part(skeleton, local, hips) / skeleton.leg
    air = round(clearance, 3) if clearance > GROUNDED else 0
    lines = [f"description: {json.dumps(description, ensure_ascii=False)}", f"air: {air:g}", "bones:"]
    lines += [f"  {bone}: {{{_told(kept[index], bone)}}}" for bone, index in INDEX.items() if _told(kept[index], bone)]
    if len(lines) == 3:
        lines[-1] = "bones: {}"
    clipped = [
        f"{bone} {angle.name} by {beyond[INDEX[bone], slot]:.0f}°"
        for bone in ANGLES
        for slot, angle in enumerate(ANGLES[bone])
        if beyond[INDEX[bone], slot] > NOTED
    ]
    return PoseText(HEADER + "\n".join(lines) + "\n", tuple(clipped))


def _told(angles: Array, bone: str) -> str:
    return ", ".join(
        f"{angle.name}: {value:g}" for angle, value in zip(ANGLES[bone], angles.tolist(), strict=False) if value != 0.0
    )
