"""The double as a groom needs it: read from Blender as it is posed now."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import bpy
import numpy as np
from mathutils import Vector
from mathutils.bvhtree import BVHTree
from numpy.typing import NDArray

from farm.double.base_mesh import base_mesh
from farm.double.body import Double
from farm.double.groom.collider import Shell
from farm.double.groom.smooth import around, nearest_places, smooth_tree
from farm.double.groom.surface import Head
from farm.double.own.guest import Guest
from farm.double.own.head import OwnHead, read_head
from farm.double.own.reading import OwnDouble, meshes_around, triangles_of, uvs_of, vertices_of
from farm.double.own.surface import as_quads
from farm.double.own.uv import usable_uvs
from farm.double.scalp import scalp_mask

__all__ = ["Wearer", "Worn", "plain", "read_wearer", "world_vertices"]

Array = NDArray[np.float64]

Wearer = Double | OwnDouble
Worn = tuple[Head, list[Shell]]
"""What `read_wearer` reads."""

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
        settle=functools.partial(nearest_places, smooth_tree([Shell(whole, around(scalp > 0.0, shells[0].faces))])),
    ), shells


def _read_own(double: OwnDouble, own: OwnHead) -> Worn:
    """An artist's double; its posed world is in metres, whatever the file's unit, and its face looks along x = 0."""
    metres = double.metres[0]
    triangles = own.surface.triangles
    bearing = (own.density[triangles] > 0.0).any(axis=1)
    uvs = usable_uvs(own.surface, bearing, uvs_of(double.head))[0]
    faces = as_quads(triangles)
    posed = vertices_of(double.head) * metres
    settle = _nearest_on_skin(double.head)
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


def _nearest_on_skin(thing: Any) -> Callable[[Array], Array]:
    """A function from points (N, 3) to the nearest ones of a mesh object as it is rendered."""
    find = BVHTree.FromObject(thing, bpy.context.evaluated_depsgraph_get()).find_nearest
    world = thing.matrix_world.copy()
    inverse = world.inverted()

    def settle(points: Array) -> Array:
        return np.array([world @ find(inverse @ Vector(point))[0] for point in points])

    return settle


def _quads(mesh: Any) -> NDArray[np.int32]:
    """Faces (F, 4) of a mesh; a triangle's last corner is doubled."""
    starts, corners = np.empty(len(mesh.polygons), dtype=np.int32), np.empty(len(mesh.loops), dtype=np.int32)
    mesh.polygons.foreach_get("loop_start", starts)
    mesh.loops.foreach_get("vertex_index", corners)
    sizes = np.diff(starts, append=len(corners))
    quads: NDArray[np.int32] = corners[starts[:, None] + np.minimum(np.arange(4), sizes[:, None] - 1)]
    return quads
