"""Rigs told by their bones' names."""

import re
from pathlib import Path

import pytest

from farm.double.base_mesh import base_mesh, rig_bones
from farm.double.own.detect import detect_rig
from farm.double.own.guess import guess_bones, table_text
from farm.double.rig_table import CANONICAL, REQUIRED, RigTable, named_bones, read_table
from farm.recipe import templates

MOTION = Path(__file__).parents[4] / "shared" / "motion"
RIGS = templates.names("rigs")


def names_of(table):
    return [name for entry in read_table(table).bones.values() for name in named_bones(entry)]


@pytest.mark.parametrize("table", RIGS)
def test_a_rig_is_told_by_its_own_table(table):
    best, second, *_ = detect_rig(names_of(table))
    assert (best.table, best.score, best.lacking) == (table, 1.0, ())
    assert second.score < 1.0 or len(best.bones) == len(second.bones)


@pytest.mark.parametrize("table", RIGS)
def test_every_shipped_table_names_what_every_humanoid_has(table):
    assert set(REQUIRED) <= set(read_table(table).bones)


@pytest.mark.parametrize(
    ("table", "other"),
    [
        ("mixamo", lambda name: name.replace("mixamorig:", "mixamorig7:")),
        ("mixamo", lambda name: name.replace("mixamorig:", "")),
        ("mixamo", lambda name: name.replace("mixamorig:", "mixamorig_")),
        ("character_creator", lambda name: f"Hero:{name}"),
        ("unreal", str.upper),
    ],
)
def test_a_rig_is_told_under_another_prefix_or_case(table, other):
    match = detect_rig([other(name) for name in names_of(table)])[0]
    assert match.table == table
    assert match.score == pytest.approx(0.98)
    assert match.bones["leftHand"] == (other(named_bones(read_table(table).bones["leftHand"])[0]),)


def test_a_missing_arm_is_named_and_does_not_hide_the_rig():
    arm = ("LeftArm", "LeftForeArm", "LeftHand")
    match = detect_rig([name for name in names_of("mixamo") if not any(part in name for part in arm)])[0]
    assert match.table == "mixamo"
    assert match.recognised
    assert match.lacking == ("leftUpperArm", "leftLowerArm", "leftHand")
    assert match.missing["leftUpperArm"] == ("mixamorig:LeftArm",)


def test_a_prop_is_no_humanoid():
    assert not detect_rig(["root", "lid", "hinge", "handle.L", "handle.R"])[0].recognised


@pytest.mark.skipif(not MOTION.is_dir(), reason="the motion files of ../shared are not here")
@pytest.mark.parametrize(("file", "table"), [("cmu_002_04", "character_creator"), ("cmu_131_01", "cmu_max")])
def test_rigs_of_real_motion_files(file, table):
    names = re.findall(r"(?:ROOT|JOINT) (\S+)", (MOTION / f"{file}.bvh").read_text())
    match = detect_rig(names)[0]
    assert (match.table, match.lacking) == (table, ())
    assert match.score > 0.95


UNKNOWN = {
    "max biped": "Bip01 Pelvis,Bip01 Spine,Bip01 Spine1,Bip01 Neck,Bip01 Head,Bip01 L Clavicle,Bip01 L UpperArm,"
    "Bip01 L Forearm,Bip01 L Hand,Bip01 L Thigh,Bip01 L Calf,Bip01 L Foot,Bip01 L Toe0,Bip01 R Clavicle,"
    "Bip01 R UpperArm,Bip01 R Forearm,Bip01 R Hand,Bip01 R Thigh,Bip01 R Calf,Bip01 R Foot,Bip01 R Toe0",
    "daz": "hip,abdomenLower,chestUpper,neckLower,head,lCollar,lShldrBend,lForearmBend,lHand,lThighBend,lShin,lFoot,"
    "lToe,rCollar,rShldrBend,rForearmBend,rHand,rThighBend,rShin,rFoot,rToe",
}


@pytest.mark.parametrize("rig", UNKNOWN)
def test_an_unknown_rig_gets_a_table_to_edit(rig):
    names = UNKNOWN[rig].split(",")
    parents = [-1, 0, 1, 2, 3]
    for _ in range(2):
        first = len(parents)
        parents += [2, first, first + 1, first + 2, 0, first + 4, first + 5, first + 6]
    guessed = guess_bones(names, parents)
    assert set(REQUIRED) <= set(guessed)
    assert guessed["leftHand"] == next(name for name in names if "and" in name and "l" in name.casefold()[:7])
    import yaml

    table = RigTable.model_validate(yaml.safe_load(table_text("mine", guessed, CANONICAL)))
    assert table.bones == guessed


def test_guesses_agree_with_a_known_table():
    bones = rig_bones("mixamo", base_mesh().vertices)
    names = [bone.name for bone in bones]
    guessed = guess_bones(names, [names.index(bone.parent) if bone.parent else -1 for bone in bones])
    table = {bone: named_bones(entry)[0] for bone, entry in read_table("mixamo").bones.items()}
    assert guessed == table
