"""The double on each of the data's rigs: weights, rest, poses, a stunt and hair."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="building a double needs Blender's Python module")

from farm.double.base_mesh import base_mesh, rig_bones, rig_weights
from farm.double.body import remove_double
from farm.double.groom.strands import build_groom, strand_points
from farm.double.rig import bone_for, built_rig
from farm.double.shape import shape_vertices
from farm.errors import BadInput
from farm.motion.apply import apply_motion
from farm.recipe.parameters import PARAMETERS, Body, Hair, Pose, Stunt
from farm.recipe.settings import known_names

RIGS = ("cmu_mb", "default", "game_engine", "mixamo", "rigify")
BODIES = ({}, {"weight": 1.0, "gender": 0.0, "height": 1.5}, {"age": 75, "gender": 1.0, "height": 1.95, "muscle": 0.9})
JOINTS = ("l-hand", "l-elbow", "l-knee", "l-ankle", "r-hand", "r-elbow", "r-knee", "r-ankle", "head")
AROUND = 60
"""A joint is found on the skin as the mean of this many vertices around it."""
STRANDS = 500


def test_the_recipe_offers_these_rigs():
    assert tuple(known_names(PARAMETERS["rig.name"])) == RIGS


@pytest.mark.parametrize("rig", RIGS)
def test_the_weights_of_every_vertex_add_up_to_one_and_name_bones_that_there_are(rig):
    shape = base_mesh().vertices
    bones = rig_bones(built_rig(rig), shape)
    names = {bone.name for bone in bones}
    total = np.zeros(len(shape))
    for bone, (vertices, weights) in rig_weights(built_rig(rig)).items():
        assert bone in names
        total[vertices] += weights
    assert total == pytest.approx(1.0, abs=1e-9)
    assert min(np.linalg.norm(bone.tail - bone.head) for bone in bones) > 1e-3, "Blender drops bones without length"
    assert bone_for(rig, "head") in names


def _joints(double, posed):
    """The mean of the posed skin around each of `JOINTS` (J, 3)."""
    base = base_mesh()
    used = base.group_vertices("body")
    skin = posed(double.body).points[: len(used)]
    centres = [double.shape[base.group_vertices(f"joint-{joint}")].mean(axis=0) for joint in JOINTS]
    near = [np.argsort(np.linalg.norm(double.shape[used] - centre, axis=1))[:AROUND] for centre in centres]
    return np.array([skin[chosen].mean(axis=0) for chosen in near])


def _move(double, pose="standing", **stunt):
    apply_motion(double.armature, Pose(name=pose), Stunt(**stunt), rig=double.rig, frames=range(1, 2))
    bpy.context.scene.frame_set(1)


@pytest.mark.parametrize("body", BODIES)
def test_every_rig_rests_poses_and_jumps_as_the_default_one_does(build, posed, body):
    shape = shape_vertices(Body(**body))
    stature = Body(**body).height
    expected = {}
    for rig in ("default", *RIGS):
        double = build(rig, **body)
        for modifier in double.body.modifiers:
            modifier.show_viewport = modifier.type == "ARMATURE"
        assert posed(double.body).points == pytest.approx(shape[base_mesh().group_vertices("body")], abs=1e-5)
        for pose in ("standing", "walking"):
            _move(double, pose)
            joints = _joints(double, posed)
            away = np.linalg.norm(joints - expected.setdefault(pose, joints), axis=1)
            assert away.max() < 0.01 * stature, (rig, pose)
        _move(double, name="jump", phase=0.6)
        joints = _joints(double, posed)
        away = np.linalg.norm(joints - expected.setdefault("jump", joints), axis=1)
        assert joints[:, 2].min() > 0.2, "both feet are in the air"
        assert away.max() < 0.03 * stature, rig
        remove_double(double)


@pytest.mark.parametrize("rig", RIGS)
def test_hair_is_rooted_on_the_head_of_every_rig_and_goes_with_it(build, collection, posed, rig):
    double = build(rig)
    _move(double)
    groom = build_groom(double, Hair(strands=STRANDS), collection=collection)
    before, head = strand_points(groom)[0], _joints(double, posed)[-1]
    assert np.linalg.norm(before - head, axis=1).max() < 0.35
    _move(double, "crouching")
    moved, lowered = strand_points(groom)[0], _joints(double, posed)[-1]
    assert np.linalg.norm(lowered - head) > 0.2
    assert np.linalg.norm(moved - lowered, axis=1).max() < 0.35


def test_a_rig_that_the_double_is_not_built_on_is_named():
    with pytest.raises(BadInput, match=r"not built on the rig 'vrm'.*no 'builds'"):
        built_rig("vrm")
    with pytest.raises(BadInput, match=r"cmu_mb\.yaml gives no bone for leftEye"):
        bone_for("cmu_mb", "leftEye")
