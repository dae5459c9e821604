"""The built-in double: a shaped body on a rig, with skin, eyes, lashes, brows and clothes."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import bpy
import numpy as np
from numpy.typing import NDArray

from farm.algebra import on_one_thread
from farm.double.base_mesh import base_mesh, rig_bones
from farm.double.expression import expression_weights
from farm.double.eyes import build_eyes
from farm.double.face import Unit, add_keys, body_offsets, express, face_units, follow_keys
from farm.double.geometry import place_vertices
from farm.double.lashes import brow_strands, build_strands, lash_strands
from farm.double.mouth import Mouth, build_mouth, shape_mouth
from farm.double.rig import bone_for, build_armature, built_rig, place_bones, skin_to_rig
from farm.double.shading import drop_materials
from farm.double.shape import shape_vertices
from farm.double.skin import dress_skin
from farm.double.wardrobe.dress import build_garments, foresee_outfit, hang_outfit, hidden_vertices
from farm.recipe.parameters import Body, Face, Hair, Rig, Skin, Wardrobe
from farm.recipe.variant import Variant, stream

__all__ = ["UV_MAP", "Double", "Look", "build_double", "foresee_double", "remove_double", "subdivide"]

UV_MAP: Final = "UVMap"
KEPT: Final = 12
"""Bodies whose shapes are kept, for an artist who steps to and fro: 3 MB each."""


class Look(NamedTuple):
    """What a double is built from: the axes of a variant that say who is on stage.

    `hair` colours brows and lashes; the groom itself is built on the posed double by `farm.double.groom`.
    """

    body: Body = Body()
    skin: Skin = Skin()
    face: Face = Face()
    wardrobe: Wardrobe = Wardrobe()
    hair: Hair = Hair()
    rig: Rig = Rig()

    @classmethod
    def of(cls, variant: Variant) -> Look:
        """The look of a variant."""
        return cls(variant.body, variant.skin, variant.face, variant.wardrobe, variant.hair, variant.rig)


@dataclass(frozen=True)
class Double:
    """A double in Blender's scene, in its rest pose when built.

    shape     (V, 3) rest vertices of the whole base mesh, helpers included, in metres
    rig       the name of the armature's rig in templates/rigs
    outfit    the name of what it wears, in templates/wardrobe
    body      mesh object; its vertex i is base vertex i; faces well under clothes are left out
    garments  mesh objects of clothes and shoes
    eyes      mesh object of both eyes
    mouth     mesh object of teeth, gums and tongue
    lashes    hair curves object
    brows     hair curves object
    """

    shape: NDArray[np.float64]
    collection: Any
    rig: str
    outfit: str
    armature: Any
    body: Any
    garments: tuple[Any, ...]
    eyes: Any
    mouth: Any
    lashes: Any
    brows: Any

    @property
    def head_bone(self) -> str:
        """The name of the bone that moves the head."""
        return bone_for(self.rig, "head")

    @property
    def objects(self) -> list[Any]:
        """All Blender objects of the double, the armature first."""
        return [self.armature, self.body, *self.garments, self.eyes, self.mouth, self.lashes, self.brows]

    @property
    def rest_skin(self) -> NDArray[np.float64]:
        """(V, 3) vertices of the body at rest, in metres."""
        return self.shape[: len(self.body.data.vertices)]

    def posed_skin(self, chosen: NDArray[np.int64]) -> NDArray[np.float64]:
        """World places (N, 3) of some of the body's vertices in the current frame.

        Modifiers that add vertices put them behind the given ones.
        """
        evaluated = self.body.evaluated_get(bpy.context.evaluated_depsgraph_get())
        places = np.empty(len(evaluated.data.vertices) * 3, dtype=np.float32)
        evaluated.data.vertices.foreach_get("co", places)
        matrix = np.array(evaluated.matrix_world)
        local: NDArray[np.float64] = places.reshape(-1, 3)[chosen].astype(np.float64)
        world: NDArray[np.float64] = local @ matrix[:3, :3].T + matrix[:3, 3]
        return world

    def remove(self) -> None:
        """Remove it from its scene; see `remove_double`."""
        remove_double(self)


@on_one_thread
def build_double(look: Look, collection: Any, *, into: Double | None = None) -> Double:
    """Build a double in `collection`, which must be linked to the scene.

    Where an earlier double of the same rig and outfit is given, `into`, its objects in that collection take the look:
    what all doubles have in common, as faces, weights and drivers, then stays, and the rest is the same as in new ones.
    """
    shape, units, own_mouth = _person(look.body)
    rig = look.rig.name
    bones = rig_bones(built_rig(rig), shape)
    if into is None:
        armature = build_armature("double", bones, collection)
    else:
        armature = into.armature
        place_bones(armature, bones)
    on = {"armature": armature, "collection": collection, "rig": rig}
    weights = expression_weights(look.face)
    face = express(shape, units, weights)
    lashes = lash_strands(face, stream(look.body.identity, "lashes"))
    brows = brow_strands(face, look.body.gender, stream(look.body.identity, "brows"))
    body = _build_body(shape, look, **on, into=into and into.body)
    add_keys(body, body_offsets(units), weights)
    eyes = build_eyes(shape, look.skin, weights, **on, into=into and into.eyes)
    mouth = build_mouth(own_mouth, shape, weights, **on, into=into and into.mouth)
    for thing in (eyes, mouth):
        follow_keys(thing, body)
    hung = _hung(look.wardrobe.outfit, look.body)
    garments = build_garments(look.wardrobe, hung, **on, into=into.garments if into else ())
    if into is None:
        for thing in (body, *garments):
            subdivide(thing)
    return Double(
        shape=shape,
        collection=collection,
        rig=rig,
        outfit=look.wardrobe.outfit,
        armature=armature,
        body=body,
        garments=garments,
        eyes=eyes,
        mouth=mouth,
        lashes=build_strands("lashes", lashes, look.hair, **on, into=into and into.lashes),
        brows=build_strands("brows", brows, look.hair, **on, into=into and into.brows),
    )


class _Person(NamedTuple):
    """What other clothes, skin and expressions share: `Double.shape`, the face's units, and the mouth."""

    shape: NDArray[np.float64]
    units: dict[str, Unit]
    mouth: Mouth


def foresee_double(look: Look) -> Iterator[None]:
    """Calculate what `build_double` needs of a look and keeps, in pieces of less than 0.1 s on a common machine."""
    _person(look.body)
    yield
    yield from foresee_outfit(look.wardrobe.outfit)
    _hung(look.wardrobe.outfit, look.body)
    yield


@functools.lru_cache(maxsize=KEPT)
@on_one_thread
def _person(body: Body) -> _Person:
    """A body's (treat as read-only)."""
    shape = shape_vertices(body)
    units = face_units(shape)
    return _Person(shape, units, shape_mouth(shape, units))


@functools.lru_cache(maxsize=KEPT)
@on_one_thread
def _hung(outfit: str, body: Body) -> list[tuple[NDArray[np.float64], NDArray[np.int32]]]:
    """`hang_outfit` on a body (treat as read-only)."""
    return hang_outfit(outfit, _person(body).shape)


def remove_double(double: Double) -> None:
    """Remove a double's objects, and the data, actions and materials that only they used."""
    for thing in reversed(double.objects):
        action = thing.animation_data.action if thing.animation_data else None
        materials = list(getattr(thing.data, "materials", []))
        used = [thing.data, *([action] if action else [])]
        bpy.data.objects.remove(thing)
        for left in used:
            if left.users == 0:
                bpy.data.batch_remove([left])
        drop_materials(materials)


def _build_body(
    shape: NDArray[np.float64], look: Look, armature: Any, collection: Any, *, rig: str, into: Any = None
) -> Any:
    base = base_mesh()
    vertices = base.group_vertices("body")
    if into is not None:
        place_vertices(into.data, shape[vertices])
        dress_skin(into.data, shape, look.skin, look.body)
        return into
    faces = base.groups["body"]
    faces = faces[~hidden_vertices(look.wardrobe.outfit)[base.faces[faces]].all(axis=1)]
    mesh = bpy.data.meshes.new("body")
    mesh.from_pydata(shape[vertices], [], base.faces[faces])
    mesh.uv_layers.new(name=UV_MAP, do_init=False).uv.foreach_set("vector", base.uvs[faces].ravel())
    mesh.shade_smooth()
    dress_skin(mesh, shape, look.skin, look.body)
    thing = bpy.data.objects.new("body", mesh)
    collection.objects.link(thing)
    skin_to_rig(thing, armature, rig=rig, sources=vertices)
    return thing


def subdivide(thing: Any) -> None:
    """Smooth a mesh object by one level, alike in viewport and render, so that hair is rooted on what shows."""
    modifier = thing.modifiers.new("Subdivision", "SUBSURF")
    modifier.levels = modifier.render_levels = 1
