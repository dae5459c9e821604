"""Motion of the canonical skeleton over frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from farm.motion.skeleton import BONES

__all__ = ["Clip"]


@dataclass(frozen=True)
class Clip:
    """What the canonical skeleton does, frame by frame.

    hips       (N, 3) where the hips are, metres
    rotations  (N, B, 3, 3) local rotations of BONES
    """

    hips: NDArray[np.float64]
    rotations: NDArray[np.float64]

    def __post_init__(self) -> None:
        frames = len(self.hips)
        if self.hips.shape != (frames, 3) or self.rotations.shape != (frames, len(BONES), 3, 3):
            raise ValueError(f"a clip of {frames} frames got hips {self.hips.shape}, rotations {self.rotations.shape}")

    def __len__(self) -> int:
        return len(self.hips)
