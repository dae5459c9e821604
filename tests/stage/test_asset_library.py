"""The asset library: a stunt from it is the stunt that a recipe names."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from farm.recipe.parameters import Pose, Stunt

bpy = pytest.importorskip("bpy", reason="assets need Blender's Python module")

from farm.motion.apply import apply_motion
from farm.motion.asset_file import catalogue_id
from farm.motion.perform import FPS
from farm.motion.pose_asset import build_bare
from farm.stage.asset_library import build_library

NAME = "jump"
"""A stunt, and the name of nothing else."""
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
"""A PNG of one pixel."""


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder, seen = tmp_path_factory.mktemp("library"), []
    files = build_library(str(folder), rig="mixamo", only=NAME, progress=lambda *far: seen.append(far))
    return folder, files, seen


def poses(armature, frames):
    """World rotations and places of all bones at frames."""
    found = []
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        posed = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        found.append([np.array(posed.matrix_world @ bone.matrix) for bone in posed.pose.bones])
    return np.array(found)


def test_only_what_is_asked_for_is_written(library):
    folder, files, seen = library
    assert files == [str(folder / "stunts" / "mixamo" / f"{NAME}.blend")]
    assert sorted(file.name for file in folder.iterdir()) == ["blender_assets.cats.txt", "made.json", "stunts"]
    assert seen[0] == (0, 1)
    assert seen[-1] == (1, 1)


def test_a_stunt_plays_as_the_recipes(library):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    armature = build_bare("mixamo")
    with bpy.data.libraries.load(library[1][0], assets_only=True) as (source, wanted):
        wanted.actions = list(source.actions)
    (action,) = wanted.actions
    asset = action.asset_data
    assert (action.name, asset.author, asset.catalog_id) == (NAME.title(), "Digidouble", catalogue_id("stunt"))
    assert asset.description
    assert action["digidouble_asset"] == f"stunt/{NAME}"
    frames = range(1, int(action.frame_range[1]) + 1, 5)
    animation = armature.animation_data_create()
    animation.action, animation.action_slot = action, action.slots[0]
    played = poses(armature, frames)
    armature.animation_data_clear()
    last = range(1, int(action.frame_range[1]) + 1)
    apply_motion(armature, Pose(), Stunt(name=NAME, phase=0.0), rig="mixamo", frames=last, fps=FPS)
    expected = poses(armature, frames)
    assert np.abs(played - expected).max() < 0.01
    assert np.ptp(expected[:, 0, 2, 3]) > 0.2


def build(folder, **more):
    """Build it, in so far as it is not there; the files written, and what progress was told."""
    seen = []
    return build_library(str(folder), progress=lambda *far: seen.append(far), **more), seen


@pytest.fixture
def few(monkeypatch):
    """A library of two poses, two stunts and no hair."""
    from farm.recipe import templates
    from farm.stage import asset_library

    monkeypatch.setattr(asset_library, "SHELVES", {"poses": "pose", "stunts": "stunt"})
    shown = {"poses": ["kicking", "waving"], "stunts": ["jump", "punch"]}
    monkeypatch.setattr(templates, "names", lambda kind: shown[kind])
    return shown


def test_what_was_stopped_goes_on_and_only_what_has_changed_is_made_anew(few, tmp_path):
    class StoppedError(Exception):
        pass

    def stop(done, _):
        if done == 1:
            raise StoppedError

    with pytest.raises(StoppedError):
        build_library(str(tmp_path), progress=stop)
    assert [file.stem for file in tmp_path.rglob("*.blend")] == ["kicking"]
    files, seen = build(tmp_path)
    assert [file.rpartition("/")[2] for file in files] == ["waving.blend", "jump.blend", "punch.blend"]
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    written = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.blend")}
    assert build(tmp_path) == ([], [(4, 4)])
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.blend")} == written
    (tmp_path / "pictures" / "poses").mkdir(parents=True)
    (tmp_path / "pictures" / "poses" / "kicking.png").write_bytes(PICTURE)
    (tmp_path / "stunts" / "default" / "jump.blend").unlink()
    files, _ = build(tmp_path, pictures=str(tmp_path / "pictures"))
    assert [file.rpartition("/")[2] for file in files] == ["kicking.blend", "jump.blend"]


def test_what_has_no_template_any_more_goes(few, tmp_path):
    build(tmp_path)
    (tmp_path / "poses" / "default" / "mine.blend").write_bytes(b"an artist's")
    few["poses"].remove("waving")
    assert build(tmp_path)[0] == []
    left = sorted(file.stem for file in tmp_path.rglob("*.blend"))
    assert left == ["jump", "kicking", "mine", "punch"]


def test_a_note_that_is_damaged_only_makes_all_anew(few, tmp_path):
    build(tmp_path)
    (tmp_path / "made.json").write_text("{")
    assert len(build(tmp_path)[0]) == 4
