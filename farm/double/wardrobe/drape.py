"""How cloth hangs on a shaped body: off the skin by its ease, spanning hollows, in folds, over what is worn below.

The cloth moves along the tights' normals only: a Laplacian pull towards flatness, projected after every step on what
keeps it outside (projected Jacobi relaxation), so that it bridges hollows and never enters the body.
"""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from farm.double.base_mesh import base_mesh
from farm.double.normals import vertex_normals
from farm.double.wardrobe.outfit import Garment
from farm.double.wardrobe.pattern import Pattern
from farm.double.wardrobe.sheet import Sheet, tights

__all__ = ["GAP", "drape", "hemmed", "span"]

Array = NDArray[np.float64]

ROUNDS: Final = 40
GAP: Final = 0.004
"""Least distance of a garment from the one below it, in metres."""
NEIGHBOURS: Final = 10
PUSH: Final = 0.02
"""Skin that stands out of the tights by more than this belongs to another part of the body."""
FOLD_WAVES: Final = 24
EVEN_ROUNDS: Final = 4
"""Rounds in which the directions of a border are evened out, so that its hem is turned in along it."""


@functools.cache
def _near_skin() -> NDArray[np.int64]:
    """The body's vertices nearest to each vertex of the tights (C, NEIGHBOURS), on the unshaped mesh."""
    body = base_mesh().group_vertices("body")
    return np.asarray(body[cKDTree(base_mesh().vertices[body]).query(tights().rest, NEIGHBOURS)[1]])


def span(shape: Array, rounds: int) -> Array:
    """The tights (C, 3) on a shaped body (V, 3), pulled flat over hollows: no vertex moves inwards."""
    faces = tights().faces
    points: Array = tights().mix @ shape
    outward = vertex_normals(points, faces)
    mean = tights().mean
    for _ in range(rounds):
        pull = mean @ points - points
        along = pull * outward
        points = points + 0.5 * pull * (along[:, :1] + along[:, 1:2] + along[:, 2:] > 0)
    return points


def drape(
    garment: Garment, pattern: Pattern, shape: Array, base: Array, worn: Array, number: int
) -> tuple[Array, Array]:
    """Hang a garment on a shaped body (V, 3) whose tights span (C, 3) as `base`, over what is worn.

    `worn` (C,) is how far garments below stand off the tights; it is raised in place. `number` makes this garment's
    folds its own. Returns the vertices (S, 3) and their outward normals (S, 3).
    """
    sheet = pattern.sheet
    flat = pattern.on @ base
    normals = vertex_normals(flat, sheet.faces)
    skin = shape[_near_skin()[pattern.origin]] - flat[:, None]
    out = np.einsum("snc,sc->sn", skin, normals).max(axis=1)
    push = np.clip(np.where(out < PUSH, out, 0.0), 0.0, PUSH)
    around = push.copy()
    np.maximum.at(around, sheet.faces, push[sheet.faces].max(axis=1, keepdims=True))
    least = pattern.ease + around
    below = worn[pattern.origin]
    least = np.maximum(least, np.where(below > 0, below + GAP, 0.0))
    mean = sheet.mean
    away = least.copy()
    if garment.bridge > 0:
        for _ in range(ROUNDS):
            points = flat + away[:, None] * normals
            level = np.einsum("sc,sc->s", mean @ points - flat, normals)
            away = np.clip(0.4 * away + 0.6 * level, least, least + garment.bridge)
    if garment.folds > 0:
        away = away + garment.folds * _folds(sheet, number) * np.clip(pattern.ease / 0.012, 0.0, 1.0)
    worn[pattern.origin] = np.maximum(below, away)
    return flat + away[:, None] * normals, normals


@functools.lru_cache(maxsize=64)
def _folds(sheet: Sheet, number: int) -> Array:
    """Smooth numbers 0..1 (S,) on a sheet's vertices: waves in many directions, half of them across the limbs."""
    rest = sheet.rest
    rng = np.random.Generator(np.random.PCG64(number))
    total = np.zeros(len(rest))
    for wave in range(FOLD_WAVES):
        direction = rng.normal(size=3) * ((1.0, 1.0, 0.35) if wave % 2 else (0.4, 0.4, 1.2))
        direction /= np.linalg.norm(direction)
        length = rng.uniform(0.05, 0.12)
        total += np.sin(2 * np.pi * (rest @ direction) / length + rng.uniform(0, 2 * np.pi))
    return np.asarray(np.clip(0.5 + total / np.sqrt(2 * FOLD_WAVES) / 1.6, 0.0, 1.0))


def hemmed(garment: Garment, pattern: Pattern, points: Array, normals: Array) -> tuple[Array, NDArray[np.int32]]:
    """Turn the border inwards by `turn` and back inside by `hem`, as thick as sewn cloth is.

    Returns the added points (2R, 3), of which each half hangs on the border's vertices, and the added faces (F, 4).
    """
    border, ahead = pattern.rim.T
    place = np.empty(len(points), dtype=np.int64)
    place[border] = np.arange(len(border))
    following = place[ahead]
    preceding = np.argsort(following)
    along = points[ahead] - points[border[preceding]]
    for _ in range(EVEN_ROUNDS):
        along = 0.5 * along + 0.25 * (along[following] + along[preceding])
    inward = np.cross(normals[border], along)
    inward /= np.maximum(np.linalg.norm(inward, axis=1, keepdims=True), 1e-9)
    turned = points[border] - garment.turn * normals[border]
    tucked = turned + garment.hem * inward
    one = len(points) + np.arange(len(border))
    other, deeper = one[following], len(border)
    faces = np.concatenate([
        np.stack([ahead, border, one, other], axis=1),
        np.stack([other, one, one + deeper, other + deeper], axis=1),
    ])  # fmt: skip
    return np.concatenate([turned, tucked]), faces.astype(np.int32)
