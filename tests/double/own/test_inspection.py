"""What is said of artists' files: each rig, scales, missing arms, several armatures, hair, scalps."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="an artist's file is opened by Blender")

from farm.double.own.blend import open_blend
from farm.double.own.head import paint_scalp, read_head
from farm.double.own.inspection import inspect_file
from farm.double.own.reading import read_double
from farm.double.rig_table import RigTable
from farm.double.shape import shape_vertices
from farm.errors import BadInput
from tests.motion.rigs.rigged import enable_rigify

from .conftest import MAN, WOMAN, foreign, remove_bones, rename, true_scalp
from .test_scalp import overlap


def line(found, name):
    return next(each for each in found.lines if each.name == name)


def test_a_double_on_the_default_rig(double_file):
    found = inspect_file(double_file("default"))
    assert found.usable
    data = found.data
    assert (data["table"], data["score"], data["lacking"], data["pose"]) == ("default", 1.0, [], "A-pose")
    assert data["height"] == pytest.approx(WOMAN.height, abs=0.03)
    assert (data["head"], data["metres_per_unit"], data["scalp_group"]) == ("body", 1.0, None)
    assert 0.045 < data["scalp_area"] < 0.08
    assert "written by Blender 5.2" in line(found, "file").text
    assert "mirror each other" in line(found, "sides").text
    assert "'brows'" in line(found, "hair").text
    assert json.loads(json.dumps(found.plain()))["usable"] is True


@pytest.mark.parametrize("table", ["character_creator", "unreal", "vrm", "smplx", "vroid"])
def test_other_rigs_by_their_names(double_file, table):
    open_blend(double_file("default"))
    rename(table)(SimpleNamespace(armature=bpy.data.objects["double"]))
    double = read_double("default")
    assert (double.match.table, double.match.lacking, double.head.name) == (table, (), "body")


def test_a_foreign_head(double_file):
    """Other names, no quads, no UV map, a hundred times as large, turned and moved."""
    found = inspect_file(double_file("foreign", foreign, body=MAN, rig="default"))
    data = found.data
    assert (data["table"], data["head"], data["metres_per_unit"]) == ("character_creator", "Hero_Body", 0.01)
    assert found.usable
    assert "100×100×100" in line(found, "height").text
    assert "centimetres" in line(found, "height").text
    assert line(found, "UV map").state == "note"
    double = read_double("foreign")
    head = read_head(double)
    armature = np.array(double.armature.matrix_world.inverted())
    world = head.surface.vertices / 0.01 @ double.stance.axes
    places = world @ armature[:3, :3].T + armature[:3, 3]
    truth = true_scalp(shape_vertices(MAN), places)
    assert overlap(head.surface, head.density, truth) > 0.85


def test_a_missing_arm_is_named_with_its_bones(double_file):
    found = inspect_file(double_file("one_arm", remove_bones("clavicle.L")))
    assert not found.usable
    assert found.data["table"] == "default"
    assert found.data["lacking"] == ["leftUpperArm", "leftLowerArm", "leftHand"]
    said = line(found, "bones")
    assert said.state == "missing"
    for word in ("12/15", "leftUpperArm", "upperarm01.L", "wrist.L"):
        assert word in said.text + said.remedy


def test_a_renamed_bone_gets_its_candidate(double_file):
    def change(double):
        double.armature.data.bones["wrist.L"].name = "Hand_Left"

    said = line(inspect_file(double_file("renamed", change)), "bones")
    assert "leftHand" in said.remedy
    assert "did you mean 'Hand_Left'?" in said.remedy


def test_an_unknown_rig_gets_a_table(double_file):
    import yaml

    words = {"UpperArm": "bicep", "LowerArm": "forearm", "Hand": "wrist", "UpperLeg": "thigh", "LowerLeg": "calf",
             "Foot": "ankle", "Toes": "toe", "Shoulder": "collar", "Eye": "eye"}  # fmt: skip

    def change(double):
        from farm.double.rig_table import named_bones, read_table

        bones = double.armature.data.bones
        for bone, entry in read_table("default").bones.items():
            for number, name in enumerate(named_bones(entry)):
                side = "lft" if bone.startswith("left") else "rgt" if bone.startswith("right") else "c"
                part = bone.removeprefix("left").removeprefix("right")
                helper = "" if number == 0 else f"_share{number}"
                bones[name].name = f"xx_{words.get(part, part)}_{side}{helper}"

    found = inspect_file(double_file("unknown", change))
    assert not found.usable
    assert found.data["table"] is None
    assert "--table" in line(found, "rig").remedy
    assert "15/15 required" in line(found, "bones").text
    table = RigTable.model_validate(yaml.safe_load(found.table))
    assert table.bones["leftUpperArm"] == "xx_bicep_lft"


def test_no_armature(double_file):
    def change(double):
        bpy.data.objects.remove(double.armature)

    with pytest.raises(BadInput, match="has no armature") as raised:
        inspect_file(double_file("no_armature", change))
    assert "mesh" in str(raised.value)


def second(double):
    """A second double beside the first."""
    twin = double.armature.copy()
    twin.name = "twin"
    double.collection.objects.link(twin)
    body = double.body.copy()
    body.parent = twin
    body.modifiers["Armature"].object = twin
    double.collection.objects.link(body)


def test_two_armatures_and_how_to_choose(double_file):
    path = double_file("two", second)
    with pytest.raises(BadInput) as raised:
        inspect_file(path)
    message = str(raised.value)
    assert len(message.splitlines()) == 1
    for word in ("2 armatures", "'double' (default 1.00", "'twin'", "--armature NAME"):
        assert word in message
    assert inspect_file(path, armature="twin").data["armature"] == "twin"
    with pytest.raises(BadInput, match="did you mean 'twin'"):
        inspect_file(path, armature="twn")


def test_a_prop_s_armature_is_not_asked_about(double_file):
    def change(double):
        prop = bpy.data.objects.new("crane", bpy.data.armatures.new("crane"))
        double.collection.objects.link(prop)

    found = inspect_file(double_file("prop", change))
    assert found.data["armature"] == "double"
    assert "'crane'" in line(found, "armature").text


def test_an_armature_without_a_head_mesh(double_file):
    def change(double):
        bpy.data.objects.remove(double.body)

    found = inspect_file(double_file("headless", change))
    assert not found.usable
    assert "'head'" in line(found, "head").remedy


def test_a_painted_scalp_is_read_back(double_file, tmp_path):
    path = double_file("default")
    open_blend(path)
    double = read_double("default")
    head = read_head(double)
    assert paint_scalp(double, head) > 100
    saved = tmp_path / "painted.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(saved), copy=True)
    found = inspect_file(saved)
    assert found.data["scalp_group"] == "scalp"
    assert found.data["scalp_area"] == pytest.approx(head.area, rel=0.01)
    assert "vertex group 'scalp'" in line(found, "scalp").text


def test_an_empty_scalp_group_is_refused(double_file):
    def change(double):
        double.body.vertex_groups.new(name="Hair")

    said = line(inspect_file(double_file("empty_group", change)), "scalp")
    assert said.state == "missing"
    assert "'Hair'" in said.remedy


@pytest.fixture(scope="module")
def rigify(files):
    """A body bound to the rig that Rigify generates, beside its metarig."""
    from farm.double.base_mesh import base_mesh

    path = files / "rigify.blend"
    bpy.ops.wm.read_factory_settings(use_empty=True)
    enable_rigify()
    bpy.ops.object.armature_human_metarig_add()
    metarig = bpy.context.object
    bpy.ops.pose.rigify_generate()
    rig = next(thing for thing in bpy.data.objects if thing.type == "ARMATURE" and thing is not metarig)
    shape = shape_vertices(MAN)
    kept = base_mesh().group_vertices("body")
    faces = np.searchsorted(kept, base_mesh().faces[base_mesh().groups["body"]])
    mesh = bpy.data.meshes.new("skin")
    mesh.from_pydata(shape[kept], [], faces)
    body = bpy.data.objects.new("skin", mesh)
    bpy.context.scene.collection.objects.link(body)
    body.parent = rig
    body.modifiers.new("Armature", "ARMATURE").object = rig
    deforming = {
        bone.name: np.array((bone.head_local + bone.tail_local) / 2) for bone in rig.data.bones if bone.use_deform
    }
    names = list(deforming)
    from scipy.spatial import cKDTree

    nearest = cKDTree(np.stack(list(deforming.values()))).query(shape[kept])[1]
    for index, name in enumerate(names):
        body.vertex_groups.new(name=name).add(np.flatnonzero(nearest == index).tolist(), 1.0, "REPLACE")
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    for thing in (rig, body):
        bpy.data.objects.remove(thing)
    bpy.ops.wm.save_as_mainfile(filepath=str(files / "metarig.blend"), copy=True)
    return path


def test_a_generated_rigify_rig_is_chosen_before_its_metarig(rigify):
    found = inspect_file(rigify)
    assert found.data["table"] == "rigify_generated"
    assert found.data["head"] == "skin"
    assert found.usable
    assert "rig_ui.py" in line(found, "scripts").text
    assert "metarig" in line(found, "armature").text


def test_a_metarig_alone(rigify):
    found = inspect_file(rigify.with_name("metarig.blend"))
    assert found.data["table"] == "rigify_metarig"
    assert found.data["lacking"] == []
    assert not found.usable
    assert line(found, "head").state == "missing"
