"""What a motion file holds before anything is known about it: joints with names, in the file's own units and axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Capture", "standard_rate"]

Array = NDArray[np.float64]

RATES: Final = (24000 / 1001, 24, 25, 30000 / 1001, 30, 48, 50, 60000 / 1001, 60, 72, 75, 90, 100, 120, 150, 180, 200,
                240, 250, 300, 360, 480, 500, 1000)  # fmt: skip
NEAR: Final = 2e-3
"""A rate this near to one of RATES, relatively, is that: files round their frame times."""


@dataclass(frozen=True)
class Capture:
    """A skeleton's rest and its motion, in the file's units and axes.

    names      R joints, parents before children
    parents    (R,) index of each joint's parent, −1 for none
    heads      (R, 3) and tails (R, 3) at rest
    axes       (R, 3, 3) the joints' rotations at rest
    positions  (N, R, 3) where the joints are
    rotations  (N, R, 3, 3) their rotations in the world
    fps        frames a second
    """

    names: tuple[str, ...]
    parents: NDArray[np.int32]
    heads: Array
    tails: Array
    axes: Array
    positions: Array
    rotations: Array
    fps: float

    def __len__(self) -> int:
        return len(self.positions)


def standard_rate(fps: float) -> float:
    """The usual frame rate that was meant where one is within 0.2 %: 59.9988 is 60."""
    nearest = min(RATES, key=lambda rate: abs(rate - fps))
    return float(nearest) if abs(nearest - fps) <= NEAR * nearest else fps
