"""Hair in motion on the stage: the same in any order of frames, warm or cold; outside of the skin; still in a pose."""

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy", reason="the stage needs bpy")

import numpy as np

from farm.double.groom import swaying
from farm.double.groom.strands import strand_points
from farm.double.groom.wearer import read_wearer
from farm.recipe import Capture, Variant
from farm.recipe.parameters import AXES
from farm.render.blender import open_scene
from farm.render.passes import render_image
from farm.render.settings import prepare_subset
from farm.stage.apply import Stage
from tests.double.groom.measure import closed_tree, heights

CAPTURE = Capture(resolution=(40, 40), samples=(1,), reference=8)
FRAMES = range(1, 8)
DEEP = 0.002


def variant(style, **axes):
    axes = {"hair": {"style": style, "strands": 800, "seed": 1}, "camera": {"framing": "portrait"}} | axes
    return Variant(index=0, **{name: model(**axes.get(name, {})) for name, model in AXES.items()})


LONG = variant("shoulder_straight", stunt={"name": "jump", "phase": 0.45})


def open_stage(variant=LONG, frames=FRAMES):
    scene, _ = open_scene(CAPTURE)
    stage = Stage(scene, resolution=CAPTURE.resolution)
    stage.apply(variant, frames=frames)
    return stage


def hair(stage):
    """The strands (S, N, 3) in the space of the groom's data."""
    groom = stage._groom
    flat = np.empty(groom.points.size, dtype=np.float32)
    groom.curves.data.position_data.foreach_get("vector", flat)
    return flat.reshape(groom.points.shape)


def walk(stage, frames):
    """Hair and picture of frames, shown in this order."""
    seen = {}
    for frame in frames:
        stage.show(frame)
        prepare_subset(stage.scene, seed=7, offset=1, length=2)
        with tempfile.TemporaryDirectory() as scratch:
            image = render_image(stage.scene, Path(scratch), "radiance")
        seen[frame] = hair(stage), np.stack([image[channel] for channel in "RGBA"])
    return seen


@pytest.fixture(scope="module")
def orders():
    """The same clip on two stages, shown forwards and in disorder."""
    return [walk(open_stage(), order) for order in ((1, 2, 7), (7, 1, 2))]


def test_hair_and_picture_of_a_frame_are_the_same_in_any_order(orders):
    first, second = orders
    for frame in first:
        np.testing.assert_array_equal(first[frame][0], second[frame][0])
        np.testing.assert_array_equal(first[frame][1], second[frame][1])


def test_hair_moves_against_the_head(orders):
    first, _ = orders
    tips = [first[frame][0][:, -1] for frame in (1, 7)]
    assert np.linalg.norm(tips[1] - tips[0], axis=1).mean() > 0.01


def test_a_warm_renderer_sees_hair_move(orders):
    """Only the hair is moved between two pictures: were its positions not synced, they would be the same."""
    stage = open_stage()
    before = walk(stage, [1])[1][1]
    stage._swaying.show(7)
    prepare_subset(stage.scene, seed=7, offset=1, length=2)
    with tempfile.TemporaryDirectory() as scratch:
        image = render_image(stage.scene, Path(scratch), "radiance")
    assert not np.array_equal(before, np.stack([image[channel] for channel in "RGBA"]))


def test_strands_keep_their_length(orders):
    first, _ = orders
    lengths = [np.linalg.norm(np.diff(first[frame][0], axis=1), axis=2).sum(axis=1) for frame in (1, 2, 7)]
    np.testing.assert_allclose(lengths[1], lengths[0], rtol=0.01)
    np.testing.assert_allclose(lengths[2], lengths[0], rtol=0.01)


def test_hair_of_a_held_pose_is_as_it_was_combed():
    stage = open_stage(variant("shoulder_straight", pose={"name": "crouching"}), range(1, 2))
    assert stage._swaying is None
    np.testing.assert_array_equal(hair(stage), stage._groom.points)


def digest():
    """Hair of two frames in motion, in one figure."""
    stage = open_stage()
    seen = []
    for frame in (7, 2):
        stage.show(frame)
        seen.append(hair(stage).tobytes())
    return hashlib.sha256(b"".join(seen)).hexdigest()


def test_hair_in_motion_is_the_same_bit_for_bit_in_another_process():
    command = [sys.executable, "-c", "from tests.stage.test_hair_motion import digest; print('hash', digest())"]
    found = [
        subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[2],
            env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    ]
    hashes = [[line for line in text.splitlines() if line.startswith("hash ")] for text in found]
    assert len(hashes[0]) == 1
    assert hashes[0] == hashes[1]


def share_inside(stage, random):
    """The share of strand points deeper than DEEP in the whole body, with what clothes hide of it; a sample of them."""
    points, _ = strand_points(stage._groom)
    skin = closed_tree(read_wearer(stage._double)[1][0])
    return (heights(skin, points[random.integers(0, len(points), 3000)]) < -DEEP).mean()


@pytest.mark.parametrize("style", ["shoulder_straight", "long_straight", "afro", "box_braids"])
def test_hair_stays_out_of_the_body_through_a_jump(style):
    frames = range(1, 40)
    stage = open_stage(variant(style, stunt={"name": "jump", "phase": 0.0}), frames)
    random = np.random.default_rng(0)
    shares = []
    for frame in frames[::3]:
        stage.show(frame)
        shares.append(share_inside(stage, random))
    assert max(shares) < 0.005, np.round(shares, 4)


def test_strands_that_only_follow_guides_would_be_seen_in_the_body(monkeypatch):
    """The red case of the test above: at the landing, hair that is not led out of the body sinks into it."""
    stage = open_stage(variant("long_wavy", stunt={"name": "jump", "phase": 0.75}), range(1, 3))
    shares = []
    for lead in (swaying.lead_out, lambda strands, _: strands):
        monkeypatch.setattr(swaying, "lead_out", lead)
        stage.show(1)
        shares.append(share_inside(stage, np.random.default_rng(0)))
    assert shares[0] < 0.005 < shares[1]
