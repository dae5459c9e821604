"""The scalp as a surface to grow hair on: triangles around the hairline, cut along parting and clipper (numpy only)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from farm.double.groom.style import Border, Parting
from farm.double.normals import vertex_normals

__all__ = [
    "CLIPPED",
    "SECTIONED",
    "Frame",
    "Head",
    "Roots",
    "Scalp",
    "border_distance",
    "build_scalp",
    "head_frame",
    "sample_roots",
]

Array = NDArray[np.float64]

EYES_TO_CENTRE: Final = np.array([0.0, 0.078, 0.022])
"""From between the eyes to the head's centre on a common head, whose eyes lie `EYE_DISTANCE` apart."""
EYE_DISTANCE: Final = 0.0606
HAIRLINE_SHARE: Final = 0.02
CANDIDATES_PER_ROOT: Final = 9
CLIPPED: Final = 2.0
SECTIONED: Final = 3.0
"""By what `side` is multiplied where hair is clipped or sectioned off."""
SPECK: Final = 2e-4
"""Area in m² under which an island of the scalp belongs to what is around it."""
PARTING_GAP: Final = 0.002
"""Guides keep this distance from parting and clipper's border, so that it is clear which side's strands they lead."""


@dataclass(frozen=True)
class Head:
    """What a groom needs to know about who wears it.

    rest    (V, 3) vertices in the rest pose, upright and facing −Y
    posed   (V, 3) the same vertices where the pose has them, in world space
    faces   (F, 4) quads of the skin
    uvs     (F, 4, 2) texture coordinates of their corners, of which no two places of the scalp share one
    scalp   (V,) how densely hair grows, 0..1
    eyes    (2, 3) centres of the left and right eye in the rest pose
    chin    (3,) tip of the chin in the rest pose
    settle  takes points (N, 3) near the posed scalp to the nearest ones of the skin as it is rendered, where a
            modifier smooths it
    """

    rest: Array
    posed: Array
    faces: NDArray[np.int32]
    uvs: Array
    scalp: Array
    eyes: Array
    chin: Array
    settle: Callable[[Array], Array] = lambda points: points


@dataclass(frozen=True)
class Frame:
    """The head's own axes (x left, y back, z up, metres from its centre) and where the pose has them.

    centre    (3,) in the rest pose
    rotation  (3, 3) and `offset` (3,): rest to posed
    """

    centre: Array
    rotation: Array
    offset: Array

    def to_local(self, posed: Array) -> Array:
        """World points (..., 3) of the posed head in the head's axes."""
        return (posed - self.offset) @ self.rotation - self.centre

    def to_world(self, local: Array) -> Array:
        """Points (..., 3) in the head's axes to where the pose has them."""
        return (local + self.centre) @ self.rotation.T + self.offset

    def turn_to_local(self, vectors: Array) -> Array:
        """World vectors (..., 3) in the head's axes."""
        return vectors @ self.rotation

    def turn_to_world(self, vectors: Array) -> Array:
        """Vectors (..., 3) of the head's axes in the world."""
        return vectors @ self.rotation.T


def head_frame(head: Head) -> Frame:
    """The head's centre, and the rigid motion that takes its scalp from rest to pose best.

    The motion is the least-squares one (Kabsch 1976, "A solution for the best rotation to relate two sets of vectors").
    """
    span = float(np.linalg.norm(head.eyes[0] - head.eyes[1]))
    centre = head.eyes.mean(axis=0) + EYES_TO_CENTRE * (span / EYE_DISTANCE)
    worn = head.scalp > 0.5
    rest, posed = head.rest[worn], head.posed[worn]
    left, _, right = np.linalg.svd((rest - rest.mean(0)).T @ (posed - posed.mean(0)))
    handed = np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    rotation = (left @ handed @ right).T
    return Frame(centre=centre, rotation=rotation, offset=posed.mean(0) - rotation @ rest.mean(0))


@dataclass(frozen=True)
class Scalp:
    """Triangles of skin that bear hair, cut into one island per side of the parting, and per part.

    local    (S, 3) vertices at rest in the head's axes
    posed    (S, 3) in world space; `normals` (S, 3) are those of the whole skin there
    uvs      (T, 3, 2) texture coordinates of each triangle's corners; the islands lie whole units apart, so that a
             coordinate on a line belongs to one side of it
    density  (S,) 0..1
    side     (S,) −1 or 1: which side of the parting; all 1 where there is none; twice that
             where hair is clipped, three times where it is sectioned off
    triangles (T, 3)
    """

    local: Array
    posed: Array
    normals: Array
    uvs: Array
    density: Array
    side: Array
    triangles: NDArray[np.int64]

    def areas(self) -> Array:
        """Posed area of each triangle (T,) in m²."""
        a, b, c = (self.posed[self.triangles[:, corner]] for corner in range(3))
        return np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2


@dataclass(frozen=True)
class Roots:
    """Where guides grow: posed position (G, 3), normal (G, 3), texture coordinate (G, 2), side as in `Scalp` (G,)."""

    posed: Array
    normals: Array
    local: Array
    uvs: Array
    side: Array


def build_scalp(
    head: Head, frame: Frame, parting: Parting, *, clipped: Border | None = None, section: Border | None = None
) -> Scalp:
    """Cut the skin that bears hair out of the body, part it, and cut it at the borders of clipped and other hair."""
    bearing = (head.scalp[head.faces] > HAIRLINE_SHARE).any(axis=1)
    faces = head.faces[bearing]
    corners = faces.reshape(-1)
    columns = np.concatenate(
        [
            head.rest[corners] - frame.centre,
            head.posed[corners],
            vertex_normals(head.posed, head.faces)[corners],
            head.uvs[bearing].reshape(-1, 2),
            head.scalp[corners, None],
            np.ones((len(corners), 1)),
        ],
        axis=1,
    )
    columns = _subdivide(columns.reshape(-1, 4, columns.shape[1])).reshape(-1, columns.shape[1])
    quads = np.arange(len(columns)).reshape(-1, 4)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    if parting.side != "none":
        columns, triangles = _divide(columns, triangles, parting_distance(columns[:, :3], parting), right=-1.0)
    for border, right in ((clipped, CLIPPED), (section, SECTIONED)):
        if border:
            columns, triangles = _divide(columns, triangles, border_distance(columns[:, :3], border), right=right)
    return _scalp(columns, triangles, head.settle)


def _divide(
    columns: Array, triangles: NDArray[np.int64], distance: Array, *, right: float
) -> tuple[Array, NDArray[np.int64]]:
    """Cut triangles where `distance` is 0; the side, last of the columns, is multiplied where it is negative."""
    halves = [_clip(columns, triangles, distance * sign) for sign in (1.0, -1.0)]
    halves[1][0][:, -1] *= right
    shift = len(halves[0][0])
    return np.concatenate([halves[0][0], halves[1][0]]), np.concatenate([halves[0][1], halves[1][1] + shift])


def _subdivide(quads: Array) -> Array:
    """Each quad (F, 4, C) as four (4 F, 4, C), linearly."""
    following = np.roll(quads, -1, axis=1)
    edges = (quads + following) / 2
    middle = np.broadcast_to(quads.mean(axis=1, keepdims=True), quads.shape)
    fourths = np.stack([quads, edges, middle, np.roll(edges, 1, axis=1)], axis=2)
    return fourths.reshape(-1, 4, quads.shape[2])


def parting_distance(local: Array, parting: Parting) -> Array:
    """Signed distance (N,) from the parting's surface of points (N, 3) in the head's axes; its left is positive."""
    middle = {"centre": 0.0, "left": parting.offset, "right": -parting.offset}[parting.side]
    y = local[:, 1]
    wander = np.sin(y * 190.0) + 0.6 * np.sin(y * 430.0 + 1.7)
    distance: Array = local[:, 0] - middle - parting.waviness * wander
    return distance


def border_distance(local: Array, border: Border) -> Array:
    """Distance (N,) in metres from a border to points (N, 3) in the head's axes, negative below or beside it."""
    if border.strip is not None:
        beside: Array = border.strip - np.abs(local[:, 0])
        return beside
    azimuth = np.degrees(np.arctan2(np.abs(local[:, 0]), -local[:, 1]))
    radius = np.linalg.norm(local, axis=1)
    elevation = np.degrees(np.arcsin(local[:, 2] / np.maximum(radius, 1e-9)))
    line = np.array(border.line)
    over: Array = np.radians(elevation - np.interp(azimuth, line[:, 0], line[:, 1])) * radius
    return over


def _scalp(columns: Array, triangles: NDArray[np.int64], settle: Callable[[Array], Array]) -> Scalp:
    """Merge equal corners, so that each side is one island, and specks of one side join the other around them."""
    side = columns[:, -1].copy()
    kept, inverse = _merged(columns, side)
    specks = _specks(columns[kept, 3:6], inverse[triangles])
    if specks.any():
        others = np.flatnonzero(~specks)
        nearest = others[cKDTree(columns[kept[others], :3]).query(columns[kept[specks], :3])[1]]
        joined = side[kept]
        joined[specks] = joined[nearest]
        side = joined[inverse]
        kept, inverse = _merged(columns, side)
    merged = columns[kept]
    uvs = columns[triangles, 9:11]
    uvs[..., 0] += (side[triangles] < 0) + 2 * (np.abs(side[triangles]) - 1)
    triangles = inverse[triangles]
    a, b, c = triangles.T
    solid = (a != b) & (b != c) & (a != c)
    triangles, uvs = triangles[solid], uvs[solid]
    return Scalp(
        local=merged[:, 0:3],
        posed=settle(merged[:, 3:6]),
        normals=merged[:, 6:9] / np.linalg.norm(merged[:, 6:9], axis=1, keepdims=True),
        uvs=uvs,
        density=np.clip(merged[:, 11], 0.0, 1.0),
        side=side[kept],
        triangles=triangles,
    )


def _merged(columns: Array, side: Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """One column for all at one place and side: their indices (S,), and which of them each column is (N,)."""
    key = np.round(np.concatenate([columns[:, :3], side[:, None]], axis=1), 7)
    order = np.lexsort(key.T[::-1])
    first = np.ones(len(key), dtype=bool)
    first[1:] = (key[order[1:]] != key[order[:-1]]).any(axis=1)
    inverse = np.empty(len(key), dtype=np.int64)
    inverse[order] = np.cumsum(first) - 1
    return order[first], inverse


def _specks(posed: Array, triangles: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which vertices (S,) belong to islands of less than `SPECK`: too small to hold guides of their own."""
    count = len(posed)
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]]])
    graph = coo_array((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(count, count))
    islands, island = connected_components(graph, directed=False)
    a, b, c = (posed[triangles[:, corner]] for corner in range(3))
    area = np.bincount(island[triangles[:, 0]], np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2, minlength=islands)
    specks: NDArray[np.bool_] = area[island] < SPECK
    return specks


def _clip(columns: Array, triangles: NDArray[np.int64], distance: Array) -> tuple[Array, NDArray[np.int64]]:
    """The part of triangles where `distance` is positive, all columns interpolated linearly."""
    inside = distance[triangles] > 0
    count = inside.sum(axis=1)
    pieces = [columns[triangles[count == 3]]]
    for amount in (1, 2):
        chosen = triangles[count == amount]
        apart = inside[count == amount] == (amount == 1)
        lone = np.argmax(apart, axis=1)
        turned = np.take_along_axis(chosen, (lone[:, None] + np.arange(3)) % 3, axis=1)
        apex, second, third = columns[turned[:, 0]], columns[turned[:, 1]], columns[turned[:, 2]]
        height = distance[turned]
        cut = [
            apex + (height[:, :1] / (height[:, :1] - height[:, corner, None])) * (other - apex)
            for corner, other in ((1, second), (2, third))
        ]
        if amount == 1:
            pieces.append(np.stack([apex, cut[0], cut[1]], axis=1))
        else:
            pieces.append(np.stack([cut[0], second, third], axis=1))
            pieces.append(np.stack([cut[0], third, cut[1]], axis=1))
    corners = np.concatenate(pieces)
    return corners.reshape(-1, columns.shape[1]), np.arange(len(corners) * 3).reshape(-1, 3)


def sample_roots(
    scalp: Scalp, parting: Parting, count: int, random: np.random.Generator, *, borders: tuple[Border, ...] = ()
) -> Roots:
    """Spread `count` roots evenly over the scalp, its edge included.

    Farthest-point sampling (Eldar, Lindenbaum, Porat, Zeevi 1997, "The farthest point strategy for progressive image
    sampling") among area-weighted random candidates: the first n of them are spread evenly for every n.
    """
    weight = scalp.areas() * (scalp.density[scalp.triangles].mean(axis=1) > HAIRLINE_SHARE)
    triangle = random.choice(len(weight), size=count * CANDIDATES_PER_ROOT, p=weight / weight.sum())
    bent = np.sqrt(random.random(len(triangle)))
    along = random.random(len(triangle))
    barycentric = np.stack([1 - bent, bent * (1 - along), bent * along], axis=1)
    local = _mix(barycentric, scalp.local[scalp.triangles[triangle]])
    clear = np.ones(len(local), dtype=bool)
    if parting.side != "none":
        clear &= np.abs(parting_distance(local, parting)) > PARTING_GAP
    for border in borders:
        clear &= np.abs(border_distance(local, border)) > PARTING_GAP
    triangle, barycentric = triangle[clear], barycentric[clear]
    chosen = farthest_points(_mix(barycentric, scalp.posed[scalp.triangles[triangle]]), count)
    triangle, barycentric = triangle[chosen], barycentric[chosen]
    corners = scalp.triangles[triangle]
    normals = _mix(barycentric, scalp.normals[corners])
    return Roots(
        posed=_mix(barycentric, scalp.posed[corners]),
        normals=normals / np.linalg.norm(normals, axis=1, keepdims=True),
        local=_mix(barycentric, scalp.local[corners]),
        uvs=_mix(barycentric, scalp.uvs[triangle]),
        side=scalp.side[corners[:, 0]],
    )


def _mix(barycentric: Array, values: Array) -> Array:
    """Values (N, 3, C) at corners, mixed by barycentric weights (N, 3)."""
    mixed: Array = np.einsum("nk,nkc->nc", barycentric, values)
    return mixed


def farthest_points(points: Array, count: int) -> NDArray[np.int64]:
    """The indices of `count` points (N, 3), each the farthest from those before it; the first is point 0."""
    chosen = np.zeros(count, dtype=np.int64)
    columns = np.ascontiguousarray(points.T)
    nearest = np.full(len(points), np.inf)
    parts = np.empty_like(columns)
    for place in range(1, count):
        np.subtract(columns, columns[:, chosen[place - 1], None], out=parts)
        np.multiply(parts, parts, out=parts)
        square = np.add(parts[0], parts[2], out=parts[0])
        np.add(square, parts[1], out=square)
        np.minimum(nearest, square, out=nearest)
        chosen[place] = nearest.argmax()
    return chosen
