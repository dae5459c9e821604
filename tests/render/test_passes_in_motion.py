"""The passes of a clip's frame, whose data is rendered with motion and whose light is not."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="renders need bpy")

from farm.dataset.consistency import LIGHT_SPLITS
from farm.dataset.metrics import beauty
from farm.recipe import Capture
from farm.render.pair import render_pair
from farm.render.settings import configure

CAPTURE = Capture(
    resolution=(48, 40),
    samples=(1, 2),
    reference={"samples": 8, "chunk": 4},
    frames={"start": 2, "count": 2},
    passes="everything",
)


def test_light_splits_of_a_single_sample_add_up_in_a_clip(small_scene, tmp_path):
    scene = small_scene.build()
    configure(scene, CAPTURE, threads=1)
    ball = bpy.data.objects["Sphere"]
    for frame in (1, 4):
        ball.location.x = 0.2 * frame
        ball.keyframe_insert("location", frame=frame)
    scene.frame_set(2)
    pair = render_pair(scene, "motion/2", CAPTURE, tmp_path)
    assert np.abs(pair.noisy[1, 0]["motion.prev.X"]).max() > 0.5
    for key, image in pair.noisy.items():
        total = sum(beauty(image, f"{name}.") for name in LIGHT_SPLITS)
        assert np.abs(total - beauty(image)).max() < 1e-5 * beauty(image).max(), key
