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
    normals = np.zeros_like(vertices)
    for corner in range(faces.shape[1]):
        np.add.at(normals, faces[:, corner], diagonals)
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    return normals / np.maximum(lengths, 1e-12)
