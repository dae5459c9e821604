"""What moving hair cannot pass: samples of skin and clothes that move with the pose (numpy and scipy).

Distances are those to the plane of the nearest sample (Hoppe et al. 1992, as in `farm.double.groom.collider`), which
needs no grid, so that a surface may bend from frame to frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

__all__ = ["REACH", "Surface", "anchor"]

Array = NDArray[np.float64]

REACH: Final = 0.03
"""How far from its nearest sample, outside or inside, a point has a distance."""
SAMPLE_RADIUS: Final = 0.006
"""Half the distance between samples."""
ANCHORS: Final = 4
NEAREST: Final = 0.001
"""Distance in metres under which samples weigh alike."""


def anchor(points: Array, samples: Array) -> csr_array:
    """What carries points (M, 3) along with the samples (N, 3) that they lie among: (M, N), rows summing to 1."""
    near = min(ANCHORS, len(samples))
    distance, index = cKDTree(samples).query(points, k=near)
    share = 1.0 / (np.reshape(distance, (-1, near)) + NEAREST) ** 2
    share /= share.sum(axis=1, keepdims=True)
    rows = np.repeat(np.arange(len(points)), near)
    return csr_array((share.ravel(), (rows, np.ravel(index))), shape=(len(points), len(samples)))


@dataclass(frozen=True)
class Surface:
    """Samples over one frame's time: where they are at its `start` and `end` (N, 3), and their `normals` (N, 3)."""

    start: Array
    end: Array
    normals: Array
    tree: cKDTree

    @classmethod
    def of(cls, start: Array, end: Array, normals: Array) -> Surface:
        """Ready to be asked."""
        return cls(start, end, normals, cKDTree(end, balanced_tree=False, compact_nodes=False))

    def nearest(self, points: Array) -> NDArray[np.int64]:
        """The nearest sample (...) of each of points (..., 3); that of a far point is the number of samples."""
        _, index = self.tree.query(points.reshape(-1, 3), distance_upper_bound=REACH)
        return np.asarray(index, dtype=np.int64).reshape(points.shape[:-1])

    def distance(self, points: Array, nearest: NDArray[np.int64], fraction: float) -> tuple[Array, Array]:
        """Signed distance (...), infinite where no sample is near, and outward normal (..., 3) of points (..., 3).

        `fraction` of the frame's time has passed.
        """
        signed, normal = np.full(nearest.shape, np.inf), np.zeros_like(points)
        near = nearest < len(self.end)
        chosen = nearest[near]
        offset = points[near] - (self.start[chosen] + fraction * (self.end[chosen] - self.start[chosen]))
        normal[near] = self.normals[chosen]
        along = np.einsum("nc,nc->n", offset, normal[near])
        size = np.sqrt(np.maximum(along**2, np.einsum("nc,nc->n", offset, offset) - SAMPLE_RADIUS**2))
        signed[near] = np.where(along < 0, along, size)
        return signed, normal
