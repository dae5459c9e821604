"""Feet that stay where they stand: where a clip plants them, and a clip with them held there.

After Kovar, Schreiner and Gleicher (2002, "Footskate cleanup for motion capture editing", SCA): spans in which a foot
is planted, one place for each, the legs solved to it by two-bone inverse kinematics, and what that changed faded out
over the frames around. Where their legs stretch to reach, here the hips come down.

A planted foot rolls about its heel while its toes are up and about the joint of its toes while its heel is; its pitch
stays the performer's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.motion.clip import Clip
from farm.motion.reaching import LEG_BONES, limb_length, reach
from farm.motion.rotation import about, slerp, to_vector, unit
from farm.motion.skeleton import INDEX, SIDES, Skeleton

__all__ = ["Plant", "find_plants", "hold_feet", "place_plants", "point_speed", "scale_plants", "slides", "sole_points"]

Array = NDArray[np.float64]

LEG: Final = 0.85
"""The leg, in metres, for which the heights and speeds below are; they grow with it."""
ENTER_SPEED, LEAVE_SPEED = 0.22, 0.4
ENTER_HEIGHT, LEAVE_HEIGHT = 0.05, 0.08
"""A heel or ball of the foot is planted from where both are under the first, m/s and m, to where one is over the
second."""
SHORTEST: Final = 0.08
"""Seconds that a foot must be planted for it to count."""
GAP: Final = 0.05
"""Seconds that a planted foot may seem to leave its place."""
SPEED_SPAN: Final = 0.03
"""Seconds before and after, over which a speed is measured."""
DRIFT: Final = 0.025
"""A planted foot that is farther from its place than that, in metres, is still on its way to it or has left it."""
STEP: Final = 0.1
"""Seconds that a foot has at least from one place to the next."""
PIVOT: Final = np.radians(12.0)
"""A planted foot that turns by less keeps its heading; one that turns by more does so about its heel or its ball."""
PREFERRED: Final = 0.8
"""The heel is what a level foot stands on where it is slower than that share of the ball's speed."""
TILTED: Final = np.radians(8.0)
"""A foot tilted by more than that stands on its ball or its heel, whichever is the slower."""
FADE: Final = 0.3
"""Seconds in which the shift of a planted foot fades out before and after."""
TURN_FADE: Final = 0.15
"""Seconds in which its turn does."""
SETTLE: Final = 0.05
"""Seconds in which a foot comes to rest at its place, and leaves it."""
REACH: Final = 0.9995
"""How long a leg is at most, in thighs and shins."""
MOST_DROP: Final = 0.15
"""How far the hips come down at most for a foot to reach its place, in leg lengths."""
DROP_SPAN: Final = 0.1
"""Seconds before and after, in which the hips come down and go up again."""
ROLLING: Final = np.radians(4.0)
"""Over so much pitch a foot goes over from its heel to its toes."""
ROLL: Final = np.radians(5.0)
"""How far a planted foot is rolled to its side at most."""
MOST_BEND: Final = np.radians(90.0)
"""How far toes bend up for the floor below them."""
TOUCHING: Final = 0.005
"""A heel or a ball that is higher than the other by more than that, metres, does not touch the floor."""
UNSEEN: Final = 1e-6
"""A tip that is deeper in the floor than that, metres, bends the toes."""
BISECTIONS: Final = 12
X_AXIS, Z_AXIS = np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])
FORWARD: Final = np.array([0.0, -1.0, 0.0])
HEEL, BALL, TIP = 0, 1, 2


@dataclass(frozen=True)
class Plant:
    """A span in which a foot stands in its place, and perhaps turns about its heel or its ball.

    foot        index in SIDES
    start, end  seconds
    place       (2,) the point of the floor under the ankle of the foot lying flat, the mean over the span
    headings    (K,) where the toes point, about the vertical from −Y, in radians, evenly from start to end
    on_ball     (K,) whether the ball stays in its place, or the heel
    """

    foot: int
    start: float
    end: float
    place: tuple[float, float]
    headings: tuple[float, ...]
    on_ball: tuple[bool, ...]


def sole_points(skeleton: Skeleton, clip: Clip) -> Array:
    """Heel, ball and tip of the feet (N, 2, 3, 3) of SIDES."""
    turned, places = skeleton.pose(clip.rotations, clip.hips)
    points = np.empty((len(clip), 2, 3, 3))
    for side, name in enumerate(SIDES):
        for point, bone in enumerate((f"{name}Foot", f"{name}Toes", f"{name}Toes")):
            index = INDEX[bone]
            offset = skeleton.soles[side, point] - skeleton.joints[index]
            points[:, side, point] = places[:, index] + turned[:, index] @ offset
    return points


@dataclass(frozen=True)
class _Foot:
    """One foot over N frames, as the clip has it.

    rotation  (N, 3, 3), heading (N,) and pitch (N,) in the world, the pitch positive where the toes point down
    ankle     (N, 3)
    flat      (N, 2) the point of the floor under the ankle of the foot, were it put down about what touches it
    """

    rotation: Array
    toes: Array
    ankle: Array
    heading: Array
    pitch: Array
    flat: Array


def _read_foot(skeleton: Skeleton, clip: Clip, foot: int) -> _Foot:
    turned, places = skeleton.pose(clip.rotations, clip.hips)
    name = SIDES[foot]
    ankle, toes = INDEX[f"{name}Foot"], INDEX[f"{name}Toes"]
    rotation = turned[:, ankle]
    ahead, above = rotation @ FORWARD, rotation @ Z_AXIS
    # Of toes that point straight down, the instep says where the foot heads; the two add up to one for any pitch.
    level = ahead * above[:, 2:] - above * ahead[:, 2:]
    heading = np.unwrap(np.arctan2(level[:, 0], -level[:, 1]))
    pitch = np.arctan2(-ahead[:, 2], above[:, 2])
    standing = _upright(rotation, heading, pitch, heading)
    flat = places[:, ankle] - _rolled(skeleton, foot, standing, heading, pitch)
    return _Foot(rotation, clip.rotations[:, toes], places[:, ankle], heading, pitch, flat[:, :2])


def _rolled(skeleton: Skeleton, foot: int, rotation: Array, heading: Array, pitch: Array) -> Array:
    """Where the ankle is (N, 3) from the point of the floor under it when the foot lay flat.

    The foot has turned about the joint of its toes where they point down, or else about its heel.
    """
    ankle, toes = skeleton.joint(f"{SIDES[foot]}Foot"), skeleton.joint(f"{SIDES[foot]}Toes")
    heel = skeleton.soles[foot, HEEL]
    level, turned = np.array([1.0, 1.0, 0.0]), about(Z_AXIS, heading)
    by_toes, by_heel = (
        turned @ ((pivot - ankle) * level) - rotation @ (pivot - ankle) + pivot * Z_AXIS for pivot in (toes, heel)
    )
    share = _ease(0.5 - pitch / ROLLING)[:, None]
    rolled: Array = by_heel + share * (by_toes - by_heel)
    return rolled


def _under(skeleton: Skeleton, foot: int, heading: Array | float) -> Array:
    """The point under the ankle (..., 2) of a flat foot from its ball."""
    back = (skeleton.joint(f"{SIDES[foot]}Foot") - skeleton.soles[foot, BALL]) * [1.0, 1.0, 0.0]
    under: Array = (about(Z_AXIS, heading) @ back)[..., :2]
    return under


def find_plants(clip: Clip, skeleton: Skeleton, fps: float) -> list[Plant]:
    """The spans in which a clip on the floor z = 0 plants its feet, by speed and height with hysteresis."""
    size = skeleton.leg / LEG
    soles = sole_points(skeleton, clip)
    plants = []
    for side in range(len(SIDES)):
        foot = _read_foot(skeleton, clip, side)
        down = np.zeros(len(clip), dtype=bool)
        for point in (HEEL, BALL):
            speed, height = point_speed(soles[:, side, point], fps) / size, soles[:, side, point, 2] / size
            down |= _hysteresis(
                (speed < ENTER_SPEED) & (height < ENTER_HEIGHT), (speed < LEAVE_SPEED) & (height < LEAVE_HEIGHT)
            )
        slower = PREFERRED * point_speed(soles[:, side, BALL], fps) <= point_speed(soles[:, side, HEEL], fps)
        on_ball = np.where(np.abs(foot.pitch) > TILTED, foot.pitch > 0.0, slower)
        for first, last in _spans(down, fps):
            plants += _plants(skeleton, side, foot, on_ball, (first, last), fps)
    return plants


def point_speed(path: Array, fps: float) -> Array:
    """Speeds (N,) along a path (N, 3), over some frames before and after."""
    reach = max(1, round(SPEED_SPAN * fps))
    at = np.arange(len(path))
    before, after = np.maximum(at - reach, 0), np.minimum(at + reach, len(path) - 1)
    seconds = np.maximum(after - before, 1) / fps
    speed: Array = np.linalg.norm(path[after] - path[before], axis=1) / seconds
    return speed


def _hysteresis(enter: NDArray[np.bool_], stay: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """True in the runs of `stay` that hold an `enter`."""
    run = np.cumsum(np.diff(stay, prepend=False))
    return np.isin(run, np.unique(run[enter & stay])) & stay


def _spans(down: NDArray[np.bool_], fps: float) -> list[tuple[int, int]]:
    """First and last frame of each run, those that are apart by little joined, the shortest left out."""
    edges = np.flatnonzero(np.diff(down, prepend=False, append=False)).reshape(-1, 2)
    joined: list[list[int]] = []
    for first, after in edges.tolist():
        if joined and first - joined[-1][1] - 1 <= GAP * fps:
            joined[-1][1] = after - 1
        else:
            joined.append([first, after - 1])
    return [(first, last) for first, last in joined if last - first >= SHORTEST * fps]


def _plants(
    skeleton: Skeleton, side: int, foot: _Foot, on_ball: NDArray[np.bool_], span: tuple[int, int], fps: float
) -> list[Plant]:
    """The plants of a foot that is down from one frame to another, without the frames in which it comes and goes."""
    first, last = span
    if last - first < SHORTEST * fps:
        return []
    frames = slice(first, last + 1)
    headings = foot.heading[frames]
    if np.ptp(headings) < PIVOT:
        headings = np.full_like(headings, np.median(headings))
    offsets = foot.flat[frames] - _path(skeleton, side, headings, on_ball[frames])
    there = np.linalg.norm(offsets - np.median(offsets, axis=0), axis=1) < DRIFT * skeleton.leg / LEG
    begin, end = _longest(there)
    if end - begin + 1 == len(there):
        path = foot.flat[frames] - offsets + np.median(offsets, axis=0)
        x, y = path.mean(axis=0).tolist()
        return [Plant(side, first / fps, last / fps, (x, y), tuple(headings.tolist()), tuple(on_ball[frames].tolist()))]
    step = round(STEP * fps)
    parts = ((first, first + begin - step), (first + begin, first + end), (first + end + step, last))
    return [plant for part in parts for plant in _plants(skeleton, side, foot, on_ball, part, fps)]


def _longest(flags: NDArray[np.bool_]) -> tuple[int, int]:
    """First and last place of the longest run of true flags; an empty one where there is none."""
    edges = np.flatnonzero(np.diff(flags, prepend=False, append=False)).reshape(-1, 2)
    if not len(edges):
        return 0, -1
    first, after = edges[np.argmax(edges[:, 1] - edges[:, 0])].tolist()
    return first, after - 1


def _path(skeleton: Skeleton, side: int, headings: Array, on_ball: NDArray[np.bool_]) -> Array:
    """Where the point under the ankle (K, 2) of a flat foot goes that turns about its heel or its ball.

    Its ball begins at the origin.
    """
    heel = (skeleton.soles[side, HEEL] - skeleton.soles[side, BALL]) * [1.0, 1.0, 0.0]
    ahead = -(about(Z_AXIS, headings) @ heel)[:, :2]
    steps = np.where(on_ball[1:, None], 0.0, np.diff(ahead, axis=0))
    ball = np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])
    path: Array = ball + _under(skeleton, side, headings)
    return path


def scale_plants(plants: Sequence[Plant], *, speed: float = 1.0, delay: float = 0.0) -> list[Plant]:
    """The plants of a clip that is played at another speed, `delay` seconds later."""
    return [replace(each, start=each.start / speed + delay, end=each.end / speed + delay) for each in plants]


def place_plants(clip: Clip, skeleton: Skeleton, plants: Sequence[Plant], fps: float) -> list[Plant]:
    """The plants where a clip has these feet, which another double performs: the mean over each span."""
    feet = [_read_foot(skeleton, clip, side) for side in range(len(SIDES))]
    placed = []
    for plant in plants:
        at = np.clip(np.linspace(plant.start, plant.end, len(plant.headings)) * fps, 0, len(clip) - 1)
        mean = feet[plant.foot].flat[at.round().astype(np.int64)].mean(axis=0)
        placed.append(replace(plant, place=(float(mean[0]), float(mean[1]))))
    return placed


def slides(clip: Clip, skeleton: Skeleton, plants: Sequence[Plant], fps: float) -> Array:
    """How far (P,) each foot slides while it is planted, in metres.

    It is the extent of where the heel is as long as the foot stands on that, and of the ball.
    """
    soles = sole_points(skeleton, clip)
    found = []
    for plant in plants:
        chosen = _frames(plant, len(clip), fps)
        at = np.arange(len(clip))[chosen] / fps
        knots = np.linspace(plant.start, plant.end, len(plant.on_ball))
        nearest = np.array(plant.on_ball)[np.abs(knots - at[:, None]).argmin(axis=1)]
        heights = soles[chosen, plant.foot, :, 2]
        own = np.where(nearest, heights[:, BALL], heights[:, HEEL])
        touching = own <= heights[:, [HEEL, BALL]].min(axis=1) + TOUCHING
        turns = np.ptp(plant.headings) > 0.0
        edges = np.flatnonzero(turns & (np.diff(nearest) != 0)) + 1
        paths = [
            soles[chosen, plant.foot, point, :2][run][(touching & (nearest == (point == BALL)))[run]]
            for run in np.split(np.arange(len(at)), edges)
            for point in (HEEL, BALL)
        ]
        found.append(max([float(np.linalg.norm(np.ptp(path, axis=0))) for path in paths if len(path)], default=0.0))
    return np.array(found)


def _frames(plant: Plant, frames: int, fps: float) -> slice:
    first = int(np.ceil(plant.start * fps - 1e-6))
    return slice(max(first, 0), min(int(np.floor(plant.end * fps + 1e-6)), frames - 1) + 1)


def hold_feet(clip: Clip, skeleton: Skeleton, plants: Sequence[Plant], fps: float) -> Clip:
    """A clip with each planted foot in its place, and no foot through the floor z = 0."""
    held = [_hold(skeleton, clip, side, [plant for plant in plants if plant.foot == side], fps) for side in range(2)]
    clip = Clip(clip.hips - Z_AXIS * _drop(skeleton, clip, held, fps)[:, None], clip.rotations.copy())
    for name, foot in zip(SIDES, held, strict=True):
        clip = reach(skeleton, clip, name, LEG_BONES, foot.ankle, foot.rotation)
        clip.rotations[:, INDEX[f"{name}Toes"]] = foot.toes
    return clip


@dataclass(frozen=True)
class _Held:
    """Where one foot is to be: ankle (N, 3), rotation (N, 3, 3) in the world, local rotation of the toes (N, 3, 3)."""

    ankle: Array
    rotation: Array
    toes: Array


def _hold(skeleton: Skeleton, clip: Clip, side: int, plants: list[Plant], fps: float) -> _Held:
    foot = _read_foot(skeleton, clip, side)
    ankle, rotation, toes = foot.ankle, foot.rotation, foot.toes
    if plants:
        ankle, rotation, toes = _held(skeleton, foot, side, plants, fps)
    ankle, toes = _out_of_floor(skeleton, side, ankle, rotation, toes)
    return _Held(ankle, rotation, toes)


def _held(skeleton: Skeleton, foot: _Foot, side: int, plants: list[Plant], fps: float) -> tuple[Array, Array, Array]:
    """Ankle, rotation and toes of a foot that rests in its places and moves between as it did."""
    time = np.arange(len(foot.ankle)) / fps
    plants = sorted(plants, key=lambda plant: plant.start)
    starts, ends = (np.array([getattr(plant, end) for plant in plants]) for end in ("start", "end"))
    nearest = np.argmin(np.maximum(starts - time[:, None], 0.0) + np.maximum(time[:, None] - ends, 0.0), axis=1)
    away = np.maximum(np.maximum(starts[nearest] - time, time - ends[nearest]), 0.0)
    gap = _gap(time, starts, ends)
    heading, pinned = foot.heading.copy(), np.zeros((len(time), 3))
    for index in np.unique(nearest).tolist():
        mine = np.flatnonzero(nearest == index)
        heading[mine], pinned[mine, :2] = _stand(skeleton, plants[index], time[mine], foot.heading[mine])
    held = _upright(foot.rotation, foot.heading, foot.pitch, heading)
    pinned += _rolled(skeleton, side, held, heading, foot.pitch)

    turn_fade, settle = (_ease(away / np.minimum(span, 0.5 * gap)) for span in (TURN_FADE, SETTLE))
    shifted = foot.ankle + _shift(time, starts, ends, pinned - foot.ankle, nearest)
    ankle = shifted + settle[:, None] * (pinned - shifted)
    rotation = slerp(foot.rotation, held, turn_fade)
    level = np.swapaxes(rotation, -1, -2) @ about(Z_AXIS, heading)
    gripping = slerp(np.broadcast_to(np.eye(3), level.shape), level, _ease(0.5 - foot.pitch / ROLLING))
    return ankle, rotation, slerp(foot.toes, gripping, settle)


def _upright(rotation: Array, own: Array, pitch: Array, heading: Array) -> Array:
    """A foot's rotations (N, 3, 3) with another heading (N,) than its own, rolled to its side by no more than ROLL."""
    rolled = to_vector(np.swapaxes(about(Z_AXIS, own) @ about(X_AXIS, pitch), -1, -2) @ rotation)
    angle = np.linalg.norm(rolled, axis=-1)
    kept = about(unit(rolled), np.minimum(angle, ROLL))
    upright: Array = about(Z_AXIS, heading) @ about(X_AXIS, pitch) @ kept
    return upright


def _stand(skeleton: Skeleton, plant: Plant, time: Array, own: Array) -> tuple[Array, Array]:
    """A planted foot's heading (K,) and the point under its ankle (K, 2) at some times.

    Before and after the span, it goes on to turn as `own` (K,) does.
    """
    knots = np.linspace(plant.start, plant.end, len(plant.headings))
    inside = (time >= plant.start - 1e-9) & (time <= plant.end + 1e-9)
    turned = np.unwrap(_wrapped(np.interp(time, knots, plant.headings) - own))
    if inside.any():
        first, last = np.flatnonzero(inside)[[0, -1]].tolist()
        turned[:first], turned[last + 1 :] = turned[first], turned[last]
    held = own + turned
    on_ball = np.array(plant.on_ball)[np.abs(knots - time[:, None]).argmin(axis=1)]
    path = _path(skeleton, plant.foot, held, on_ball)
    middle = path[inside].mean(axis=0) if inside.any() else path.mean(axis=0)
    return held, path - middle + plant.place


def _gap(time: Array, starts: Array, ends: Array) -> Array:
    """Seconds (N,) between the plant before and the one after; as long as need be at the beginning and the end."""
    bounds = np.concatenate([[-np.inf], ends]), np.concatenate([starts, [np.inf]])
    after = np.searchsorted(starts, time, side="right")
    inside = (after > 0) & (time <= bounds[0][after])
    gap: Array = np.where(inside, np.inf, bounds[1][after] - bounds[0][after])
    return np.maximum(gap, 1e-6)


def _ease(part: Array) -> Array:
    """From 1 at 0 to 0 at 1 and beyond, with no slope at either."""
    part = np.clip(part, 0.0, 1.0)
    eased: Array = 1.0 - part * part * (3.0 - 2.0 * part)
    return eased


def _wrapped(angle: Array) -> Array:
    """Angles in (−π, π]."""
    wrapped: Array = np.pi - (np.pi - angle) % (2.0 * np.pi)
    return wrapped


def _shift(time: Array, starts: Array, ends: Array, offsets: Array, nearest: NDArray[np.intp]) -> Array:
    """What a plant moves the foot by (N, 3), faded out over the frames before it and after it."""
    shift = np.zeros_like(offsets)
    for plant, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        mine = np.flatnonzero((time >= start - 1e-9) & (time <= end + 1e-9) & (nearest == plant))
        if not len(mine):
            continue
        shift[mine] = offsets[mine]
        before = np.flatnonzero(time < start - 1e-9)
        since = float(ends[plant - 1]) if plant else -np.inf
        before = before[time[before] > since]
        shift[before] += _ease((start - time[before]) / min(FADE, start - since))[:, None] * offsets[mine[0]]
        until = float(starts[plant + 1]) if plant + 1 < len(starts) else np.inf
        after = np.flatnonzero((time > end + 1e-9) & (time < until))
        shift[after] += _ease((time[after] - end) / min(FADE, until - end))[:, None] * offsets[mine[-1]]
    return shift


def _out_of_floor(skeleton: Skeleton, side: int, ankle: Array, rotation: Array, toes: Array) -> tuple[Array, Array]:
    """Ankles (N, 3) and toes (N, 3, 3) with no point of the sole below the floor: the toes bend up, the foot lifts."""
    rest, joint = skeleton.joint(f"{SIDES[side]}Foot"), skeleton.joint(f"{SIDES[side]}Toes")
    heel, ball, tip = skeleton.soles[side]
    base = ankle + rotation @ (joint - rest)

    def above(bend: Array, point: Array) -> Array:
        height: Array = (rotation @ about(X_AXIS, -bend) @ toes @ (point - joint))[:, 2] + base[:, 2]
        return height

    low, high = np.zeros(len(ankle)), np.full(len(ankle), MOST_BEND)
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        deep = above(middle, tip) < 0.0
        low, high = np.where(deep, middle, low), np.where(deep, high, middle)
    bend = np.where(above(np.zeros(len(ankle)), tip) < -UNSEEN, high, 0.0)
    depth = np.minimum(np.minimum(above(bend, ball), above(bend, tip)), (ankle + rotation @ (heel - rest))[:, 2])
    return ankle + Z_AXIS * np.maximum(-depth, 0.0)[:, None], about(X_AXIS, -bend) @ toes


def _drop(skeleton: Skeleton, clip: Clip, held: list[_Held], fps: float) -> Array:
    """How far (N,) the hips must come down for the legs to reach, smoothly over time and never less than needed."""
    pelvis = clip.rotations[:, INDEX["hips"]]
    needed = np.zeros(len(clip))
    for side, name in enumerate(SIDES):
        joint = clip.hips + pelvis @ (skeleton.joint(f"{name}UpperLeg") - skeleton.joint("hips"))
        ankle = held[side].ankle
        reach = REACH * sum(limb_length(skeleton, name, LEG_BONES))
        across = np.linalg.norm((joint - ankle)[:, :2], axis=1)
        highest = ankle[:, 2] + np.sqrt(np.maximum(reach**2 - across**2, 0.0))
        needed = np.maximum(needed, joint[:, 2] - highest)
    needed = np.minimum(needed, MOST_DROP * skeleton.leg)
    reach_frames = max(1, round(DROP_SPAN * fps))
    window = 2 * reach_frames + 1
    padded = np.pad(needed, 2 * reach_frames, mode="edge")
    highest = np.lib.stride_tricks.sliding_window_view(padded, window).max(axis=-1)
    weights = np.hanning(window + 2)[1:-1]
    smooth: Array = np.lib.stride_tricks.sliding_window_view(highest, window) @ (weights / weights.sum())
    return smooth
