"""Jumps on the spot: crouch, push off, fly, land, absorb, stand up.

The centre of mass is what moves by physics. From take-off to landing it is a free fall, whatever the limbs do; on the
ground it follows curves of least jerk that meet the flight with its velocity and with gravity's acceleration, so the
force on the floor fades out and in. The hips follow from it (`farm.motion.contact.balance`).

`Stunt.height` is the rise of the hips at the top above standing; the take-off's velocity and the time in the air follow
from it. The template describes a jump of full effort; a lower one bends, swings and stretches in proportion to
`effort = height / (height + half_effort)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from farm.motion.anatomy import read_bones, rotations
from farm.motion.clip import Clip
from farm.motion.contact import Feet, balance, solve_legs, support
from farm.motion.curve import Chain, Quintic, flow
from farm.motion.mass import centre_of_mass
from farm.motion.pose import PoseTemplate, Stance, load_pose, plant
from farm.motion.skeleton import Skeleton
from farm.recipe import templates
from farm.recipe.parameters import Stunt
from farm.recipe.templates import Part

__all__ = ["GRAVITY", "Jump", "plan_jump"]

Array = NDArray[np.float64]

GRAVITY: Final = 9.81
"""m/s²"""


class _Stretch(Part):
    """The legs at their longest in the air."""

    knee: float = Field(ge=3, le=60)
    heel: float = Field(ge=0, le=70)


class _Key(Part):
    """The posture at one moment.

    knee     bend of the straighter knee, degrees
    heel     heels lifted, degrees
    forward  where the weight is along the feet, from 0 over the heels to 1 over the balls
    back     how far the feet are drawn back, in leg lengths (in the air only)
    """

    knee: float = Field(ge=3, le=140)
    heel: float = Field(default=0.0, ge=0, le=70)
    forward: float = Field(default=1.0, ge=-0.5, le=1.5)
    back: float = Field(default=0.0, ge=-0.5, le=0.5)
    bones: dict[str, Any]


class _Keys(Part):
    low: _Key
    takeoff: _Key
    apex: _Key
    landing: _Key
    absorbed: _Key


class _File(Part):
    description: str
    start: str
    half_effort: float = Field(gt=0, le=1)
    anticipation: float = Field(gt=0.1, le=3)
    recovery: float = Field(gt=0.1, le=3)
    extended: _Stretch
    reaching: _Stretch
    keys: _Keys


MOMENTS: Final = ("stand", "low", "takeoff", "extended", "apex", "reaching", "landing", "absorbed", "end")
STAND, LOW, TAKEOFF, EXTENDED, APEX, REACHING, LANDING, ABSORBED, END = range(len(MOMENTS))
# The moments that have a posture of their own; in the other two only the legs differ from their neighbours'.
POSTURES: Final = (STAND, LOW, TAKEOFF, APEX, LANDING, ABSORBED, END)


@dataclass(frozen=True)
class _Moments:
    """What a body does at each of the M MOMENTS: angles (M, B, SLOTS) in degrees, the rest (M,), knee in radians."""

    angles: Array
    knee: Array
    heel: Array
    forward: Array
    back: Array
    grip: Array


@dataclass(frozen=True)
class Jump:
    """A jump planned for one double.

    times  (M,) seconds of MOMENTS since the beginning
    rise   the height of the centre of mass by time
    lift   the height of the balls of the feet by time
    """

    skeleton: Skeleton
    times: Array
    rise: Chain
    lift: Chain
    stance: Stance
    moments: _Moments

    @property
    def duration(self) -> float:
        """Seconds."""
        return float(self.times[END])

    @property
    def flight(self) -> tuple[float, float]:
        """When the feet leave the floor and when they are back, in seconds."""
        return float(self.times[TAKEOFF]), float(self.times[LANDING])

    def sample(self, at: Array) -> Clip:
        """The clip at times (N,) in seconds; it stands still before the beginning and after the end."""
        at = np.clip(at, 0.0, self.duration)
        keys, postures = self.moments, list(POSTURES)
        local = rotations(flow(self.times[postures], keys.angles[postures], at))
        heel, forward, back, grip = (
            flow(self.times, values, at) for values in (keys.heel, keys.forward, keys.back, keys.grip)
        )
        feet = _feet(self.skeleton, self.stance, heel, back, self.lift(at), grip)
        centre = np.column_stack([_over(self.skeleton, self.stance, forward), self.rise(at)])
        hips = balance(self.skeleton, local, feet, centre)
        return Clip(hips, solve_legs(self.skeleton, local, hips, feet))


def plan_jump(stunt: Stunt, skeleton: Skeleton) -> Jump:
    """Plan a jump of `stunt.height` from the template `stunt.name`; TemplateError where that is missing or wrong."""
    file, place = templates.read(_File, "stunts", stunt.name), templates.place("stunts", stunt.name)
    start = load_pose(file.start)
    effort = stunt.height / (stunt.height + file.half_effort)
    moments = _read_moments(file, place, start, effort)
    hips, centre = _heights(skeleton, start.stance, moments)
    top = hips[STAND] + stunt.height + centre[APEX] - hips[APEX]
    up = float(np.sqrt(2.0 * GRAVITY * (top - centre[TAKEOFF])))
    down = float(np.sqrt(2.0 * GRAVITY * (top - centre[LANDING])))
    stretch = 2.0 * (centre[EXTENDED] - centre[TAKEOFF]) / up
    reach = 2.0 * (centre[REACHING] - centre[LANDING]) / down
    pace = 0.5 + 0.5 * effort
    steps = [
        file.anticipation * pace,
        _force_time(centre[TAKEOFF] - centre[LOW], up),
        stretch,
        up / GRAVITY - stretch,
        down / GRAVITY - reach,
        reach,
        _force_time(centre[LANDING] - centre[ABSORBED], down),
        file.recovery * pace,
    ]
    times = np.concatenate([[0.0], np.cumsum(steps)])
    rise = _rise(times, centre, up, down)
    return Jump(skeleton, times, rise, _lift(times, centre, rise, up, down), start.stance, moments)


def _rise(times: Array, centre: Array, up: float, down: float) -> Chain:
    """The centre of mass: least jerk on the ground, free fall between."""
    still = [(height, 0.0, 0.0) for height in centre]
    leaving, arriving = (centre[TAKEOFF], up, -GRAVITY), (centre[LANDING], -down, -GRAVITY)
    starts = [STAND, LOW, TAKEOFF, LANDING, ABSORBED]
    return Chain(
        times[starts],
        (
            Quintic(still[STAND], still[LOW], times[LOW] - times[STAND]),
            Quintic(still[LOW], leaving, times[TAKEOFF] - times[LOW]),
            lambda at: centre[TAKEOFF] + up * at - 0.5 * GRAVITY * at**2,
            Quintic(arriving, still[ABSORBED], times[ABSORBED] - times[LANDING]),
            Quintic(still[ABSORBED], still[END], times[END] - times[ABSORBED]),
        ),
    )


def _lift(times: Array, centre: Array, rise: Chain, up: float, down: float) -> Chain:
    """The balls of the feet: on the floor until take-off, then below the centre of mass as far as the legs are long.

    At take-off the legs still stretch as fast as the body rises, and at landing they already yield as fast as it falls:
    so the feet leave and meet the floor without a jolt.
    """
    states = {moment: (centre[moment], 0.0, 0.0) for moment in (EXTENDED, APEX, REACHING)}
    states[TAKEOFF] = (centre[TAKEOFF], up, -GRAVITY)
    states[LANDING] = (centre[LANDING], -down, -GRAVITY)
    below = Chain(
        times[TAKEOFF:LANDING],
        [Quintic(states[i], states[i + 1], times[i + 1] - times[i]) for i in range(TAKEOFF, LANDING)],
    )
    takeoff = times[TAKEOFF]
    return Chain(
        times[[STAND, TAKEOFF, LANDING]],
        (np.zeros_like, lambda at: rise(at + takeoff) - below(at + takeoff), np.zeros_like),
    )


def _force_time(distance: float, speed: float) -> float:
    """Seconds in which the legs push from rest to a speed over a distance, or stop a body that arrives with it.

    The longest time in which a curve of least jerk that ends in free fall does not first go the other way makes the
    distance 10 d = 4 v t + g t² / 2; nine tenths of it are taken.
    """
    longest = (np.sqrt(16.0 * speed**2 + 20.0 * GRAVITY * distance) - 4.0 * speed) / GRAVITY
    return float(0.9 * longest)


def _read_moments(file: _File, place: str, start: PoseTemplate, effort: float) -> _Moments:
    """The template's moments, scaled from standing still by effort."""
    keys = {MOMENTS.index(name): getattr(file.keys, name) for name in _Keys.model_fields}
    legs = {**keys, EXTENDED: file.extended, REACHING: file.reaching}
    angles = np.repeat(start.angles[None], len(MOMENTS), axis=0)
    for moment, key in keys.items():
        angles[moment] = read_bones(key.bones, f"{place}: keys.{MOMENTS[moment]}.bones")
    angles[EXTENDED], angles[REACHING] = angles[TAKEOFF], angles[LANDING]

    def scaled(name: str, rest: float, source: dict[int, Any]) -> Array:
        values = [getattr(source[moment], name) if moment in source else rest for moment in range(len(MOMENTS))]
        return rest + effort * (np.array(values) - rest)

    forward = scaled("forward", start.stance.forward, keys)
    forward[[EXTENDED, APEX, REACHING, LANDING]] = forward[TAKEOFF]
    return _Moments(
        angles=start.angles + effort * (angles - start.angles),
        knee=np.radians(scaled("knee", start.stance.knee, legs)),
        heel=np.radians(scaled("heel", 0.0, legs)),
        forward=forward,
        back=scaled("back", 0.0, keys),
        grip=np.array([0.0 if moment == APEX else 1.0 for moment in range(len(MOMENTS))]),
    )


def _heights(skeleton: Skeleton, stance: Stance, moments: _Moments) -> tuple[Array, Array]:
    """The heights (M,) of the hips and of the centre of mass above the balls of the feet at each moment."""
    feet = _feet(skeleton, stance, moments.heel, moments.back, np.zeros(len(MOMENTS)), moments.grip)
    centre = np.column_stack([_over(skeleton, stance, moments.forward), np.zeros(len(MOMENTS))])
    local = rotations(moments.angles)
    hips = balance(skeleton, local, feet, centre, knee=moments.knee)
    _, places = skeleton.pose(solve_legs(skeleton, local, hips, feet), hips)
    return hips[:, 2], centre_of_mass(places)[:, 2]


def _feet(skeleton: Skeleton, stance: Stance, heel: Array, back: Array, lift: Array, grip: Array) -> Feet:
    """The feet at N moments: where the stance has them, with the rest (N,) added."""
    standing = plant(skeleton, stance)
    moved = np.stack([np.zeros_like(back), back * skeleton.leg, lift], axis=-1)
    return Feet(
        place=standing.place + moved[:, None],
        turn=np.broadcast_to(standing.turn, (len(heel), 2)),
        heel=standing.heel + heel[:, None],
        grip=np.repeat(grip[:, None], 2, axis=1),
    )


def _over(skeleton: Skeleton, stance: Stance, forward: Array) -> Array:
    """The point of the floor (N, 2) that the weight is over, for how far forward (N,) it is on the feet."""
    standing = plant(skeleton, stance)
    return support(skeleton, standing, forward=forward, left=np.full_like(forward, stance.left))
