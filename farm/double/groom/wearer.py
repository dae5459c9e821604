"""The double as a groom needs it: read from Blender as it is posed now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import bpy
import numpy as np
from mathutils import Vector
from mathutils.bvhtree import BVHTree
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from farm.double.base_mesh import base_mesh
from farm.double.body import Double
from farm.double.groom.collider import Shell
from farm.double.groom.surface import Head
from farm.double.normals import lengths
from farm.double.own.guest import Guest
from farm.double.own.head import OwnHead, read_head
from farm.double.own.reading import OwnDouble, meshes_around, triangles_of, uvs_of, vertices_of
from farm.double.own.surface import as_quads
from farm.double.own.uv import usable_uvs
from farm.double.scalp import scalp_mask

__all__ = ["Wearer", "Worn", "plain", "read_wearer", "rendered", "world_vertices"]

Array = NDArray[np.float64]

Wearer = Double | OwnDouble
Worn = tuple[Head, list[Shell]]
"""What `read_wearer` reads."""

AROUND: Final = 0.01
"""The nearest place is first looked for on skin that lies so near, in metres: that takes a fifth of the time."""
CHIN_REACH: Final = 0.06
"""How far the chin lies below the jaw's joint at most, in metres."""


def read_wearer(double: Wearer, *, posed: Sequence[Array] | None = None) -> Worn:
    """The posed head and what hair collides with, in metres.

    `posed` are the `world_vertices` of a built-in double's skin and garments while they are `plain`, where these are
    at hand.
    """
    if isinstance(double, OwnDouble):
        return _read_own(double, double.measured if isinstance(double, Guest) else read_head(double))
    base = base_mesh()
    faces = base.groups["body"]
    scalp = scalp_mask()
    skin, *clothes = posed or _posed_vertices(double.body, *double.garments)
    whole = double.shape.copy()
    whole[: len(skin)] = skin
    eyes = np.stack([double.shape[base.group_vertices(f"joint-{side}-eye")].mean(axis=0) for side in "lr"])
    shells = [Shell(whole, base.faces[faces])]
    shells += [Shell(cloth, _quads(thing.data)) for cloth, thing in zip(clothes, double.garments, strict=True)]
    return Head(
        rest=double.shape,
        posed=whole,
        faces=base.faces[faces],
        uvs=base.uvs[faces],
        scalp=scalp,
        eyes=eyes,
        chin=_chin(double.shape, eyes),
        settle=_nearest_on_skin(double.body),
    ), shells


def _read_own(double: OwnDouble, own: OwnHead) -> Worn:
    """An artist's double; its posed world is in metres, whatever the file's unit, and its face looks along x = 0."""
    metres = double.metres[0]
    triangles = own.surface.triangles
    bearing = (own.density[triangles] > 0.0).any(axis=1)
    uvs = usable_uvs(own.surface, bearing, uvs_of(double.head))[0]
    faces = as_quads(triangles)
    posed = vertices_of(double.head) * metres
    settle = _nearest_on_skin(double.head, metres=metres)
    aside = own.fit.eyes.mean(axis=0) * [1.0, 0.0, 0.0]
    shells = [Shell(posed, faces)]
    shells += [Shell(vertices_of(thing) * metres, as_quads(triangles_of(thing))) for thing in meshes_around(double)]
    return Head(
        rest=own.surface.vertices - aside,
        posed=posed,
        faces=faces,
        uvs=np.concatenate([uvs, uvs[:, 2:]], axis=1),
        scalp=own.density,
        eyes=own.fit.eyes - aside,
        chin=own.fit.chin - aside,
        settle=lambda points: settle(points / metres) * metres,
    ), shells


def _chin(rest: Array, eyes: Array) -> Array:
    """The lowest skin under the mouth, in the middle of the face."""
    skin = rest[base_mesh().group_vertices("body")]
    mouth = rest[base_mesh().group_vertices("joint-jaw")].mean(axis=0)
    near = (np.abs(skin[:, 0]) < 0.01) & (skin[:, 1] < eyes[:, 1].mean()) & (skin[:, 2] > mouth[2] - CHIN_REACH)
    chin: Array = skin[near][np.argmin(skin[near, 2])]
    return chin


def _posed_vertices(*things: Any) -> list[Array]:
    """Mesh objects' vertices (V, 3) in world space as their armature poses them, before any other modifier."""
    with plain(*things):
        return world_vertices(*things)


def world_vertices(*things: Any) -> list[Array]:
    """Mesh objects' vertices (V, 3) in world space as they are evaluated now."""
    graph = bpy.context.evaluated_depsgraph_get()
    return [_world_vertices(thing.evaluated_get(graph)) for thing in things]


@contextmanager
def plain(*things: Any) -> Iterator[None]:
    """Meanwhile mesh objects have no modifiers but their armature."""
    hidden = [each for thing in things for each in thing.modifiers if each.type != "ARMATURE" and each.show_viewport]
    for modifier in hidden:
        modifier.show_viewport = False
    try:
        yield
    finally:
        for modifier in hidden:
            modifier.show_viewport = True


def _world_vertices(evaluated: Any) -> Array:
    flat = np.empty(len(evaluated.data.vertices) * 3, dtype=np.float32)
    evaluated.data.vertices.foreach_get("co", flat)
    matrix = np.array(evaluated.matrix_world)
    vertices: Array = flat.reshape(-1, 3).astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
    return vertices


def _nearest_on_skin(thing: Any, *, metres: float = 1.0) -> Callable[[Array], Array]:
    """A function from points (N, 3) to the nearest ones of a mesh object as it is rendered now.

    `metres` is the size of a unit of their space.
    """
    reach = AROUND / metres
    vertices, triangles = rendered(thing)
    world = thing.matrix_world.copy()
    inverse = world.inverted()

    def settle(points: Array) -> Array:
        local = [inverse @ Vector(point) for point in points]
        near = _around(np.array(local), reach, vertices, triangles)
        found = _nearest(local, vertices, near) if len(near) else []
        if not found or max(distance for *_, distance in found) > reach:
            found = _nearest(local, vertices, triangles)
        return np.array([world @ place for place, *_ in found])

    return settle


def rendered(thing: Any) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Vertices (V, 3) and triangles (T, 3) of a mesh object as it is rendered now, in its own space.

    A window leaves the subdivision of what is evaluated to the graphics card: a copy has it in any case.
    """
    shown = thing.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = shown.to_mesh()
    vertices = np.empty((len(mesh.vertices), 3), dtype=np.float32)
    mesh.vertices.foreach_get("co", vertices.ravel())
    mesh.calc_loop_triangles()
    triangles = np.empty((len(mesh.loop_triangles), 3), dtype=np.int32)
    mesh.loop_triangles.foreach_get("vertices", triangles.ravel())
    shown.to_mesh_clear()
    return vertices, triangles


def _around(
    points: Array, reach: float, vertices: NDArray[np.float32], triangles: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Those of triangles (T, 3) that come within `reach` of one of some points (N, 3), and a few more.

    They are told by the box around the points (Cohen and Sutherland's codes), then by the circles around triangles.
    """
    low, high = points.min(axis=0) - reach, points.max(axis=0) + reach
    sides = np.packbits(np.concatenate([vertices < low, vertices > high], axis=1), axis=1)[:, 0]
    a, b, c = triangles.T
    chosen = triangles[sides[a] & sides[b] & sides[c] == 0]
    corners = vertices[chosen].astype(np.float64)
    middles = corners.mean(axis=1)
    radius = lengths(corners - middles[:, None]).max(axis=(1, 2), initial=0.0)
    most = reach + radius.max(initial=0.0)
    near: NDArray[np.int32] = chosen[cKDTree(points).query(middles, distance_upper_bound=most)[0] <= reach + radius]
    return near


def _nearest(points: list[Any], vertices: NDArray[np.float32], triangles: NDArray[np.int32]) -> list[Any]:
    """For each point what `BVHTree.find_nearest` finds on triangles (T, 3)."""
    used, numbers = np.unique(triangles, return_inverse=True)
    tree = BVHTree.FromPolygons(vertices[used].tolist(), numbers.reshape(-1, 3).tolist(), all_triangles=True)
    return [tree.find_nearest(point) for point in points]


def _quads(mesh: Any) -> NDArray[np.int32]:
    """Faces (F, 4) of a mesh; a triangle's last corner is doubled."""
    starts, corners = np.empty(len(mesh.polygons), dtype=np.int32), np.empty(len(mesh.loops), dtype=np.int32)
    mesh.polygons.foreach_get("loop_start", starts)
    mesh.loops.foreach_get("vertex_index", corners)
    sizes = np.diff(starts, append=len(corners))
    quads: NDArray[np.int32] = corners[starts[:, None] + np.minimum(np.arange(4), sizes[:, None] - 1)]
    return quads
