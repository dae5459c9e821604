"""What keeps motion from being applied is one clear message, and leaves the armature as it was."""

from __future__ import annotations

import pytest

bpy = pytest.importorskip("bpy", reason="armatures are Blender's")

from farm.errors import BadInput
from farm.motion.apply import apply_motion, clear_motion
from farm.recipe.parameters import Pose, Stunt

from .rigged import BODY, armature_of, new_scene


@pytest.fixture
def armature():
    new_scene()
    return armature_of("game_engine", BODY)


def apply(armature, frames=range(1, 2), **more):
    apply_motion(armature, Pose(), Stunt(), rig="game_engine", frames=frames, **more)


def refused(armature, match, **more):
    with pytest.raises(BadInput, match=match) as caught:
        apply(armature, **more)
    assert len(str(caught.value).splitlines()) == 1
    assert armature.animation_data is None or armature.animation_data.action is None
    assert len(bpy.data.actions) == 0


def remove(armature, *names):
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    bones = armature.data.edit_bones
    for name in names:
        for bone in [*bones[name].children_recursive, bones[name]]:
            bones.remove(bone)
    bpy.ops.object.mode_set(mode="OBJECT")


def test_no_frames(armature):
    refused(armature, "no frames to move 'game_engine' in", frames=range(5, 5))


@pytest.mark.parametrize("fps", [0.0, -24.0, float("nan")])
def test_no_frame_rate(armature, fps):
    refused(armature, "frames a second cannot be played", fps=fps)


def test_no_legs(armature):
    remove(armature, "thigh_l", "thigh_r")
    refused(
        armature,
        "no bone 'thigh_l', which .*/game_engine.yaml names for leftUpperLeg, nor for leftLowerLeg",
    )


def test_a_missing_hand(armature):
    remove(armature, "hand_r")
    refused(armature, "the rig has no bone 'hand_r', which .*/game_engine.yaml names for rightHand; did you")


def test_missing_fingers_are_no_hindrance(armature):
    remove(armature, "index_01_l", "thumb_02_r")
    apply(armature)
    assert armature.animation_data.action is not None


def test_edit_mode(armature):
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    try:
        refused(armature, "armature 'game_engine' is in edit mode: leave it")
    finally:
        bpy.ops.object.mode_set(mode="OBJECT")


def test_a_linked_armature(armature, tmp_path):
    path = str(tmp_path / "hero.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path, copy=True)
    new_scene()
    with bpy.data.libraries.load(path, link=True) as (there, here):
        here.objects = there.objects
    refused(here.objects[0], "is linked from .*hero.blend and cannot be keyed: make a library override")


def test_another_object():
    new_scene()
    thing = bpy.data.objects.new("cube", bpy.data.meshes.new("cube"))
    refused(thing, "'cube' is a mesh, not an armature")


def test_a_strip_in_tweak_mode(armature):
    action = bpy.data.actions.new("own")
    slot = action.slots.new(id_type="OBJECT", name="own")
    strip = armature.animation_data_create().nla_tracks.new().strips.new("own", 1, action)
    strip.action_slot = slot
    strip.select = True
    armature.animation_data.nla_tracks[0].select = True
    armature.animation_data.nla_tracks.active = armature.animation_data.nla_tracks[0]
    armature.animation_data.use_tweak_mode = True
    with pytest.raises(BadInput, match="in tweak mode: leave it"):
        apply(armature)


def test_constraints_that_override_are_named(armature):
    for side in "lr":
        reach = armature.pose.bones[f"calf_{side}"].constraints.new("IK")
        reach.target, reach.subtarget, reach.chain_count = armature, f"foot_{side}", 2
    track = armature.pose.bones["head"].constraints.new("DAMPED_TRACK")
    track.name = "Look"
    refused(armature, "bone 'head' by the constraint 'Look'")
    refused(armature, "bone '(thigh|calf)_l' by the constraint 'IK'")
    track.mute = True
    for side in "lr":
        armature.pose.bones[f"calf_{side}"].constraints["IK"].influence = 0.0
    apply(armature)


def test_limits_and_bones_of_no_concern_are_left_alone(armature):
    armature.pose.bones["hand_l"].constraints.new("LIMIT_ROTATION")
    armature.pose.bones["Root"].constraints.new("COPY_LOCATION")
    apply(armature)


def test_a_driven_rotation_is_named(armature):
    armature.pose.bones["head"].driver_add("rotation_quaternion", 1)
    with pytest.raises(BadInput, match="bone 'head' by a driver of its rotation_quaternion"):
        apply(armature)


def test_a_bone_that_does_not_inherit_is_named(armature):
    armature.data.bones["head"].use_inherit_rotation = False
    refused(armature, "bone 'head' by not inheriting its parent's rotation")


def test_a_refused_motion_leaves_the_pose(armature):
    bone = armature.pose.bones["hand_l"]
    bone.rotation_mode, bone.rotation_euler = "XYZ", (0.1, 0.2, 0.3)
    armature.pose.bones["head"].constraints.new("DAMPED_TRACK")
    with pytest.raises(BadInput):
        apply(armature)
    assert (bone.rotation_mode, tuple(bone.rotation_euler)) == ("XYZ", pytest.approx((0.1, 0.2, 0.3)))
    clear_motion(armature)
