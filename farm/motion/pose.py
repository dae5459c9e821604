"""Poses: a template's joint angles, with the feet on the floor and the weight over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from farm.errors import TemplateError
from farm.motion.anatomy import mirror_angles, read_bones, rotations
from farm.motion.clip import Clip
from farm.motion.contact import OUTWARD, Feet, balance, solve_legs, support
from farm.motion.skeleton import INDEX, SIDES, Skeleton
from farm.recipe import templates
from farm.recipe.parameters import Pose
from farm.recipe.templates import Part

__all__ = ["Foot", "PoseTemplate", "Stance", "load_pose", "plant", "sample_pose", "stand"]

Array = NDArray[np.float64]
BALL: Final = 1
TOLERANCE: Final = 1e-3
"""How far from its place a foot may be, metres."""


class Foot(Part):
    """Where a foot stands: distances in leg lengths from under its hip joint, angles in degrees."""

    ahead: float = Field(default=0.0, ge=-1, le=1)
    out: float = Field(default=0.0, ge=-0.5, le=1)
    turn: float = Field(default=7.0, ge=-30, le=60)
    heel: float = Field(default=0.0, ge=-40, le=70)


class _Feet(Part):
    left: Foot = Foot()
    right: Foot = Foot()


class Stance(Part):
    """How the legs carry the body.

    knee      bend of the straighter knee, degrees: it sets the height of the hips
    forward   where the weight is along the feet, from 0 over the heels to 1 over the balls
    left      the left foot's share of the weight
    """

    knee: float = Field(default=5.0, ge=3, le=140)
    forward: float = Field(default=0.5, ge=-0.5, le=1.5)
    left: float = Field(default=0.5, ge=0, le=1)
    feet: _Feet = _Feet()


class _File(Stance):
    description: str
    bones: dict[str, Any]


@dataclass(frozen=True)
class PoseTemplate:
    """A pose for any body: its angles (B, SLOTS) in degrees and its stance."""

    angles: Array
    stance: Stance

    def mirrored(self) -> PoseTemplate:
        """Left and right swapped."""
        feet = _Feet(left=self.stance.feet.right, right=self.stance.feet.left)
        stance = self.stance.model_copy(update={"feet": feet, "left": 1.0 - self.stance.left})
        return PoseTemplate(mirror_angles(self.angles), stance)


def load_pose(name: str) -> PoseTemplate:
    """The template of a pose; TemplateError where it is missing or wrong."""
    data, place = templates.read(_File, "poses", name), templates.place("poses", name)
    return PoseTemplate(read_bones(data.bones, f"{place}: bones"), data)


def plant(skeleton: Skeleton, stance: Stance) -> Feet:
    """The feet () of a stance on the floor."""
    feet = [getattr(stance.feet, side) for side in SIDES]
    place = skeleton.soles[:, BALL].copy()
    place[:, 0] += [foot.out * sign * skeleton.leg for foot, sign in zip(feet, OUTWARD, strict=True)]
    place[:, 1] -= [foot.ahead * skeleton.leg for foot in feet]
    turn, heel = np.radians([[foot.turn for foot in feet], [foot.heel for foot in feet]])
    return Feet(place=place, turn=turn, heel=heel, grip=np.ones(2))


def stand(skeleton: Skeleton, template: PoseTemplate) -> tuple[Array, Array]:
    """The hips' position (3,) and local rotations (B, 3, 3) of a pose on the floor.

    The centre of mass is over the stance's support, seen from above; the hips are as high as the stance's knees say.
    """
    stance = template.stance
    feet = plant(skeleton, stance)
    local = rotations(template.angles)
    over = support(skeleton, feet, forward=np.array(stance.forward), left=np.array(stance.left))
    hips = balance(skeleton, local, feet, np.array([*over, 0.0]), knee=np.radians(stance.knee))
    return hips, solve_legs(skeleton, local, hips, feet)


def sample_pose(pose: Pose, skeleton: Skeleton) -> Clip:
    """A clip of one frame; TemplateError where the template is missing or wrong, or its feet are out of reach."""
    template = load_pose(pose.name)
    if pose.mirror:
        template = template.mirrored()
    hips, local = stand(skeleton, template)
    _, places = skeleton.pose(local, hips)
    ankles = places[[INDEX[f"{side}Foot"] for side in SIDES]]
    if np.abs(ankles - plant(skeleton, template.stance).ankles(skeleton)).max() > TOLERANCE:
        place = templates.place("poses", pose.name)
        raise TemplateError(f"{place}: the legs do not reach the feet; bring those nearer")
    return Clip(hips[None], local[None])
