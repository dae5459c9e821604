"""Our base head laid onto any other head, so that what is known on ours is known there (numpy and scipy).

A similarity, then an affine map by iterated closest points (Besl and McKay 1992, "A method for registration of 3-D
shapes"), trimmed as by Chetverikov, Stepanov and Krsek 2005 ("Robust Euclidean alignment of 3D point sets: the trimmed
iterative closest point algorithm"); then a displacement field smoothed by a Gaussian that narrows from step to step,
as in coherent point drift (Myronenko and Song 2010) and non-rigid ICP (Amberg, Romdhani and Vetter 2007).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.double.base_mesh import base_mesh
from farm.double.own.surface import Surface
from farm.double.scalp import scalp_mask
from farm.double.shape import shape_vertices
from farm.errors import BadInput
from farm.recipe.parameters import Body

__all__ = ["HeadFit", "Template", "fit_head", "template"]

Array = NDArray[np.float64]

NECK: Final = 0.60
"""Height of the template's lower end on the unshaped base mesh, in metres."""
CRANIUM: Final = 0.10
"""The part below the top of the skull whose width sets the first guess of the scale, in metres."""
SCALES: Final = (1.0, 0.92, 1.08)
"""Corrections of the first guess that are tried, the best of which is kept."""
SIMILAR_ROUNDS: Final = 12
AFFINE_ROUNDS: Final = 15
FEW: Final = slice(None, None, 5)
"""The vertices that similarity and affine map are found by."""
LEADING: Final = slice(None, None, 3)
"""The vertices that the displacement is found by."""
TRIM: Final = 0.75
"""Share of correspondences that are trusted."""
AGREE: Final = 0.4
WIDTHS: Final = (0.05, 0.035, 0.025, 0.018, 0.012)
"""Widths of the Gaussian that smooths the displacement, in metres on the template."""
ROUNDS_PER_WIDTH: Final = 4
FARTHEST: Final = 0.03
CHIN_REACH: Final = 0.06
"""How far the chin lies below the mouth at most, in metres."""
NO_HEAD: Final = "the highest part of the head's mesh does not look like the top of a head"
FEWEST: Final = 12
"""Vertices that the top of a head has at least."""
EYE_SKIN: Final = 60
"""So many of the vertices nearest to an eye carry it along."""


@dataclass(frozen=True)
class Template:
    """The average adult's head: its surface, hair density at vertices (V,), eyes (2, 3) and the chin's vertex."""

    surface: Surface
    scalp: Array
    eyes: Array
    chin: int


@dataclass(frozen=True)
class HeadFit:
    """The template laid onto a head.

    surface   the template's triangles where they lie now, in the head's upright axes (x left, y back, z up), metres
    eyes      (2, 3) centres of the left and right eye
    chin      (3,)
    scale     size of the head relative to the template's
    residual  median distance of the cranium from the head's skin, in metres
    """

    surface: Surface
    eyes: Array
    chin: Array
    scale: float
    residual: float


@functools.cache
def template() -> Template:
    """The head that is laid onto others (cached; treat it as read-only)."""
    base, shape = base_mesh(), shape_vertices(Body())
    kept = np.zeros(len(shape), dtype=bool)
    kept[base.group_vertices("body")] = True
    kept &= base.vertices[:, 2] > NECK
    faces = base.faces[base.groups["body"]]
    faces = faces[kept[faces].all(axis=1)]
    vertices = np.unique(faces)
    faces = np.searchsorted(vertices, faces).astype(np.int32)
    triangles = np.concatenate([faces[:, [0, 1, 2]], faces[:, [0, 2, 3]]])
    eyes = np.stack([shape[base.group_vertices(f"joint-{side}-eye")].mean(axis=0) for side in "lr"])
    surface = Surface(shape[vertices], triangles)
    mouth = shape[base.group_vertices("joint-jaw")].mean(axis=0)
    return Template(surface, scalp_mask()[vertices], eyes, _chin(surface.vertices, eyes, mouth))


def _chin(points: Array, eyes: Array, mouth: Array) -> int:
    """The lowest vertex under the mouth, in the middle of the face."""
    inside = (np.abs(points[:, 0]) < 0.01) & (points[:, 1] < eyes[:, 1].mean()) & (points[:, 2] > mouth[2] - CHIN_REACH)
    rows = np.flatnonzero(inside)
    return int(rows[np.argmin(points[rows, 2])])


def fit_head(head: Surface, *, eyes: Array | None = None) -> HeadFit:
    """Lay the template onto a head's skin in upright axes (x left, y back, z up), in metres.

    `head` may hold the whole body; only what lies around the top of the skull is met. `eyes` (2, 3), the left one
    first, are one more guess of where the head is.
    """
    known = template()
    guesses = [_guess_by_size(head, correction) for correction in SCALES]
    if eyes is not None:
        guesses.append(_guess_by_eyes(eyes))
    placed = min((_similar(head, guess) for guess in guesses), key=lambda each: _miss(head, each))
    placed = _bent(head, _affine(head, placed))
    scale = _size(placed) / _size(known.surface.vertices)
    laid = Surface(placed, known.surface.triangles)
    skull = known.scalp > 0.5
    _, _, distance = head.nearest(placed[skull], laid.normals[skull], agree=AGREE)
    found = np.stack([_carried(eye, known.surface.vertices, placed, scale) for eye in known.eyes])
    return HeadFit(laid, found, placed[known.chin], scale, float(np.median(distance)))


def _size(points: Array) -> float:
    return float(np.sqrt(((points - points.mean(axis=0)) ** 2).sum(axis=1).mean()))


def _guess_by_eyes(eyes: Array) -> Array:
    known = template()
    scale = float(np.linalg.norm(eyes[0] - eyes[1]) / np.linalg.norm(known.eyes[0] - known.eyes[1]))
    return (known.surface.vertices - known.eyes.mean(axis=0)) * scale + eyes.mean(axis=0)


def _guess_by_size(head: Surface, correction: float) -> Array:
    """The template under the top of the skull, as wide as the skull is there."""
    source = template().surface.vertices
    points = head.vertices[np.unique(head.triangles)]
    summit = points[np.argmax(points[:, 2])]
    ours = source[source[:, 2] > source[:, 2].max() - CRANIUM]
    scale = 1.0
    for _ in range(6):
        near = (points[:, 2] > summit[2] - CRANIUM * scale) & (np.abs(points - summit)[:, :2] < 0.15 * scale).all(
            axis=1
        )
        if near.sum() < FEWEST:
            raise BadInput(NO_HEAD)
        scale = float(np.ptp(points[near, 0]) / np.ptp(ours[:, 0]))
    scale *= correction
    middle = (points[near].max(axis=0) + points[near].min(axis=0)) / 2
    placed = (source - [0.0, (ours[:, 1].max() + ours[:, 1].min()) / 2, source[:, 2].max()]) * scale
    moved: Array = placed + np.array([middle[0], middle[1], summit[2]])
    return moved


def _pairs(head: Surface, placed: Array, normals: Array, rows: slice) -> tuple[Array, Array, Array]:
    """Where some template vertices should go (N, 3), how much that counts (N,), and how far it is (N,)."""
    _, landed, distance = head.nearest(placed[rows], normals[rows], agree=AGREE)
    met = np.isfinite(distance)
    if not met.any():
        raise BadInput(NO_HEAD)
    trusted = distance <= np.quantile(distance[met], TRIM)
    return landed, template().surface.vertex_areas[rows] * trusted, distance


def _miss(head: Surface, placed: Array) -> float:
    """Mean distance in metres of the nearer ones of some template vertices."""
    distance = np.sort(np.minimum(_pairs(head, placed, template().surface.normals, FEW)[2], 1.0))
    return float(distance[: int(TRIM * len(distance))].mean())


def _similar(head: Surface, placed: Array) -> Array:
    """The best similarity (Umeyama 1991, "Least-squares estimation of transformation parameters"), iterated."""
    for _ in range(SIMILAR_ROUNDS):
        goal, weight, _ = _pairs(head, placed, template().surface.normals, FEW)
        share = (weight / weight.sum())[:, None]
        some = placed[FEW]
        here, there = (share * some).sum(axis=0), (share * goal).sum(axis=0)
        left, size, right = np.linalg.svd((share * (some - here)).T @ (goal - there))
        handed = np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
        scale = np.trace(np.diag(size) @ handed) / (share * (some - here) ** 2).sum()
        placed = scale * (placed - here) @ (left @ handed @ right) + there
    return placed


def _affine(head: Surface, placed: Array) -> Array:
    for _ in range(AFFINE_ROUNDS):
        goal, weight, _ = _pairs(head, placed, template().surface.normals, FEW)
        full = np.column_stack([placed, np.ones(len(placed))])
        root = np.sqrt(weight)[:, None]
        placed = full @ np.linalg.lstsq(root * full[FEW], root * goal, rcond=None)[0]
    return placed


def _bent(head: Surface, placed: Array) -> Array:
    known = template().surface
    scale = _size(placed) / _size(known.vertices)
    for width in WIDTHS:
        kernel = _kernel(width)
        for _ in range(ROUNDS_PER_WIDTH):
            normals = Surface(placed, known.triangles).normals
            goal, _, distance = _pairs(head, placed, normals, LEADING)
            counted = (known.vertex_areas[LEADING] * (distance < FARTHEST * scale))[:, None].astype(np.float32)
            move = ((goal - placed[LEADING]) * counted).astype(np.float32)
            placed = placed + (kernel @ move) / np.maximum(kernel @ counted, 1e-9)
    return placed


@functools.cache
def _kernel(width: float) -> NDArray[np.float32]:
    """How much each template vertex (rows) goes along with each of the leading ones (columns)."""
    points = template().surface.vertices.astype(np.float32)
    leading = points[LEADING]
    apart = (points**2).sum(axis=1)[:, None] + (leading**2).sum(axis=1)[None] - 2 * points @ leading.T
    kernel: NDArray[np.float32] = np.exp(-np.maximum(apart, 0) / (2 * width**2))
    return kernel


def _carried(point: Array, before: Array, after: Array, scale: float) -> Array:
    """Where a point beside the template's skin comes to lie."""
    near = np.argsort(np.linalg.norm(before - point, axis=1))[:EYE_SKIN]
    carried: Array = after[near].mean(axis=0) + scale * (point - before[near].mean(axis=0))
    return carried
