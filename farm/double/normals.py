"""Normals of meshes (numpy only)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["vertex_normals"]


def vertex_normals(vertices: NDArray[np.float64], faces: NDArray[np.int32]) -> NDArray[np.float64]:
    """Unit normals (V, 3) of vertices (V, 3) of quads (F, 4): the mean of the faces around each, weighted by area.

    They are 0 where there are no faces.
    """
    diagonals = np.cross(vertices[faces[:, 2]] - vertices[faces[:, 0]], vertices[faces[:, 3]] - vertices[faces[:, 1]])
    corners = faces.T.ravel()
    around = np.tile(diagonals, (faces.shape[1], 1))
    normals = np.stack([np.bincount(corners, around[:, axis], len(vertices)) for axis in range(3)], axis=1)
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    return normals / np.maximum(lengths, 1e-12)
