"""Poses varied at random: every angle of a pose by a normal deviation that keeps to the limits of its joint.

A deviation is drawn from a normal distribution that is cut off at the joint's limits and at `FARTHEST` standard
deviations. `spread` is the standard deviation at the core; `SHARES` says how much of it the other joints have. Planted
feet are moved and turned instead of their legs' joints, and knees bent, and what carries the body is not varied.
"""

from __future__ import annotations

from dataclasses import replace
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.motion.anatomy import ANGLES, SLOTS
from farm.motion.joint_angles import LIMITS
from farm.motion.pose import Foot, PoseTemplate, Stance
from farm.motion.skeleton import BONES, INDEX, SIDES
from farm.recipe.variant import stream

__all__ = ["FARTHEST", "SHARES", "Deviations", "draw_deviations", "vary_pose"]

Array = NDArray[np.float64]

FARTHEST: Final = 2.5
"""Standard deviations beyond which nothing is drawn."""
CORE, ELBOWS, WRISTS, FINGERS = 1.0, 0.7, 0.5, 0.35
SHARES: Final[dict[str, float]] = {
    "jaw": 0.0,
    "Eye": 0.0,
    "neck": ELBOWS,
    "head": ELBOWS,
    "LowerArm": ELBOWS,
    "LowerLeg": ELBOWS,
    "Hand": WRISTS,
    "Foot": WRISTS,
    "Toes": FINGERS,
    "Metacarpal": FINGERS,
    "Proximal": FINGERS,
    "Intermediate": FINGERS,
    "Distal": FINGERS,
}
"""A joint's standard deviation as a share of the core's, by the ending of its name; 1 for hips, spine, chest,
shoulders, upper arms and thighs."""
STEP: Final = 0.25
"""How far a planted foot goes, in leg lengths, for each radian of the core's deviation; twice as far along as aside."""
NORMAL: Final = NormalDist()
NOTHING: Final = 1e-9

Deviations = NDArray[np.float64]
"""Uniform numbers in 0..1: (B, SLOTS) of the bones' angles, then a row of each foot and one of the knee."""


def draw_deviations(seed: int) -> Deviations:
    """The random numbers (B + 3, SLOTS) of a pose's seed."""
    return stream(seed, "pose", "spread").uniform(size=(len(BONES) + len(SIDES) + 1, SLOTS))


def vary_pose(template: PoseTemplate, deviations: Deviations, spread: float) -> PoseTemplate:
    """A pose varied by a standard deviation in degrees at the core; the pose itself at 0."""
    angles = template.angles.copy()
    for bone, index in INDEX.items():
        sigma = spread * _share(bone)
        for slot in range(len(ANGLES[bone])):
            low, high = LIMITS[index, slot]
            angles[index, slot] = _drawn(angles[index, slot], sigma, low, high, deviations[index, slot])
    return replace(template, angles=angles, stance=_vary_stance(template.stance, deviations[len(BONES) :], spread))


def _share(bone: str) -> float:
    return next((share for ending, share in SHARES.items() if bone.endswith(ending)), CORE)


def _vary_stance(stance: Stance, deviations: Array, spread: float) -> Stance:
    feet = {}
    for row, side in enumerate(SIDES):
        foot = getattr(stance.feet, side)
        step = np.radians(spread) * STEP
        sigmas = {"ahead": 2.0 * step, "out": step, "turn": spread * WRISTS}
        feet[side] = foot.model_copy(
            update={
                name: _drawn(getattr(foot, name), sigma, *_range(Foot, name), deviations[row, slot])
                for slot, (name, sigma) in enumerate(sigmas.items())
            }
        )
    knee = _drawn(stance.knee, spread * ELBOWS, *_range(Stance, "knee"), deviations[-1, 0])
    return stance.model_copy(update={"feet": stance.feet.model_copy(update=feet), "knee": knee})


def _range(model: type[Foot] | type[Stance], name: str) -> tuple[float, float]:
    marks = model.model_fields[name].metadata
    low, high = (next(getattr(mark, bound) for mark in marks if hasattr(mark, bound)) for bound in ("ge", "le"))
    return float(low), float(high)


def _drawn(mean: float, sigma: float, low: float, high: float, uniform: float) -> float:
    """A number from the normal distribution about `mean`, cut off at low, high and FARTHEST standard deviations."""
    if sigma < NOTHING:
        return mean
    ends = [NORMAL.cdf(float(np.clip((end - mean) / sigma, -FARTHEST, FARTHEST))) for end in (low, high)]
    level = ends[0] + uniform * (ends[1] - ends[0])
    return float(np.clip(mean + sigma * NORMAL.inv_cdf(min(max(level, 1e-9), 1.0 - 1e-9)), low, high))
