"""How thick a body is around its bones: capsules for what rests on the floor and for limbs that meet.

Offsets and radii are medians over the skin of the average base mesh around its bones, in statures; the skeleton scales
them. Feet are not among them: their soles are the skeleton's own (`Skeleton.soles`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.motion.skeleton import INDEX, SIDES, Skeleton

__all__ = [
    "CAPSULES",
    "MEETING",
    "Capsule",
    "capsule_ends",
    "lowest",
    "nearest_points",
    "outline_points",
    "overlaps",
    "radii",
    "resting_points",
    "sole_points",
    "stature",
    "surface_points",
]

Array = NDArray[np.float64]

HEAD_JOINT: Final = 0.915
"""Height of the head's joint in statures."""
SOFT: Final = 0.008
"""The lowest point is a mean over the points within about so many metres of it, which moves smoothly."""


@dataclass(frozen=True)
class Capsule:
    """A part of the body that moves with a bone.

    start, end   offsets from where the bone begins, in the T-pose; `along` gives the axis in shares of the way to the
                 child's joint, `beside` the rest in statures
    radius       statures
    """

    name: str
    bone: str
    child: str
    along: tuple[float, float]
    beside: tuple[float, float, float]
    radius: float
    group: str


def _limb(side: str) -> list[Capsule]:
    sign = 1.0 if side == "left" else -1.0

    def part(name: str, child: str, along: tuple[float, float], y: float, radius: float, group: str) -> Capsule:
        return Capsule(f"{side}{name}", f"{side}{name}", f"{side}{child}", along, (0.0, y, 0.0), radius, side + group)

    return [
        Capsule(f"{side}Breast", "upperChest", "neck", (0.05, 0.5), (0.029 * sign, -0.024, 0.0), 0.057, "trunk"),
        Capsule(f"{side}Waist", "chest", "upperChest", (-0.4, 1.0), (0.026 * sign, -0.030, 0.0), 0.055, "trunk"),
        Capsule(f"{side}Buttock", "hips", "spine", (-0.6, 0.6), (0.045 * sign, -0.010, 0.0), 0.050, "trunk"),
        part("UpperArm", "LowerArm", (0.35, 0.95), 0.0, 0.024, "Arm"),
        part("LowerArm", "Hand", (0.05, 0.95), 0.0, 0.018, "Arm"),
        part("Hand", "MiddleProximal", (0.1, 1.6), 0.0, 0.012, "Hand"),
        part("UpperLeg", "LowerLeg", (0.15, 0.95), 0.0, 0.042, "Thigh"),
        part("LowerLeg", "Foot", (0.1, 0.85), 0.008, 0.027, "Shin"),
    ]


CAPSULES: Final = (
    Capsule("head", "head", "neck", (-0.75, -0.55), (0.0, -0.012, 0.0), 0.056, "head"),
    *(capsule for side in SIDES for capsule in _limb(side)),
)

# Pairs of groups that touch where limbs are joined to each other or to the trunk are left out.
MEETING: Final = (
    *((f"{side}{part}", other) for side in SIDES for part in ("Hand",) for other in ("trunk", "head")),
    *((f"{side}Arm", "trunk") for side in SIDES),
    *((f"{side}Arm", "head") for side in SIDES),
    *((f"{side}{part}", f"{other}{leg}") for side in SIDES for other in SIDES for part in ("Hand", "Arm")
      for leg in ("Thigh", "Shin")),
    *((f"left{a}", f"right{b}") for a in ("Hand", "Arm") for b in ("Hand", "Arm")),
    *((f"left{a}", f"right{b}") for a in ("Thigh", "Shin") for b in ("Thigh", "Shin")),
)  # fmt: skip


def stature(skeleton: Skeleton) -> float:
    """The body's height in metres, from where its head's joint is."""
    return float(skeleton.joint("head")[2]) / HEAD_JOINT


def radii(skeleton: Skeleton) -> Array:
    """Radii (K,) of CAPSULES in metres."""
    return np.array([capsule.radius for capsule in CAPSULES]) * stature(skeleton)


def capsule_ends(skeleton: Skeleton, turned: Array, places: Array) -> Array:
    """Ends (..., K, 2, 3) of the capsules' axes for what `skeleton.pose` returned."""
    tall = stature(skeleton)
    ends = np.empty((*places.shape[:-2], len(CAPSULES), 2, 3))
    for index, capsule in enumerate(CAPSULES):
        bone = INDEX[capsule.bone]
        reach = skeleton.joint(capsule.child) - skeleton.joint(capsule.bone)
        beside = np.array(capsule.beside) * tall
        for end, along in enumerate(capsule.along):
            ends[..., index, end, :] = places[..., bone, :] + turned[..., bone, :, :] @ (along * reach + beside)
    return ends


def lowest(skeleton: Skeleton, turned: Array, places: Array) -> tuple[Array, Array]:
    """The height (...) of the lowest part of trunk, head, thighs and soles, and weights (..., P) of what it rests on.

    The weights are of the points that `resting_points` gives, which the soles are not among. The height is the
    Boltzmann mean of all, which is smooth in time and within a few millimetres of the least.
    """
    points = resting_points(skeleton, turned, places)
    soles = sole_points(skeleton, turned, places)
    heights = np.concatenate([points[..., 2], soles.reshape(*soles.shape[:-3], -1, 3)[..., 2]], axis=-1)
    weights = np.exp(-(heights - heights.min(axis=-1, keepdims=True)) / SOFT)
    height = np.sum(weights * heights, axis=-1) / np.sum(weights, axis=-1)
    lying = np.exp(-(points[..., 2] - points[..., 2].min(axis=-1, keepdims=True)) / SOFT)
    return height, lying / lying.sum(axis=-1, keepdims=True)


def resting_points(skeleton: Skeleton, turned: Array, places: Array) -> Array:
    """The undersides (..., P, 3) of the ends of the capsules that a body lies on."""
    chosen = [k for k, capsule in enumerate(CAPSULES) if capsule.group in ("trunk", "head", "leftThigh", "rightThigh")]
    ends = capsule_ends(skeleton, turned, places)[..., chosen, :, :]
    ends[..., 2] -= radii(skeleton)[chosen, None]
    points: Array = ends.reshape(*ends.shape[:-3], -1, 3)
    return points


def surface_points(skeleton: Skeleton, turned: Array, places: Array) -> Array:
    """The undersides of all capsules' ends, then the soles' points (..., 2 K + 6, 3)."""
    ends = capsule_ends(skeleton, turned, places)
    ends[..., 2] -= radii(skeleton)[:, None]
    soles = sole_points(skeleton, turned, places)
    return np.concatenate([ends.reshape(*ends.shape[:-3], -1, 3), soles.reshape(*soles.shape[:-3], -1, 3)], axis=-2)


def outline_points(skeleton: Skeleton, turned: Array, places: Array) -> Array:
    """Points around all capsules' ends, the joints and the soles (..., 12 K + B + 6, 3): how far a body reaches."""
    around = np.concatenate([np.eye(3), -np.eye(3)]) * radii(skeleton)[:, None, None, None]
    ends = capsule_ends(skeleton, turned, places)[..., None, :] + around
    soles = sole_points(skeleton, turned, places)
    flat = (ends.reshape(*ends.shape[:-4], -1, 3), places, soles.reshape(*soles.shape[:-3], -1, 3))
    return np.concatenate(flat, axis=-2)


def sole_points(skeleton: Skeleton, turned: Array, places: Array) -> Array:
    """Heel, ball and tip of each foot (..., 2, 3, 3) for what `skeleton.pose` returned."""
    points = np.empty((*places.shape[:-2], 2, 3, 3))
    for side, name in enumerate(SIDES):
        for point, bone in enumerate((f"{name}Foot", f"{name}Toes", f"{name}Toes")):
            offset = skeleton.soles[side, point] - skeleton.joint(bone)
            points[..., side, point, :] = places[..., INDEX[bone], :] + turned[..., INDEX[bone], :, :] @ offset
    return points


def overlaps(skeleton: Skeleton, turned: Array, places: Array) -> dict[tuple[str, str], Array]:
    """How deep limbs and trunk are in one another (...) in metres, by the names of two capsules; negative is apart."""
    ends, thick = capsule_ends(skeleton, turned, places), radii(skeleton)
    depths = {}
    for first, one in enumerate(CAPSULES):
        for second, other in enumerate(CAPSULES):
            if (one.group, other.group) in MEETING:
                mine, theirs = nearest_points(ends[..., first, :, :], ends[..., second, :, :])
                depths[one.name, other.name] = thick[first] + thick[second] - np.linalg.norm(mine - theirs, axis=-1)
    return depths


def nearest_points(first: Array, second: Array) -> tuple[Array, Array]:
    """Where two segments (..., 2, 3) come nearest to each other (..., 3) (Ericson 2005, Real-Time Collision Detection,
    5.1.9).
    """
    d1, d2 = first[..., 1, :] - first[..., 0, :], second[..., 1, :] - second[..., 0, :]
    r = first[..., 0, :] - second[..., 0, :]
    a, e, f = np.sum(d1 * d1, -1), np.sum(d2 * d2, -1), np.sum(d2 * r, -1)
    b, c = np.sum(d1 * d2, -1), np.sum(d1 * r, -1)
    denominator = np.maximum(a * e - b * b, 1e-12)
    s = np.clip((b * f - c * e) / denominator, 0.0, 1.0)
    t = np.clip((b * s + f) / np.maximum(e, 1e-12), 0.0, 1.0)
    s = np.clip((b * t - c) / np.maximum(a, 1e-12), 0.0, 1.0)
    return first[..., 0, :] + s[..., None] * d1, second[..., 0, :] + t[..., None] * d2
