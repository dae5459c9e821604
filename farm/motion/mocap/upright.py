"""A capture stood upright in metres: which unit and axes it is in, and which of its poses is its rest.

Some files have a human figure where all rotations are zero; in others the offsets lie along the bones' own axes, and
that figure is folded up. Then the frame nearest to a T-pose is the rest: `farm.motion.rig` aligns it by its joints.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.errors import BadInput
from farm.motion.canonical import read_canonical
from farm.motion.clip import Clip
from farm.motion.mocap.capture import Capture
from farm.motion.mocap.naming import Naming
from farm.motion.rig import Fit, Link, RigRest, fit_links
from farm.motion.rotation import unit
from farm.motion.skeleton import BONES, INDEX, SIDES

__all__ = ["Performer", "stand_upright"]

Array = NDArray[np.float64]

LEG: Final = 0.85
"""Thigh and shin of a grown person, metres."""
LEGS: Final = (0.42, 1.15)
"""From a child's to a giant's."""
CMU_UNIT: Final = 0.0254 / 0.45
"""The CMU database's lengths are inches times 0.45 (mocap.cs.cmu.edu, "What units are the CMU skeletons in?")."""
USUAL: Final = {"metres": 1.0, "centimetres": 0.01, "millimetres": 0.001}
RARE: Final = {"inches": 0.0254, "feet": 0.3048, "CMU's units of 5.64 cm": CMU_UNIT, "decimetres": 0.1}
STANDING: Final = float(np.cos(np.radians(45.0)))
"""A rest's legs and trunk are nearer to the vertical than 45°."""
NOT_OPPOSITE: Final = float(np.cos(np.radians(150.0)))
ON_AXIS: Final = float(np.cos(np.radians(10.0)))
MOST: Final = 0.9
"""Share of frames that stand along another axis than the rest does, for that to be up."""
LEAST_ANKLE: Final = 0.06
"""The ankle's height above the sole, in leg lengths, where the foot has no joint that low."""


@dataclass(frozen=True)
class Performer:
    """A capture understood: its canonical skeleton in metres, and its motion.

    unit    what one unit of the file is, in words
    metres  the same in metres
    up      axis of the file that points up, as `+Y`
    facing  axis of the file that the rest faces
    rest    `zero` where all rotations are zero, or the frame that served as the rest
    """

    fit: Fit
    clip: Clip
    fps: float
    unit: str
    metres: float
    up: str
    facing: str
    rest: str


def stand_upright(capture: Capture, naming: Naming, place: str) -> Performer:
    """Read a capture as a clip of the canonical skeleton, Z up, in metres; BadInput where it is no standing figure."""
    indices = [capture.names.index(link.name) for link in naming.links]
    zero = _joints(capture.heads[None], naming.links, indices)
    posed = _joints(capture.positions, naming.links, indices)
    frame, joints = -1, zero[0]
    if _standing(zero)[0] < STANDING:
        frame = int(np.argmax(_likeness(posed)))
        joints = posed[frame]
    leg = _leg(joints)
    if not leg > 0.0:
        raise BadInput(f"{place}: its legs have no length; check which bones the table '{naming.table}' names")
    unit_name, metres = _unit(leg)
    rest_up = _snapped(joints[INDEX["head"]] - _mean(joints, "Foot"))
    turn = _upright(joints, rest_up)
    up = _motion_up(posed, rest_up)
    turned = turn if np.allclose(up, rest_up) else _upright(posed[0], up)
    axes = capture.axes if frame < 0 else capture.rotations[frame]
    heads = capture.heads if frame < 0 else capture.positions[frame]
    tails = heads + (axes @ np.swapaxes(capture.axes, -1, -2) @ (capture.tails - capture.heads)[..., None])[..., 0]
    rest = _rest(capture, metres * heads @ turn.T, metres * tails @ turn.T, turn @ axes, (naming.links, indices))
    fit = fit_links(list(naming.links), rest)
    moved = turned @ capture.rotations @ np.swapaxes(rest.rotations, -1, -2)
    clip = read_canonical(moved, metres * capture.positions @ turned.T, fit)
    return Performer(
        fit=fit,
        clip=clip,
        fps=capture.fps,
        unit=unit_name,
        metres=metres,
        up=_axis_name(up),
        facing=_axis_name(turn.T @ [0.0, -1.0, 0.0]),
        rest="zero" if frame < 0 else f"frame {frame}",
    )


def _joints(heads: Array, links: tuple[Link, ...], indices: list[int]) -> Array:
    """The canonical joints (N, B, 3) of a capture's (N, R, 3), in its units; those that are missing stay at zero."""
    joints = np.zeros((len(heads), len(BONES), 3))
    for link, index in zip(links, indices, strict=True):
        joints[:, INDEX[link.bone]] += link.weight * heads[:, index]
    return joints


def _mean(joints: Array, part: str) -> Array:
    middle: Array = joints[..., [INDEX[f"{side}{part}"] for side in SIDES], :].mean(axis=-2)
    return middle


def _leg(joints: Array) -> float:
    lengths = [
        np.linalg.norm(joints[INDEX[side + end]] - joints[INDEX[side + start]])
        for side in SIDES
        for start, end in (("UpperLeg", "LowerLeg"), ("LowerLeg", "Foot"))
    ]
    return float(sum(lengths)) / len(SIDES)


def _cosines(joints: Array) -> tuple[Array, Array]:
    """How well trunk and legs (N, 5) and arms (N, 4) agree with a T-pose: cosines, the body's own axes being taken."""
    hips = _mean(joints, "UpperLeg")
    up = unit(joints[:, INDEX["head"]] - _mean(joints, "Foot"))
    across = joints[:, INDEX["leftUpperLeg"]] - joints[:, INDEX["rightUpperLeg"]]
    left = unit(across - np.sum(across * up, axis=-1, keepdims=True) * up)

    def cosine(start: Array, end: Array, towards: Array) -> Array:
        value: Array = np.sum(unit(end - start) * towards, axis=-1)
        return value

    def along(side: str, start: str, end: str, towards: Array) -> Array:
        return cosine(joints[:, INDEX[side + start]], joints[:, INDEX[side + end]], towards)

    body = [cosine(hips, joints[:, INDEX["head"]], up)]
    arms = []
    for side, sign in zip(SIDES, (1.0, -1.0), strict=True):
        body += [along(side, "UpperLeg", "LowerLeg", -up), along(side, "LowerLeg", "Foot", -up)]
        arms += [along(side, "UpperArm", "LowerArm", sign * left), along(side, "LowerArm", "Hand", sign * left)]
    return np.stack(body, axis=-1), np.stack(arms, axis=-1)


def _standing(joints: Array) -> Array:
    """The worst cosine (N,) of trunk and legs with the vertical, or −1 where an arm points across the body."""
    body, arms = _cosines(joints)
    worst: Array = np.where(arms.min(axis=-1) > NOT_OPPOSITE, body.min(axis=-1), -1.0)
    return worst


def _likeness(joints: Array) -> Array:
    """How well each frame (N,) serves as a rest: upright, the feet level, the arms as near to a T-pose as may be."""
    body, arms = _cosines(joints)
    up = unit(joints[:, INDEX["head"]] - _mean(joints, "Foot"))
    level = [
        1.0 - np.abs(np.sum(unit(joints[:, INDEX[f"{side}Toes"]] - joints[:, INDEX[f"{side}Foot"]]) * up, axis=-1))
        for side in SIDES
    ]
    near: Array = body.mean(axis=-1) + np.mean(level, axis=0) + 0.25 * arms.mean(axis=-1)
    return near


def _unit(leg: float) -> tuple[str, float]:
    """The unit that gives a leg a person's length: its name and its metres."""
    for units in (USUAL, RARE):
        fitting = {name: metres for name, metres in units.items() if LEGS[0] <= leg * metres <= LEGS[1]}
        if fitting:
            return min(fitting.items(), key=lambda unit: abs(np.log(leg * unit[1] / LEG)))
    metres = LEG / leg
    return f"unknown units, taken for {metres * 100:.3g} cm by the length of the legs", metres


def _snapped(direction: Array) -> Array:
    """The axis of the file (3,) nearest to a direction."""
    axis = np.zeros(3)
    largest = int(np.argmax(np.abs(direction)))
    axis[largest] = np.sign(direction[largest])
    return axis


def _axis_name(direction: Array) -> str:
    axis = _snapped(np.asarray(direction))
    largest = int(np.argmax(np.abs(axis)))
    return f"{'+' if axis[largest] > 0 else '-'}{'XYZ'[largest]}"


def _upright(joints: Array, up: Array) -> Array:
    """The rotation (3, 3) from the file's axes to Z up, that turns joints (B, 3) to face −Y."""
    across = joints[INDEX["leftUpperLeg"]] - joints[INDEX["rightUpperLeg"]]
    left = unit(across - (across @ up) * up)
    if abs(left @ _snapped(left)) > ON_AXIS:
        left = _snapped(left)
    return np.stack([left, np.cross(up, left), up])


def _motion_up(posed: Array, rest_up: Array) -> Array:
    """Up in the motion: the rest's, but for files whose root turns the figure from one axis to another.

    These show a performer who stands along the other axis nearly always, with the floor near its zero; one who lies
    does not.
    """
    trunk = unit(posed[:, INDEX["head"]] - _mean(posed, "Foot"))
    along = _snapped(np.median(trunk, axis=0))
    stature = float(np.median(np.linalg.norm(posed[:, INDEX["head"]] - _mean(posed, "Foot"), axis=-1)))
    floor = float(np.min(_mean(posed, "Foot") @ along))
    if (
        np.mean(trunk @ along > STANDING) >= MOST
        and np.mean(trunk @ rest_up > STANDING) < 1.0 - MOST
        and abs(floor) < 0.3 * stature
    ):
        return along
    return rest_up


def _rest(
    capture: Capture, heads: Array, tails: Array, rotations: Array, named: tuple[tuple[Link, ...], list[int]]
) -> RigRest:
    """The rest pose with its soles at z = 0 and its hips above the origin."""
    joints = _joints(heads[None], *named)[0]
    below = _below(capture, named)
    ankle = float(np.mean([joints[INDEX[f"{side}Foot"]][2] for side in SIDES]))
    lowest = min([heads[list(below), 2].min(), tails[list(below), 2].min()]) if below else ankle
    sole = min(float(lowest), ankle - LEAST_ANKLE * _leg(joints))
    shift = np.array([*_mean(joints, "UpperLeg")[:2], sole])
    return RigRest(capture.names, capture.parents, heads - shift, tails - shift, rotations)


def _below(capture: Capture, named: tuple[tuple[Link, ...], list[int]]) -> set[int]:
    """The joints of the feet and all that hangs on them."""
    links, indices = named
    feet = {index for link, index in zip(links, indices, strict=True) if link.bone.endswith("Foot")}
    for index, parent in enumerate(capture.parents.tolist()):
        if parent in feet:
            feet.add(index)
    return feet
