"""Strands follow guides: what turned a guide's segments turns those of the strands around it (numpy and scipy).

Each strand takes the rotations of the guides whose whole course is nearest to its own, blended linearly (Magnenat-
Thalmann, Laperrière, Thalmann 1988, "Joint-dependent local deformations"), and lays its own segments one after another
along them. So curls and locks keep their shape, roots stay in the skin and no strand changes its length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from farm.double.groom.chain import carried_frames, unit

__all__ = ["Followers", "bind_strands"]

Array = NDArray[np.float64]
Single = NDArray[np.float32]

GUIDES: Final = 3
"""Guides that a strand follows."""
NEAREST: Final = 0.002
"""Distance in metres under which guides weigh alike."""
COURSE: Final = (0.0, 0.35, 0.7, 1.0)
"""Where along a strand and a guide the distance between them is taken, as shares of their points."""
AT_ONCE: Final = 2_000
"""Strands that are moved together: as many as stay in a processor's cache."""


@dataclass(frozen=True)
class Followers:
    """Strands of equally many points, bound to guides at rest.

    roots     (S, 3)
    segments  (S, N − 1, 3) at rest, and their `length` (S, N − 1)
    weights   (S, G) of guides, rows summing to 1
    along     (N − 1,) the guides' segment that each of the strands' is turned with
    rest      (P − 1, G, 3) directions of the guides' segments at rest
    """

    roots: Single
    segments: Single
    length: Single
    weights: csr_array
    along: NDArray[np.int64]
    rest: Array

    def moved(self, guides: Array, drift: Array | None = None) -> Single:
        """The strands (S, N, 3) where the guides are at (G, P, 3), their roots moved by `drift` (S, 3)."""
        roots = self.roots if drift is None else (self.roots + drift).astype(np.float32)
        directions = unit(np.diff(guides.transpose(1, 0, 2), axis=0))
        turns = carried_frames(self.rest, directions)[self.along]
        count = turns.shape[1]
        table = np.ascontiguousarray(turns.transpose(1, 0, 2, 3).reshape(count, -1), dtype=np.float32)
        points = np.empty((len(self.roots), len(self.along) + 1, 3), dtype=np.float32)
        points[:, 0] = roots
        for start in range(0, len(points), AT_ONCE):
            rows = slice(start, start + AT_ONCE)
            segments = self.segments[rows]
            blended = (self.weights[rows] @ table).reshape(*segments.shape, 3)
            laid = (blended @ segments[..., None])[..., 0]
            grown = np.sqrt(np.einsum("snc,snc->sn", laid, laid))
            laid *= (self.length[rows] / np.maximum(grown, 1e-9))[..., None]
            points[rows, 1:] = roots[rows, None] + np.cumsum(laid, axis=1)
        return points


def bind_strands(strands: Array, guides: Array) -> Followers:
    """Bind strands (S, N, 3) to guides (G, P, 3), both at rest."""
    near = min(GUIDES, len(guides))
    distance, index = cKDTree(_course(guides)).query(_course(strands), k=near)
    distance, index = distance.reshape(-1, near), index.reshape(-1, near)
    share = 1.0 / (distance + NEAREST) ** 2
    share /= share.sum(axis=1, keepdims=True)
    rows = np.repeat(np.arange(len(strands)), near)
    weights = csr_array(
        (share.ravel().astype(np.float32), (rows, index.ravel())), shape=(len(strands), len(guides)), dtype=np.float32
    )
    segments = np.diff(strands, axis=1).astype(np.float32)
    middle = (np.arange(segments.shape[1]) + 0.5) / segments.shape[1]
    return Followers(
        roots=strands[:, 0].astype(np.float32),
        segments=segments,
        length=np.linalg.norm(segments, axis=2),
        weights=weights,
        along=np.minimum((middle * (guides.shape[1] - 1)).astype(np.int64), guides.shape[1] - 2),
        rest=unit(np.diff(guides.transpose(1, 0, 2), axis=0)),
    )


def _course(chains: Array) -> Array:
    """What tells the course of chains (N, P, 3): where they are at `COURSE` (N, 3 × shares)."""
    places = np.round(np.array(COURSE) * (chains.shape[1] - 1)).astype(int)
    return chains[:, places].reshape(len(chains), -1)
