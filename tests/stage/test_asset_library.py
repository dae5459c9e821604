"""The asset library: a stunt from it is the stunt that a recipe names."""

from __future__ import annotations

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
    assert files == [str(folder / "digidouble_stunts_mixamo.blend")]
    assert sorted(file.name for file in folder.iterdir()) == [
        "blender_assets.cats.txt",
        "digidouble_stunts_mixamo.blend",
    ]
    assert seen[0] == (0, 1)
    assert seen[-1] == (1, 1)


def test_a_stunt_plays_as_the_recipes(library):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    armature = build_bare("mixamo")
    with bpy.data.libraries.load(library[1][0], assets_only=True) as (source, wanted):
        wanted.actions = list(source.actions)
    (action,) = wanted.actions
    asset = action.asset_data
    assert (action.name, asset.author, asset.catalog_id) == (NAME, "Digidouble", catalogue_id("stunt"))
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
