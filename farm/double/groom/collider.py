"""What hair cannot pass: a grid of signed distances to the skin and clothes around the head (numpy and scipy).

Distances come from the nearest surface sample and its normal (Hoppe, DeRose, Duchamp, McDonald, Stuetzle 1992,
"Surface reconstruction from unorganized points"), so that meshes need be neither closed nor free of overlaps.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from farm.algebra import searchers
from farm.double.groom.surface import EYE_DISTANCE, Frame, Head
from farm.double.normals import lengths, vertex_normals

__all__ = ["BAND", "Collider", "Shell", "build_collider", "surface_samples"]

Array = NDArray[np.float64]

SPACING: Final = 0.007
SMOOTHING: Final = 0.6
"""Blur of the distances, in grid cells."""
SHEET_DEPTH: Final = 0.012
SHEET_RISE: Final = 3.0
STRAIGHT_BEHIND: Final = 0.7
"""What is behind a garment: up to so many metres, and with at least this cosine to its normal. How steeply distances
rise again towards that depth: they would not survive a jump between the grid's points."""
SAMPLE_RADIUS: Final = 0.004
"""Half the distance between surface samples."""
BAND: Final = 0.045
LEAF: Final = 32
"""Samples in a leaf of the tree: with many points for each sample, a plain tree of large leaves takes half the time."""
BLOCK: Final = 5
"""Grid points along the side of a block that is looked at or passed over as one."""
MARGIN: Final = 0.06
FACE_HALF_WIDTH: Final = 0.052
FACE_ROUNDING: Final = 0.03
FACE_REACH: Final = 0.25
BROWS_ABOVE_EYES: Final = 0.018
FRINGE_BELOW_HAIRLINE: Final = 0.012


@dataclass(frozen=True)
class Shell:
    """A surface that hair collides with: vertices (V, 3) in world space and quads (F, 4)."""

    vertices: Array
    faces: NDArray[np.int32]

    @functools.cached_property
    def samples(self) -> tuple[Array, Array]:
        """Places (S, 3) all over it, and their outward normals (S, 3)."""
        used = np.zeros(len(self.vertices), dtype=bool)
        used[self.faces] = True
        corners = self.vertices[self.faces]
        crossed = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
        span = lengths(crossed)
        solid = span[:, 0] > 1e-12
        normals = vertex_normals(self.vertices, self.faces)[used]
        return (
            np.concatenate([self.vertices[used], corners.mean(axis=1)[solid]]),
            np.concatenate([normals, crossed[solid] / span[solid]]),
        )


@dataclass(frozen=True)
class Collider:
    """Signed distances (positive outside) and their gradients on a regular grid.

    origin  (3,) of the first grid point
    shape   points along x, y, z
    values  (points, 4) float32: distance in metres, and its gradient
    """

    origin: Array
    shape: tuple[int, int, int]
    values: NDArray[np.float32]

    def sample(self, points: Array) -> tuple[Array, Array]:
        """Distance (N,) and unit gradient (N, 3) at points (N, 3), trilinear; outside the grid, of its border."""
        _, wide, high = self.shape
        place = np.minimum(np.maximum((points - self.origin) / SPACING, 0.0), np.array(self.shape) - 1.001)
        cell = place.astype(np.int64)
        share = (place - cell).astype(np.float32)
        x, y, z = np.stack([1 - share, share]).transpose(2, 0, 1)
        weights = (x[:, None, None] * y[:, None] * z).reshape(8, -1, 1)
        corners = np.array([0, 1, high, high + 1])
        corners = np.concatenate([corners, corners + wide * high])[:, None]
        mixed = np.take(self.values, (cell[:, 0] * wide + cell[:, 1]) * high + cell[:, 2] + corners, axis=0)
        mixed *= weights
        mixed = mixed.sum(axis=0)
        values: Array = mixed.astype(np.float64)
        gradient = values[:, 1:]
        steepness = np.sqrt(np.einsum("nc,nc->n", gradient, gradient))
        return values[:, 0], gradient / np.maximum(steepness, 1e-9)[:, None]


def build_collider(
    shells: list[Shell],
    head: Head,
    frame: Frame,
    *,
    reach: float,
    fringe: bool,
    guarded: bool = True,
    band: float = BAND,
) -> Collider:
    """Distances around the head as far as hair of length `reach` can fall, with the face kept free if `guarded`.

    The first shell is the skin, the others are clothes. Distances are exact up to `band` metres from a surface, and
    no larger beyond.

    The face is guarded by a rounded column in front of eyes, nose and mouth; without a fringe it also covers most
    of the forehead.
    """
    origin, shape = _box(head, reach)
    axes = [origin[axis] + SPACING * np.arange(shape[axis]) for axis in range(3)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    distance = np.full(len(points), band)
    if guarded:
        np.minimum(distance, _face_guard(frame.to_local(points), head, frame, fringe), out=distance)
    block = _blocks(shape)
    for order, shell in enumerate(shells):
        samples, outward = surface_samples(shell, points[[0, -1]])
        if len(samples):
            tree = cKDTree(samples, leafsize=LEAF, compact_nodes=False, balanced_tree=False)
            near = _near(tree, points, block, band)
            distance[near] = np.minimum(
                distance[near], _distance_to(tree, outward, points[near], band, sheet=order > 0)
            )
    grid = gaussian_filter(distance.reshape(shape), SMOOTHING, mode="nearest")
    values = np.empty((*shape, 4), dtype=np.float32)
    values[..., 0] = grid
    for axis, gradient in enumerate(np.gradient(grid, SPACING), start=1):
        values[..., axis] = gradient
    return Collider(origin=origin, shape=shape, values=values.reshape(-1, 4))


def _box(head: Head, reach: float) -> tuple[Array, tuple[int, int, int]]:
    """The grid's first point and size: the scalp, room around it, and what hangs below."""
    worn = head.posed[head.scalp > 0.5]
    low, high = worn.min(axis=0) - MARGIN, worn.max(axis=0) + MARGIN
    low[2] -= reach
    low[:2] -= reach * 0.2
    high[:2] += reach * 0.2
    size = np.ceil((high - low) / SPACING).astype(int) + 1
    return low, (int(size[0]), int(size[1]), int(size[2]))


def _blocks(shape: tuple[int, int, int]) -> NDArray[np.int64]:
    """Which block of `BLOCK`³ grid points each point (N,) is in."""
    counts = [-(-size // BLOCK) for size in shape]
    places = np.meshgrid(*(np.arange(size) // BLOCK for size in shape), indexing="ij")
    block: NDArray[np.int64] = ((places[0] * counts[1] + places[1]) * counts[2] + places[2]).ravel()
    return block


def _near(tree: cKDTree, points: Array, block: NDArray[np.int64], band: float) -> NDArray[np.int64]:
    """The points, by number, of blocks that come within `band` of a tree's samples."""
    count = np.bincount(block)
    middle = np.stack([np.bincount(block, points[:, axis]) / count for axis in range(3)], axis=1)
    reach = band + SPACING * BLOCK * np.sqrt(3) / 2
    close = np.isfinite(tree.query(middle, distance_upper_bound=reach)[0])
    return np.flatnonzero(close[block])


def surface_samples(shell: Shell, box: Array) -> tuple[Array, Array]:
    """Places (S, 3) on a shell in or near a box (2, 3), and their outward normals (S, 3)."""
    samples, outward = shell.samples
    near = ((samples > box[0] - MARGIN) & (samples < box[1] + MARGIN)).all(axis=1)
    return samples[near], outward[near]


def _distance_to(tree: cKDTree, outward: Array, points: Array, band: float, *, sheet: bool) -> Array:
    """Signed distance (N,) of points (N, 3) to the surface of a tree's samples; infinite farther from it than `band`.

    A `sheet`, as a garment, has an edge: what is not straight behind it and close is not inside, as the neck in a
    collar, and infinitely far too.
    """
    span, index = tree.query(points, distance_upper_bound=band, workers=searchers(len(points)))
    found = np.flatnonzero(np.isfinite(span))
    span, index = span[found], index[found]
    along = np.einsum("nc,nc->n", points[found] - tree.data[index], outward[index])
    size = np.sqrt(np.maximum(along**2, span**2 - SAMPLE_RADIUS**2))
    distance = np.full(len(points), np.inf)
    distance[found] = np.where(along < 0, -size, size)
    if sheet:
        distance[found] = np.maximum(distance[found], -SHEET_RISE * (along + SHEET_DEPTH) * (along < 0))
        past = (along < 0) & (-along < STRAIGHT_BEHIND * span)
        distance[found[past]] = np.inf
    return distance


def _face_guard(local: Array, head: Head, frame: Frame, fringe: bool) -> Array:
    """Signed distance (N,) to the column that keeps the face free, for points in the head's axes."""
    eyes = head.eyes - frame.centre
    scale = np.linalg.norm(eyes[0] - eyes[1]) / EYE_DISTANCE
    bottom = head.chin[2] - frame.centre[2] - 0.02
    top = eyes[:, 2].mean() + BROWS_ABOVE_EYES * scale
    if not fringe:
        front = (head.scalp > 0.5) & (np.abs(head.rest[:, 0]) < 0.02 * scale)
        worn = head.rest[front & (head.rest[:, 1] < frame.centre[1])]
        top = worn[:, 2].min() - frame.centre[2] - FRINGE_BELOW_HAIRLINE * scale
    half = np.array([FACE_HALF_WIDTH * scale, (top - bottom) / 2])
    beyond = np.abs(local[:, [0, 2]] - (0.0, (top + bottom) / 2)) - half + FACE_ROUNDING
    outline = np.linalg.norm(np.maximum(beyond, 0), axis=1) + np.minimum(beyond.max(axis=1), 0) - FACE_ROUNDING
    depth = np.maximum(local[:, 1] - eyes[:, 1].mean(), -FACE_REACH - local[:, 1])
    guard: Array = np.maximum(outline, depth)
    return guard
