"""Elastic bands that tied hair is held by, as meshes."""

from __future__ import annotations

from typing import Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray

from farm.double.groom.comb import Guides
from farm.double.shading import new_material

__all__ = ["build_bands"]

Array = NDArray[np.float64]

NAME: Final = "hair_bands"
THICKNESS: Final = 0.0021
"""Radius of the elastic in metres."""
SIDES: Final = 10
COLOUR: Final = (0.012, 0.011, 0.013)
"""Scene-linear black of covered elastic, which goes with all hair."""
ROUGHNESS: Final = 0.75
SHEEN: Final = 0.4


def build_bands(guides: Guides, collection: Any) -> Any | None:
    """One mesh object of all elastic bands that guides run through, in the guides' space; None where there are none."""
    lines = guides.tied.bands if guides.tied is not None else ()
    if not lines:
        return None
    rings = [_ring(line) for line in lines]
    first = np.cumsum([0, *(len(points) for points, _ in rings)])
    mesh = bpy.data.meshes.new(NAME)
    faces = np.concatenate([faces + start for start, (_, faces) in zip(first, rings, strict=False)])
    mesh.from_pydata(np.concatenate([points for points, _ in rings]), [], faces)
    mesh.shade_smooth()
    mesh.materials.append(_material())
    thing = bpy.data.objects.new(NAME, mesh)
    collection.objects.link(thing)
    return thing


def _ring(line: Array) -> tuple[Array, NDArray[np.int64]]:
    """Points (K · SIDES, 3) and quads (K · SIDES, 4) of a closed tube around a line (K, 3)."""
    middle = line.mean(axis=0)
    out = line - middle
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    ahead = np.roll(line, -1, axis=0) - np.roll(line, 1, axis=0)
    up = np.cross(ahead, out)
    up /= np.linalg.norm(up, axis=1, keepdims=True)
    turn = np.linspace(0.0, 2 * np.pi, SIDES, endpoint=False)[:, None]
    points = line[:, None] + THICKNESS * (np.cos(turn) * out[:, None] + np.sin(turn) * up[:, None])
    index = np.arange(len(line) * SIDES).reshape(len(line), SIDES)
    after = np.roll(index, -1, axis=0)
    faces = np.stack([index, np.roll(index, -1, axis=1), np.roll(after, -1, axis=1), after], axis=-1)
    return points.reshape(-1, 3), faces.reshape(-1, 4)


def _material() -> Any:
    material, graph = new_material(NAME)
    inputs = {"Base Color": COLOUR, "Roughness": ROUGHNESS, "Sheen Weight": SHEEN}
    graph.surface(graph.node("BsdfPrincipled", inputs))
    return material
