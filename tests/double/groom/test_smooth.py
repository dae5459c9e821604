"""Parts of skin, smoothed: they are what the whole skin is there."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="Blender smooths meshes")

from mathutils.bvhtree import BVHTree

from farm.double.groom.collider import Shell
from farm.double.groom.smooth import around, nearest_places, smooth_tree
from farm.double.groom.wearer import read_wearer
from farm.double.scalp import scalp_mask


def test_a_part_is_smooth_as_the_whole_is_there(stage):
    head, shells = read_wearer(stage)
    points = head.posed[scalp_mask() > 0.0]
    whole = BVHTree.FromObject(stage.body, bpy.context.evaluated_depsgraph_get())
    smooth = nearest_places(whole, points)
    assert np.abs(head.settle(points) - smooth).max() < 2e-5
    rough = BVHTree.FromPolygons(shells[0].vertices.tolist(), shells[0].faces.tolist())
    assert np.abs(nearest_places(rough, points) - smooth).max() > 2e-4


def test_nothing_is_left_behind(stage):
    before = [each.name for each in bpy.data.all_ids]
    shell = read_wearer(stage)[1][0]
    smooth_tree([Shell(shell.vertices, around(scalp_mask() > 0.5, shell.faces))])
    assert [each.name for each in bpy.data.all_ids] == before


def test_faces_around_grow_by_rings():
    faces = np.array([[row, row + 1, row + 11, row + 10] for row in range(8)], dtype=np.int32)
    chosen = np.zeros(20, dtype=bool)
    chosen[0] = True
    assert around(chosen, faces).tolist() == faces[:4].tolist()
