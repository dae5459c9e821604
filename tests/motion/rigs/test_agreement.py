"""One pose on all rigs: the evaluated bones are where the canonical skeleton says, and where they are on other rigs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="armatures are Blender's")

from mathutils import Vector

from farm.double.rig_table import CANONICAL, REQUIRED, read_table
from farm.motion import perform
from farm.motion.apply import apply_motion
from farm.motion.skeleton import INDEX
from farm.recipe import templates
from farm.recipe.parameters import Pose, Stunt

from .rigged import BODY, BUILT, COMPARED, RIGS, armature_of, evaluated_joints, fitted, new_scene

HELD = Stunt()
JUMP = Stunt(name="jump", phase=0.0)
JUMP_FRAMES = range(1, 75)
WITHOUT = {
    "cmu_max": ("upperChest", "jaw", "Eye", "Thumb", "Index", "Middle", "Ring", "Little"),
    "cmu_mb": ("jaw", "Eye", "ThumbProximal", "ThumbDistal", "IndexIntermediate", "IndexDistal", "Middle", "Ring",
               "Little"),
    "game_engine": ("jaw", "Eye"),
    "mixamo": ("jaw", "Eye"),
    "unreal": ("jaw", "Eye"),
    "vroid": ("jaw",),
}  # fmt: skip
"""What these rigs do not have; all others have every bone."""


@pytest.fixture(scope="module")
def armatures():
    """An armature for each table, all in one scene."""
    new_scene()
    return {rig: armature_of(rig, BODY) for rig in RIGS}


@pytest.fixture(scope="module")
def fits(armatures):
    return {rig: fitted(armature, rig) for rig, armature in armatures.items()}


def test_every_table_is_tried():
    assert set(RIGS) == set(templates.names("rigs"))


@pytest.mark.parametrize("rig", RIGS)
def test_a_table_names_every_bone_that_its_rig_has(rig):
    bones = read_table(rig).bones
    assert set(REQUIRED) <= set(bones)
    missing = [bone for bone in CANONICAL if bone not in bones]
    assert all(any(part in bone for part in WITHOUT.get(rig, ())) for bone in missing), missing


def pose_all(armatures, pose, stunt, frames):
    for rig, armature in armatures.items():
        apply_motion(armature, pose, stunt, rig=rig, frames=frames)


def points(armature, fit):
    """Where the compared joints are, and for the head the point of it that is the skull's joint on any rig."""
    joints = evaluated_joints(armature, fit)
    found = {bone: joints[INDEX[bone]] for bone in COMPARED}
    posed = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    name = next(link.name for link in fit.links if link.bone == "head")
    rest = armature.matrix_world @ armature.data.bones[name].matrix_local
    skull = fit.skull - fit.skeleton.joint("hips") + fit.hips
    found["head"] = np.array(posed.matrix_world @ posed.pose.bones[name].matrix @ rest.inverted() @ Vector(skull))
    return found


def canonical_points(clip, fit):
    """The same points on the canonical skeleton, for each frame."""
    turned, places = fit.skeleton.pose(clip.rotations, clip.hips)
    neck, head = INDEX["neck"], INDEX["head"]
    found = {bone: places[:, INDEX[bone]] for bone in COMPARED}
    lifted = turned[:, neck] @ (fit.skull - fit.skeleton.joints[neck])
    found["head"] = places[:, neck] + lifted if "neck" in {link.bone for link in fit.links} else places[:, head]
    return found


def furthest(one, other):
    """The largest distance between two sets of points, as a share of the body's height, with its bone."""
    return max((float(np.linalg.norm(one[bone] - other[bone])) / BODY.height, bone) for bone in COMPARED)


def check(armatures, fits, clips, frame, number):
    found = {rig: points(armature, fits[rig]) for rig, armature in armatures.items()}
    for rig, clip in clips.items():
        wanted = {bone: places[number] for bone, places in canonical_points(clip, fits[rig]).items()}
        assert furthest(found[rig], wanted) < (0.01, ""), (rig, frame)
    return found


@pytest.mark.parametrize("name", templates.names("poses"))
def test_a_pose_is_the_same_on_all_rigs(armatures, fits, name):
    pose = Pose(name=name)
    pose_all(armatures, pose, HELD, range(1, 2))
    bpy.context.scene.frame_set(1)
    clips = {rig: perform(pose, HELD, fit.skeleton, np.zeros(1)) for rig, fit in fits.items()}
    found = check(armatures, fits, clips, name, 0)
    for rig, there in found.items():
        assert furthest(there, found["default"]) < (0.01, ""), rig


def test_a_jump_is_on_every_rig_as_its_canonical_skeleton_has_it(armatures, fits):
    pose_all(armatures, Pose(), JUMP, JUMP_FRAMES)
    clips = {rig: perform(Pose(), JUMP, fit.skeleton, np.arange(len(JUMP_FRAMES)) / 24.0) for rig, fit in fits.items()}
    heights = []
    for number in range(0, len(JUMP_FRAMES), 9):
        bpy.context.scene.frame_set(JUMP_FRAMES[number])
        heights.append(check(armatures, fits, clips, JUMP_FRAMES[number], number)["default"]["head"][2])
    assert np.ptp(heights) > 0.5, "the jump went by"


def test_the_test_of_agreement_can_fail(armatures, fits):
    pose_all(armatures, Pose(name="crouching"), HELD, range(1, 2))
    apply_motion(armatures["mixamo"], Pose(name="standing"), HELD, rig="mixamo", frames=range(1, 2))
    bpy.context.scene.frame_set(1)
    found = {rig: points(armatures[rig], fits[rig]) for rig in BUILT}
    assert max(furthest(*pair) for pair in itertools.combinations(found.values(), 2)) > (0.2, "")
