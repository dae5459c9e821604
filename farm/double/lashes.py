"""Lashes and brows: short tapering strands, rooted on the lids and on the brow ridge, that follow the head rigidly."""

from __future__ import annotations

import functools
from typing import Any, Final, NamedTuple

import bpy
import numpy as np
from numpy.typing import NDArray

from farm.double.base_mesh import base_mesh
from farm.double.groom.material import build_hair_material
from farm.double.rig import bone_of, follow_bone
from farm.double.shading import give_material
from farm.recipe.parameters import Hair

__all__ = ["brow_strands", "build_strands", "lash_strands"]

STRAND_POINTS: Final = 5
RADIUS: Final = {"lashes": 0.00006, "brows": 0.000038}
"""Of a strand at its root, in metres; it tapers to a point."""
CROWN: Final = 881
CHIN: Final = 747

UPPER_LASHES: Final = 150
LOWER_LASHES: Final = 90
LASHES: Final = {"1": (LOWER_LASHES, 1.0, -0.05), "2": (UPPER_LASHES, 1.30, 0.26)}
"""By strip of a lid, the lower and the upper: number, length as a multiple of the strip's, and how far they curl up."""

BROW_HAIRS: Final = 780
BROW: Final = np.array([
    # x, height, half width on the unshaped face; length of the hairs; their rise in degrees
    (0.0105, 0.7455, 0.0022, 0.0060, 75.0),
    (0.0180, 0.7476, 0.0040, 0.0085, 38.0),
    (0.0300, 0.7502, 0.0038, 0.0090, 14.0),
    (0.0420, 0.7515, 0.0028, 0.0085, -6.0),
    (0.0500, 0.7490, 0.0018, 0.0070, -24.0),
    (0.0565, 0.7450, 0.0007, 0.0055, -34.0),
])  # fmt: skip
"""The left brow from the bridge of the nose to the temple."""
BROW_MAN: Final = np.array([0.28, 0.35, 0.35, -0.0010])
BROW_SPREAD: Final = np.array([0.14, 0.14, 0.30, 0.0006])
"""Width, number of hairs, flatness and height in metres of a man's brow against a woman's, as shares or added, and
the standard deviation of each among people: by eye."""
CONVERGE: Final = 22.0
LIFT: Final = 0.20
FRONT_FROM: Final = 0.62
CELL: Final = 0.003
"""The height from which the unshaped face is looked at, and the size of cells in which its triangles are found, in
metres."""


def lash_strands(shape: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Lashes of both eyes (N, STRAND_POINTS, 3) in metres, root first, spread over the helper strips of the lids."""
    strands = []
    for side in "lr":
        for strip, (count, reach, curl) in LASHES.items():
            grid = shape[_strip_grid(f"helper-{side}-eyelashes-{strip}")]
            strands.append(_curled(_along_columns(grid, count, rng), reach, curl))
    return np.concatenate(strands)


@functools.cache
def _strip_grid(group: str) -> NDArray[np.int32]:
    """The vertices (rows, columns) of a lash strip, from the lid outwards and from one corner of the eye to the other.

    A vertex's place follows from its distances, in edges, to the strip's two corners on the lid.
    """
    base = base_mesh()
    faces = base.faces[base.groups[group]]
    vertices, uses = np.unique(faces, return_counts=True)
    corners = vertices[uses == 1]
    eye = base.vertices[base.group_vertices(f"{group.partition('-eyelashes')[0]}-eye")].mean(axis=0)
    nearest = np.argsort(np.linalg.norm(base.vertices[corners] - eye, axis=1))
    first, second = corners[np.sort(nearest[:2])]
    from_first, from_second = _edge_distances(faces, int(first)), _edge_distances(faces, int(second))
    width = from_first[int(second)]
    rows = 1 + max((from_first[v] + from_second[v] - width) // 2 for v in from_first)
    grid = np.empty((rows, width + 1), dtype=np.int32)
    for vertex, distance in from_first.items():
        row = (distance + from_second[vertex] - width) // 2
        grid[row, distance - row] = vertex
    return grid


def _edge_distances(faces: NDArray[np.int32], start: int) -> dict[int, int]:
    neighbours: dict[int, set[int]] = {}
    for face in faces.tolist():
        for here, there in zip(face, face[1:] + face[:1], strict=True):
            neighbours.setdefault(here, set()).add(there)
            neighbours.setdefault(there, set()).add(here)
    distances, front = {start: 0}, [start]
    while front:
        front = [there for here in front for there in sorted(neighbours[here]) if there not in distances]
        distances.update(dict.fromkeys(front, max(distances.values()) + 1))
    return distances


def _curled(strands: NDArray[np.float64], reach: float, curl: float) -> NDArray[np.float64]:
    """Strands (N, STRAND_POINTS, 3) made `reach` times as long and curled up by a share of their length."""
    longer = strands[:, :1] + reach * (strands - strands[:, :1])
    length = np.linalg.norm(longer[:, -1] - longer[:, 0], axis=1)
    longer[..., 2] += curl * length[:, None] * np.linspace(0.0, 1.0, STRAND_POINTS) ** 2
    return longer


def _along_columns(grid: NDArray[np.float64], count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Strands (count, STRAND_POINTS, 3) that run down the columns of a grid (rows, columns, 3)."""
    rows, columns = grid.shape[:2]
    across = np.sort(np.clip((np.arange(count) + rng.uniform(0.1, 0.9, count)) / count, 0.02, 0.98)) * (columns - 1)
    lengths = rng.uniform(0.65, 1.0, count) * np.sin(np.pi * (0.12 + 0.76 * across / (columns - 1))) ** 0.5
    lean = rng.normal(0.0, 0.25, count)
    along = np.linspace(0.0, 1.0, STRAND_POINTS) * lengths[:, None]
    place = np.clip(across[:, None] + lean[:, None] * along, 0.0, columns - 1.001)
    column, row = place.astype(int), np.clip((along * (rows - 1)).astype(int), 0, rows - 2)
    right, down = (place - column)[..., None], (along * (rows - 1) - row)[..., None]
    upper = grid[row, column] * (1 - right) + grid[row, column + 1] * right
    lower = grid[row + 1, column] * (1 - right) + grid[row + 1, column + 1] * right
    strands: NDArray[np.float64] = upper * (1 - down) + lower * down
    return strands


def brow_strands(shape: NDArray[np.float64], gender: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Hairs of both brows (N, STRAND_POINTS, 3) in metres, root first.

    They rise beside the nose, lie outwards along the ridge, and converge on the brow's middle line. Each person has
    brows of their own; men's (`gender` 1) are lower, flatter and fuller.
    """
    brow, hairs = _own_brow(gender, rng)
    return np.concatenate([_brow(shape, brow, hairs, side, rng) for side in (1.0, -1.0)])


def _own_brow(gender: float, rng: np.random.Generator) -> tuple[NDArray[np.float64], int]:
    """A person's `BROW`, and the number of its hairs."""
    wide, many, flat, low = gender * BROW_MAN + BROW_SPREAD * rng.standard_normal(4).clip(-2, 2)
    brow = BROW.copy()
    chord = np.interp(brow[:, 0], brow[[0, -1], 0], brow[[0, -1], 1])
    brow[:, 1] += np.clip(flat, -0.5, 0.8) * (chord - brow[:, 1]) + low
    brow[:, 2] *= 1 + wide
    return brow, round(BROW_HAIRS * (1 + many))


def _brow(
    shape: NDArray[np.float64], brow: NDArray[np.float64], hairs: int, side: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    along = rng.beta(1.3, 1.4, hairs)
    across = rng.triangular(-1.25, 0.0, 1.25, hairs)
    table = np.stack([np.interp(along, np.linspace(0, 1, len(brow)), column) for column in brow.T], axis=1)
    x, height, half, length, rise = table.T
    roots, normals = _on_face(shape, np.stack([side * x, height + half * across], axis=1))
    angle = np.radians(rise - CONVERGE * across + rng.normal(0.0, 9.0, hairs))
    outward = np.stack([side * np.cos(angle), np.zeros(hairs), np.sin(angle)], axis=1)
    tangent = outward - (outward * normals).sum(axis=1, keepdims=True) * normals
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    unshaped = base_mesh().vertices
    scale = np.linalg.norm(shape[CROWN] - shape[CHIN]) / np.linalg.norm(unshaped[CROWN] - unshaped[CHIN])
    reach = (length * scale * rng.uniform(0.7, 1.1, hairs))[:, None, None]
    t = np.linspace(0.0, 1.0, STRAND_POINTS)[None, :, None]
    strands: NDArray[np.float64] = roots[:, None] + reach * (
        t * tangent[:, None] + LIFT * t * (1 - 0.75 * t) * normals[:, None]
    )
    return strands


class _Front(NamedTuple):
    """The unshaped face as seen from the front, in triangles (T, 3): their corners, and which are near which cell.

    flat    (T, 3, 2) x and height of the corners
    sides   (T, 2, 2) from the first corner to the two others, and `area` (T,) twice theirs, signed
    cells   rows (C + 1,) of `listed`, the triangles' numbers, at which those of each cell begin
    low     (2,) where the first cell begins; there are so many `columns` of them along the height
    """

    triangles: NDArray[np.int32]
    flat: NDArray[np.float64]
    sides: NDArray[np.float64]
    area: NDArray[np.float64]
    cells: NDArray[np.int64]
    listed: NDArray[np.int64]
    low: NDArray[np.float64]
    columns: int


@functools.cache
def _front() -> _Front:
    base = base_mesh()
    quads = base.faces[base.groups["body"]]
    middle = base.vertices[quads].mean(axis=1)
    quads = quads[(middle[:, 1] < -0.08) & (middle[:, 2] > FRONT_FROM)]
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    flat = base.vertices[triangles][:, :, [0, 2]]
    sides = flat[:, 1:] - flat[:, :1]
    area = sides[:, 0, 0] * sides[:, 1, 1] - sides[:, 0, 1] * sides[:, 1, 0]
    seen = area != 0
    triangles, flat, sides, area = triangles[seen], flat[seen], sides[seen], area[seen]
    low = flat.min(axis=(0, 1)) - CELL
    first, last = (
        ((flat.min(axis=1) - CELL / 50 - low) / CELL).astype(int),
        ((flat.max(axis=1) + CELL / 50 - low) / CELL).astype(int),
    )
    rows, columns = (last.max(axis=0) + 2).tolist()
    pairs = [
        (x * columns + z, triangle)
        for triangle, (start, end) in enumerate(zip(first.tolist(), last.tolist(), strict=True))
        for x in range(start[0], end[0] + 1)
        for z in range(start[1], end[1] + 1)
    ]
    cell, listed = np.array(sorted(pairs)).T
    cells = np.searchsorted(cell, np.arange(rows * columns + 1))
    return _Front(triangles, flat, sides, area, cells, listed, low, columns)


def _on_face(
    shape: NDArray[np.float64], places: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points and normals (N, 3) on the shaped face, where places (N, 2) of (x, height) lie on the unshaped one."""
    front, rest = _front(), base_mesh().vertices
    across, up = ((places - front.low) / CELL).astype(int).T
    cell = across * front.columns + up
    count = front.cells[cell + 1] - front.cells[cell]
    place = np.repeat(np.arange(len(places)), count)
    rank = np.arange(len(place)) - np.repeat(np.cumsum(count) - count, count)
    tried = front.listed[front.cells[cell][place] + rank]
    away = places[place] - front.flat[tried, 0]
    (one, two), area = front.sides[tried].transpose(1, 0, 2), front.area[tried]
    second = (away[:, 0] * two[:, 1] - away[:, 1] * two[:, 0]) / area
    third = (one[:, 0] * away[:, 1] - one[:, 1] * away[:, 0]) / area
    weights = np.stack([1 - second - third, second, third], axis=-1)
    depth = (weights * rest[front.triangles[tried]][:, :, 1]).sum(axis=-1)
    depth[~(weights >= -1e-9).all(axis=-1)] = np.inf
    order = np.lexsort((tried, depth, place))
    hit = order[np.searchsorted(place[order], np.arange(len(places)))]
    share, corners = weights[hit], shape[front.triangles[tried[hit]]]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return (share[..., None] * corners).sum(axis=1), normals


def build_strands(
    name: str,
    strands: NDArray[np.float64],
    hair: Hair,
    armature: Any,
    collection: Any,
    *,
    rig: str,
    into: Any = None,
) -> Any:
    """Lashes or brows, by `name`: a hair curves object of strands (N, P, 3), coloured as `hair`, parented to the head.

    `into` is such an object of another double on that armature, which becomes this one.
    """
    count, points = strands.shape[:2]
    curves = bpy.data.hair_curves.new(name) if into is None else into.data
    if len(curves.curves) > count:
        curves.remove_curves(indices=list(range(count, len(curves.curves))))
    elif len(curves.curves) < count:
        curves.add_curves([points] * (count - len(curves.curves)))
    curves.position_data.foreach_set("vector", strands.astype(np.float32).ravel())
    taper = RADIUS[name] * (1 - np.linspace(0.0, 1.0, points) ** 2 * 0.9)
    thick = curves.attributes.get("radius") or curves.attributes.new("radius", "FLOAT", "POINT")
    thick.data.foreach_set("value", np.tile(taper, count))
    give_material(curves, 0, lambda: build_hair_material(name, hair, darker=True))
    curves.update_tag()
    thing = into
    if thing is None:
        thing = bpy.data.objects.new(name, curves)
        collection.objects.link(thing)
    follow_bone(thing, armature, bone_of(rig, CROWN))
    return thing
