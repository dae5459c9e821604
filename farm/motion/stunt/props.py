"""The boxes that stunts are done on, over and onto, for one body."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.motion.clip import Clip
from farm.motion.flesh import lowest
from farm.motion.rotation import about
from farm.motion.skeleton import INDEX, Skeleton
from farm.motion.stunt.layout import Scale, displacement
from farm.motion.stunt.template import Prop

__all__ = ["Box", "Dent", "place_prop", "press"]

Array = NDArray[np.float64]
DEEPEST: Final = 0.9
"""Share of a mat's height to which it can be pressed down."""
NEAR: Final = 0.15
"""Metres above a mat within which joints are of a part that presses it."""
MIRRORED: Final = np.array([-1.0, 1.0, 1.0])
Z: Final = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class Box:
    """A box in the world.

    centre  (3,) metres
    size    (3,) metres along its own axes
    turn    radians about the vertical
    colour  linear RGB
    soft    whether it is a mat
    """

    centre: Array
    size: Array
    turn: float
    colour: tuple[float, float, float]
    soft: bool

    def turned(self, angle: float, *, mirror: bool) -> Box:
        """The box with left and right swapped, then turned about the world's vertical by an angle in radians."""
        centre, turn = (self.centre * MIRRORED, -self.turn) if mirror else (self.centre, self.turn)
        return replace(self, centre=about(Z, np.array(angle)) @ centre, turn=turn + angle)


@dataclass(frozen=True)
class Dent:
    """How a body presses a mat down.

    depth   (N,) metres by time
    places  (P, 2) what presses it, level, in the box's own axes
    """

    depth: Array
    places: Array


def press(box: Box, clip: Clip, skeleton: Skeleton) -> Dent:
    """How a clip presses a mat down: by the lowest part of a body that is over it."""
    turned, joints = skeleton.pose(clip.rotations, clip.hips)
    low, _ = lowest(skeleton, turned, joints)
    own = (joints - box.centre) @ about(Z, np.array(box.turn))
    over = (np.abs(own[:, INDEX["hips"], :2]) < 0.5 * box.size[:2]).all(axis=-1)
    depth = np.where(over, np.clip(box.centre[2] + 0.5 * box.size[2] - low, 0.0, DEEPEST * box.size[2]), 0.0)
    pressing = own[int(np.argmax(depth > 0.0)) :].reshape(-1, 3)
    near = pressing[:, 2] < 0.5 * box.size[2] + NEAR
    return Dent(depth, np.unique(pressing[near, :2].round(1), axis=0) if depth.any() else np.zeros((0, 2)))


def place_prop(prop: Prop, scale: Scale, skeleton: Skeleton, ground: Array) -> Box:
    """A prop for a body, where the stunt begins on a ground (3,)."""
    across, along, tall = prop.size
    return Box(
        centre=ground + displacement(prop.at, scale, skeleton),
        size=np.array([across * skeleton.leg, along * skeleton.leg, tall + prop.tall * scale.height]),
        turn=0.0,
        colour=prop.colour,
        soft=prop.soft,
    )
