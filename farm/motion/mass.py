"""Where a posture's weight is: the centre of mass from segment masses.

Masses and centres are de Leva's (1996, "Adjustments to Zatsiorsky-Seluyanov's segment inertia parameters", J.
Biomechanics 29), the mean of women and men; the trunk's three parts are laid between the spine's joints.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.motion.skeleton import INDEX, SIDES

__all__ = ["SEGMENTS", "Segment", "centre_of_mass"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Segment:
    """A part of the body: its share of the body's mass, centred `along` (0 to 1) from one joint to another."""

    share: float
    start: str
    end: str
    along: float


def _limb(side: str) -> list[Segment]:
    return [
        Segment(0.0263, f"{side}UpperArm", f"{side}LowerArm", 0.576),
        Segment(0.0150, f"{side}LowerArm", f"{side}Hand", 0.457),
        Segment(0.0059, f"{side}Hand", f"{side}MiddleProximal", 0.769),
        Segment(0.1447, f"{side}UpperLeg", f"{side}LowerLeg", 0.385),
        Segment(0.0457, f"{side}LowerLeg", f"{side}Foot", 0.444),
        Segment(0.0133, f"{side}Foot", f"{side}Toes", 0.5),
    ]


SEGMENTS: Final = (
    Segment(0.0681, "neck", "head", 1.5),
    Segment(0.1571, "upperChest", "neck", 0.5),
    Segment(0.1549, "spine", "upperChest", 0.55),
    Segment(0.1182, "hips", "chest", 0.35),
    *(segment for side in SIDES for segment in _limb(side)),
)

_TOTAL: Final = sum(segment.share for segment in SEGMENTS)


def centre_of_mass(places: Array) -> Array:
    """The centre of mass (..., 3) of joints (..., B, 3)."""
    centre = np.zeros((*places.shape[:-2], 3))
    for segment in SEGMENTS:
        start, end = places[..., INDEX[segment.start], :], places[..., INDEX[segment.end], :]
        centre += segment.share / _TOTAL * (start + segment.along * (end - start))
    return centre
