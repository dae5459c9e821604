"""A triangle mesh as arrays, and what is nearest on it (numpy and scipy)."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from farm.double.normals import vertex_normals

__all__ = ["Surface", "as_quads"]

Array = NDArray[np.float64]

NEIGHBOURS: Final = 8
SPACING: Final = 0.004
"""Samples lie at most this far apart, in metres, as long as `SUBDIVISIONS` allow."""
SUBDIVISIONS: Final = 4


def as_quads(triangles: NDArray[np.int32]) -> NDArray[np.int32]:
    """Triangles (T, 3) as quads (T, 4) whose last corner is doubled."""
    return np.concatenate([triangles, triangles[:, 2:]], axis=1)


@dataclass(frozen=True)
class Surface:
    """vertices (V, 3) in metres and triangles (T, 3), counter-clockwise from outside."""

    vertices: Array
    triangles: NDArray[np.int32]

    @functools.cached_property
    def areas(self) -> Array:
        """Area of each triangle (T,) in m²."""
        a, b, c = (self.vertices[self.triangles[:, corner]] for corner in range(3))
        areas: Array = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
        return areas

    @functools.cached_property
    def normals(self) -> Array:
        """Unit normals of vertices (V, 3)."""
        return vertex_normals(self.vertices, as_quads(self.triangles))

    @functools.cached_property
    def vertex_areas(self) -> Array:
        """Each vertex's share of the area (V,) in m²."""
        return np.bincount(self.triangles.ravel(), np.repeat(self.areas / 3, 3), minlength=len(self.vertices))

    @functools.cached_property
    def _samples(self) -> tuple[NDArray[np.int64], Array]:
        """Triangle (S,) and barycentric weights (S, 3) of points spread over the surface."""
        a, b, c = (self.vertices[self.triangles[:, corner]] for corner in range(3))
        edge = np.max([np.linalg.norm(a - b, axis=1), np.linalg.norm(b - c, axis=1), np.linalg.norm(c - a, axis=1)], 0)
        steps = np.clip(np.ceil(edge / SPACING), 1, SUBDIVISIONS * 2).astype(int)
        found = []
        for count in np.unique(steps):
            chosen = np.flatnonzero((steps == count) & (self.areas > 1e-14))
            grid = np.array([(i, j) for i in range(count) for j in range(count - i)], dtype=float)
            weights = np.column_stack([grid + 1 / 3, count - grid.sum(axis=1) - 2 / 3]) / count
            found.append((np.repeat(chosen, len(weights)), np.tile(weights, (len(chosen), 1))))
        return np.concatenate([each for each, _ in found]), np.concatenate([each for _, each in found])

    @functools.cached_property
    def _tree(self) -> tuple[cKDTree, Array, Array]:
        triangle, weights = self._samples
        points = self.mixed(triangle, weights, self.vertices)
        normals = self.mixed(triangle, weights, self.normals)
        return cKDTree(points), points, normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)

    def mixed(self, triangle: NDArray[np.int64], weights: Array, values: Array) -> Array:
        """Values at vertices (V, C) mixed at points by triangle (N,) and barycentric weights (N, 3)."""
        mixed: Array = np.einsum("nk,nkc->nc", weights, values[self.triangles[triangle]])
        return mixed

    def nearest(self, points: Array, normals: Array, *, agree: float) -> tuple[NDArray[np.int64], Array, Array]:
        """For points (N, 3) with unit normals: the nearest sample whose normal agrees, the nearest point and distance.

        `agree` is the least cosine between the two normals; the distance is infinite where no near sample agrees.
        Returns samples (N,), points (N, 3) on their tangent planes and distances (N,) in metres.
        """
        tree, places, outward = self._tree
        span, index = tree.query(points, k=NEIGHBOURS)
        fits = np.einsum("nkc,nc->nk", outward[index], normals) >= agree
        first = np.argmax(fits, axis=1)
        rows = np.arange(len(points))
        sample = index[rows, first]
        away = points - places[sample]
        along = np.einsum("nc,nc->n", away, outward[sample])[:, None] * outward[sample]
        across = away - along
        slide = np.linalg.norm(across, axis=1, keepdims=True)
        landed = places[sample] + across * np.minimum(1.0, SPACING / np.maximum(slide, 1e-12))
        distance = np.where(fits.any(axis=1), span[rows, first], np.inf)
        return sample, landed, distance

    def values_at(self, sample: NDArray[np.int64], values: Array) -> Array:
        """Values at vertices (V, C), mixed at samples that `nearest` returned."""
        triangle, weights = self._samples
        return self.mixed(triangle[sample], weights[sample], values)
