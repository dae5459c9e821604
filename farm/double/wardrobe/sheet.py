"""Sheets of cloth as linear maps of the base mesh: each vertex is a weighted mean of base vertices (numpy and scipy).

What is decided once on the unshaped mesh then holds for every body, for rest coordinates and for skinning weights.
Sheets are the base mesh's tights, subdivided once by Catmull and Clark 1978, "Recursively generated B-spline surfaces
on arbitrary topological meshes", whose rules are linear in the vertices.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix, diags, vstack

from farm.double.base_mesh import base_mesh

__all__ = ["TIGHTS", "Sheet", "adjacency", "cut", "rims", "tights"]

Array = NDArray[np.float64]
Faces = NDArray[np.int32]
TIGHTS: Final = "helper-tights"
SNAP: Final = 0.25
"""Part of an edge that a vertex may be moved along it to lie on a cut."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """A surface of quads and triangles.

    mix    (S, V) sparse: rows add up to 1
    faces  (F, 4) of its vertices; a triangle's last corner is doubled
    """

    mix: csr_matrix
    faces: Faces

    @functools.cached_property
    def rest(self) -> Array:
        """The vertices (S, 3) on the unshaped mesh (treat them as read-only)."""
        places: Array = self.mix @ base_mesh().vertices
        return places

    @functools.cached_property
    def mean(self) -> csr_matrix:
        """What takes the mean over each vertex's neighbours (S, S)."""
        return adjacency(self.faces, self.mix.shape[0])


def _sparse(
    rows: NDArray[np.int64], columns: NDArray[np.int64], values: Array | float, shape: tuple[int, int]
) -> csr_matrix:
    return coo_matrix((np.broadcast_to(values, rows.shape), (rows, columns)), shape=shape).tocsr()


def _edges(faces: Faces) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Unique edges (E, 2), each face's edges (F, 4), and how many faces use each edge (E,).

    The doubled corner of a triangle is an edge from a vertex to itself, which no face uses.
    """
    pairs = np.sort(np.stack([faces, np.roll(faces, -1, axis=1)], axis=-1).reshape(-1, 2), axis=1)
    edges, inverse, uses = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
    uses = np.where(edges[:, 0] == edges[:, 1], 0, uses)
    return edges.astype(np.int64), inverse.reshape(faces.shape).astype(np.int64), uses


def _subdivide(faces: Faces, count: int) -> tuple[csr_matrix, Faces]:
    """One step of Catmull and Clark: a map (N', N) of the vertices, and the new faces."""
    edges, of_face, uses = _edges(faces)
    quads, corners = len(faces), faces.astype(np.int64)
    middle = _sparse(np.repeat(np.arange(quads), 4), corners.ravel(), 0.25, (quads, count))
    halves = _sparse(np.repeat(np.arange(len(edges)), 2), edges.ravel(), 0.5, (len(edges), count))
    beside = _sparse(of_face.ravel(), np.repeat(np.arange(quads), 4), 1.0, (len(edges), quads))
    inner = uses == 2
    along = diags(np.where(inner, 0.5, 1.0)) @ halves + diags(np.where(inner, 0.25, 0.0)) @ beside @ middle
    border = np.zeros(count, dtype=bool)
    border[edges[~inner].ravel()] = True
    around = _sparse(corners.ravel(), np.repeat(np.arange(quads), 4), 1.0, (count, quads))
    touching = _sparse(edges.ravel(), np.repeat(np.arange(len(edges)), 2), 1.0, (count, len(edges)))
    valence = np.maximum(np.asarray(around.sum(axis=1)).ravel(), 1.0)
    inside = np.where(border, 0.0, 1.0 / valence)
    smooth = (
        diags(inside / valence) @ around @ middle
        + diags(2.0 * inside / valence) @ touching @ halves
        + diags(np.where(border, 0.0, (valence - 3.0) / valence))
    )
    rim = _sparse(edges[~inner].ravel(), np.repeat(np.flatnonzero(~inner), 2), 1.0, (count, len(edges)))
    shares = np.maximum(np.asarray(rim.sum(axis=1)).ravel(), 1.0)
    kept = smooth + diags(np.where(border, 0.5, 0.0)) + diags(np.where(border, 0.5 / shares, 0.0)) @ rim @ halves
    stacked = csr_matrix(vstack([kept, along, middle]))
    first, centre = count, count + len(edges)
    new = [
        np.stack(
            [corners[:, at], first + of_face[:, at], centre + np.arange(quads), first + of_face[:, at - 1]], axis=1
        )
        for at in range(4)
    ]
    return stacked, np.concatenate(new).astype(np.int32)


@functools.cache
def tights() -> Sheet:
    """The whole tights, subdivided once. Cached; treat it as read-only."""
    base = base_mesh()
    used, flat = np.unique(base.faces[base.groups[TIGHTS]], return_inverse=True)
    finer, faces = _subdivide(flat.reshape(-1, 4).astype(np.int32), len(used))
    first = _sparse(np.arange(len(used)), used.astype(np.int64), 1.0, (len(used), len(base.vertices)))
    return Sheet(csr_matrix(finer @ first), faces)


def cut(sheet: Sheet, depth: Array) -> tuple[csr_matrix, Faces, NDArray[np.int64]]:
    """The part of a sheet where `depth` (S,) is positive, cut along the line where it is 0.

    Faces are clipped one by one (Sutherland and Hodgman 1974, "Reentrant polygon clipping"); vertices close to the line
    are moved onto it first, so that no sliver is left.

    Returns the part's N vertices as means (N, S) of the sheet's, its faces, and which of the sheet's vertices each one
    was, or lies beside.
    """
    on, depth = _snapped(sheet.faces, depth)
    rows, origin = [on], [np.arange(len(depth))]
    crossings: dict[tuple[int, int], int] = {}
    kept: list[list[int]] = []
    for face in sheet.faces[(depth[sheet.faces] > 0).any(axis=1)].tolist():
        polygon: list[int] = []
        for here, there in zip(face, face[1:] + face[:1], strict=True):
            if depth[here] >= 0:
                polygon.append(here)
            if depth[here] * depth[there] < 0:
                edge = (here, there) if depth[here] > 0 else (there, here)
                polygon.append(crossings.setdefault(edge, len(depth) + len(crossings)))
        kept += [[*polygon[:3], polygon[min(3, len(polygon) - 1)]]]
        if len(polygon) > 4:
            kept += [[polygon[0], polygon[3], polygon[4], polygon[-1]]]
    if crossings:
        inner, outer = np.array(list(crossings), dtype=np.int64).T
        share = depth[inner] / (depth[inner] - depth[outer])
        number = np.arange(len(inner))
        across = _sparse(number, inner, 1.0 - share, (len(inner), len(depth))) + _sparse(
            number, outer, share, (len(inner), len(depth))
        )
        rows, origin = [on, across @ on], [*origin, inner]
    used, flat = np.unique(np.array(kept, dtype=np.int32).reshape(-1, 4), return_inverse=True)
    return csr_matrix(vstack(rows))[used], flat.reshape(-1, 4).astype(np.int32), np.concatenate(origin)[used]


def _snapped(faces: Faces, depth: Array) -> tuple[csr_matrix, Array]:
    """Vertices (S, S) with those close to the line of depth 0 moved onto it along an edge, and the depth they have."""
    edges, _, _ = _edges(faces)
    both = np.concatenate([edges, edges[:, ::-1]])
    crossing = both[depth[both[:, 0]] * depth[both[:, 1]] < 0]
    share = depth[crossing[:, 0]] / (depth[crossing[:, 0]] - depth[crossing[:, 1]])
    order = np.argsort(share, kind="stable")
    nearest = order[np.unique(crossing[order, 0], return_index=True)[1]]
    near = nearest[share[nearest] < SNAP]
    moved, other = crossing[near].T
    part = np.zeros(len(depth))
    part[moved] = share[near]
    on = diags(1.0 - part) + _sparse(moved, other, share[near], (len(depth), len(depth)))
    return csr_matrix(on), np.where(part > 0, 0.0, depth)


def rims(faces: Faces) -> list[tuple[int, int]]:
    """Border edges as (here, there), directed as their face is."""
    _, of_face, uses = _edges(faces)
    return [(int(faces[face, at]), int(faces[face, (at + 1) % 4])) for face, at in np.argwhere(uses[of_face] == 1)]


def adjacency(faces: Faces, count: int) -> csr_matrix:
    """Row-normalised neighbours (N, N) along edges."""
    edges, _, uses = _edges(faces)
    edges = edges[uses > 0]
    both = np.concatenate([edges, edges[:, ::-1]])
    matrix = _sparse(both[:, 0], both[:, 1], 1.0, (count, count))
    total = np.maximum(np.asarray(matrix.sum(axis=1)).ravel(), 1.0)
    return csr_matrix(diags(1.0 / total) @ matrix)
