"""Motion in Blender: the evaluated bones and skin are where the canonical skeleton says."""

from __future__ import annotations

import numpy as np
import pytest

from farm.errors import BadInput
from farm.motion import fit_rig, perform
from farm.motion.pose import load_pose
from farm.motion.skeleton import BONES, INDEX
from farm.recipe import templates
from farm.recipe.parameters import Body, Pose, Stunt

bpy = pytest.importorskip("bpy", reason="applying motion needs Blender's Python module")

from mathutils import Matrix

from farm.motion.apply import apply_motion, clear_motion, read_rest

BODY = Body()
NO_STUNT = Stunt()
LYING = 0.03
"""Metres by which the skin and the capsules that stand for it differ where other parts than soles are lowest."""


@pytest.fixture(scope="module")
def double():
    """An armature and the bare skin of the base mesh on it."""
    from farm.double.base_mesh import base_mesh, rig_bones
    from farm.double.rig import build_armature, skin_to_rig
    from farm.double.shape import shape_vertices

    bpy.ops.wm.read_factory_settings(use_empty=True)
    shape, base = shape_vertices(BODY), base_mesh()
    armature = build_armature("double", rig_bones("default", shape), bpy.context.scene.collection)
    used = base.group_vertices("body")
    mesh = bpy.data.meshes.new("skin")
    mesh.from_pydata(shape[used], [], [])
    skin = bpy.data.objects.new("skin", mesh)
    bpy.context.scene.collection.objects.link(skin)
    skin_to_rig(skin, armature, rig="default", sources=used)
    return armature, skin


@pytest.fixture
def armature(double):
    yield double[0]
    clear_motion(double[0])


def evaluated_joints(armature, fit):
    """The canonical joints (B, 3) on the evaluated armature."""
    posed = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    joints = np.zeros((len(BONES), 3))
    for link in fit.links:
        joints[INDEX[link.bone]] += link.weight * np.array(posed.matrix_world @ posed.pose.bones[link.name].head)
    return joints


def skin_heights(skin):
    thing = skin.evaluated_get(bpy.context.evaluated_depsgraph_get())
    points = np.empty(3 * len(thing.data.vertices), dtype=np.float32)
    thing.data.vertices.foreach_get("co", points)
    return points[2::3]


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("name", templates.names("poses"))
def test_posed_bones_are_where_the_canonical_skeleton_is(armature, double, name, mirror):
    fit = fit_rig("default", read_rest(armature))
    pose = Pose(name=name, mirror=mirror)
    apply_motion(armature, pose, NO_STUNT, rig="default", frames=range(1, 2))
    bpy.context.scene.frame_set(1)
    clip = perform(pose, NO_STUNT, fit.skeleton, np.zeros(1))
    _, places = fit.skeleton.pose(clip.rotations, clip.hips)
    joints = evaluated_joints(armature, fit)
    for bone in ("head", "leftHand", "rightHand", "leftLowerArm", "rightLowerLeg", "leftFoot", "rightFoot", "leftToes"):
        assert np.linalg.norm(joints[INDEX[bone]] - places[0, INDEX[bone]]) < 0.01 * BODY.height, bone
    stance = load_pose(name).stance
    clearance = (stance.air or 0.0) * fit.skeleton.leg
    thick = 0.01 if stance.bears.all() and stance.rest is None else LYING
    assert abs(skin_heights(double[1]).min() - clearance) < thick


def test_a_jump_moves_frame_by_frame(armature, double):
    stunt, frames = Stunt(name="jump", height=1.25, phase=0.0), range(11, 75)
    fit = fit_rig("default", read_rest(armature))
    apply_motion(armature, Pose(), stunt, rig="default", frames=frames)
    clip = perform(Pose(), stunt, fit.skeleton, (np.arange(11, 75) - 11) / 24.0)
    _, places = fit.skeleton.pose(clip.rotations, clip.hips)
    lowest = []
    for number in range(0, len(frames), 3):
        bpy.context.scene.frame_set(frames[number])
        joints = evaluated_joints(armature, fit)
        for bone in ("head", "leftHand", "rightFoot"):
            away = np.linalg.norm(joints[INDEX[bone]] - places[number, INDEX[bone]])
            assert away < 0.01 * BODY.height, (number, bone)
        lowest.append(skin_heights(double[1]).min())
    assert min(lowest) > -0.01
    assert max(lowest) > 0.3


def test_a_turned_and_scaled_armature_is_posed_alike(armature):
    apply_motion(armature, Pose(name="reaching"), NO_STUNT, rig="default", frames=range(1, 2))
    bpy.context.scene.frame_set(1)
    fit = fit_rig("default", read_rest(armature))
    expected = evaluated_joints(armature, fit)
    imported = Matrix.Rotation(np.pi / 2, 4, "X") @ Matrix.Scale(100, 4)
    armature.data.transform(imported)
    armature.matrix_world = imported.inverted()
    try:
        apply_motion(armature, Pose(name="reaching"), NO_STUNT, rig="default", frames=range(1, 2))
        bpy.context.scene.frame_set(1)
        assert evaluated_joints(armature, fit) == pytest.approx(expected, abs=1e-3)
    finally:
        armature.data.transform(imported.inverted())
        armature.matrix_world = Matrix()


def test_applying_again_replaces_and_leaks_nothing(armature):
    before = len(bpy.data.actions)
    for pose in ("walking", "crouching", "standing"):
        apply_motion(armature, Pose(name=pose), NO_STUNT, rig="default", frames=range(1, 4))
        assert len(bpy.data.actions) == before + 1
        assert armature.animation_data.action_slot is not None
    clear_motion(armature)
    assert len(bpy.data.actions) == before
    assert all(tuple(bone.rotation_quaternion) == (1, 0, 0, 0) for bone in armature.pose.bones)


def test_other_actions_are_left_alone(armature):
    own = bpy.data.actions.new("the artist's")
    armature.animation_data_create().action = own
    apply_motion(armature, Pose(), NO_STUNT, rig="default", frames=range(1, 2))
    assert "the artist's" in bpy.data.actions
    bpy.data.actions.remove(own)


def test_one_frame_more_is_baked_at_each_end(armature):
    apply_motion(armature, Pose(), Stunt(name="jump"), rig="default", frames=range(5, 11, 2))
    assert tuple(armature.animation_data.action.frame_range) == (4, 10)


def test_equal_motions_are_equal_keys(armature):
    def keys():
        apply_motion(armature, Pose(), Stunt(name="jump"), rig="default", frames=range(1, 9))
        bag = armature.animation_data.action.layers[0].strips[0].channelbags[0]
        return [(curve.data_path, [tuple(point.co) for point in curve.keyframe_points]) for curve in bag.fcurves]

    assert keys() == keys()


def test_an_armature_without_the_rigs_bones_is_named(armature):
    data = bpy.data.armatures.new("empty")
    empty = bpy.data.objects.new("empty", data)
    with pytest.raises(BadInput, match="the rig has no bone 'root'"):
        apply_motion(empty, Pose(), NO_STUNT, rig="default", frames=range(1, 2))
    bpy.data.armatures.remove(data)
