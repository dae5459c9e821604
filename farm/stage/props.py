"""A stunt's props in Blender: the boxes that it is done on, over and onto."""

from __future__ import annotations

from typing import Any, Final

import bmesh
import bpy
import numpy as np
from mathutils import Matrix

from farm.motion.stunt import Box

__all__ = ["build_props", "remove_props"]

EDGE: Final = 0.018
"""Metres by which a box's edges are rounded."""
SOFT_EDGE: Final = 0.09
"""The same of a mat."""
ROUNDING: Final = 5
"""Faces across a rounded edge."""
ROUGHNESS: Final = 0.55
SOFT_ROUGHNESS: Final = 0.95


def build_props(boxes: tuple[Box, ...], collection: Any) -> list[Any]:
    """Build boxes; returns the objects, which `remove_props` takes."""
    return [_build_box(box, collection) for box in boxes]


def remove_props(made: list[Any]) -> None:
    """Remove what `build_props` made, with its meshes and materials."""
    for thing in made:
        mesh = thing.data
        materials = list(mesh.materials)
        bpy.data.objects.remove(thing)
        bpy.data.batch_remove([mesh, *materials])


def _build_box(box: Box, collection: Any) -> Any:
    name = "mat" if box.soft else "box"
    mesh = bpy.data.meshes.new(name)
    _shape(mesh, box)
    mesh.materials.append(_material(name, box))
    thing = bpy.data.objects.new(name, mesh)
    thing.location = box.centre
    thing.rotation_euler.z = box.turn
    collection.objects.link(thing)
    return thing


def _shape(mesh: Any, box: Box) -> None:
    """A box with rounded edges, which alone are shaded smooth."""
    shape = bmesh.new()
    bmesh.ops.create_cube(shape, size=1.0, matrix=Matrix.Diagonal((*box.size, 1.0)))
    edge = min(SOFT_EDGE if box.soft else EDGE, 0.45 * float(np.min(box.size)))
    rounded = bmesh.ops.bevel(
        shape, geom=shape.edges[:], offset=edge, segments=ROUNDING, profile=0.5, affect="EDGES", clamp_overlap=True
    )
    for face in rounded["faces"]:
        face.smooth = True
    shape.to_mesh(mesh)
    shape.free()


def _material(name: str, box: Box) -> Any:
    material = bpy.data.materials.new(name)
    shader = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    shader.inputs["Base Color"].default_value = (*box.colour, 1.0)
    shader.inputs["Roughness"].default_value = SOFT_ROUGHNESS if box.soft else ROUGHNESS
    shader.inputs["Specular IOR Level"].default_value = 0.1 if box.soft else 0.4
    return material
