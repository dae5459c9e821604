"""Feet on the floor and weight over them: the legs by two-bone inverse kinematics, the hips by balance."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.motion.mass import centre_of_mass
from farm.motion.rotation import about, unit
from farm.motion.skeleton import INDEX, SIDES, Skeleton

__all__ = ["OUTWARD", "Feet", "balance", "hips_height", "knees_ahead", "leg_frame", "solve_legs", "support", "two_bone"]

Array = NDArray[np.float64]

HEEL, BALL = 0, 1
AHEAD = np.array([0.0, -1.0, 0.0])
X_AXIS, Z_AXIS = np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])
OUTWARD: Final = np.array([1.0, -1.0])
"""The sign of x that leads away from the body, for each of SIDES."""

PELVIS_LEADS: Final = 0.2
"""How much the pelvis leads the knees; the toes lead the rest."""

# Each step leaves less than a third of the error (the legs' share of the mass), so these leave under a micrometre.
BALANCE_STEPS: Final = 14


@dataclass(frozen=True)
class Feet:
    """Where the feet are, for frames (...) and SIDES.

    place  (..., 2, 3) where the ball of the foot is when the foot lies flat, in metres; z is the height above floor
    turn   (..., 2) toes outward, radians
    heel   (..., 2) heel lifted about the joint of the toes, or, if negative, toes lifted about the heel, radians
    grip   (..., 2) 1 where the toes stay flat while the heel lifts, 0 where they follow the foot
    """

    place: Array
    turn: Array
    heel: Array
    grip: Array

    @functools.cached_property
    def heading(self) -> Array:
        """Rotations (..., 2, 3, 3) of the feet about the vertical."""
        return about(Z_AXIS, self.turn * OUTWARD)

    @functools.cached_property
    def rotation(self) -> Array:
        """World rotations (..., 2, 3, 3) of the feet."""
        return self.heading @ about(X_AXIS, self.heel)

    def ankles(self, skeleton: Skeleton) -> Array:
        """Where the ankles are (..., 2, 3)."""
        rest = np.stack([skeleton.joint(f"{side}Foot") for side in SIDES])
        ball, heel = skeleton.soles[:, BALL], skeleton.soles[:, HEEL]
        toes = np.stack([skeleton.joint(f"{side}Toes") for side in SIDES])
        pivot = np.where((self.heel >= 0.0)[..., None], toes, heel)
        pivot_place = self.place + _turned(self.heading, pivot - ball)
        ankles: Array = pivot_place + _turned(self.rotation, rest - pivot)
        return ankles


def _turned(rotation: Array, vectors: Array) -> Array:
    product: Array = (rotation @ np.asarray(vectors)[..., None])[..., 0]
    return product


def support(skeleton: Skeleton, feet: Feet, *, forward: Array, left: Array) -> Array:
    """The point of the floor (..., 2) that the weight is over.

    forward  (...) 0 over the heels to 1 over the balls of the feet
    left     (...) 0 over the right foot to 1 over the left
    """
    back = _turned(feet.heading, skeleton.soles[:, HEEL] - skeleton.soles[:, BALL])
    points = feet.place + (1.0 - forward)[..., None, None] * back
    shares = np.stack([left, 1.0 - left], axis=-1)[..., None]
    weighted: Array = np.sum(points * shares, axis=-2)
    return weighted[..., :2]


def _reach(skeleton: Skeleton, knee: Array) -> Array:
    """From hip joint to ankle (..., 2) with the knee bent by radians (...) (law of cosines)."""
    thigh, shin = _leg_lengths(skeleton)
    length: Array = np.sqrt(thigh**2 + shin**2 + 2.0 * thigh * shin * np.cos(knee)[..., None])
    return length


def _leg_lengths(skeleton: Skeleton) -> tuple[Array, Array]:
    """Thigh and shin (2,) of SIDES."""
    thighs = [skeleton.length(f"{side}UpperLeg", f"{side}LowerLeg") for side in SIDES]
    shins = [skeleton.length(f"{side}LowerLeg", f"{side}Foot") for side in SIDES]
    return np.array(thighs), np.array(shins)


def _hip_joints(skeleton: Skeleton, hips_rotation: Array) -> Array:
    """From the hips to the hip joints (..., 2, 3)."""
    offsets = np.stack([skeleton.joint(f"{side}UpperLeg") for side in SIDES]) - skeleton.joint("hips")
    return _turned(hips_rotation[..., None, :, :], offsets)


def hips_height(
    skeleton: Skeleton,
    hips_rotation: Array,
    hips: Array,
    feet: Feet,
    knee: Array,
    *,
    bearing: NDArray[np.bool_] | None = None,
) -> Array:
    """The height (...) of hips above the point `hips` (..., 2) at which the straighter knee bends by `knee` radians.

    Of the legs that bear weight: `bearing` (2,) says which, and both do where it is left out.
    """
    offsets = _hip_joints(skeleton, hips_rotation)
    ankles = feet.ankles(skeleton)
    flat = np.linalg.norm(hips[..., None, :] + offsets[..., :2] - ankles[..., :2], axis=-1)
    rise = np.sqrt(np.maximum(_reach(skeleton, knee) ** 2 - flat**2, 0.0))
    heights = ankles[..., 2] + rise - offsets[..., 2]
    if bearing is not None:
        heights = np.where(bearing, heights, np.inf)
    lowest: Array = np.min(heights, axis=-1)
    return lowest


def two_bone(start: Array, end: Array, pole: Array, lengths: tuple[Array, Array]) -> tuple[Array, Array, Array]:
    """Analytic inverse kinematics of two bones in the plane of `pole` (the law of cosines; Tolani, Goswami and Badler
    2000, "Real-time inverse kinematics techniques for anthropomorphic limbs", with the swivel given by the pole).

    Takes where the chain starts and should end (..., 3), the direction to which its joint points (..., 3) and the
    bones' lengths (...). An end out of reach is approached as near as the bones allow.
    Returns the bones' directions (..., 3) and the hinge's axis (..., 3).
    """
    first, second = lengths
    span = end - start
    distance = np.clip(np.linalg.norm(span, axis=-1), np.abs(first - second) + 1e-6, first + second - 1e-9)
    along = unit(span)
    outward = unit(pole - np.sum(pole * along, axis=-1, keepdims=True) * along)
    cosine = np.clip((first**2 + distance**2 - second**2) / (2.0 * first * distance), -1.0, 1.0)
    sine = np.sqrt(1.0 - cosine**2)
    upper = cosine[..., None] * along + sine[..., None] * outward
    lower = unit(along * distance[..., None] - upper * first[..., None])
    return upper, lower, np.cross(outward, along)


def solve_legs(skeleton: Skeleton, local: Array, hips: Array, feet: Feet) -> Array:
    """Local rotations (..., B, 3, 3) with the legs set so that the feet are at `feet`; knees follow the toes."""
    solved = local.copy()
    pelvis = local[..., INDEX["hips"], :, :]
    start = hips[..., None, :] + _hip_joints(skeleton, pelvis)
    pole = knees_ahead(_turned(feet.heading, AHEAD), pelvis[..., None, :, :])
    upper, lower, hinge = two_bone(start, feet.ankles(skeleton), pole, _leg_lengths(skeleton))
    thigh, shin = leg_frame(upper, hinge), leg_frame(lower, hinge)
    foot = feet.rotation
    toes = about(X_AXIS, -np.maximum(feet.heel, 0.0) * feet.grip)
    for side, name in enumerate(SIDES):
        parts = (thigh, shin, foot)
        parent = pelvis
        for bone, part in zip(("UpperLeg", "LowerLeg", "Foot"), parts, strict=True):
            world = part[..., side, :, :]
            solved[..., INDEX[name + bone], :, :] = np.swapaxes(parent, -1, -2) @ world
            parent = world
        solved[..., INDEX[f"{name}Toes"], :, :] = toes[..., side, :, :]
    return solved


def knees_ahead(toes: Array, pelvis: Array) -> Array:
    """Where knees point (..., 3) over feet whose toes point so (..., 3): a little with the pelvis (..., 3, 3)."""
    ahead: Array = toes + PELVIS_LEADS * (pelvis @ AHEAD)
    return ahead


def leg_frame(direction: Array, hinge: Array) -> Array:
    """World rotations of a leg's bone that points along −Z at rest, its hinge along X."""
    return np.stack([hinge, np.cross(hinge, direction), -direction], axis=-1)


def balance(skeleton: Skeleton, local: Array, feet: Feet, target: Array, *, knee: Array | None = None) -> Array:
    """The hips' positions (..., 3) that bring the centre of mass to `target`, with the feet where they are.

    target  (..., 3) the centre of mass; where `knee` is given its height does not matter
    knee    (...) radians: the hips are as high as the straighter leg allows with its knee bent so
    """
    hips = np.broadcast_to(skeleton.joint("hips"), target.shape).copy()
    hips[..., :2] = target[..., :2]
    for _ in range(BALANCE_STEPS):
        if knee is not None:
            hips[..., 2] = hips_height(skeleton, local[..., INDEX["hips"], :, :], hips[..., :2], feet, knee)
        _, places = skeleton.pose(solve_legs(skeleton, local, hips, feet), hips)
        step = target - centre_of_mass(places)
        hips[..., :2] += step[..., :2]
        if knee is None:
            hips[..., 2] += step[..., 2]
    return hips
