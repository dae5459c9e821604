"""The stage: a variant gives the same scene whatever stood there before, and nothing is left behind."""

import tempfile
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy", reason="the stage needs bpy")

import numpy as np

from farm.recipe import Capture, Variant
from farm.recipe.parameters import AXES
from farm.render.blender import open_scene
from farm.render.passes import render_image
from farm.render.settings import prepare_subset
from farm.stage.apply import STEPS, Stage, step_keys

CAPTURE = Capture(resolution=(40, 40), samples=(1,), reference=8)
FRAMES = range(1, 2)


def variant(**axes):
    """A small variant; `hair={"style": "afro"}` and so on."""
    axes["hair"] = {"strands": 600, "seed": 1} | axes.get("hair", {})
    return Variant(index=0, **{name: model(**axes.get(name, {})) for name, model in AXES.items()})


FIRST = variant(camera={"framing": "bust"})
OTHERS = [
    variant(
        body={"identity": 5, "gender": 1, "height": 1.9},
        hair={"style": "afro"},
        stunt={"name": "jump"},
        light={"preset": "sunset"},
        camera={"azimuth": 30},
    ),
    variant(camera={"framing": "portrait"}, pose={"name": "crouching"}, hair={"style": "shoulder_straight"}),
]
COUNTED = ("objects", "meshes", "hair_curves", "materials", "armatures", "actions", "lights", "worlds", "images",
           "cameras", "node_groups", "collections")  # fmt: skip


def shoot(stage, variant, *, frame=1, frames=FRAMES):
    """A variant's pixels (H, W, channels)."""
    stage.apply(variant, frames=frames)
    stage.show(frame)
    prepare_subset(stage.scene, seed=7, offset=1, length=2)
    with tempfile.TemporaryDirectory() as scratch:
        image = render_image(stage.scene, Path(scratch), "radiance")
    return np.stack([image[channel] for channel in sorted(image)], axis=-1)


def open_stage():
    scene, _ = open_scene(CAPTURE)
    return Stage(scene, resolution=CAPTURE.resolution)


@pytest.fixture(scope="module")
def cold():
    """Each variant on a stage of its own."""
    return [shoot(open_stage(), each) for each in (FIRST, *OTHERS)]


@pytest.fixture(scope="module")
def warm():
    """The variants one after another on one stage, the first two once more; and what Blender holds after each."""
    stage = open_stage()
    counts, images = [], []
    for each in (FIRST, *OTHERS, FIRST, OTHERS[0]):
        images.append(shoot(stage, each))
        counts.append({kind: len(getattr(bpy.data, kind)) for kind in COUNTED})
    return images, counts


def test_a_warm_stage_gives_the_pixels_of_a_cold_one(cold, warm):
    images, _ = warm
    for number, image in enumerate([*cold, *cold[:2]]):
        np.testing.assert_array_equal(images[number], image, err_msg=f"variant {number}")


def test_variants_look_different(cold):
    for image in cold[1:]:
        assert np.abs(image - cold[0]).mean() > 0.01


def test_nothing_is_left_behind(warm):
    """Blender's own hair assets are loaded once, when a hairstyle first asks for them, and stay."""
    _, counts = warm
    assert counts[4]["node_groups"] == counts[3]["node_groups"] == counts[2]["node_groups"]
    for kind in COUNTED:
        assert kind == "node_groups" or [counts[3][kind], counts[4][kind]] == [counts[0][kind], counts[1][kind]], kind


def test_each_frame_of_a_clip_is_the_same_in_any_order():
    jumping = variant(stunt={"name": "jump", "phase": 0.3})
    frames = range(1, 12, 5)
    stage = open_stage()
    forward = [shoot(stage, jumping, frame=frame, frames=frames) for frame in frames]
    backward = [shoot(open_stage(), jumping, frame=frame, frames=frames) for frame in reversed(frames)]
    for ahead, behind in zip(forward, reversed(backward), strict=True):
        np.testing.assert_array_equal(ahead, behind)
    assert not np.array_equal(forward[0], forward[2])


def test_unchanged_steps_are_skipped():
    before = step_keys(FIRST, FRAMES)
    changed = {
        "light": ({"preset": "sunset"}, {"set"}),
        "hair": ({"seed": 2}, {"groom", "camera"}),
        "pose": ({"name": "walking"}, {"motion", "groom", "camera"}),
        "skin": ({"tone": 9}, {"double", "motion", "groom", "camera"}),
        "camera": ({"framing": "bust", "elevation": 5}, {"camera"}),
    }
    for axis, (values, steps) in changed.items():
        after = step_keys(variant(**{"camera": {"framing": "bust"}} | {axis: values}), FRAMES)
        assert {step for step in STEPS if after[step] != before[step]} == steps, axis


def test_the_camera_never_sinks_into_the_floor():
    stage = open_stage()
    stage.apply(variant(camera={"elevation": -60, "framing": "full"}), frames=FRAMES)
    assert stage.view.matrix[2, 3] > 0.1
