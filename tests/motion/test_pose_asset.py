"""Poses to an asset library and back, in Blender."""

from __future__ import annotations

import numpy as np
import pytest
import yaml
from click.testing import CliRunner

from farm.errors import BadInput
from farm.motion import fit_rig, sample_pose
from farm.motion.anatomy import read_bones
from farm.motion.joint_angles import angles_of
from farm.motion.pose import PoseTemplate, Stance, stand
from farm.motion.skeleton import INDEX
from farm.recipe.parameters import Body, Pose, Stunt

bpy = pytest.importorskip("bpy", reason="pose assets need Blender's Python module")

from farm.cli import cli
from farm.double.base_mesh import rig_bones
from farm.double.rig import build_armature, built_rig
from farm.double.shape import shape_vertices
from farm.motion.apply import apply_motion, read_rest
from farm.motion.pose_asset import export_poses, import_asset

NAMES = ("kicking", "sitting_cross_legged", "lying_side")


def build(rig="default", body=None):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bones = rig_bones(built_rig(rig), shape_vertices(body or Body()))
    return build_armature("double", bones, bpy.context.scene.collection)


def world_rotations(armature):
    posed = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return {bone.name: np.array((posed.matrix_world @ bone.matrix).to_quaternion()) for bone in posed.pose.bones}


def degrees_between(first, second):
    chord = min(np.linalg.norm(first - second), np.linalg.norm(first + second))
    return np.degrees(4 * np.arcsin(min(chord / 2, 1.0)))


def pose_of(text):
    """The hips' pitch and every angle (B, SLOTS) of a template's text."""
    data = yaml.safe_load(text)
    return read_bones(data["bones"], "imported"), data


@pytest.fixture(scope="module", params=["default", "mixamo"])
def library(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("library")
    return request.param, export_poses(NAMES, request.param, folder)


def test_an_asset_library_has_every_pose_with_its_words(library):
    _, file = library
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(str(file), assets_only=True) as (source, wanted):
        wanted.actions = list(source.actions)
    assert {action.name for action in wanted.actions} == set(NAMES)
    catalogues = (file.parent / "blender_assets.cats.txt").read_text(encoding="utf-8").splitlines()
    assert "VERSION 1" in catalogues
    for action in wanted.actions:
        asset = action.asset_data
        assert asset.description
        assert {tag.name for tag in asset.tags} == {"digidouble", "pose"}
        assert f"{asset.catalog_id}:Digidouble/Poses:Digidouble-Poses" in catalogues
        assert [slot.target_id_type for slot in action.slots] == ["OBJECT"]


def test_a_catalogue_is_added_once_and_leaves_others(tmp_path):
    mine = "VERSION 1\n\n11111111-1111-4111-8111-111111111111:Mine:Mine\n"
    (tmp_path / "blender_assets.cats.txt").write_text(mine, encoding="utf-8")
    for _ in range(2):
        export_poses(["standing"], "default", tmp_path)
    text = (tmp_path / "blender_assets.cats.txt").read_text(encoding="utf-8")
    assert text.startswith(mine)
    assert text.count(":Digidouble/Poses:") == text.count(":Digidouble:") == 1


@pytest.mark.parametrize("name", NAMES)
def test_an_asset_puts_a_double_into_the_pose(library, name):
    rig, file = library
    armature = build(rig)
    apply_motion(armature, Pose(name=name), Stunt(), rig=rig, frames=range(1, 2))
    bpy.context.scene.frame_set(1)
    expected = world_rotations(armature)
    armature.animation_data_clear()
    for bone in armature.pose.bones:
        bone.matrix_basis.identity()
    with bpy.data.libraries.load(str(file), assets_only=True) as (_, wanted):
        wanted.actions = [name]
    armature.pose.apply_pose_from_action(wanted.actions[0], evaluation_time=1.0)
    bpy.context.view_layer.update()
    found = world_rotations(armature)
    assert max(degrees_between(found[bone], expected[bone]) for bone in expected) < 0.1


@pytest.mark.parametrize("name", NAMES)
def test_an_asset_comes_back_as_the_template_that_it_was(library, name):
    rig, file = library
    found = import_asset(file, name)
    angles, data = pose_of(found.text)
    assert found.clipped == ()
    assert data["air"] == 0
    fit = fit_rig(rig, read_rest(build(rig)))
    clip = sample_pose(Pose(name=name), fit.skeleton)
    expected = angles_of(clip.rotations[0])
    expected[INDEX["hips"]] = angles[INDEX["hips"]]
    assert np.abs(angles - expected).max() < 0.5
    hips, local = stand(fit.skeleton, PoseTemplate(angles, Stance(air=data["air"])))
    assert np.abs(local - clip.rotations[0]).max() < np.radians(0.5)
    assert hips[2] == pytest.approx(clip.hips[0, 2], abs=0.01)


@pytest.fixture
def posed_file(tmp_path):
    """A .blend with a walking double whose hips have been turned by the armature's object."""
    armature = build(body=Body(height=1.9))
    apply_motion(armature, Pose(name="walking"), Stunt(), rig="default", frames=range(1, 2))
    file = tmp_path / "hero.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(file))
    return file


def test_the_current_pose_becomes_a_template_by_the_command(posed_file, tmp_path):
    target = tmp_path / "mine.yaml"
    done = CliRunner().invoke(cli, ["pose", "import", str(posed_file), "--to", str(target)], catch_exceptions=False)
    assert done.output.strip() == str(target)
    angles, _ = pose_of(target.read_text(encoding="utf-8"))
    fit = fit_rig("default", read_rest(build(body=Body(height=1.9))))
    expected = angles_of(sample_pose(Pose(name="walking"), fit.skeleton).rotations[0])
    assert np.abs(angles - expected).max() < 0.5


def refused(*arguments):
    with pytest.raises(BadInput) as caught:
        CliRunner().invoke(cli, ["pose", *map(str, arguments)], catch_exceptions=False, standalone_mode=False)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_cannot_be_imported_is_one_message_and_writes_nothing(library, posed_file, tmp_path):
    _, file = library
    target = tmp_path / "new.yaml"
    empty, strange = tmp_path / "empty.blend", tmp_path / "strange.blend"
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(empty))
    armature = build()
    for number, bone in enumerate(armature.data.bones):
        bone.name = f"thing {number}"
    bpy.ops.wm.save_as_mainfile(filepath=str(strange))
    assert "has no pose asset 'kickin'; did you mean 'kicking'?" in refused(
        "import", file, "--asset", "kickin", "--to", target
    )
    assert "has no pose asset 'x'; there are none" in refused("import", posed_file, "--asset", "x", "--to", target)
    assert "has no armature" in refused("import", empty, "--to", target)
    assert "bones of no rig in templates/rigs" in refused("import", strange, "--to", target)
    assert "has no armature 'doubel'; did you mean 'double'?" in refused(
        "import", posed_file, "--armature", "doubel", "--to", target
    )
    assert "does not exist" in refused("import", tmp_path / "none.blend", "--to", target)
    assert "must end in .yaml" in refused("import", posed_file, "--to", tmp_path / "new.txt")
    assert "not both" in refused("import", file, "--asset", "a", "--armature", "b", "--to", target)
    assert not target.exists()


def test_what_cannot_be_exported_is_one_message_and_writes_nothing(tmp_path):
    folder = tmp_path / "library"
    assert "no template 'kickin' in poses; did you mean 'kicking'?" in refused("export", "kickin", "--to", folder)
    assert "is not built on that rig; choose one of" in refused("export", "--rig", "unreal", "--to", folder)
    assert "no template 'defalt' in rigs" in refused("export", "--rig", "defalt", "--to", folder)
    assert not folder.exists()
