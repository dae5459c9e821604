"""An artist's double as it stands in the opened file: its armature, its meshes, its head (the edge to Blender)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import bpy
import numpy as np
from mathutils import Vector
from mathutils.bvhtree import BVHTree
from numpy.typing import NDArray

from farm.double.own.detect import Match, detect_rig
from farm.double.own.guess import guess_bones
from farm.double.own.measure import Stance, measure_stance, metres_per_unit
from farm.double.own.surface import Surface
from farm.errors import BadInput
from farm.recipe.templates import nearest

__all__ = [
    "SMOOTHING",
    "OwnDouble",
    "armatures",
    "at_rest",
    "choose_armature",
    "evaluated",
    "head_share",
    "meshes_around",
    "read_double",
    "shares_of",
    "shown_things",
    "surface_of",
    "triangles_of",
    "uvs_of",
    "vertices_of",
]

Array = NDArray[np.float64]

SMOOTHING: Final = ("SUBSURF", "MULTIRES")
"""Modifiers that only refine a surface: left out where vertices are counted, kept where hair is rooted."""
RAYS: Final = 240
LEAST_COVERAGE: Final = 0.6
"""A head's skin is met in at least this share of directions from its middle."""
LEAST_SIZE: Final = 0.1
"""A head is at least this large, corner to corner, as a share of the whole double."""
HEAD_WIDTH: Final = 0.1
"""Bones this far sideways from the head's joint, as a share of the height, are none of the head's."""
BELOW_JOINT: Final = 0.02
OF_THE_HEAD: Final = 0.8
"""A mesh that follows the head by this share is a part of it."""
HEAD_TOP: Final = 1.07
"""Height of a body relative to that of its highest joint where there is no mesh."""


@dataclass(frozen=True)
class OwnDouble:
    """A double of an artist's in the opened file.

    match            the rig's table, recognised or not
    guessed          the rig's bones by canonical name, by the table or, for an unknown rig, guessed from their names
    parents          index of each bone's parent in the armature's order, −1 for none
    stance           where it faces and how it stands, at rest
    height           in the file's units
    metres           length of a unit of the file in metres, and what the unit seems to be
    head_bones       the bones that move the head or parts of it
    head             the mesh object of the head's skin, None where no mesh has one
    covered          share of directions from the head's middle in which it is met
    others           the other mesh objects that the armature moves
    hidden           names of meshes that it moves and that are hidden in the viewport: they were not looked at
    """

    armature: Any
    collection: Any
    match: Match
    guessed: dict[str, tuple[str, ...]]
    parents: tuple[int, ...]
    stance: Stance
    height: float
    metres: tuple[float, str]
    head_bones: frozenset[str]
    head: Any
    covered: float
    others: tuple[Any, ...]
    hidden: tuple[str, ...] = ()

    @property
    def head_bone(self) -> str:
        """The rig's bone that carries the head."""
        return self.guessed["head"][-1]

    @property
    def objects(self) -> list[Any]:
        """Its Blender objects, the armature first."""
        return [self.armature, *([self.head] if self.head else []), *self.others]

    def joint(self, canonical: str) -> Array:
        """Where a canonical bone begins (3,) at rest in the world, in the file's units."""
        return _joint(self.armature, self.guessed[canonical][0])

    def to_upright(self, points: Array) -> Array:
        """World points (N, 3) in the file's units to metres in the double's axes: x left, y back, z up."""
        return points @ self.stance.axes.T * self.metres[0]


def armatures() -> list[Any]:
    """The armatures in the opened file's scenes, by name."""
    return sorted(
        (thing for thing in bpy.context.scene.objects if thing.type == "ARMATURE"), key=lambda each: each.name
    )


def read_double(source: str, *, armature: str | None = None) -> OwnDouble:
    """Find the double in the opened file; `source` is what messages call the file.

    BadInput where there is no armature, where several could be meant, or where nothing tells which bone is the head.
    """
    chosen = choose_armature(source, armature)
    names = [bone.name for bone in chosen.data.bones]
    match = detect_rig(names)[0]
    index = {name: place for place, name in enumerate(names)}
    parents = tuple(index[bone.parent.name] if bone.parent else -1 for bone in chosen.data.bones)
    bones = match.bones
    if not match.recognised:
        bones = {canonical: (name,) for canonical, name in guess_bones(names, parents).items()}
    if "head" not in bones:
        raise BadInput(
            f"{source}: no bone of '{chosen.name}' is known to be the head: save a proposed table with --table FILE, "
            f"name the head there, and put it into templates/rigs"
        )
    joints = {bone: _joint(chosen, own[0]) for bone, own in bones.items()}
    stance = measure_stance(joints, float(np.ptp(np.stack(list(joints.values())), axis=0).max()))
    bound, hidden = _bound(chosen)
    with at_rest(chosen):
        points = [vertices_of(thing) for thing in bound]
    low, high = _span(joints, points, stance.axes[2])
    height = high - low
    stance = measure_stance(joints, height)
    head_bones = _head_bones(chosen, bones["head"][-1], stance.axes, height)
    head, covered = _find_head(bound, points, chosen, head_bones)
    return OwnDouble(
        armature=chosen,
        collection=chosen.users_collection[0] if chosen.users_collection else bpy.context.scene.collection,
        match=match,
        guessed=bones,
        parents=parents,
        stance=stance,
        height=height,
        metres=metres_per_unit(height),
        head_bones=frozenset(head_bones),
        head=head,
        covered=covered,
        others=tuple(thing for thing in bound if thing is not head),
        hidden=tuple(thing.name for thing in hidden),
    )


def choose_armature(source: str, name: str | None) -> Any:
    """The armature of that name, or the only one that a double can be; BadInput where that is not clear."""
    found = armatures()
    if not found:
        kinds = sorted({thing.type.lower() for thing in bpy.context.scene.objects})
        raise BadInput(
            f"{source} has no armature in scene '{bpy.context.scene.name}' "
            f"(it has: {', '.join(kinds) or 'nothing'}): a double needs one, with the meshes bound to it"
        )
    if name is not None:
        named = [thing for thing in found if thing.name == name]
        if not named:
            raise BadInput(f"{source} has no armature '{name}'{nearest(name, [thing.name for thing in found])}")
        return named[0]
    if len(found) == 1:
        return found[0]
    able = [
        thing
        for thing in found
        if _bound(thing)[0] and detect_rig([bone.name for bone in thing.data.bones])[0].recognised
    ]
    if len(able) == 1:
        return able[0]
    raise BadInput(
        f"{source} has {len(found)} armatures: {', '.join(_told(thing) for thing in found)}; "
        f"choose one with --armature NAME"
    )


def _told(thing: Any) -> str:
    match = detect_rig([bone.name for bone in thing.data.bones])[0]
    kind = f"{match.table} {match.score:.2f}" if match.recognised else "unknown rig"
    return f"'{thing.name}' ({kind}, {len(thing.data.bones)} bones, {len(_bound(thing)[0])} meshes)"


def _joint(armature: Any, bone: str) -> Array:
    return np.array(armature.matrix_world @ armature.data.bones[bone].head_local)


def _bound(armature: Any) -> tuple[list[Any], list[Any]]:
    """Mesh objects of the scene that an armature moves, by name: those that Blender evaluates, and the hidden ones."""
    meshes = (thing for thing in bpy.context.scene.objects if thing.type == "MESH" and _moves(armature, thing))
    moved = sorted(meshes, key=lambda each: each.name)
    shown = shown_things()
    return [thing for thing in moved if thing in shown], [thing for thing in moved if thing not in shown]


def shown_things() -> set[Any]:
    """The scene's objects that Blender evaluates for the viewport."""
    return {thing.original for thing in bpy.context.evaluated_depsgraph_get().objects}


def _moves(armature: Any, thing: Any) -> bool:
    if any(modifier.type == "ARMATURE" and modifier.object == armature for modifier in thing.modifiers):
        return True
    return thing.parent == armature and (thing.parent_type == "BONE" or bool(thing.vertex_groups))


@contextmanager
def at_rest(armature: Any) -> Iterator[None]:
    """Show an armature in its rest pose for a while."""
    before = armature.data.pose_position
    armature.data.pose_position = "REST"
    try:
        yield
    finally:
        armature.data.pose_position = before
        bpy.context.view_layer.update()


@contextmanager
def unsmoothed(thing: Any) -> Iterator[None]:
    """Leave out the modifiers that only refine a surface for a while."""
    hidden = [modifier for modifier in thing.modifiers if modifier.type in SMOOTHING and modifier.show_viewport]
    for modifier in hidden:
        modifier.show_viewport = False
    try:
        yield
    finally:
        for modifier in hidden:
            modifier.show_viewport = True


def evaluated(thing: Any) -> tuple[Any, Array]:
    """A mesh as it stands now in the viewport, and its matrix (4, 4) to the world; valid until the scene changes."""
    shown = thing.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return shown.data, np.array(shown.matrix_world)


def vertices_of(thing: Any) -> Array:
    """World places (V, 3) of a mesh's vertices as it stands now, without smoothing, in the file's units."""
    with unsmoothed(thing):
        mesh, matrix = evaluated(thing)
        flat = np.empty(len(mesh.vertices) * 3, dtype=np.float32)
        mesh.vertices.foreach_get("co", flat)
    points: Array = flat.reshape(-1, 3).astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
    return points


def shares_of(thing: Any, groups: set[str]) -> Array:
    """How much of each vertex's weight (V,) lies in some vertex groups, as the mesh stands without smoothing."""
    indices = {group.index for group in thing.vertex_groups if group.name in groups}
    with unsmoothed(thing):
        mesh, _ = evaluated(thing)
        found = np.zeros(len(mesh.vertices))
        for place, vertex in enumerate(mesh.vertices):
            inside = [group.weight for group in vertex.groups if group.group in indices]
            found[place] = sum(inside)
    return found


def _span(joints: dict[str, Array], points: list[Array], up: Array) -> tuple[float, float]:
    """The lowest and highest place along `up`."""
    places = np.concatenate([np.stack(list(joints.values())), *points]) @ up
    low, high = float(places.min()), float(places.max())
    return (low, high) if points else (low, low + HEAD_TOP * (high - low))


def _head_bones(armature: Any, head: str, axes: Array, height: float) -> set[str]:
    """The head's bone, those that hang on it, and those that lie in the head whatever they hang on."""
    root = armature.data.bones[head]
    found = {head, *(bone.name for bone in root.children_recursive)}
    joint = axes @ _joint(armature, head)
    for bone in armature.data.bones:
        place = axes @ np.array(armature.matrix_world @ ((bone.head_local + bone.tail_local) / 2)) - joint
        if place[2] > -BELOW_JOINT * height and np.abs(place[:2]).max() < HEAD_WIDTH * height:
            found.add(bone.name)
    return found - {bone.name for bone in root.parent_recursive}


def _find_head(bound: list[Any], points: list[Array], armature: Any, bones: set[str]) -> tuple[Any, float]:
    """The mesh whose skin closes around the head's middle, and how much of it.

    Where several do, as under a helmet, it is the innermost: the one that is met first in most directions.
    """
    parts = []
    for thing, places in zip(bound, points, strict=True):
        parts.append(places[head_share(thing, armature, bones) > 0.5])
    stature = float(np.ptp(np.concatenate(points), axis=0).max()) if points else 0.0
    sizes = [float(np.linalg.norm(np.ptp(part, axis=0))) if len(part) > 3 else 0.0 for part in parts]
    able = [place for place, size in enumerate(sizes) if size >= max(0.5 * max(sizes), LEAST_SIZE * stature)]
    if not able:
        return None, 0.0
    nearest_first = sorted(able, key=lambda place: sizes[place])
    middle = (parts[nearest_first[0]].min(axis=0) + parts[nearest_first[0]].max(axis=0)) / 2
    met = np.stack([_distances(bound[place], armature, middle) for place in nearest_first])
    covered = np.isfinite(met).mean(axis=1)
    first = np.bincount(np.argmin(met, axis=0), np.isfinite(met).any(axis=0), minlength=len(met))
    best = int(np.argmax(np.where(covered >= LEAST_COVERAGE, first, -1)))
    return (bound[nearest_first[best]] if covered[best] >= LEAST_COVERAGE else None), float(covered[best])


def head_share(thing: Any, armature: Any, bones: set[str]) -> Array:
    """How much each vertex (V,) of a mesh follows some of the armature's bones, 0..1."""
    if thing.parent_type == "BONE" and thing.parent == armature:
        return np.full(len(vertices_of(thing)), float(thing.parent_bone in bones))
    return shares_of(thing, bones) / np.maximum(shares_of(thing, {bone.name for bone in armature.data.bones}), 1e-6)


def meshes_around(double: OwnDouble) -> list[Any]:
    """The meshes that hair lies on: not those of the head itself, which are eyes, teeth, lashes and hair cards."""
    return [
        thing
        for thing in double.others
        if head_share(thing, double.armature, set(double.head_bones)).mean() < OF_THE_HEAD and not thing.hide_render
    ]


def _distances(thing: Any, armature: Any, middle: Array) -> Array:
    """How far from a point a mesh is met in each of `RAYS` directions, at rest; infinite where it is not."""
    with at_rest(armature):
        tree = BVHTree.FromObject(thing, bpy.context.evaluated_depsgraph_get())
        inverse = thing.matrix_world.inverted()
    turn = np.arange(RAYS) * np.pi * (3 - np.sqrt(5))
    rise = 1 - 2 * (np.arange(RAYS) + 0.5) / RAYS
    flat = np.sqrt(1 - rise**2)
    start = inverse @ Vector(middle)
    met = np.full(RAYS, np.inf)
    for place, way in enumerate(zip(flat * np.cos(turn), flat * np.sin(turn), rise, strict=True)):
        hit = tree.ray_cast(start, inverse.to_3x3() @ Vector(way))[0]
        if hit is not None:
            met[place] = np.linalg.norm(np.array(thing.matrix_world @ hit) - middle)
    return met


def surface_of(double: OwnDouble, thing: Any) -> Surface:
    """A mesh at rest in metres in the double's upright axes, without smoothing."""
    with at_rest(double.armature):
        places = vertices_of(thing)
        triangles = triangles_of(thing)
    return Surface(double.to_upright(places), triangles)


def triangles_of(thing: Any) -> NDArray[np.int32]:
    """A mesh's triangles (T, 3) as it stands without smoothing, counter-clockwise from outside in the world."""
    with unsmoothed(thing):
        mesh, matrix = evaluated(thing)
        flat = np.empty(len(mesh.loop_triangles) * 3, dtype=np.int32)
        mesh.loop_triangles.foreach_get("vertices", flat)
    return _outward(flat.reshape(-1, 3), matrix)


def uvs_of(thing: Any) -> Array | None:
    """Texture coordinates (T, 3, 2) of the triangles' corners in the mesh's active UV map; None where it has none."""
    with unsmoothed(thing):
        mesh, matrix = evaluated(thing)
        layer = mesh.uv_layers.active
        if layer is None or not len(layer.uv):
            return None
        uvs = np.empty(len(layer.uv) * 2, dtype=np.float32)
        layer.uv.foreach_get("vector", uvs)
        loops = np.empty(len(mesh.loop_triangles) * 3, dtype=np.int32)
        mesh.loop_triangles.foreach_get("loops", loops)
    corners: Array = uvs.reshape(-1, 2)[_outward(loops.reshape(-1, 3), matrix)].astype(np.float64)
    return corners


def _outward(triangles: NDArray[np.int32], matrix: Array) -> NDArray[np.int32]:
    """Triangles (T, 3) turned round where an object is mirrored."""
    return triangles[:, ::-1].copy() if np.linalg.det(matrix[:3, :3]) < 0 else triangles
