"""The built-in double: a shaped body on a rig, with skin, eyes, lashes, brows and a stunt suit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray

from farm.double.base_mesh import base_mesh, rig_bones
from farm.double.rig import build_armature, skin_to_rig
from farm.double.shape import shape_vertices
from farm.recipe.parameters import Body, Hair, Skin

__all__ = ["UV_MAP", "Double", "build_double", "remove_double"]

UV_MAP: Final = "UVMap"
RIG: Final = "default"


@dataclass(frozen=True)
class Double:
    """A double in Blender's scene, in its rest pose when built.

    shape     (V, 3) rest vertices of the whole base mesh, helpers included, in metres
    body      mesh object; its vertex i is base vertex i
    rig       the name of the armature's rig, for `farm.double.base_mesh` and templates/rigs
    """

    shape: NDArray[np.float64]
    collection: Any
    rig: str
    armature: Any
    body: Any

    @property
    def objects(self) -> list[Any]:
        """All Blender objects of the double, the armature first."""
        return [self.armature, self.body]


def build_double(body: Body, skin: Skin, hair: Hair, collection: Any) -> Double:
    """Build a double in `collection`, which must be linked to the scene.

    `hair` colours brows and lashes; the groom itself is built on the posed double by `farm.double.groom`.
    """
    shape = shape_vertices(body)
    armature = build_armature("double", rig_bones(RIG, shape), collection)
    return Double(
        shape=shape, collection=collection, rig=RIG, armature=armature, body=_build_body(shape, armature, collection)
    )


def remove_double(double: Double) -> None:
    """Remove a double's objects and the data only they used."""
    for thing in reversed(double.objects):
        data = thing.data
        bpy.data.objects.remove(thing)
        if data.users == 0:
            bpy.data.batch_remove([data])


def _build_body(shape: NDArray[np.float64], armature: Any, collection: Any) -> Any:
    base = base_mesh()
    faces = base.groups["body"]
    used = base.group_vertices("body")
    mesh = bpy.data.meshes.new("body")
    mesh.from_pydata(shape[used], [], base.faces[faces])
    mesh.uv_layers.new(name=UV_MAP, do_init=False).uv.foreach_set("vector", base.uvs[faces].ravel())
    mesh.shade_smooth()
    thing = bpy.data.objects.new("body", mesh)
    collection.objects.link(thing)
    skin_to_rig(thing, armature, rig=RIG, sources=used)
    subdivide = thing.modifiers.new("Subdivision", "SUBSURF")
    subdivide.levels = subdivide.render_levels = 1
    return thing
