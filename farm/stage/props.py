"""A stunt's props in Blender: the boxes that it is done on and over, and the mats it ends on, which give way."""

from __future__ import annotations

import math
from typing import Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray

from farm.motion.stunt import Box, Dent

__all__ = ["build_prop", "remove_prop"]

Array = NDArray[np.float64]

EDGE: Final = 0.018
"""Metres by which a box's edges are rounded."""
SOFT_EDGE: Final = 0.08
"""The same of a mat."""
ROUNDING: Final = 4
"""Faces across half a rounded edge."""
CELL: Final = 0.07
"""Metres between the points of a mat."""
ROUGHNESS: Final = 0.55
SOFT_ROUGHNESS: Final = 0.95
UNDER: Final = 0.16
"""Metres around a joint that are pressed down wholly."""
BESIDE: Final = 0.4
"""Metres around those in which a mat rises to its height."""


def build_prop(box: Box, dent: Dent | None, frames: NDArray[np.int_], collection: Any) -> Any:
    """Build a box, pressed down at frames (N,) as its dent says; returns what `remove_prop` takes."""
    name = "mat" if box.soft else "box"
    edge = min(SOFT_EDGE if box.soft else EDGE, 0.45 * float(box.size.min()))
    points, faces, rounded = _rounded_box(box.size, edge, CELL if box.soft else math.inf)
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(points, [], faces)
    mesh.polygons.foreach_set("use_smooth", rounded | box.soft)
    mesh.materials.append(_material(name, box))
    thing = bpy.data.objects.new(name, mesh)
    thing.location, thing.rotation_euler.z = box.centre, box.turn
    collection.objects.link(thing)
    if dent is not None and dent.depth.any():
        _press(thing, points, box, dent, frames)
    return thing


def remove_prop(thing: Any) -> None:
    """Remove what `build_prop` made, with its mesh, material and action."""
    mesh = thing.data
    animation = mesh.shape_keys.animation_data if mesh.shape_keys else None
    actions = [animation.action] if animation else []
    materials = list(mesh.materials)
    bpy.data.objects.remove(thing)
    bpy.data.batch_remove([mesh, *materials, *actions])


def _press(thing: Any, points: Array, box: Box, dent: Dent, frames: NDArray[np.int_]) -> None:
    """Key a shape that is pressed down to the dent's greatest depth, by as much of it as there is in each frame."""
    away = np.linalg.norm(points[:, None, :2] - dent.places, axis=-1).min(axis=1)
    share = np.clip(1.0 - (away - UNDER) / BESIDE, 0.0, 1.0)
    share = share**2 * (3.0 - 2.0 * share) * (points[:, 2] / box.size[2] + 0.5)
    deepest = dent.depth.max()
    thing.shape_key_add(name="level")
    pressed = thing.shape_key_add(name="pressed")
    pressed.data.foreach_set("co", (points - share[:, None] * [0.0, 0.0, deepest]).astype(np.float32).ravel())
    for frame, depth in zip(frames.tolist(), dent.depth / deepest, strict=True):
        pressed.value = depth
        pressed.keyframe_insert("value", frame=frame)


def _rounded_box(size: Array, edge: float, cell: float) -> tuple[Array, NDArray[np.int_], NDArray[np.bool_]]:
    """A box with rounded edges about the origin: points (V, 3), faces (F, 4), and which of these are round."""
    inner = 0.5 * size - edge
    curve = edge * np.tan(np.linspace(0.0, np.pi / 4, ROUNDING + 1))
    lines = []
    for half in inner:
        middle = np.linspace(-half, half, 2 if math.isinf(cell) else 2 + round(2.0 * half / cell))
        lines.append(np.concatenate([-half - curve[:0:-1], middle, half + curve[1:]]))
    points: list[Array] = []
    faces: list[NDArray[np.int_]] = []
    rounded: list[NDArray[np.bool_]] = []
    count = 0
    for axis in range(3):
        across, along = lines[axis - 2], lines[axis - 1]
        numbers = np.arange(across.size * along.size).reshape(across.size, along.size)
        corners = (numbers[:-1, :-1], numbers[1:, :-1], numbers[1:, 1:], numbers[:-1, 1:])
        sides = np.stack([corner.ravel() for corner in corners], axis=1)
        middles = np.stack(np.meshgrid(0.5 * (across[1:] + across[:-1]), 0.5 * (along[1:] + along[:-1]), indexing="ij"))
        beyond = (np.abs(middles) > inner[[axis - 2, axis - 1], None, None]).any(axis=0).ravel()
        for sign in (-1.0, 1.0):
            grid = np.empty((len(across), len(along), 3))
            grid[..., axis - 2], grid[..., axis - 1] = across[:, None], along
            grid[..., axis] = sign * (inner[axis] + edge)
            points.append(grid.reshape(-1, 3))
            faces.append(count + (sides if sign > 0 else sides[:, ::-1]))
            rounded.append(beyond)
            count += numbers.size
    raw = np.concatenate(points)
    core = np.clip(raw, -inner, inner)
    out = raw - core
    placed = core + edge * out / np.linalg.norm(out, axis=1, keepdims=True)
    _, first, again = np.unique(placed.round(6), axis=0, return_index=True, return_inverse=True)
    quads = again.ravel()[np.concatenate(faces)]
    return placed[first], quads, np.concatenate(rounded)


def _material(name: str, box: Box) -> Any:
    material = bpy.data.materials.new(name)
    shader = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    shader.inputs["Base Color"].default_value = (*box.colour, 1.0)
    shader.inputs["Roughness"].default_value = SOFT_ROUGHNESS if box.soft else ROUGHNESS
    shader.inputs["Specular IOR Level"].default_value = 0.1 if box.soft else 0.4
    return material
