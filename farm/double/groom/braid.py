"""The plait of three strands: where each of them runs along a spine (numpy only).

The paths are those of Hu, Ma, Luo, Wei, Li 2014, "Capturing braided hairstyles" (ACM TOG 33:6), whose braid unit is
three sinusoids x = a sin(t), y = b sin(2 t), each a third of a period apart: x to the side, y out of the plait.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.double.groom.lay import Spine, Tube, unit

__all__ = ["STRANDS", "THIRD", "plait", "plait_hairs", "plait_length"]

Array = NDArray[np.float64]

STRANDS: Final = 3
SIDEWARD: Final = 1.50
OUTWARD: Final = 0.95
"""Swings a and b as multiples of a strand's radius. Strands of round section touch at 1.63 and 1.15; hair gives way."""
LOOSE: Final = 11.5
TIGHT: Final = 7.5
"""Lengths of a period as multiples of a strand's radius."""
THIRD: Final = 2 * np.pi / STRANDS
FLAT: Final = 0.85
"""Height of a strand's section to its width."""


def plait_length(radius: Array, tight: float) -> Array:
    """The length of a period for strands of `radius`."""
    return radius * (LOOSE + (TIGHT - LOOSE) * tight)


def plait(line: Spine, phase: Array, radius: Array, swing: Array) -> tuple[Tube, ...]:
    """The three strands of a plait around a curve of S points.

    `phase` (S,) is that of the plait in radians, `radius` (S,) a strand's in metres, and `swing` (S,) the share of the
    swings: at 0 all strands run in the middle.
    """
    tubes = []
    for strand in range(STRANDS):
        angle = phase + THIRD * strand
        side = SIDEWARD * radius * swing * np.sin(angle)
        lift = OUTWARD * radius * swing * np.sin(2 * angle)
        middle = line.points + side[:, None] * line.across + lift[:, None] * line.out
        tangent = unit(np.gradient(middle, axis=0))
        out = unit(line.out - np.einsum("nc,nc->n", line.out, tangent)[:, None] * tangent)
        across = radius[:, None] * np.cross(tangent, out)
        tubes.append(Tube(points=middle, across=across, out=FLAT * radius[:, None] * out, step=float(line.arc[1])))
    return tuple(tubes)


def plait_hairs(tubes: tuple[Tube, ...], arc: Array, strand: NDArray[np.int64], disc: Array) -> Array:
    """Points (N, P, 3) of hairs at distances (N, P) along a plait, in its strands (N,), at places (N, 2) of these."""
    found = np.empty((*arc.shape, 3), dtype=np.float32)
    for index, bundle in enumerate(tubes):
        mine = np.flatnonzero(strand == index)
        found[mine] = bundle.hairs(arc[mine], disc[mine, None])
    return found
