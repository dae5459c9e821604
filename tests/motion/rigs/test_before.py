"""What an artist had on an armature is there again when the motion is cleared."""

from __future__ import annotations

import pytest

bpy = pytest.importorskip("bpy", reason="armatures are Blender's")

from farm.motion.apply import apply_motion, clear_motion
from farm.recipe.parameters import Pose, Stunt

from .rigged import BODY, armature_of, new_scene


@pytest.fixture
def armature():
    new_scene()
    return armature_of("mixamo", BODY)


def apply(armature, pose="crouching"):
    apply_motion(armature, Pose(name=pose), Stunt(), rig="mixamo", frames=range(1, 4))


def state(armature):
    return [
        (bone.name, bone.rotation_mode, *bone.location, *bone.rotation_quaternion, *bone.rotation_euler, *bone.scale)
        for bone in armature.pose.bones
    ]


def test_poses_and_rotation_modes(armature):
    hand = armature.pose.bones["mixamorig:LeftHand"]
    hand.rotation_mode, hand.rotation_euler, hand.scale = "ZYX", (0.4, 0.0, -0.2), (1.1, 1.0, 1.0)
    armature.pose.bones["mixamorig:Hips"].location = (0.0, 0.3, 0.0)
    before = state(armature)
    apply(armature)
    assert hand.rotation_mode == "QUATERNION"
    apply(armature, "walking")
    clear_motion(armature)
    assert state(armature) == before
    assert armature.animation_data is None
    assert not armature.keys()


def test_the_artists_action_its_slot_and_how_it_is_mixed(armature):
    own = bpy.data.actions.new("own")
    own.slots.new(id_type="OBJECT", name="another")
    slot = own.slots.new(id_type="OBJECT", name="mine")
    animation = armature.animation_data_create()
    animation.action, animation.action_slot = own, slot
    animation.action_blend_type, animation.action_influence = "ADD", 0.5
    apply(armature)
    assert (animation.action_blend_type, animation.action_influence) == ("REPLACE", 1.0)
    apply(armature, "walking")
    clear_motion(armature)
    assert (animation.action, animation.action_slot) == (own, slot)
    assert (animation.action_blend_type, animation.action_influence) == ("ADD", 0.5)
    assert list(bpy.data.actions) == [own]


def test_an_action_that_the_artist_removed_meanwhile(armature):
    animation = armature.animation_data_create()
    animation.action = bpy.data.actions.new("own")
    apply(armature)
    bpy.data.actions.remove(bpy.data.actions["own"])
    clear_motion(armature)
    assert animation.action is None


def test_clearing_after_saving_and_opening(armature, tmp_path):
    own = bpy.data.actions.new("own")
    own.use_fake_user = True
    armature.animation_data_create().action = own
    armature.pose.bones["mixamorig:Hips"].rotation_mode = "XYZ"
    apply(armature)
    path = str(tmp_path / "shot.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    opened = bpy.data.objects["mixamo"]
    clear_motion(opened)
    assert [action.name for action in bpy.data.actions] == ["own"]
    assert opened.animation_data.action == bpy.data.actions["own"]
    assert opened.pose.bones["mixamorig:Hips"].rotation_mode == "XYZ"


def test_clearing_what_has_no_motion_changes_nothing(armature):
    armature.pose.bones["mixamorig:Hips"].location = (0.0, 0.3, 0.0)
    before = state(armature)
    clear_motion(armature)
    assert state(armature) == before


def test_bones_that_the_table_does_not_name_are_left_alone(armature):
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    prop = armature.data.edit_bones.new("sword")
    prop.head, prop.tail, prop.parent = (0.6, 0, 1.3), (0.6, -1, 1.3), armature.data.edit_bones["mixamorig:LeftHand"]
    bpy.ops.object.mode_set(mode="OBJECT")
    armature.pose.bones["sword"].rotation_mode = "XYZ"
    armature.pose.bones["sword"].rotation_euler = (0.5, 0, 0)
    apply(armature)
    bpy.context.scene.frame_set(2)
    assert tuple(armature.pose.bones["sword"].rotation_euler) == (0.5, 0, 0)
    bag = armature.animation_data.action.layers[0].strips[0].channelbags[0]
    assert not [curve for curve in bag.fcurves if "sword" in curve.data_path]
