"""The boxes that stunts are done on, over and onto, for one body."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.motion.rotation import about
from farm.motion.skeleton import Skeleton
from farm.motion.stunt.layout import Scale, displacement
from farm.motion.stunt.template import Prop

__all__ = ["Box", "place_prop"]

Array = NDArray[np.float64]
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
