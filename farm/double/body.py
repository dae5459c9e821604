"""The built-in double: a shaped body on a rig, with skin, eyes, lashes, brows and a stunt suit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray

from farm.double.base_mesh import base_mesh, rig_bones
from farm.double.eyes import build_eyes
from farm.double.lashes import BROW_RADIUS, LASH_RADIUS, brow_strands, build_strands, lash_strands
from farm.double.rig import build_armature, skin_to_rig
from farm.double.shape import shape_vertices
from farm.double.skin import build_skin, paint_zones
from farm.double.suit import build_suit, hidden_vertices
from farm.recipe.parameters import Body, Hair, Skin
from farm.recipe.variant import stream

__all__ = ["UV_MAP", "Double", "build_double", "remove_double"]

UV_MAP: Final = "UVMap"
RIG: Final = "default"


@dataclass(frozen=True)
class Double:
    """A double in Blender's scene, in its rest pose when built.

    shape     (V, 3) rest vertices of the whole base mesh, helpers included, in metres
    rig       the name of the armature's rig, for `farm.double.base_mesh` and templates/rigs
    body      mesh object; its vertex i is base vertex i; faces well under the suit are left out
    suit      mesh object of cloth and boots
    eyes      mesh object of both eyes
    lashes    hair curves object
    brows     hair curves object
    """

    shape: NDArray[np.float64]
    collection: Any
    rig: str
    armature: Any
    body: Any
    suit: Any
    eyes: Any
    lashes: Any
    brows: Any

    @property
    def objects(self) -> list[Any]:
        """All Blender objects of the double, the armature first."""
        return [self.armature, self.body, self.suit, self.eyes, self.lashes, self.brows]


def build_double(body: Body, skin: Skin, hair: Hair, collection: Any) -> Double:
    """Build a double in `collection`, which must be linked to the scene.

    `hair` colours brows and lashes; the groom itself is built on the posed double by `farm.double.groom`.
    """
    shape = shape_vertices(body)
    armature = build_armature("double", rig_bones(RIG, shape), collection)
    on = {"armature": armature, "collection": collection, "rig": RIG}
    lashes = lash_strands(shape, stream(body.identity, "lashes"))
    brows = brow_strands(shape, stream(body.identity, "brows"))
    return Double(
        shape=shape,
        collection=collection,
        rig=RIG,
        armature=armature,
        body=_build_body(shape, build_skin(skin, body), armature, collection),
        suit=_subdivided(build_suit(shape, **on)),
        eyes=build_eyes(shape, skin, **on),
        lashes=build_strands("lashes", lashes, hair, radius=LASH_RADIUS, **on),
        brows=build_strands("brows", brows, hair, radius=BROW_RADIUS, **on),
    )


def remove_double(double: Double) -> None:
    """Remove a double's objects, and the data, actions and materials that only they used."""
    for thing in reversed(double.objects):
        action = thing.animation_data.action if thing.animation_data else None
        used = [thing.data, *getattr(thing.data, "materials", []), *([action] if action else [])]
        bpy.data.objects.remove(thing)
        for left in used:
            if left.users == 0:
                bpy.data.batch_remove([left])


def _build_body(shape: NDArray[np.float64], material: Any, armature: Any, collection: Any) -> Any:
    base = base_mesh()
    faces = base.groups["body"]
    faces = faces[~hidden_vertices()[base.faces[faces]].all(axis=1)]
    vertices = base.group_vertices("body")
    mesh = bpy.data.meshes.new("body")
    mesh.from_pydata(shape[vertices], [], base.faces[faces])
    mesh.uv_layers.new(name=UV_MAP, do_init=False).uv.foreach_set("vector", base.uvs[faces].ravel())
    mesh.shade_smooth()
    mesh.materials.append(material)
    paint_zones(mesh, shape)
    thing = bpy.data.objects.new("body", mesh)
    collection.objects.link(thing)
    skin_to_rig(thing, armature, rig=RIG, sources=vertices)
    return _subdivided(thing)


def _subdivided(thing: Any) -> Any:
    """Smooth a mesh object by one level, alike in viewport and render, so that hair is rooted on what shows."""
    modifier = thing.modifiers.new("Subdivision", "SUBSURF")
    modifier.levels = modifier.render_levels = 1
    return thing
