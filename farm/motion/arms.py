"""Arms that reach what their hands hold on to, within the joints' limits, out of the body and above the floor.

All of that is one damped least-squares problem for the angles of shoulder, upper arm, forearm and hand (Levenberg 1944,
"A method for the solution of certain non-linear problems in least squares"; the geometric Jacobian of Orin and Schrader
1984): a held wrist comes first, then nothing in the body or in the floor, then a flat palm, then the angles as the keys
have them. Angles pass through a curve that levels off at their limits, so that nothing breaks those. Frames that follow
each other are solved together, with what arms do otherwise than the keys say kept from changing its speed suddenly.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.motion.anatomy import ANGLES, AXES
from farm.motion.flesh import CAPSULES, MEETING, capsule_ends, nearest_points, radii, stature
from farm.motion.joint_angles import LIMITS
from farm.motion.limbs import Grips, mix
from farm.motion.limits import level_off
from farm.motion.skeleton import INDEX, PARENT_INDEX, SIDES, Skeleton

__all__ = ["PALM_THICK", "Wanted", "arm_angles", "closer", "set_arms", "want", "with_arms"]

Array = NDArray[np.float64]
PARTS: Final = ("Shoulder", "UpperArm", "LowerArm", "Hand")
FREEDOMS: Final = tuple((part, slot) for part, bone in enumerate(PARTS) for slot in range(len(ANGLES[f"left{bone}"])))
"""What is solved for: parts of the arm and slots of their angles."""
PALM_THICK: Final = 0.014
"""Height of the wrist above what a hand lies on, in statures."""
LEVELS: Final = np.radians(0.8)
"""Radians: how softly angles level off at their limits."""
STIFF: Final = np.radians([12.0, 12.0, 40.0, 40.0, 40.0, 50.0, 50.0, 40.0, 20.0])
"""Radians by which each angle gives way as easily as a held wrist by WRIST and what touches by TOUCH."""
WRIST: Final = 0.002
TOUCH: Final = 0.003
"""Metres."""
SOFT: Final = 0.0015
"""Metres in which floor and flesh begin to push."""
ALLOWED: Final = 0.0085
"""Metres that an arm may be in what it touches, as flesh gives."""
HARD: Final = 2.5
"""How much harder the floor is than flesh."""
FLAT: Final = np.array([0.10, 0.10, 0.25])
"""Radians by which a held palm gives way as easily: tilted, and turned about the vertical."""
JERKY: Final = 300.0
"""Radians a second, a second: accelerations other than the keys' that cost as much as a wrist that gives way."""
MOST: Final = 0.3
"""Radians that an arm's angles change at most in a step."""
TINY: Final = 1e-9

_BONES: Final = np.array([[INDEX[side + part] for part in PARTS] for side in SIDES])
_PART: Final = np.array([part for part, _ in FREEDOMS])
_FIRST: Final = [FREEDOMS.index((part, 0)) for part in range(len(PARTS))] + [len(FREEDOMS)]
_AXES: Final = np.array([[AXES[bones[part], slot] for part, slot in FREEDOMS] for bones in _BONES])
_CROSS: Final = np.cross(_AXES[..., None, :], np.eye(3)).swapaxes(-1, -2)
_LOWEST, _HIGHEST = np.radians([[LIMITS[_BONES[0, part], slot, end] for part, slot in FREEDOMS] for end in (0, 1)])
_OWN: Final = np.array(
    [[next(k for k, c in enumerate(CAPSULES) if c.bone == side + part) for part in PARTS[1:]] for side in SIDES]
)
"""The capsules of each arm: of PARTS from the upper arm on."""


def _pairs(side: int) -> list[tuple[int, int]]:
    return [
        (part, k)
        for part, mine in enumerate(_OWN[side])
        for k, capsule in enumerate(CAPSULES)
        if {(CAPSULES[mine].group, capsule.group), (capsule.group, CAPSULES[mine].group)} & set(MEETING)
    ]


_PAIRS: Final = np.array([_pairs(side) for side in range(len(SIDES))])
"""What is kept apart (2, P, 2): one of an arm's capsules, and one of the body's or the other arm's."""
_MINE: Final = np.take_along_axis(_OWN, _PAIRS[..., 0], axis=1)
_LOW: Final = (np.array([0, 1, 2, 2]), np.array([1, 1, 0, 1]))
"""What is kept above the floor: an arm's capsules and their ends."""
_PARTS: Final = np.concatenate([[2, 2, 2], _LOW[0] + 1, _PAIRS[0, :, 0] + 1])
"""The parts of an arm that its pushes are on: the wrist, what is above the floor, what is kept apart."""


@dataclass(frozen=True)
class Wanted:
    """What is wanted of arms, for frames (N) and SIDES.

    keyed   (N, 2, 9) the angles as the keys have them, radians
    free    (N, 2, 3) where those have the wrists, from the hips
    wrists  (N, 2, 3) where the wrists are held
    palms   (N, 2, 3, 3) the hands' rotations in the world
    laid    (N, 2) how much they are held
    floor   (N) height below which no arm goes
    """

    keyed: Array
    free: Array
    wrists: Array
    palms: Array
    laid: Array
    floor: Array


def arm_angles(angles: Array) -> Array:
    """The arms' angles (..., 2, 9) in radians out of all (..., B, SLOTS) in degrees."""
    chosen = [[angles[..., INDEX[side + PARTS[part]], slot] for part, slot in FREEDOMS] for side in SIDES]
    return np.radians(np.moveaxis(np.array(chosen), (0, 1), (-2, -1)))


def with_arms(angles: Array, arms: Array, sides: list[int]) -> Array:
    """Angles (..., B, SLOTS) in degrees with those of some sides' arms (..., 2, 9), in radians, within their limits."""
    told, within = angles.copy(), np.degrees(_level_off(arms)[0])
    for side in sides:
        for freedom, (part, slot) in enumerate(FREEDOMS):
            told[..., INDEX[SIDES[side] + PARTS[part]], slot] = within[..., side, freedom]
    return told


def set_arms(local: Array, arms: Array) -> None:
    """Turn the arms of local rotations (..., B, 3, 3) to angles (..., 2, 9) in radians, as far as limits allow."""
    turns = _turns(_level_off(arms)[0])
    for part, (start, end) in enumerate(pairwise(_FIRST)):
        turned = turns[..., start, :, :]
        for freedom in range(start + 1, end):
            turned = turned @ turns[..., freedom, :, :]
        local[..., _BONES[:, part], :, :] = turned


def want(skeleton: Skeleton, local: Array, keyed: Array, grips: Grips) -> Wanted:
    """What is wanted of the arms of local rotations (N, B, 3, 3); the keys have their angles as (N, 2, 9), radians."""
    free = local.copy()
    set_arms(free, keyed)
    turned, places = skeleton.pose(free, np.zeros((len(free), 3)))
    hands = [INDEX[f"{side}Hand"] for side in SIDES]
    palms = mix(turned[:, hands], grips.palms, grips.laid)
    return Wanted(keyed, places[:, hands], grips.wrists, palms, grips.laid, grips.floor)


def closer(
    skeleton: Skeleton, arms: Array, posed: tuple[Array, Array], wanted: Wanted, *, steady: float, step: float = 0.0
) -> tuple[Array, Array]:
    """Arms' angles (N, 2, 9) a step nearer to what is wanted of them, and how far off they were (N, 2).

    posed   what `skeleton.pose` gives for the arms as they are
    steady  radians: how easily angles change in this step
    step    seconds between frames that follow each other, where they do
    """
    rows, misses = _misses(skeleton, arms, posed, wanted)
    away = (arms - wanted.keyed) / STIFF
    off = np.sum(misses**2, axis=-1) + np.sum(away**2, axis=-1)
    matrix = rows.swapaxes(-1, -2) @ rows + np.diag(STIFF**-2.0 + steady**-2.0)
    down = (rows.swapaxes(-1, -2) @ misses[..., None])[..., 0] + away / STIFF
    if step:
        turn = _steady(matrix, down, arms - wanted.keyed, (JERKY * step**2) ** -2.0)
    else:
        turn = np.linalg.solve(matrix, down[..., None])[..., 0]
    size = np.linalg.norm(turn, axis=-1, keepdims=True)
    return arms - turn * MOST * np.tanh(size / MOST) / np.maximum(size, TINY), off


def _misses(skeleton: Skeleton, arms: Array, posed: tuple[Array, Array], wanted: Wanted) -> tuple[Array, Array]:
    """How far arms are from what is wanted of them (N, 2, R), and how that grows with their angles (N, 2, R, 9)."""
    within, slope = _level_off(arms)
    axes, moments = (of.swapaxes(-1, -2) for of in _axes(within, posed))
    points, ways, off = _pushes(skeleton, posed, wanted)
    turning = (_crossed(points, ways) @ axes + ways @ moments) * (_PARTS[:, None] >= _PART)
    held = wanted.laid[..., None] / FLAT
    palm = _between(posed[0][:, _BONES[:, -1]], wanted.palms)
    rows = np.concatenate([turning, -held[..., None] * axes], axis=-2)
    return rows * slope[..., None, :], np.concatenate([off, held * palm], axis=-1)


def _steady(matrix: Array, down: Array, away: Array, weight: float) -> Array:
    """The turns (N, S, F) that solve `matrix @ turn = down` with the acceleration of what is `away` (N, S, F) kept low.

    Two frames at a time make a block of a tridiagonal system (Thomas's algorithm).
    """
    frames, sides, many = down.shape
    pairs, size = (frames + 1) // 2, 2 * many
    second = np.zeros((max(frames - 2, 0), 2 * pairs))
    for first, factor in enumerate((1.0, -2.0, 1.0)):
        second[np.arange(frames - 2), np.arange(frames - 2) + first] = factor
    bends = weight * second.T @ second
    diagonal, beside = np.zeros((2, pairs, sides, 2, many, 2, many))
    right = np.zeros((2 * pairs, sides, many))
    right[:frames] = down + np.tensordot(bends[:frames, :frames], away, 1)
    right = right.reshape(pairs, 2, sides, many).swapaxes(1, 2).reshape(pairs, sides, size)
    for first in range(2):
        diagonal[: len(matrix[first::2]), :, first, :, first] = matrix[first::2]
    if frames % 2:
        diagonal[-1, :, 1, :, 1] = np.eye(many)
    blocks = bends.reshape(pairs, 2, pairs, 2)
    each = np.arange(pairs)
    np.einsum("psimjm->psijm", diagonal)[...] += blocks[each, :, each, :][:, None, :, :, None]
    np.einsum("psimjm->psijm", beside)[:-1] += blocks[each[:-1], :, each[1:], :][:, None, :, :, None]
    diagonal, beside = diagonal.reshape(pairs, sides, size, size), beside.reshape(pairs, sides, size, size)
    ahead, passed = np.empty_like(beside), np.empty_like(right)
    for pair in range(pairs):
        block, side = diagonal[pair], right[pair]
        if pair:
            back = beside[pair - 1].swapaxes(-1, -2)
            block, side = block - back @ ahead[pair - 1], side - (back @ passed[pair - 1, ..., None])[..., 0]
        solved = np.linalg.solve(block, np.concatenate([beside[pair], side[..., None]], axis=-1))
        ahead[pair], passed[pair] = solved[..., :-1], solved[..., -1]
    for pair in range(pairs - 2, -1, -1):
        passed[pair] -= (ahead[pair] @ passed[pair + 1, ..., None])[..., 0]
    turn = passed.reshape(pairs, sides, 2, many).swapaxes(1, 2).reshape(2 * pairs, sides, many)
    return turn[:frames]


def _level_off(arms: Array) -> tuple[Array, Array]:
    """Angles (..., 9) in radians brought within their limits, and the slopes of that."""
    slope = 1.0 - _logistic((arms - _HIGHEST) / LEVELS) - _logistic((_LOWEST - arms) / LEVELS)
    return level_off(arms, _LOWEST, _HIGHEST, LEVELS), slope


def _logistic(value: Array) -> Array:
    share: Array = 0.5 * (1.0 + np.tanh(0.5 * value))
    return share


def _turns(within: Array) -> Array:
    """The rotations (..., 2, 9, 3, 3) that each angle (..., 2, 9) makes."""
    sine, cosine = np.sin(within)[..., None, None], np.cos(within)[..., None, None]
    turns: Array = np.eye(3) + sine * _CROSS + (1.0 - cosine) * (_CROSS @ _CROSS)
    return turns


def _axes(within: Array, posed: tuple[Array, Array]) -> tuple[Array, Array]:
    """The axes (N, 2, 9, 3) in the world that arms' angles turn about, and these axes' moments about the origin."""
    turned, places = posed
    turns, axes = _turns(within), np.empty((*within.shape, 3))
    frame = turned[:, PARENT_INDEX[_BONES[0, 0]], None]
    for freedom, part in enumerate(_PART):
        if freedom in _FIRST and part:
            frame = turned[:, _BONES[:, part - 1]]
        axes[..., freedom, :] = (frame @ _AXES[:, freedom, :, None])[..., 0]
        frame = frame @ turns[..., freedom, :, :]
    return axes, _crossed(places[:, _BONES[:, _PART]], axes)


def _crossed(first: Array, second: Array) -> Array:
    """Cross products (..., 3): what `np.cross` gives, in less time."""
    a, b, c = (first[..., axis] for axis in range(3))
    x, y, z = (second[..., axis] for axis in range(3))
    return np.stack([b * z - c * y, c * x - a * z, a * y - b * x], axis=-1)


def _between(hand: Array, palm: Array) -> Array:
    """About what (..., 3), and by about how much, hands' rotations (..., 3, 3) must be turned to palms'."""
    turn: Array = 0.5 * _crossed(hand.swapaxes(-1, -2), palm.swapaxes(-1, -2)).sum(axis=-2)
    return turn


def _pushes(skeleton: Skeleton, posed: tuple[Array, Array], wanted: Wanted) -> tuple[Array, Array, Array]:
    """What moves arms: points (N, 2, R, 3) on _PARTS, the ways (N, 2, R, 3) in which what is off grows as they move,
    and how much is off (N, 2, R).
    """
    _, places = posed
    ends, thick, laid = capsule_ends(skeleton, *posed), radii(skeleton), wanted.laid
    wrist = places[:, _BONES[:, -1]]
    free = places[:, INDEX["hips"], None] + wanted.free
    goal = free + laid[..., None] * (wanted.wrists - free)
    goal[..., 2] = np.maximum(goal[..., 2], wanted.floor[:, None] + PALM_THICK * stature(skeleton))
    held = laid[..., None] / WRIST

    floor = np.repeat(wanted.floor[:, None], len(SIDES), axis=1)
    surface = floor + laid * (wanted.wrists[..., 2] - PALM_THICK * stature(skeleton) - floor)
    low = ends[:, _OWN[:, _LOW[0]], _LOW[1]]
    deep = np.stack([floor, floor, surface, surface], axis=-1) + thick[_OWN[:, _LOW[0]]] - low[..., 2]

    mine, other = nearest_points(ends[:, _MINE], ends[:, _PAIRS[..., 1]])
    gap = mine - other
    apart = np.linalg.norm(gap, axis=-1)
    inside = thick[_MINE] + thick[_PAIRS[..., 1]] - apart - ALLOWED

    points = [np.repeat(wrist[..., None, :], 3, axis=-2), low, mine]
    ways = [
        held[..., None] * np.eye(3),
        HARD * _felt(deep)[..., None] * [0.0, 0.0, -1.0],
        -(_felt(inside) / np.maximum(apart, TINY))[..., None] * gap,
    ]
    off = [held * (wrist - goal), HARD * _feel(deep), _feel(inside)]
    return np.concatenate(points, axis=-2), np.concatenate(ways, axis=-2), np.concatenate(off, axis=-1)


def _feel(depth: Array) -> Array:
    """How much is off for depths in metres."""
    felt: Array = SOFT / TOUCH * np.logaddexp(0.0, depth / SOFT)
    return felt


def _felt(depth: Array) -> Array:
    """How fast that grows with the depth."""
    slope: Array = _logistic(depth / SOFT) / TOUCH
    return slope
