"""Curves that lie on skin or hang from it: what tied hair is made along (numpy only)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.spatial import cKDTree

from farm.double.groom.collider import SPACING, Collider

__all__ = [
    "Spine",
    "Tube",
    "even",
    "hang",
    "lay_on_skin",
    "push_apart",
    "push_out",
    "smooth",
    "spine",
    "tube",
    "unit",
]

Array = NDArray[np.float64]

LAY_ROUNDS: Final = 2
DOWN: Final = np.array([0.0, 0.0, -1.0])
HANG_STEP: Final = 0.004
"""Step in metres in which a hanging curve is integrated."""
PUSH: Final = 0.5
"""How far a hanging curve is pushed out of the skin in one step, in steps."""
APART_ROUNDS: Final = 6
RISE_POINTS: Final = 3.0
"""Over how many of its first points a curve that is pushed apart rises from the skin."""


@dataclass(frozen=True)
class Spine:
    """A curve with a frame at each of its points, evenly spaced: what a tail, a rope or a plait is built around.

    points  (S, 3) in world space, `arc` (S,) their distance along the curve in metres
    across  (S, 3) and `out` (S, 3): unit vectors at right angles to the curve and to each other
    """

    points: Array
    arc: Array
    across: Array
    out: Array


@dataclass(frozen=True)
class Tube:
    """A bundle of hair: at even steps along it its middle, and what its section's unit circle spans.

    points  (S, 3) in world space
    across  (S, 3) and `out` (S, 3) in metres: where the section's places (1, 0) and (0, 1) lie from the middle
    step    metres from one point to the next along the bundle's spine
    """

    points: Array
    across: Array
    out: Array
    step: float

    def hairs(self, arc: Array, disc: Array) -> Array:
        """Points (N, P, 3) of hairs at distances (N, P) along, at places (N, P, 2) or (N, 1, 2) of the section."""
        place = np.clip(arc / self.step, 0.0, len(self.points) - 1.0001)
        cell = place.astype(np.int64)
        share = (place - cell).astype(np.float32)[..., None]
        table = np.concatenate([self.points, self.across, self.out], axis=1).astype(np.float32)
        row = table[cell]
        row += share * np.diff(table, axis=0)[cell]
        return np.asarray(row[..., :3] + disc[..., :1] * row[..., 3:6] + disc[..., 1:] * row[..., 6:])


def tube(line: Spine, width: Array, turn: Array | None = None) -> Tube:
    """The bundle of radius `width` (S,) around a curve, its section turned by `turn` (S,) radians."""
    angle = np.zeros(len(line.arc)) if turn is None else turn
    cosine, sine = (width * np.cos(angle))[:, None], (width * np.sin(angle))[:, None]
    return Tube(
        points=line.points,
        across=cosine * line.across + sine * line.out,
        out=cosine * line.out - sine * line.across,
        step=float(line.arc[1]),
    )


def spine(points: Array, across: Array, *, step: float) -> Spine:
    """A curve (S, 3) at even steps of about `step` metres, whose frame starts near `across` (3,) and does not turn.

    The frame is Bishop's (1975, "There is more than one way to frame a curve"), by the double reflection of Wang,
    Jüttler, Zheng, Liu 2008, "Computation of rotation minimizing frames" (ACM TOG 27:1).
    """
    points, arc = even(points, step)
    steps = np.diff(points, axis=0)
    tangents = unit(np.gradient(points, axis=0))
    vector = unit(across - (across @ tangents[0]) * tangents[0])
    found = [vector]
    for index in range(len(points) - 1):
        first = steps[index]
        square = first @ first
        mirrored = vector - 2 / square * (first @ vector) * first
        turned = tangents[index] - 2 / square * (first @ tangents[index]) * first
        second = tangents[index + 1] - turned
        vector = mirrored - 2 / max(second @ second, 1e-18) * (second @ mirrored) * second
        found.append(vector)
    side = unit(np.array(found))
    return Spine(points=points, arc=arc, across=side, out=np.cross(side, tangents))


def even(points: Array, step: float) -> tuple[Array, Array]:
    """A curve (S, 3) again, by a cubic spline at even steps of about `step`, and the distances (S,) along it."""
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    places = np.linspace(0.0, arc[-1], max(8, int(arc[-1] / step) + 1))
    return np.asarray(CubicSpline(arc, points)(places)), places


def hang(collider: Collider, start: Array, heading: Array, length: float, *, bend: float, clear: float) -> Array:
    """Points (S, 3) of a curve that leaves `start` (3,) along `heading` (3,) and falls, `clear` metres off the skin."""
    steps = max(8, int(np.ceil(length / HANG_STEP)))
    step = length / steps
    point, way = start.copy(), unit(heading)
    path = [point]
    for _ in range(steps):
        way = unit(way + min(1.0, step / bend) * (DOWN - way))
        moved = point + step * way
        height, normal = collider.sample(moved[None])
        lack = clear - height[0]
        if lack > 0:
            way = unit(way - min(float(way @ normal[0]), 0.0) * normal[0])
            moved = moved + min(lack, PUSH * step) * normal[0]
        point = moved
        path.append(point)
    return smooth(np.array(path))


def smooth(path: Array, rounds: int = 3) -> Array:
    """A path (S, 3) rounded off, its ends kept."""
    path = path.copy()
    for _ in range(rounds):
        path[1:-1] += 0.5 * ((path[:-2] + path[2:]) / 2 - path[1:-1])
    return path


def lay_on_skin(collider: Collider, points: Array, height: Array) -> Array:
    """Points (N, 3) near the skin moved along its normals to their `height` (N,) over it."""
    for _ in range(LAY_ROUNDS):
        distance, normal = collider.sample(points)
        points = points + (height - distance)[:, None] * normal
    return points


def push_apart(collider: Collider, curves: Array, radius: float) -> Array:
    """Curves (L, P, 3) pushed from each other to two radii, and one radius off the skin; they keep their roots."""
    count, points, _ = curves.shape
    owner = np.repeat(np.arange(count), points)
    order = np.tile(np.arange(points), count)
    free = (order >= 2).astype(np.float64)
    clear = radius * np.clip(order / RISE_POINTS, 0.0, 1.0)
    reach = 1.9 * radius
    for _ in range(APART_ROUNDS):
        flat = curves.reshape(-1, 3)
        pairs = cKDTree(flat).query_pairs(reach, output_type="ndarray")
        pairs = pairs[owner[pairs[:, 0]] != owner[pairs[:, 1]]]
        offset = flat[pairs[:, 0]] - flat[pairs[:, 1]]
        span = np.maximum(np.linalg.norm(offset, axis=1, keepdims=True), 1e-6)
        push = 0.25 * (reach - span) * offset / span
        moved = np.zeros_like(flat)
        np.add.at(moved, pairs[:, 0], push)
        np.add.at(moved, pairs[:, 1], -push)
        flat = flat + moved * free[:, None]
        distance, normal = collider.sample(flat)
        flat = flat + (free * np.maximum(clear - distance, 0.0))[:, None] * normal
        curves = flat.reshape(curves.shape)
        curves[:, 2:-1] = 0.5 * curves[:, 2:-1] + 0.25 * (curves[:, 1:-2] + curves[:, 3:])
    return curves


def push_out(collider: Collider, points: Array, clear: float) -> Array:
    """Points (N, 3) that lie lower than `clear` moved out to it."""
    index = np.zeros(len(points), dtype=np.int32)
    for axis, size in enumerate(collider.shape):
        cell = (points[:, axis] - collider.origin[axis]) * (1 / SPACING) + 0.5
        index = index * np.int32(size) + np.clip(cell, 0, size - 1).astype(np.int32)
    nearby = np.ascontiguousarray(collider.values[:, 0])[index]
    low = np.flatnonzero(nearby < clear + SPACING)
    distance, normal = collider.sample(points[low])
    pushed = points.copy()
    pushed[low] += np.maximum(clear - distance, 0.0)[:, None] * normal
    return pushed


def unit(vectors: Array) -> Array:
    """Vectors (..., 3) of length 1."""
    result: Array = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
    return result
