"""What a hairdresser would check, on the evaluated strands of each style."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import cKDTree

from farm.double.groom.surface import head_frame
from farm.recipe.parameters import Hair, Pose, Stunt
from farm.recipe.variant import stream

bpy = pytest.importorskip("bpy", reason="grooms are made of Blender's hair node assets")

from farm.double.groom.strands import build_groom, remove_groom, strand_points, strand_radius
from farm.double.groom.wearer import read_wearer
from farm.motion.apply import apply_motion, clear_motion

from .conftest import STRANDS, STYLES
from .measure import closed_tree, heights, widest_hole


@pytest.fixture(params=STYLES)
def worn(request, grooms):
    return grooms[request.param]


def local(strands, points):
    return head_frame(strands.head).to_local(points)


def test_there_are_as_many_strands_as_asked_for(worn):
    assert len(worn.first) - 1 == pytest.approx(STRANDS, rel=0.05)


def test_roots_lie_on_the_skin(worn):
    assert np.abs(heights(worn.skin, worn.roots[::7])).max() < 0.001


def test_no_bald_patch(worn):
    assert widest_hole(worn.head, worn.roots) < 0.008


def test_a_bald_patch_would_be_seen(grooms):
    worn = grooms["short"]
    crown = head_frame(worn.head).to_world(np.array([0.0, 0.05, 0.08]))
    middle = worn.roots[cKDTree(worn.roots).query(crown)[1]]
    shaved = worn.roots[np.linalg.norm(worn.roots - middle, axis=1) > 0.005]
    assert widest_hole(worn.head, shaved) > 0.008


def test_strands_stay_outside_the_skin(worn):
    chosen = stream(1, "points").choice(len(worn.points), 8000, replace=False)
    depth = heights(closed_tree(worn.shells[0]), worn.points[chosen])
    assert (depth < -0.002).mean() < 0.005


def sunk(double, hair):
    """The share of a groom's points that lie more than 2 mm deep in the skin of a double as it is posed now."""
    shells = read_wearer(double)[1]
    groom = build_groom(double, hair, collection=double.collection)
    points, _ = strand_points(groom)
    remove_groom(groom)
    chosen = stream(1, "points").choice(len(points), 8000, replace=False)
    return (heights(closed_tree(shells[0]), points[chosen]) < -0.002).mean()


@pytest.mark.parametrize("style", STYLES)
def test_the_wildest_frizz_stays_outside_the_skin(stage, style):
    assert sunk(stage, Hair(style=style, seed=4, strands=STRANDS, frizz=1.0)) < 0.005


def test_long_hair_stays_outside_the_skin_of_a_crouching_double(stage):
    apply_motion(stage.armature, Pose(name="crouching"), Stunt(), rig=stage.rig, frames=range(1, 2))
    bpy.context.scene.frame_set(1)
    try:
        assert sunk(stage, Hair(style="shoulder_straight", seed=4, strands=5000)) < 0.005
    finally:
        clear_motion(stage.armature)
        bpy.context.view_layer.update()


def test_hair_pushed_into_the_head_would_be_seen(grooms):
    worn = grooms["short"]
    middle = head_frame(worn.head).to_world(np.zeros(3))
    pushed = middle + 0.9 * (worn.points[::50] - middle)
    assert (heights(closed_tree(worn.shells[0]), pushed) < -0.002).mean() > 0.3


def test_the_face_is_free(worn):
    points = local(worn, worn.points)
    frame = head_frame(worn.head)
    eyes, chin = worn.head.eyes.mean(axis=0) - frame.centre, worn.head.chin - frame.centre
    in_front = (points[:, 1] < eyes[1]) & (np.abs(points[:, 0]) < 0.045)
    assert not (in_front & (points[:, 2] < eyes[2] + 0.012) & (points[:, 2] > chin[2])).any()


def test_straight_hair_falls_to_the_shoulders(grooms):
    worn = grooms["shoulder_straight"]
    chin = worn.head.chin[2]
    low, middle, high = np.percentile(worn.tips[:, 2], [5, 50, 95])
    assert chin - 0.12 < low < middle < chin
    assert high < chin + 0.03
    strands = worn.points.reshape(len(worn.first) - 1, -1, 3)
    falling = np.diff(strands, axis=1)[:, strands.shape[1] // 2]
    steep = -falling[:, 2] / np.linalg.norm(falling, axis=1) > np.cos(np.radians(25))
    assert steep.mean() > 0.9, "half-way down, above the shoulders that its ends rest on"


def test_short_hair_stays_short(grooms):
    worn = grooms["short"]
    assert heights(worn.skin, worn.points[::40]).max() < 0.045
    assert np.linalg.norm(worn.tips - worn.roots, axis=1).max() < 0.07


def test_an_afro_is_round(grooms):
    worn = grooms["afro"]
    tips = local(worn, worn.tips)
    shape = cKDTree(tips[np.linalg.norm(tips, axis=1) > 0.12])
    assert np.percentile(np.linalg.norm(tips, axis=1), 50) > 0.13
    around = np.radians(np.arange(0, 360, 20))
    for up in (20, 50, 80):
        ring = np.stack([np.cos(around) * np.cos(np.radians(up)), np.sin(around) * np.cos(np.radians(up))], axis=1)
        ways = np.concatenate([ring, np.full((len(ring), 1), np.sin(np.radians(up)))], axis=1)
        behind = ways[ways[:, 1] > -0.7]
        reach = np.array([np.max(tips[tips @ way > 0.97 * np.linalg.norm(tips, axis=1)] @ way) for way in behind])
        assert reach.std() / reach.mean() < 0.15
        assert shape.query(behind * 0.14)[0].max() < 0.05


def test_styles_differ(grooms):
    spread = {style: np.linalg.norm(local(worn, worn.tips), axis=1).mean() for style, worn in grooms.items()}
    assert spread["short"] + 0.03 < spread["afro"] < spread["shoulder_straight"]


def test_thinner_grooms_have_thicker_strands():
    assert strand_radius(5_000) == pytest.approx(2 * strand_radius(20_000))
    assert 3e-5 < strand_radius(120_000) < 5e-5


def test_frizz_loosens_strands_and_keeps_roots(stage):
    tips = []
    for frizz in (0.0, 1.0):
        groom = build_groom(stage, Hair(style="short", seed=4, strands=1000, frizz=frizz), collection=stage.collection)
        points, first = strand_points(groom)
        tips.append((points[first[:-1]], points))
        remove_groom(groom)
    assert np.allclose(tips[0][0], tips[1][0], atol=1e-5)
    assert np.linalg.norm(tips[0][1] - tips[1][1], axis=1).max() > 0.001


def test_grooms_leave_nothing_behind(stage):
    kinds = [name for name in dir(bpy.data) if hasattr(getattr(bpy.data, name), "foreach_get")]

    def census():
        return {kind: sorted(block.name for block in getattr(bpy.data, kind)) for kind in kinds}

    def wear(style):
        remove_groom(build_groom(stage, Hair(style=style, strands=600), collection=stage.collection))

    for style in STYLES:
        wear(style)
    before = census()
    for style in STYLES:
        wear(style)
    assert census() == before


def test_strands_follow_the_head_rigidly(stage):
    hair = Hair(style="short", strands=600)
    groom = build_groom(stage, hair, collection=stage.collection)
    before, _ = strand_points(groom)
    bone = stage.armature.pose.bones["head"]
    bone.rotation_mode = "XYZ"
    bone.rotation_euler = (0.3, 0.2, 0.1)
    bpy.context.view_layer.update()
    after, _ = strand_points(groom)
    bone.rotation_euler = (0, 0, 0)
    bpy.context.view_layer.update()
    back, _ = strand_points(groom)
    remove_groom(groom)
    pairs = stream(3, "pairs").integers(len(before), size=(300, 2))
    apart = [np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1) for points in (before, after)]
    assert np.linalg.norm(after - before, axis=1).max() > 0.02
    assert np.allclose(apart[0], apart[1], atol=2e-5)
    assert np.allclose(back, before, atol=1e-6)


SCRIPT = """
import hashlib, os, sys
threads = int(sys.argv[1])
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
import bpy
from farm.double.body import Look, build_double
from farm.double.groom.strands import build_groom, strand_points
from farm.recipe.parameters import Body, Hair, Skin
bpy.ops.wm.read_factory_settings(use_empty=True)
collection = bpy.data.collections.new("double")
bpy.context.scene.collection.children.link(collection)
double = build_double(Look(), collection)
for style in sys.argv[2:]:
    groom = build_groom(double, Hair(style=style, seed=8, strands=3000), collection=collection)
    points, first = strand_points(groom)
    print("hash", style, hashlib.sha256(points.tobytes() + first.tobytes()).hexdigest())
"""


def test_equal_seeds_give_equal_points_in_two_processes_and_at_one_and_two_threads():
    """Loose and tied styles, whatever order sets of names come in."""
    styles = [*STYLES, "long_curly", "ponytail", "braid", "locs"]
    printed = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT, threads, *styles],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[3],
            env=os.environ | {"PYTHONHASHSEED": threads},
        ).stdout
        for threads in ("1", "2")
    ]
    hashes = [[line for line in text.splitlines() if line.startswith("hash")] for text in printed]
    assert len(hashes[0]) == len(styles)
    assert hashes[0] == hashes[1]
