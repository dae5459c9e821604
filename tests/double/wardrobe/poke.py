"""Measuring whether skin comes through clothes, and clothes through those worn over them."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Vector
from mathutils.bvhtree import BVHTree
from scipy.spatial import cKDTree

from farm.double.base_mesh import base_mesh
from farm.double.wardrobe.dress import OUTER, _patterns
from farm.double.wardrobe.sheet import tights

REACH = 0.12
"""Cloth this far out from skin covers it, in metres."""
NEAR = 0.05
"""Skin farther than this from all cloth is not under it, in metres."""
FROM_RIM = 0.012
"""Skin nearer to an opening's edge than this is not counted: it may show there."""
THROUGH = 0.0005
"""Skin this far outside of cloth has come through, in metres."""
HEM_RIM = 0.006
"""Cloth nearer to the edge of what is worn over it than this is not counted."""
WELL_OVER = 0.02
"""On the unshaped mesh the tights lie within this of the skin that they cover, in metres."""
BESIDE = 0.004
"""Skin whose nearest cloth is an opening's edge, to within this, is beside the garment and not under it."""
LOOKS = 24
"""Directions in which it is looked at."""


def shown(thing):
    """The evaluated world points (N, 3) of a mesh object, its faces, and which of them are its outside."""
    evaluated = thing.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = evaluated.to_mesh()
    points = np.empty(len(mesh.vertices) * 3, dtype=np.float32)
    mesh.vertices.foreach_get("co", points)
    corners = np.empty(len(mesh.loops), dtype=np.int32)
    mesh.loops.foreach_get("vertex_index", corners)
    faces = corners.reshape(-1, 4)
    outer = np.ones(len(faces), dtype=np.float32)
    if OUTER in mesh.attributes:
        mesh.attributes[OUTER].data.foreach_get("value", outer)
    world = np.array(evaluated.matrix_world)
    evaluated.to_mesh_clear()
    return points.reshape(-1, 3).astype(np.float64) @ world[:3, :3].T + world[:3, 3], faces, outer > 0.5


def _tree(parts):
    points, faces, count = [], [], 0
    for vertices, quads in parts:
        points.append(vertices)
        faces.append(quads + count)
        count += len(vertices)
    return BVHTree.FromPolygons(np.concatenate(points).tolist(), np.concatenate(faces).tolist())


def _cloth(double):
    return [(points, faces[outer]) for points, faces, outer in map(shown, double.garments)]


def _rims(cloth):
    """The border points of garments."""
    rims = []
    for points, faces in cloth:
        edges = np.sort(np.stack([faces, np.roll(faces, -1, axis=1)], axis=-1).reshape(-1, 2), axis=1)
        unique, uses = np.unique(edges, axis=0, return_counts=True)
        rims.append(points[np.unique(unique[uses == 1])])
    return np.concatenate(rims)


def _normals(points, faces):
    corners = points[faces]
    crossed = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    normals = np.zeros_like(points)
    for at in range(4):
        np.add.at(normals, faces[:, at], crossed)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def _covered(tree, point, normal):
    """Whether a way out from skin leaves some garment through its outside: others may come in between."""
    start, direction, left = Vector(point), Vector(normal), REACH
    while left > 0:
        place, facing, _, away = tree.ray_cast(start + 1e-5 * direction, direction, left)
        if place is None:
            return False
        if facing.dot(direction) > 0:
            return True
        start, left = place, left - away - 1e-5
    return False


def _beneath(tree, point, normal):
    """Whether the nearest cloth is near and faces as the skin does, rather than across an armpit."""
    place, facing, _, _ = tree.find_nearest(Vector(point), NEAR)
    return place is not None and facing.dot(Vector(normal)) > 0


def covered_skin(double, outfit):
    """Which evaluated body points an outfit should cover, away from openings, with the double at rest.

    Those that lie under cloth now, and the body's own vertices that the patterns say lie under it.
    """
    points, faces, _ = shown(double.body)
    cloth = _cloth(double)
    tree, edge = _tree(cloth), _rims(cloth)
    normals = _normals(points, faces)
    used = np.unique(faces)
    near = np.array([_beneath(tree, points[at], normals[at]) for at in used])
    chosen = [at for at in used[near] if _covered(tree, points[at], normals[at])]
    chosen = np.array(chosen, dtype=np.int64)
    to_cloth = np.array([tree.find_nearest(Vector(points[at]))[3] for at in chosen])
    to_edge = cKDTree(edge).query(points[chosen])[0]
    geometric = chosen[(to_edge > FROM_RIM) & (to_edge > to_cloth + BESIDE)]
    return np.union1d(geometric, np.intersect1d(used, _under_patterns(outfit)))


def _under_patterns(outfit):
    """The body's vertices whose place on the tights is well inside a garment."""
    base = base_mesh()
    away, near = cKDTree(tights().rest).query(base.vertices[base.group_vertices("body")])
    inside = np.zeros(len(tights().rest))
    for pattern in _patterns(outfit):
        inside[pattern.origin] = np.maximum(inside[pattern.origin], pattern.to_rim)
    return np.flatnonzero((inside[near] > FROM_RIM) & (away < WELL_OVER))


def came_through(double, under):
    """Which of the body points `under` lie outside of cloth and can be seen."""
    points, faces, _ = shown(double.body)
    cloth = _cloth(double)
    return _outside((points, faces), cloth, _tree([*cloth, (points, faces)]), under, beside=-1.0)


def covered_cloth(double):
    """Which evaluated points of garments lie under a garment worn over them, with the double at rest.

    Returns (lower garment, upper garment, points) for every pair, by their places in `double.garments`.
    """
    cloth, found = _cloth(double), []
    for lower, (points, faces) in enumerate(cloth):
        normals, used = _normals(points, faces), np.unique(faces)
        for upper in range(lower + 1, len(cloth)):
            tree, edge = _tree([cloth[upper]]), cKDTree(_rims([cloth[upper]]))
            inside = [at for at in used if _beneath(tree, points[at], normals[at])]
            inside = [at for at in inside if _covered(tree, points[at], normals[at])]
            away = [tree.find_nearest(Vector(points[at]))[3] for at in inside]
            to_edge = edge.query(points[inside])[0] if inside else np.zeros(0)
            under = np.array(inside, dtype=np.int64)[(to_edge > HEM_RIM) & (to_edge > np.array(away) + BESIDE)]
            if len(under):
                found.append((lower, upper, under))
    return found


def cloth_came_through(double, pairs):
    """For each pair of `covered_cloth`, the share of its points that lie outside of the upper garment and are seen."""
    body, cloth = shown(double.body), _cloth(double)
    everything = _tree([*cloth, body[:2]])
    return [
        len(_outside(cloth[lower], [cloth[upper]], everything, under, beside=BESIDE)) / len(under)
        for lower, upper, under in pairs
    ]


def _outside(thing, cloth, everything, under, *, beside):
    """Which of a thing's points `under` lie outside of cloth and can be seen; not those `beside` an edge of it."""
    points, faces = thing
    tree, normals, edge = _tree(cloth), _normals(points, faces), cKDTree(_rims(cloth))
    turns = np.random.Generator(np.random.PCG64(0)).normal(size=(LOOKS, 3))
    out = []
    for at in under:
        if _covered(tree, points[at], normals[at]):
            continue
        place, facing, _, away = tree.find_nearest(Vector(points[at]))
        if (Vector(points[at]) - place).dot(facing) < THROUGH or edge.query(points[at])[0] <= away + beside:
            continue
        looks = turns * np.sign(turns @ normals[at])[:, None]
        start = Vector(points[at] + 2e-4 * normals[at])
        if any(everything.ray_cast(start, Vector(look).normalized())[0] is None for look in looks):
            out.append(at)
    return np.array(out, dtype=np.int64)
