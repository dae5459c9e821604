"""What a groom measures: length, curl and volume of its strands, to tell grooms apart and to plot their spread."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["GroomStatistics", "measure_strands"]

CELL: Final = 0.006
"""Side in metres of the cells that volume is counted in."""


@dataclass(frozen=True)
class GroomStatistics:
    """The measures of one groom; all 0 where there is no hair.

    length  mean length of a strand, in metres
    curl    mean curvature of the strands, in 1/m: how far they turn, in radians, for each metre
    volume  space that strands pass through, in litres, in cells of 6 mm
    reach   greatest distance of a strand's point from the roots' middle, in metres
    """

    length: float
    curl: float
    volume: float
    reach: float

    def differs(self, other: GroomStatistics, share: float = 1e-6) -> bool:
        """Whether any measure differs by more than `share` of itself."""
        return not np.allclose(astuple(self), astuple(other), rtol=share, atol=0.0)


def measure_strands(points: NDArray[np.float64], first: NDArray[np.int32]) -> GroomStatistics:
    """Measure strands whose points (N, 3) in metres follow each other; strand i begins at `first[i]` (strands + 1,)."""
    if len(first) < 2:
        return GroomStatistics(0.0, 0.0, 0.0, 0.0)
    steps = np.diff(points, axis=0)
    lengths = np.linalg.norm(steps, axis=1)
    inside = np.ones(len(steps), dtype=bool)
    inside[first[1:-1] - 1] = False
    total = float(lengths[inside].sum())
    turning = inside[1:] & inside[:-1]
    cosines = np.einsum("nc,nc->n", steps[1:], steps[:-1]) / np.maximum(lengths[1:] * lengths[:-1], 1e-18)
    turned = float(np.arccos(np.clip(cosines[turning], -1.0, 1.0)).sum())
    cells = np.unique(np.floor(points / CELL).astype(np.int64), axis=0)
    middle = points[first[:-1]].mean(axis=0)
    return GroomStatistics(
        length=total / (len(first) - 1),
        curl=turned / max(total, 1e-12),
        volume=len(cells) * CELL**3 * 1000.0,
        reach=float(np.linalg.norm(points - middle, axis=1).max()),
    )
