"""Figures of a groom: how deep strands lie in the skin, how wide holes are."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from farm.double.groom.style import Parting
from farm.double.groom.surface import build_scalp, head_frame
from farm.recipe.variant import stream

DIRECTIONS = ((0.3, 0.5, 0.81), (-0.7, 0.1, 0.7), (0.2, -0.9, 0.38))


def heights(tree: Any, points: Any) -> Any:
    """Signed distance (N,) of points (N, 3) to a closed mesh's BVH tree; inside is negative, told by ray parity."""
    from mathutils import Vector

    found = np.zeros(len(points))
    for index, point in enumerate(points):
        place, normal, _, span = tree.find_nearest(Vector(point))
        inside = (Vector(point) - place).dot(normal) < 0
        if inside and span > 0.002:
            inside = sum(_crossings(tree, Vector(point), Vector(way)) % 2 for way in DIRECTIONS) >= 2
        found[index] = -span if inside else span
    return found


def _crossings(tree: Any, point: Any, way: Any) -> int:
    count = 0
    hit = tree.ray_cast(point, way)[0]
    while hit is not None:
        count += 1
        hit = tree.ray_cast(hit + way * 1e-5, way)[0]
    return count


def widest_hole(head: Any, roots: Any) -> float:
    """Diameter of the largest circle without a root, over 40,000 places well inside the hairline."""
    scalp = build_scalp(head, head_frame(head), Parting())
    core = (scalp.density[scalp.triangles] > 0.9).all(axis=1)
    weight, random = scalp.areas() * core, stream(6, "places")
    triangle = random.choice(len(weight), size=40_000, p=weight / weight.sum())
    mix = random.dirichlet((1, 1, 1), size=len(triangle))
    places = np.einsum("nk,nkc->nc", mix, scalp.posed[scalp.triangles[triangle]])
    return float(2 * cKDTree(roots).query(places)[0].max())


def closed_tree(shell: Any) -> Any:
    from mathutils.bvhtree import BVHTree

    return BVHTree.FromPolygons(shell.vertices.tolist(), shell.faces.tolist())
