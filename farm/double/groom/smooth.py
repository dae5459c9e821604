"""Skin and clothes as they are rendered, where hair meets them: parts of meshes, smoothed like the whole.

Blender smooths the whole of a mesh or nothing of it. A part that reaches a few faces farther than what is looked at is
smooth in the same way there, and is ready in a fifth of the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import bpy
import numpy as np
from mathutils.bvhtree import BVHTree
from numpy.typing import NDArray

from farm.double.alone import alone
from farm.double.body import subdivide
from farm.double.groom.collider import Shell

__all__ = ["around", "nearest_places", "smooth_tree"]

Array = NDArray[np.float64]

RINGS: Final = 3
"""Rings of faces around what is looked at: smoothing looks at one of them, and what is nearest may lie on others."""


def around(chosen: NDArray[np.bool_], faces: NDArray[np.int32]) -> NDArray[np.int32]:
    """The faces (P, 4) of a mesh (F, 4) at chosen vertices (V,), and some rings of faces around them."""
    for _ in range(RINGS):
        chosen = chosen.copy()
        chosen[faces[chosen[faces].any(axis=1)]] = True
    found: NDArray[np.int32] = faces[chosen[faces].any(axis=1)]
    return found


def smooth_tree(shells: Sequence[Shell]) -> BVHTree:
    """What is nearest on some surfaces in world space, smoothed as a double's meshes are.

    A quad whose last corner is doubled is the triangle that it stands for: it is smoothed another way.
    """
    places: list[Array] = []
    faces: list[list[int]] = []
    for shell in shells:
        used, numbers = np.unique(shell.faces, return_inverse=True)
        corners: Any = numbers.reshape(shell.faces.shape) + sum(len(part) for part in places)
        faces += [[*dict.fromkeys(face)] for face in corners.tolist()]
        places.append(shell.vertices[used])
    mesh = bpy.data.meshes.new("smooth")
    thing = bpy.data.objects.new("smooth", mesh)
    try:
        mesh.from_pydata(np.concatenate(places), [], faces)
        subdivide(thing)
        with alone(thing):
            return BVHTree.FromObject(thing, bpy.context.evaluated_depsgraph_get())
    finally:
        bpy.data.objects.remove(thing)
        bpy.data.meshes.remove(mesh)


def nearest_places(tree: Any, points: Array) -> Array:
    """The place (N, 3) of a tree's surface that is nearest to each point (N, 3)."""
    return np.array([tree.find_nearest(point)[0] for point in points.tolist()])
