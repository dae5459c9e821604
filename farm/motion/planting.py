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
from farm.motion.contact import OUTWARD, Feet, two_bone
from farm.motion.rotation import about, between, slerp, unit
from farm.motion.skeleton import INDEX, SIDES, Skeleton

__all__ = ["Plant", "find_plants", "hold_feet", "point_speed", "scale_plants", "slides", "sole_points"]

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
DRIFT: Final = 0.05
"""A planted foot that is farther from its place than that, in metres, is still on its way to it or has left it."""
PIVOT: Final = np.radians(12.0)
"""A planted foot that turns by less keeps its heading; one that turns by more does so about its ball."""
FADE: Final = 0.3
"""Seconds in which the shift of a planted foot fades out before and after."""
SETTLE: Final = 0.08
"""Seconds in which a foot comes to rest at its place, and leaves it."""
REACH: Final = 0.9995
"""How long a leg is at most, in thighs and shins."""
MOST_DROP: Final = 0.15
"""How far the hips come down at most for a foot to reach its place, in leg lengths."""
DROP_SPAN: Final = 0.1
"""Seconds before and after, in which the hips come down and go up again."""
STRAIGHT: Final = 0.05
"""Up to this bend, in leg lengths, the knee's direction is more the thigh's front than where the knee is."""
PITCHES: Final = (-0.7, 1.4)
MOST_BEND: Final = np.radians(75.0)
"""How far toes bend up that stay on the floor while the heel lifts."""
X_AXIS, Z_AXIS = np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])
FORWARD: Final = np.array([0.0, -1.0, 0.0])
HEEL, BALL, TIP = 0, 1, 2


@dataclass(frozen=True)
class Plant:
    """A span in which a foot stands in its place.

    foot        index in SIDES
    start, end  seconds
    place       (2,) the point of the floor under the ankle of the foot lying flat
    heading     where the toes point, about the vertical from −Y, radians
    pivots      whether the foot turns meanwhile, about its ball; `heading` is its middle one then
    """

    foot: int
    start: float
    end: float
    place: tuple[float, float]
    heading: float
    pivots: bool


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
    pitch = np.clip(np.arctan2(-ahead[:, 2], above[:, 2]), *PITCHES)
    flat = places[:, ankle] - _rolled(skeleton, foot, heading, pitch)
    return _Foot(rotation, clip.rotations[:, toes], places[:, ankle], heading, pitch, flat[:, :2])


def _rolled(skeleton: Skeleton, foot: int, heading: Array, pitch: Array) -> Array:
    """Where the ankle is (N, 3) from the point of the floor under it when the foot lay flat."""
    feet = Feet(
        place=np.zeros((len(heading), 2, 3)),
        turn=heading[:, None] * OUTWARD,
        heel=np.repeat(pitch[:, None], 2, axis=1),
        grip=np.ones((len(heading), 2)),
    )
    rolled = feet.ankles(skeleton)[:, foot]
    rolled[:, :2] -= _under(skeleton, foot, heading)
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
        for first, last in _spans(down, fps):
            plants += _plant(skeleton, side, foot, (first, last), fps)
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
    held = np.isin(run, np.unique(run[enter & stay])) & stay
    return held


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


def _plant(skeleton: Skeleton, side: int, foot: _Foot, span: tuple[int, int], fps: float) -> list[Plant]:
    """The plant of a foot that is down from one frame to another, without the frames in which it comes and goes."""
    frames = np.arange(span[0], span[1] + 1)
    heading = foot.heading[frames]
    middle = float(np.median(heading))
    pivots = bool(np.ptp(heading) > PIVOT)
    places = foot.flat[frames] - pivots * (_under(skeleton, side, heading) - _under(skeleton, side, middle))
    place = np.median(places, axis=0)
    there = np.linalg.norm(places - place, axis=1) < DRIFT * skeleton.leg / LEG
    frames, places = frames[there], places[there]
    if not len(frames) or frames[-1] - frames[0] < SHORTEST * fps:
        return []
    x, y = np.median(places, axis=0).tolist()
    return [Plant(side, int(frames[0]) / fps, int(frames[-1]) / fps, (x, y), middle, pivots)]


def scale_plants(
    plants: Sequence[Plant], scale: float, *, speed: float = 1.0, delay: float = 0.0
) -> list[Plant]:
    """The plants of a performer of another size, at another speed, `delay` seconds later."""
    return [
        replace(
            each,
            start=each.start / speed + delay,
            end=each.end / speed + delay,
            place=(each.place[0] * scale, each.place[1] * scale),
        )
        for each in plants
    ]


def slides(clip: Clip, skeleton: Skeleton, plants: Sequence[Plant], fps: float) -> Array:
    """How far apart (P,) the places are, in metres, that each planted foot touches while it is."""
    soles = sole_points(skeleton, clip)
    found = []
    for plant in plants:
        foot = _read_foot(skeleton, clip, plant.foot)
        chosen = _frames(plant, len(clip), fps)
        rolls_on_ball = (foot.pitch[chosen] >= 0.0) | plant.pivots
        apart = 0.0
        for point, touching in ((BALL, rolls_on_ball), (HEEL, ~rolls_on_ball)):
            path = soles[chosen, plant.foot, point, :2][touching]
            if len(path):
                apart = max(apart, float(np.linalg.norm(np.ptp(path, axis=0))))
        found.append(apart)
    return np.array(found)


def _frames(plant: Plant, frames: int, fps: float) -> slice:
    first = int(np.ceil(plant.start * fps - 1e-6))
    return slice(max(first, 0), min(int(np.floor(plant.end * fps + 1e-6)), frames - 1) + 1)


def hold_feet(clip: Clip, skeleton: Skeleton, plants: Sequence[Plant], fps: float) -> Clip:
    """A clip with each planted foot in its place, and no foot through the floor z = 0."""
    held = [_hold(skeleton, clip, side, [plant for plant in plants if plant.foot == side], fps) for side in range(2)]
    hips = clip.hips - Z_AXIS * _drop(skeleton, clip, held, fps)[:, None]
    return Clip(hips, _solve(skeleton, clip, hips, held))


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
    lifted = _out_of_floor(skeleton, side, ankle, rotation, toes)
    return _Held(lifted, rotation, toes)


def _held(
    skeleton: Skeleton, foot: _Foot, side: int, plants: list[Plant], fps: float
) -> tuple[Array, Array, Array]:
    """Ankle, rotation and toes of a foot that rests in its places and moves between as it did."""
    time = np.arange(len(foot.ankle)) / fps
    plants = sorted(plants, key=lambda plant: plant.start)
    starts, ends = (np.array([getattr(plant, end) for plant in plants]) for end in ("start", "end"))
    nearest = np.argmin(np.maximum(starts - time[:, None], 0.0) + np.maximum(time[:, None] - ends, 0.0), axis=1)
    away = np.maximum(np.maximum(starts[nearest] - time, time - ends[nearest]), 0.0)
    gap = _gap(time, starts, ends)
    headings = np.array([plant.heading for plant in plants])[nearest]
    pivots = np.array([plant.pivots for plant in plants])[nearest]
    heading = foot.heading + np.where(pivots, 0.0, _wrapped(headings - foot.heading))
    pitch = np.where(pivots, np.maximum(foot.pitch, 0.0), foot.pitch)
    places = np.zeros((len(time), 3))
    places[:, :2] = np.array([plant.place for plant in plants])[nearest]
    places[:, :2] += _under(skeleton, side, heading) - _under(skeleton, side, headings)
    pinned = places + _rolled(skeleton, side, heading, pitch)

    fade = _ease(away / np.minimum(FADE, 0.5 * gap))
    settle = _ease(away / np.minimum(SETTLE, 0.5 * gap))
    shifted = foot.ankle + _shift(time, starts, ends, pinned - foot.ankle, nearest)
    ankle = shifted + settle[:, None] * (pinned - shifted)
    flat = about(Z_AXIS, heading) @ about(X_AXIS, pitch)
    gripping = about(X_AXIS, -np.clip(pitch, 0.0, MOST_BEND))
    return ankle, slerp(foot.rotation, flat, fade), slerp(foot.toes, gripping, settle)


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


def _out_of_floor(skeleton: Skeleton, side: int, ankle: Array, rotation: Array, toes: Array) -> Array:
    """Ankles (N, 3) lifted so that no point of the sole is below the floor."""
    rest, joint = skeleton.joint(f"{SIDES[side]}Foot"), skeleton.joint(f"{SIDES[side]}Toes")
    heel, ball, tip = skeleton.soles[side]
    base = rotation @ (joint - rest)
    points = [rotation @ (heel - rest), *(base + rotation @ toes @ (point - joint) for point in (ball, tip))]
    lowest = np.min([point[:, 2] for point in points], axis=0) + ankle[:, 2]
    lifted: Array = ankle + Z_AXIS * np.maximum(-lowest, 0.0)[:, None]
    return lifted


def _drop(skeleton: Skeleton, clip: Clip, held: list[_Held], fps: float) -> Array:
    """How far (N,) the hips must come down for the legs to reach, smoothly over time and never less than needed."""
    pelvis = clip.rotations[:, INDEX["hips"]]
    needed = np.zeros(len(clip))
    for side, name in enumerate(SIDES):
        joint = clip.hips + pelvis @ (skeleton.joint(f"{name}UpperLeg") - skeleton.joint("hips"))
        ankle = held[side].ankle
        reach = REACH * sum(_leg(skeleton, name))
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


def _leg(skeleton: Skeleton, name: str) -> tuple[float, float]:
    """Thigh and shin, metres."""
    return (
        skeleton.length(f"{name}UpperLeg", f"{name}LowerLeg"),
        skeleton.length(f"{name}LowerLeg", f"{name}Foot"),
    )


def _solve(skeleton: Skeleton, clip: Clip, hips: Array, held: list[_Held]) -> Array:
    """Local rotations (N, B, 3, 3) with the legs turned, as little as may be, to where the feet are held."""
    local = clip.rotations.copy()
    turned, places = skeleton.pose(clip.rotations, hips)
    for side, name in enumerate(SIDES):
        upper, lower, foot, toes = (INDEX[f"{name}{part}"] for part in ("UpperLeg", "LowerLeg", "Foot", "Toes"))
        start, knee, ankle = places[:, upper], places[:, lower], places[:, foot]
        lengths = _leg(skeleton, name)
        pole = _pole(start, knee, ankle, turned[:, upper] @ FORWARD, sum(lengths))
        first, second, _ = two_bone(start, held[side].ankle, pole, (np.array(lengths[0]), np.array(lengths[1])))
        turn = between(knee - start, first)
        thigh = turn @ turned[:, upper]
        shin = between((turn @ (ankle - knee)[..., None])[..., 0], second) @ turn @ turned[:, lower]
        parent = turned[:, INDEX["hips"]]
        for bone, world in ((upper, thigh), (lower, shin), (foot, held[side].rotation)):
            local[:, bone] = np.swapaxes(parent, -1, -2) @ world
            parent = world
        local[:, toes] = held[side].toes
    return local


def _pole(start: Array, knee: Array, ankle: Array, front: Array, leg: float) -> Array:
    """Where the knee points (N, 3): to where it is, and in a straight leg to the thigh's front."""
    along = unit(ankle - start)
    bulge = knee - start - np.sum((knee - start) * along, axis=-1, keepdims=True) * along
    level = unit(front - np.sum(front * along, axis=-1, keepdims=True) * along)
    pole: Array = bulge + STRAIGHT * leg * level
    return pole
