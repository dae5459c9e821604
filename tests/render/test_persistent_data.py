"""Warm renders equal cold ones bit for bit, whatever was rendered before; and the test can tell."""

import subprocess
import sys

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="renders need bpy")

from farm.render.passes import read_render

# seed, offset, length, ball's x
JOBS = [
    (11, 1, 16, 0.0),
    (12, 1, 1, 0.0),
    (13, 1, 4, 0.5),
    (12, 1, 1, 0.5),
    (14, 17, 16, 0.5),
    (11, 0, 1, -0.5),
    (14, 1, 32, -0.5),
    (13, 1, 4, 0.0),
    (15, 1, 4, 0.0),
    (11, 1, 16, 0.0),
]
COLD = [1, 2, 6, 8]


@pytest.fixture(scope="module")
def cold(small_scene_file, tmp_path_factory):
    """Some of the jobs, each rendered by a process of its own."""
    images = {}
    for number in COLD:
        file = tmp_path_factory.mktemp("cold") / "image.npy"
        command = [sys.executable, str(small_scene_file), str(file), *(str(value) for value in JOBS[number])]
        subprocess.run(command, check=True, capture_output=True)
        images[number] = np.load(file)
    return images


def render_warm(small_scene):
    scene = small_scene.build()
    assert scene.render.use_persistent_data
    images = []
    for seed, offset, length, x in JOBS:
        small_scene.move_ball(x)
        images.append(small_scene.shoot(scene, seed, offset, length))
    return images


def test_warm_renders_equal_cold_ones(small_scene, cold):
    warm = render_warm(small_scene)
    for number, image in cold.items():
        np.testing.assert_array_equal(warm[number], image, err_msg=f"job {number}")
    np.testing.assert_array_equal(warm[0], warm[9])


def test_the_comparison_sees_a_stale_seed(small_scene, cold, tmp_path):
    """Without a tag on the scene, Cycles goes on with the seed and samples of the render before."""
    scene = small_scene.build()
    scene.render.filepath = str(tmp_path / "render.exr")
    warm = []
    for seed, offset, length, x in JOBS:
        small_scene.move_ball(x)
        scene.cycles.seed, scene.cycles.sample_offset, scene.cycles.sample_subset_length = seed, offset, length
        bpy.ops.render.render(write_still=True)
        image = read_render(tmp_path / "render.exr", "radiance")
        warm.append(np.stack([image[channel] for channel in "RGBA"], axis=-1))
    assert any(not np.array_equal(warm[number], image) for number, image in cold.items())
