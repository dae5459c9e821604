"""What joints say about a double: where it faces, how tall it is, how it holds its arms (numpy only)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.errors import BadInput

__all__ = ["Stance", "measure_stance", "metres_per_unit"]

Array = NDArray[np.float64]

COMMON_HEIGHT: Final = (0.9, 2.6)
"""Heights that a double may have, in metres; others are taken for another unit."""
UNITS: Final[dict[str, float]] = {"centimetres": 0.01, "decimetres": 0.1, "inches": 0.0254, "feet": 0.3048,
                                  "millimetres": 0.001, "100 metres": 100.0, "10 metres": 10.0}  # fmt: skip
T_POSE: Final = 20.0
ARMS_DOWN: Final = 70.0
"""Angles of the upper arm below the horizon, in degrees: under the first a T-pose, above the second hanging arms."""
LEANING: Final = 15.0
"""A trunk that leans from one of the world's axes by less stands along it, in degrees."""
CROOKED: Final = 0.02
"""Two sides' joints differ when they are this far from mirroring each other, as a share of the height."""


@dataclass(frozen=True)
class Stance:
    """A rest pose.

    axes      (3, 3) rows: the double's left, back and up in the world
    pose      `T-pose`, `A-pose` or `arms down`, with the upper arms' angle below the horizon in degrees
    crooked   canonical names without their side whose joints do not mirror each other
    swapped   whether the feet say that left and right are exchanged
    """

    axes: Array
    pose: str
    arm_angle: float
    crooked: tuple[str, ...]
    swapped: bool


def measure_stance(joints: dict[str, Array], height: float) -> Stance:
    """Read a rest pose off joints (3,) by canonical name, in the world; `height` in the same unit.

    BadInput where there is too little to tell up from down and left from right.
    """
    axes = _axes(joints)
    swapped = _swapped({bone: axes @ place for bone, place in joints.items()})
    if swapped:
        axes = axes * [[-1.0], [-1.0], [1.0]]
    local = {bone: axes @ place for bone, place in joints.items()}
    angles = []
    for side in ("left", "right"):
        if {f"{side}UpperArm", f"{side}LowerArm"} <= set(local):
            along = local[f"{side}LowerArm"] - local[f"{side}UpperArm"]
            angles.append(np.degrees(np.arctan2(-along[2], np.hypot(along[0], along[1]))))
    angle = float(np.mean(angles)) if angles else float("nan")
    pose = "T-pose" if abs(angle) < T_POSE else "A-pose" if angle < ARMS_DOWN else "arms down"
    return Stance(axes, pose if angles else "unknown", angle, _crooked(local, height), swapped)


def _axes(joints: dict[str, Array]) -> Array:
    if not {"hips", "head"} <= set(joints):
        raise BadInput("neither hips nor head are known, so that up cannot be told: give the rig a table")
    up = joints["head"] - joints["hips"]
    across = [joints[f"left{part}"] - joints[f"right{part}"]
              for part in ("UpperArm", "UpperLeg", "Shoulder", "Eye", "Hand", "LowerLeg", "LowerArm", "Foot")
              if f"left{part}" in joints and f"right{part}" in joints]  # fmt: skip
    if not across or not np.linalg.norm(up) > 0:
        raise BadInput("no pair of left and right bones is known, so that the double's side cannot be told")
    left = across[0]
    up = _snapped(up)
    left = left - (left @ up) * up
    left = left / np.linalg.norm(left)
    return np.stack([left, np.cross(up, left), up])


def _snapped(vector: Array) -> Array:
    """The world's axis where a direction is within `LEANING` of one, else the direction itself."""
    vector = vector / np.linalg.norm(vector)
    axis = int(np.argmax(np.abs(vector)))
    if abs(vector[axis]) < np.cos(np.radians(LEANING)):
        return vector
    snapped: Array = np.eye(3)[axis] * np.sign(vector[axis])
    return snapped


def _crooked(local: dict[str, Array], height: float) -> tuple[str, ...]:
    middle = np.mean([local[bone][0] for bone in ("hips", "head") if bone in local])
    found = []
    for bone, place in local.items():
        part = bone.removeprefix("left")
        other = local.get(f"right{part}")
        if part == bone or other is None:
            continue
        mirrored = np.array([2 * middle - other[0], other[1], other[2]])
        if np.linalg.norm(place - mirrored) > CROOKED * height:
            found.append(part)
    return tuple(found)


def _swapped(local: dict[str, Array]) -> bool:
    ahead = [local[f"{side}Toes"][1] - local[f"{side}Foot"][1] for side in ("left", "right")
             if f"{side}Toes" in local and f"{side}Foot" in local]  # fmt: skip
    return bool(ahead) and min(ahead) > 0


def metres_per_unit(height: float) -> tuple[float, str]:
    """How long a unit is that makes a double of `height` units as tall as people are; and what it seems to be."""
    low, high = COMMON_HEIGHT
    if low <= height <= high:
        return 1.0, "metres"
    for unit, size in UNITS.items():
        if low <= height * size <= high:
            return size, unit
    return 1.72 / height, "of its own"
