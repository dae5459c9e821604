"""Feet and hands held where they belong while the rest of the body moves: inverse kinematics of both legs and arms.

A grip has a weight: at 1 the foot or hand is where the grip says, at 0 where the joints' own angles put it, and between
them the way from one to the other is gone smoothly, so that a foot leaves the floor and comes down without a jolt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.motion.contact import Feet, knees_ahead, leg_frame, two_bone
from farm.motion.rotation import about, to_vector, unit
from farm.motion.skeleton import INDEX, SIDES, Skeleton

__all__ = ["Grips", "hold", "mix", "palm_rotation"]

Array = NDArray[np.float64]
AHEAD, X_AXIS, Z_AXIS = np.array([0.0, -1.0, 0.0]), np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])
SLACK: Final = 0.025
"""The last part of a limb's reach, in its lengths, in which it goes straight ever more slowly."""
TINY: Final = 1e-9
CLEARS: Final = 0.006
"""Metres: how softly a foot is lifted that would go through the floor."""
HIGHEST: Final = 0.08
"""Metres that a hand is lifted at most: one that should be deeper in the floor is posed wrongly."""
FINGERS: Final = 1.7
"""From the wrist to the fingertips, in distances from the wrist to the knuckles."""
THICK: Final = 0.2
"""How thick a hand is, in the same."""
OPPOSED: Final = 2.4
"""Radians from which two rotations are nearly opposite."""
RELIEFS: Final = 2
ANKLE: Final = tuple(np.radians((-37.0, 57.0)))
"""How far the toes go up and down before the heel gives way, a little within the ankle's limits."""
GIVES: Final = 0.02
"""Radians: how softly it does."""

Posed = tuple[Array, Array]


@dataclass(frozen=True)
class Grips:
    """What holds feet and hands, for frames (...) and SIDES.

    feet      where the feet are
    planted   (..., 2) weights of the feet
    wrists    (..., 2, 3) metres, and palms (..., 2, 3, 3) the hands' rotations in the world
    easy      (..., 2) 1 where a leg may give way before it is straight, 0 where its foot is held until then
    laid      (..., 2) weights of the hands
    floor     (...) height below which no foot goes, metres
    """

    feet: Feet
    planted: Array
    easy: Array
    wrists: Array
    palms: Array
    laid: Array
    floor: Array


def hold(skeleton: Skeleton, local: Array, hips: Array, grips: Grips) -> Array:
    """Local rotations (..., B, 3, 3) with the limbs at their grips, as far as their weights say."""
    turned, places = skeleton.pose(local, hips)
    solved = local.copy()
    for side in range(len(SIDES)):
        _hold_leg(skeleton, solved, (turned, places), grips, side)
    return solved


def _hold_leg(skeleton: Skeleton, solved: Array, posed: Posed, grips: Grips, side: int) -> None:
    (turned, places), name = posed, SIDES[side]
    hip, knee, ankle, toe = (INDEX[name + part] for part in ("UpperLeg", "LowerLeg", "Foot", "Toes"))
    weight = grips.planted[..., side]
    free_foot = turned[..., ankle, :, :]
    held = grips.feet.rotation[..., side, :, :]
    foot = mix(free_foot, held, weight)
    along = skeleton.joint(f"{name}Toes") - skeleton.joint(f"{name}Foot")
    free_ball = places[..., toe, :]
    ball = free_ball + weight[..., None] * (grips.feet.ankles(skeleton)[..., side, :] + held @ along - free_ball)
    toes = mix(
        solved[..., toe, :, :],
        about(X_AXIS, -np.maximum(grips.feet.heel[..., side], 0.0) * grips.feet.grip[..., side]),
        weight,
    )
    ball[..., 2] += (1.0 - weight) * _lift(skeleton, side, ball - foot @ along, (foot, foot @ toes), grips.floor)
    heading = grips.feet.heading[..., side, :, :] @ AHEAD
    bent = knees_ahead(heading, turned[..., INDEX["hips"], :, :])
    pole = weight[..., None] * bent + (1.0 - weight)[..., None] * (turned[..., hip, :, :] @ AHEAD)
    lengths = _lengths(skeleton, f"{name}UpperLeg", f"{name}LowerLeg", f"{name}Foot")
    start, easy = places[..., hip, :], grips.easy[..., side]
    for _ in range(RELIEFS):
        upper, lower, hinge = two_bone(start, _within(start, ball - foot @ along, lengths, easy), pole, lengths)
        shin = leg_frame(lower, hinge)
        relief = about(X_AXIS, _ankle_relief(np.swapaxes(shin, -1, -2) @ foot))
        foot, toes = foot @ relief, np.swapaxes(relief, -1, -2) @ toes
    upper, lower, hinge = two_bone(start, _within(start, ball - foot @ along, lengths, easy), pole, lengths)
    parent = turned[..., INDEX["hips"], :, :]
    for bone, world in ((hip, leg_frame(upper, hinge)), (knee, leg_frame(lower, hinge)), (ankle, foot)):
        solved[..., bone, :, :] = np.swapaxes(parent, -1, -2) @ world
        parent = world
    solved[..., toe, :, :] = toes


def _ankle_relief(foot: Array) -> Array:
    """How far (...) a foot's heel must rise, or sink, for the ankle to keep to its limits, in radians.

    The foot (..., 3, 3) is as the shin sees it.
    """
    point = np.arcsin(np.clip(-(foot @ AHEAD)[..., 2], -1.0, 1.0))
    low, high = (GIVES * np.logaddexp(0.0, over / GIVES) for over in (ANKLE[0] - point, point - ANKLE[1]))
    relief: Array = low - high
    return relief


def _lift(skeleton: Skeleton, side: int, ankle: Array, worlds: tuple[Array, Array], floor: Array) -> Array:
    """How far (...) a foot must come up for its sole to stay above the floor; `worlds` are those of foot and toes."""
    foot, toes = worlds
    joint, knuckle = (skeleton.joint(f"{SIDES[side]}{part}") for part in ("Foot", "Toes"))
    heel, ball, tip = skeleton.soles[side]
    hinge = ankle + foot @ (knuckle - joint)
    points = [ankle + foot @ (heel - joint), *(hinge + toes @ (point - knuckle) for point in (ball, tip))]
    depth = floor - np.min([point[..., 2] for point in points], axis=0)
    lifted: Array = CLEARS * np.logaddexp(0.0, depth / CLEARS)
    return lifted


def _within(start: Array, goal: Array, lengths: tuple[Array, Array], easy: Array) -> Array:
    """Goals (..., 3) brought into a limb's reach, nearing it ever more slowly ("soft IK", A. Nicholas 2009).

    Where it is not `easy` (...), from 0 to 1, a grip is held until the limb is straight.
    """
    reach = lengths[0] + lengths[1]
    span = goal - start
    distance = np.linalg.norm(span, axis=-1)
    slack = reach * SLACK * easy + TINY
    over = np.maximum(distance - (reach - slack), 0.0) / slack
    soft = np.where(over > 0.0, reach - slack * np.exp(-over), distance)
    within: Array = start + span * (soft / np.maximum(distance, 1e-9))[..., None]
    return within


def mix(first: Array, second: Array, weight: Array) -> Array:
    """Rotations (..., 3, 3) on the way from one to another.

    Two that are nearly opposite have no one way between them: the nearer they come to that, the less of it is gone, so
    that the result moves smoothly where the way changes sides.
    """
    vector = to_vector(np.swapaxes(first, -1, -2) @ second)
    apart = np.clip((np.pi - np.linalg.norm(vector, axis=-1)) / (np.pi - OPPOSED), 0.0, 1.0)
    vector *= (weight * apart**2 * (3.0 - 2.0 * apart))[..., None]
    mixed: Array = first @ about(unit(vector), np.linalg.norm(vector, axis=-1))
    return mixed


def _lengths(skeleton: Skeleton, *bones: str) -> tuple[Array, Array]:
    first, second, third = bones
    return np.array(skeleton.length(first, second)), np.array(skeleton.length(second, third))


def palm_rotation(turn: Array) -> Array:
    """World rotations (..., 2, 3, 3) of hands laid flat, with the fingers to `turn` (..., 2): 0 ahead, inward."""
    ahead = np.array([-np.pi / 2, np.pi / 2])
    inward = np.array([-1.0, 1.0])
    return about(Z_AXIS, ahead + inward * turn)
