from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="building a double needs Blender's Python module")

from farm.double.body import remove_double
from farm.motion.apply import apply_motion
from farm.recipe.parameters import Pose, Stunt

KINDS = ("objects", "meshes", "materials", "armatures", "hair_curves", "images", "node_groups", "actions", "curves")


def _counts():
    return {kind: len(getattr(bpy.data, kind)) for kind in KINDS}


def test_bending_a_forearm_moves_the_wrist_and_its_sleeve_but_not_the_torso(build, posed):
    double = build()
    dressed = (double.body, double.garments[0])
    before = {thing.name: posed(thing).points for thing in dressed}
    double.armature.pose.bones["lowerarm01.L"].rotation_quaternion = (0.9, 0.4, 0.0, 0.0)
    bpy.context.view_layer.update()
    for thing in dressed:
        moved = np.linalg.norm(posed(thing).points - before[thing.name], axis=1)
        torso = np.abs(before[thing.name][:, 0]) < 0.15
        assert moved.max() > 0.05
        assert moved[torso].max() < 0.001


def test_eyes_lashes_and_brows_follow_the_head(build, posed):
    double = build()
    eyes = posed(double.eyes).points
    places = [thing.matrix_world.translation.copy() for thing in (double.lashes, double.brows)]
    assert all(place.length < 1e-6 for place in places), "strands stand where they were rooted"
    double.armature.pose.bones["head"].rotation_quaternion = (0.92, 0.0, 0.39, 0.0)
    bpy.context.view_layer.update()
    assert np.linalg.norm(posed(double.eyes).points - eyes, axis=1).min() > 0.005
    for thing in (double.lashes, double.brows):
        assert thing.matrix_world.to_quaternion().angle > 0.5


def test_rebuilding_leaks_nothing(build):
    remove_double(build(identity=1))
    empty = _counts()
    for identity in range(5):
        double = build(identity=identity)
        apply_motion(double.armature, Pose(), Stunt(), rig=double.rig, frames=range(1, 2))
        remove_double(double)
        assert _counts() == empty


def test_a_double_shares_no_material_with_another(build):
    one = build(tone=2)
    two = build(tone=9)
    remove_double(one)
    assert all(thing.data.materials[0] is not None for thing in two.objects[1:])


def test_equal_parameters_build_equal_doubles(build, posed):
    one, other = build(identity=3), build(identity=3)
    for first, second in zip(one.objects[1:], other.objects[1:], strict=True):
        if first.type == "MESH":
            assert (posed(first).points == posed(second).points).all()
        else:
            strands = [np.array([point.position for point in thing.data.points]) for thing in (first, second)]
            assert (strands[0] == strands[1]).all()


def test_lashes_and_brows_are_rooted_on_the_face_and_stay_out_of_the_eyes(build):
    double = build(identity=6)
    body = double.shape[:13380]
    for thing, longest in ((double.lashes, 0.014), (double.brows, 0.013)):
        points = np.array([point.position for point in thing.data.points]).reshape(len(thing.data.curves), -1, 3)
        roots = points[:, 0]
        assert max(np.linalg.norm(body - root, axis=1).min() for root in roots) < 0.006
        assert np.linalg.norm(points[:, -1] - roots, axis=1).max() < longest
        assert (points[:, -1, 1] < roots[:, 1] + 0.006).all(), "no strand grows into the head"
