"""Strands as native hair curves: no modifiers, and what shaders and passes read as attributes."""

from __future__ import annotations

from typing import Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray

from farm.double.body import UV_MAP
from farm.double.groom.curling import Strands
from farm.double.groom.interpolate import ROOT_UV

__all__ = ["ATTRIBUTES", "build_curves", "move_curves", "tangents"]

Array = NDArray[np.float32]

ATTRIBUTES: Final = {
    "strand_id": "number of the strand, counted from 1",
    "lock_id": "number of the lock that the strand belongs to",
    "root_uv": "texture coordinate of the strand's root, 0..1",
    "strand_tangent": "unit direction of the strand towards its tip, in the object's space",
    "tone": "how the strand's lock differs from the others, normally distributed about 0 with deviation 1",
}
"""What baked strands carry beside position, radius and Blender's own root coordinate."""


def build_curves(name: str, strands: Strands, radius: Array, tone: Array, *, scalp: Any, material: Any) -> Any:
    """A hair curves object of strands, beside `scalp` in its collections.

    radius  (N, P) in metres
    tone    (N,) see ATTRIBUTES
    """
    curves = bpy.data.hair_curves.new(name)
    count, points = strands.points.shape[:2]
    if count:
        curves.add_curves([points] * count)
    curves.surface = scalp
    curves.surface_uv_map = UV_MAP
    curves.materials.append(material)
    _write(curves, "radius", "FLOAT", "POINT", radius)
    _write(curves, ROOT_UV, "FLOAT2", "CURVE", strands.uvs)
    _write(curves, "root_uv", "FLOAT2", "CURVE", np.mod(strands.uvs, 1.0))
    _write(curves, "strand_id", "INT", "CURVE", np.arange(1, count + 1))
    _write(curves, "lock_id", "INT", "CURVE", strands.locks)
    _write(curves, "tone", "FLOAT", "CURVE", tone)
    _write(curves, "strand_tangent", "FLOAT_VECTOR", "POINT", tangents(strands.points))
    move_curves(curves, strands.points)
    thing = bpy.data.objects.new(name, curves)
    for collection in scalp.users_collection:
        collection.objects.link(thing)
    return thing


def move_curves(curves: Any, points: Array) -> None:
    """Give baked hair curves other points (N, P, 3), in the object's space; tangents follow."""
    if not len(points):
        return
    curves.position_data.foreach_set("vector", np.ascontiguousarray(points, dtype=np.float32).ravel())
    curves.attributes["strand_tangent"].data.foreach_set("vector", tangents(points).ravel())
    curves.update_tag()


def tangents(points: Array) -> Array:
    """Unit directions (N, P, 3) of strands at their points (N, P, 3)."""
    ahead = np.empty(points.shape, dtype=np.float32)
    if not len(points):
        return ahead
    np.subtract(points[:, 2:], points[:, :-2], out=ahead[:, 1:-1])
    ahead[:, 0] = points[:, 1] - points[:, 0]
    ahead[:, -1] = points[:, -1] - points[:, -2]
    ahead /= np.maximum(np.sqrt(np.einsum("npc,npc->np", ahead, ahead)), 1e-12)[..., None]
    return ahead


def _write(curves: Any, name: str, kind: str, domain: str, values: Any) -> None:
    attribute = curves.attributes.get(name) or curves.attributes.new(name, kind, domain)
    field = "vector" if kind in ("FLOAT2", "FLOAT_VECTOR") else "value"
    flat = np.ascontiguousarray(values, dtype=np.int32 if kind == "INT" else np.float32).ravel()
    if len(flat):
        attribute.data.foreach_set(field, flat)
