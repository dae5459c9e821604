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
from farm.motion.skeleton import INDEX, SIDES, Skeleton, axis_at_rest

__all__ = ["Grips", "hold", "mix", "palm_rotation"]

Array = NDArray[np.float64]
AHEAD, X_AXIS, Z_AXIS = np.array([0.0, -1.0, 0.0]), np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])
SLACK: Final = 0.025
"""The last part of a limb's reach, in its lengths, in which it goes straight ever more slowly."""
FIRM: Final = 2.5
"""How fast that comes with the loss of a grip's weight, whose cube root goes with time at first."""
TINY: Final = 1e-9
CLEARS: Final = 0.006
"""Metres: how softly a foot is lifted that would go through the floor."""

Posed = tuple[Array, Array]


@dataclass(frozen=True)
class Grips:
    """What holds feet and hands, for frames (...) and SIDES.

    feet      where the feet are
    planted   (..., 2) weights of the feet
    wrists    (..., 2, 3) metres, and palms (..., 2, 3, 3) the hands' rotations in the world
    laid      (..., 2) weights of the hands
    floor     (...) height below which no foot goes, metres
    """

    feet: Feet
    planted: Array
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
        if np.any(grips.laid[..., side] > 0.0):
            _hold_arm(skeleton, solved, (turned, places), grips, side)
    return solved


def _hold_leg(skeleton: Skeleton, solved: Array, posed: Posed, grips: Grips, side: int) -> None:
    (turned, places), name = posed, SIDES[side]
    hip, knee, ankle, toe = (INDEX[name + part] for part in ("UpperLeg", "LowerLeg", "Foot", "Toes"))
    weight = grips.planted[..., side]
    free_foot = turned[..., ankle, :, :]
    held = grips.feet.rotation()[..., side, :, :]
    foot = mix(free_foot, held, weight)
    along = skeleton.joint(f"{name}Toes") - skeleton.joint(f"{name}Foot")
    free_ball = places[..., toe, :]
    ball = grips.feet.ankles(skeleton)[..., side, :] + held @ along
    goal = free_ball + weight[..., None] * (ball - free_ball) - foot @ along
    toes = mix(
        solved[..., toe, :, :],
        about(X_AXIS, -np.maximum(grips.feet.heel[..., side], 0.0) * grips.feet.grip[..., side]),
        weight,
    )
    goal[..., 2] += (1.0 - weight) * _lift(skeleton, side, goal, (foot, foot @ toes), grips.floor)
    heading = grips.feet.heading()[..., side, :, :] @ AHEAD
    bent = knees_ahead(heading, turned[..., INDEX["hips"], :, :])
    pole = weight[..., None] * bent + (1.0 - weight)[..., None] * (turned[..., hip, :, :] @ AHEAD)
    lengths = _lengths(skeleton, f"{name}UpperLeg", f"{name}LowerLeg", f"{name}Foot")
    start = places[..., hip, :]
    upper, lower, hinge = two_bone(start, _within(start, goal, lengths, weight), pole, lengths)
    parent = turned[..., INDEX["hips"], :, :]
    for bone, world in ((hip, leg_frame(upper, hinge)), (knee, leg_frame(lower, hinge)), (ankle, foot)):
        solved[..., bone, :, :] = np.swapaxes(parent, -1, -2) @ world
        parent = world
    solved[..., toe, :, :] = toes


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


def _hold_arm(skeleton: Skeleton, solved: Array, posed: Posed, grips: Grips, side: int) -> None:
    (turned, places), name = posed, SIDES[side]
    shoulder, elbow, wrist = (INDEX[name + part] for part in ("UpperArm", "LowerArm", "Hand"))
    weight = grips.laid[..., side]
    palm = mix(turned[..., wrist, :, :], grips.palms[..., side, :, :], weight)
    free = places[..., wrist, :]
    goal = free + weight[..., None] * (grips.wrists[..., side, :] - free)
    lengths = _lengths(skeleton, f"{name}UpperArm", f"{name}LowerArm", f"{name}Hand")
    start = places[..., shoulder, :]
    pole = turned[..., shoulder, :, :] @ -AHEAD
    upper, lower, _ = two_bone(start, _within(start, goal, lengths, weight), pole, lengths)
    along = axis_at_rest(f"{name}UpperArm")
    parent = turned[..., INDEX[f"{name}Shoulder"], :, :]
    for bone, direction in ((shoulder, upper), (elbow, lower)):
        world = _swung(turned[..., bone, :, :], along, direction)
        solved[..., bone, :, :] = np.swapaxes(parent, -1, -2) @ world
        parent = world
    solved[..., wrist, :, :] = np.swapaxes(parent, -1, -2) @ palm


def _swung(world: Array, along: Array, direction: Array) -> Array:
    """World rotations turned by the least that brings a bone, which lies `along` at rest, into a direction."""
    now = world @ along
    axis = np.cross(now, direction)
    angle = np.arctan2(np.linalg.norm(axis, axis=-1), np.sum(now * direction, axis=-1))
    swung: Array = about(unit(axis), angle) @ world
    return swung


def _within(start: Array, goal: Array, lengths: tuple[Array, Array], weight: Array) -> Array:
    """Goals (..., 3) brought into a limb's reach, nearing it ever more slowly ("soft IK", A. Nicholas 2009).

    A grip of full weight is held until the limb is straight.
    """
    reach = lengths[0] + lengths[1]
    span = goal - start
    distance = np.linalg.norm(span, axis=-1)
    slack = reach * SLACK * np.minimum(1.0, FIRM * np.cbrt(1.0 - weight)) + TINY
    over = np.maximum(distance - (reach - slack), 0.0) / slack
    soft = np.where(over > 0.0, reach - slack * np.exp(-over), distance)
    within: Array = start + span * (soft / np.maximum(distance, 1e-9))[..., None]
    return within


def mix(first: Array, second: Array, weight: Array) -> Array:
    """Rotations (..., 3, 3) on the way from one to another."""
    vector = to_vector(np.swapaxes(first, -1, -2) @ second) * weight[..., None]
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

