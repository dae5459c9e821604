"""Arms that reach what their hands hold on to, within the joints' limits, out of the body and above the floor.

All of that is one damped least-squares problem for the angles of shoulder, upper arm, forearm and hand (Levenberg 1944,
"A method for the solution of certain non-linear problems in least squares"; the geometric Jacobian of Orin and Schrader
1984): a held wrist comes first, then nothing in the body or in the floor, then a flat palm, then the angles as the keys
have them. Angles pass through a curve that levels off at their limits, so that nothing breaks those. A few steps of it are a
smooth function of what goes in, so that arms move without jolts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.motion.anatomy import ANGLES, AXES
from farm.motion.flesh import CAPSULES, MEETING, capsule_ends, nearest_points, radii, stature
from farm.motion.joint_angles import LIMITS
from farm.motion.limbs import Grips, mix
from farm.motion.rotation import about
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
TOUCH: Final = 0.004
"""Metres."""
SOFT: Final = 0.003
"""Metres in which floor and flesh begin to push."""
ALLOWED: Final = 0.003
"""Metres that an arm may be in what it touches, as flesh gives."""
FLAT: Final = np.array([0.10, 0.10, 0.25])
"""Radians by which a held palm gives way as easily: tilted, and turned about the vertical."""
STEADY: Final = 0.35
"""Radians: how reluctantly an arm's angles change in a step."""
JERKY: Final = 300.0
"""Radians a second, a second, by which angles turn otherwise than the keys have them, as easily as a wrist gives way."""
MOST: Final = 0.3
"""Radians that an arm's angles change at most in a step."""

_OWN: Final = tuple(
    [next(k for k, capsule in enumerate(CAPSULES) if capsule.bone == f"{side}{part}") for part in PARTS[1:]]
    for side in SIDES
)
"""The capsules of each arm: of PARTS from the upper arm on."""
_PAIRS: Final = tuple(
    [
        (part, k)
        for part, mine in enumerate(own)
        for k, capsule in enumerate(CAPSULES)
        if (CAPSULES[mine].group, capsule.group) in MEETING or (capsule.group, CAPSULES[mine].group) in MEETING
    ]
    for own in _OWN
)
"""What each arm's parts are kept out of."""
_PART: Final = np.array([part for part, _ in FREEDOMS])


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
    """Turn the arms of local rotations (..., B, 3, 3) to angles (..., 2, 9) in radians, as far as their limits allow."""
    within, _ = _level_off(arms)
    for side, name in enumerate(SIDES):
        for part, bone in enumerate(PARTS):
            index, angles = INDEX[name + bone], within[..., side, part == _PART]
            turned = about(AXES[index, 0], angles[..., 0])
            for slot in range(1, angles.shape[-1]):
                turned = turned @ about(AXES[index, slot], angles[..., slot])
            local[..., index, :, :] = turned


def want(skeleton: Skeleton, local: Array, keyed: Array, grips: Grips) -> Wanted:
    """What is wanted of the arms of local rotations (N, B, 3, 3), whose angles the keys have as (N, 2, 9) in radians."""
    free = local.copy()
    set_arms(free, keyed)
    turned, places = skeleton.pose(free, np.zeros((len(free), 3)))
    hands = [INDEX[f"{side}Hand"] for side in SIDES]
    palms = mix(turned[:, hands], grips.palms, grips.laid)
    return Wanted(keyed, places[:, hands], grips.wrists, palms, grips.laid, grips.floor)


def closer(
    skeleton: Skeleton, arms: Array, posed: tuple[Array, Array], wanted: Wanted, *, step: float | None = None
) -> tuple[Array, Array]:
    """Arms' angles (N, 2, 9) a step nearer to what is wanted of them, and how far off they were (N, 2).

    posed  what `skeleton.pose` gives for the arms as they are
    step   seconds between frames that follow each other, where they do
    """
    ends = capsule_ends(skeleton, *posed)
    nearer, off = np.empty_like(arms), np.empty(arms.shape[:2])
    for side in range(len(SIDES)):
        now, keyed = arms[:, side], wanted.keyed[:, side]
        rows, misses = _misses(skeleton, now, posed, ends, wanted, side)
        away = (now - keyed) / STIFF
        off[:, side] = np.sum(misses**2, axis=-1) + np.sum(away**2, axis=-1)
        matrix = rows.swapaxes(-1, -2) @ rows + np.diag(STIFF**-2.0 + STEADY**-2.0)
        down = (rows.swapaxes(-1, -2) @ misses[..., None])[..., 0] + away / STIFF
        turn = _steady(matrix, down, now - keyed, step) if step else np.linalg.solve(matrix, down[..., None])[..., 0]
        size = np.linalg.norm(turn, axis=-1, keepdims=True)
        nearer[:, side] = now - turn * MOST * np.tanh(size / MOST) / np.maximum(size, 1e-12)
    return nearer, off


def _misses(
    skeleton: Skeleton, now: Array, posed: tuple[Array, Array], ends: Array, wanted: Wanted, side: int
) -> tuple[Array, Array]:
    """How far an arm is from what is wanted of it (N, R), and how that grows with its angles (N, R, 9)."""
    within, slope = _level_off(now)
    axes, moments = _axes(within, posed, side)
    points, ways, parts, off = _pushes(skeleton, posed, ends, wanted, side)
    turning = np.cross(points, ways) @ axes.swapaxes(-1, -2) + ways @ moments.swapaxes(-1, -2)
    held = wanted.laid[:, side, None] / FLAT
    palm = _turn(posed[0][:, INDEX[f"{SIDES[side]}Hand"]], wanted.palms[:, side])
    rows = np.concatenate([turning * (_PART <= parts[:, None]), -held[..., None] * axes.swapaxes(-1, -2)], axis=1)
    return rows * slope[:, None], np.concatenate([off, held * palm], axis=1)


def _steady(matrix: Array, down: Array, away: Array, step: float) -> Array:
    """The turns (N, F) that solve `matrix @ turn = down` with all frames' accelerations, of what is `away` (N, F), low.

    Two frames at a time make a block of a tridiagonal system (Thomas's algorithm).
    """
    frames, many = down.shape
    count = frames + frames % 2
    weight = (JERKY * step**2) ** -2.0
    second = np.zeros((count - 2, count))
    for frame in range(frames - 2):
        second[frame, frame : frame + 3] = 1.0, -2.0, 1.0
    bends = weight * second.T @ second
    big, right = np.zeros((count, many, many)), np.zeros((count, many))
    big[:frames], big[frames:] = matrix, np.eye(many)
    right[:frames] = down + bends[:frames, :frames] @ away
    pairs, size = count // 2, 2 * many
    diagonal, beside = np.zeros((pairs, size, size)), np.zeros((pairs, size, size))
    for first in range(2):
        diagonal[:, first * many : (first + 1) * many, first * many : (first + 1) * many] = big[first::2]
    eye = np.eye(many)
    for pair in range(pairs):
        diagonal[pair] += np.kron(bends[2 * pair : 2 * pair + 2, 2 * pair : 2 * pair + 2], eye)
        if pair + 1 < pairs:
            beside[pair] = np.kron(bends[2 * pair : 2 * pair + 2, 2 * pair + 2 : 2 * pair + 4], eye)
    right = right.reshape(pairs, size)
    passed = np.empty((pairs, size, size + 1))
    for pair in range(pairs):
        block, side = diagonal[pair], right[pair]
        if pair:
            back = beside[pair - 1].T
            block, side = block - back @ passed[pair - 1, :, :size], side - back @ passed[pair - 1, :, size]
        passed[pair] = np.linalg.solve(block, np.column_stack([beside[pair], side]))
    turn = np.zeros((pairs, size))
    for pair in range(pairs - 1, -1, -1):
        turn[pair] = passed[pair, :, size]
        if pair + 1 < pairs:
            turn[pair] -= passed[pair, :, :size] @ turn[pair + 1]
    return turn.reshape(count, many)[:frames]


def _level_off(arms: Array) -> tuple[Array, Array]:
    """Angles (..., 9) in radians brought within their limits, and the slopes of that."""
    over, under = (arms - _HIGHEST) / LEVELS, (_LOWEST - arms) / LEVELS
    within = arms - LEVELS * (np.logaddexp(0.0, over) - np.logaddexp(0.0, under))
    return within, 1.0 - _logistic(over) - _logistic(under)


_LOWEST, _HIGHEST = np.radians(
    [[LIMITS[INDEX[f"left{PARTS[part]}"], slot, end] for part, slot in FREEDOMS] for end in (0, 1)]
)


def _logistic(value: Array) -> Array:
    share: Array = 0.5 * (1.0 + np.tanh(0.5 * value))
    return share


def _axes(within: Array, posed: tuple[Array, Array], side: int) -> tuple[Array, Array]:
    """The axes (N, 9, 3) in the world that an arm's angles turn about, and these axes' moments about the origin."""
    turned, places = posed
    axes, moments = np.empty((len(within), len(FREEDOMS), 3)), np.empty((len(within), len(FREEDOMS), 3))
    frame = turned[:, 0]
    for freedom, (part, slot) in enumerate(FREEDOMS):
        bone = INDEX[SIDES[side] + PARTS[part]]
        if slot == 0:
            frame = turned[:, PARENT_INDEX[bone]]
        else:
            frame = frame @ about(AXES[bone, slot - 1], within[:, freedom - 1])
        axes[:, freedom] = frame @ AXES[bone, slot]
        moments[:, freedom] = np.cross(places[:, bone], axes[:, freedom])
    return axes, moments


def _turn(hand: Array, palm: Array) -> Array:
    """About what (N, 3), and by about how much, a hand's rotation (N, 3, 3) must be turned to a palm's."""
    turn: Array = 0.5 * np.cross(hand, palm, axisa=-2, axisb=-2, axisc=-1).sum(axis=-2)
    return turn


def _pushes(
    skeleton: Skeleton, posed: tuple[Array, Array], ends: Array, wanted: Wanted, side: int
) -> tuple[Array, Array, NDArray[np.int_], Array]:
    """What moves an arm: points (N, R, 3), the ways (N, R, 3) in which what is off grows as they move, the parts (R,)
    of the arm that they are on, and how much is off (N, R).
    """
    _, places = posed
    laid, thick = wanted.laid[:, side], radii(skeleton)
    wrist = places[:, INDEX[f"{SIDES[side]}Hand"]]
    held = laid / WRIST
    free = places[:, INDEX["hips"]] + wanted.free[:, side]
    goal = free + laid[:, None] * (wanted.wrists[:, side] - free)
    points = [np.repeat(wrist[:, None], 3, axis=1)]
    ways = [held[:, None, None] * np.eye(3)]
    parts = [np.full(3, 2)]
    off = [held[:, None] * (wrist - goal)]

    own = _OWN[side]
    surface = wanted.floor + laid * (wanted.wrists[:, side, 2] - PALM_THICK * stature(skeleton) - wanted.floor)
    low = ends[:, [own[0], own[1], own[2], own[2]]][:, [0, 1, 2, 3], [1, 1, 0, 1]]
    depth = np.stack([wanted.floor, wanted.floor, surface, surface], axis=-1) - low[..., 2]
    depth += thick[[own[0], own[1], own[2], own[2]]]
    points.append(low)
    ways.append(_felt(depth)[..., None] * [0.0, 0.0, -1.0])
    parts.append(np.array([1, 2, 3, 3]))
    off.append(_feel(depth))

    first, second = [own[part] for part, _ in _PAIRS[side]], [k for _, k in _PAIRS[side]]
    mine, other = nearest_points(ends[:, first], ends[:, second])
    gap = mine - other
    apart = np.linalg.norm(gap, axis=-1)
    depth = thick[first] + thick[second] - apart - ALLOWED
    points.append(mine)
    ways.append(-(_felt(depth) / np.maximum(apart, 1e-6))[..., None] * gap)
    parts.append(np.array([part + 1 for part, _ in _PAIRS[side]]))
    off.append(_feel(depth))
    return (
        np.concatenate(points, axis=1),
        np.concatenate(ways, axis=1),
        np.concatenate(parts),
        np.concatenate(off, axis=1),
    )


def _feel(depth: Array) -> Array:
    """How much is off for depths in metres."""
    felt: Array = SOFT / TOUCH * np.logaddexp(0.0, depth / SOFT)
    return felt


def _felt(depth: Array) -> Array:
    """How fast that grows with the depth."""
    slope: Array = _logistic(depth / SOFT) / TOUCH
    return slope
