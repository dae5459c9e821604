"""A generated Rigify rig is moved by its FK controls, and gets its switches back."""

from __future__ import annotations

import pytest

bpy = pytest.importorskip("bpy", reason="Rigify is Blender's")

from farm.double.rig_table import Controls, read_table
from farm.errors import BadInput, TemplateError
from farm.motion.apply import apply_motion, clear_motion, read_rest
from farm.motion.drive import plan_drive
from farm.motion.rig import load_table
from farm.recipe.parameters import Pose, Stunt

from .rigged import BODY, generated, new_scene

RIG = "rigify_generated"
SWITCHED = {(bone, name) for bone, values in read_table(RIG).controls.switches.items() for name in values}


@pytest.fixture(scope="module")
def rig():
    new_scene()
    return generated(BODY)


@pytest.fixture(autouse=True)
def _cleared(rig):
    yield
    clear_motion(rig)


def apply(rig, pose="crouching", **more):
    apply_motion(rig, Pose(name=pose), Stunt(), rig=RIG, frames=range(1, 2), **more)


def curves(rig):
    bag = rig.animation_data.action.layers[0].strips[0].channelbags[0]
    return [curve.data_path for curve in bag.fcurves]


def test_keys_are_on_controls_and_switches_only(rig):
    apply(rig)
    bones = {path.split('"')[1] for path in curves(rig)}
    assert not [name for name in bones if name.startswith(("DEF-", "ORG-", "MCH-"))]
    assert {"torso", "spine_fk", "upper_arm_fk.L", "forearm_fk.R", "thigh_fk.L", "hand_fk.R", "neck", "head"} <= bones
    assert {f'pose.bones["{bone}"]["{name}"]' for bone, name in SWITCHED} <= set(curves(rig))


def test_switches_and_poses_are_put_back(rig):
    poses = rig.pose.bones
    poses["thigh_parent.L"]["IK_FK"], poses["torso"]["head_follow"] = 0.25, 0.5
    poses["chest"].location = (0.0, 0.1, 0.0)
    poses["shoulder.L"].rotation_euler = (0.2, 0.0, 0.1)
    before = {(bone, name): poses[bone][name] for bone, name in SWITCHED}
    apply(rig)
    assert poses["thigh_parent.L"]["IK_FK"] == 1.0
    assert tuple(poses["chest"].location) == (0, 0, 0)
    apply(rig, "walking")
    clear_motion(rig)
    assert {(bone, name): poses[bone][name] for bone, name in SWITCHED} == before
    assert tuple(poses["chest"].location) == pytest.approx((0.0, 0.1, 0.0))
    assert poses["shoulder.L"].rotation_mode == "YXZ"
    assert tuple(poses["shoulder.L"].rotation_euler) == pytest.approx((0.2, 0.0, 0.1))
    poses["chest"].location, poses["shoulder.L"].rotation_euler = (0, 0, 0), (0, 0, 0)


def test_the_control_of_the_whole_may_be_placed_by_the_artist(rig):
    apply(rig)
    bpy.context.scene.frame_set(1)
    before = rig.pose.bones["DEF-hand.L"].head.copy()
    rig.pose.bones["root"].location = (1.0, 0.0, 0.0)
    apply(rig)
    bpy.context.scene.frame_set(1)
    moved = rig.pose.bones["DEF-hand.L"].head - before
    rig.pose.bones["root"].location = (0, 0, 0)
    assert moved.length == pytest.approx(1.0, abs=1e-3)


def test_a_rig_without_the_switch_is_named(rig):
    value = rig.pose.bones["thigh_parent.L"]["IK_FK"]
    del rig.pose.bones["thigh_parent.L"]["IK_FK"]
    try:
        with pytest.raises(BadInput, match="bone 'thigh_parent.L' has no property 'IK_FK', which templates/rigs"):
            apply(rig)
    finally:
        rig.pose.bones["thigh_parent.L"]["IK_FK"] = value


def test_deform_bones_are_not_keyed_where_a_table_has_no_controls(rig, monkeypatch):
    table = read_table(RIG).model_copy(update={"controls": None})
    monkeypatch.setattr("farm.motion.rig.read_table", lambda name: table)
    with pytest.raises(
        BadInput, match="bone 'DEF-jaw' does not hang on 'DEF-spine', by which templates/rigs"
    ) as caught:
        apply(rig)
    assert len(str(caught.value).splitlines()) == 1


def plan(rig, **change):
    controls = read_table(RIG).controls
    return plan_drive(
        Controls(**(controls.model_dump() | change)), load_table(RIG), read_rest(rig), "templates/rigs/odd.yaml"
    )


def test_wrong_controls_are_one_clear_message(rig):
    bones = read_table(RIG).controls.bones
    with pytest.raises(BadInput, match="no control 'thorso', which .*odd.yaml names for root; did you mean"):
        plan(rig, root="thorso")
    with pytest.raises(BadInput, match="no control 'thigh_kf.L', which .* names for leftUpperLeg"):
        plan(rig, bones=bones | {"leftUpperLeg": "thigh_kf.L"})
    with pytest.raises(TemplateError, match="no control is given for head"):
        plan(rig, bones={bone: name for bone, name in bones.items() if bone != "head"})
    with pytest.raises(TemplateError, match="copies what hangs on itself"):
        plan(rig, copies={"ORG-spine.003": "upper_arm_fk.L"})
    with pytest.raises(BadInput, match="does not hang on 'chest'"):
        plan(rig, root="chest")


def test_controls_of_missing_fingers_are_left_out(rig):
    bones = read_table(RIG).controls.bones
    drive = plan(rig, bones=bones | {"leftThumbDistal": "no_such_thumb"})
    assert len(drive.driven) == len(plan(rig).driven) - 1
