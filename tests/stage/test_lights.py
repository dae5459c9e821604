"""Lamps and world turn together, counter-clockwise from above."""

import tempfile
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy", reason="lights need bpy")

import numpy as np

from farm.recipe import Capture
from farm.recipe.parameters import Light
from farm.render.blender import open_scene
from farm.render.passes import render_image
from farm.render.settings import prepare_subset
from farm.stage.lights import build_set, remove_set

CAPTURE = Capture(resolution=(32, 32), samples=(1,), reference=64)


@pytest.fixture(scope="module")
def scene():
    """A white ball, seen from above."""
    opened, _ = open_scene(CAPTURE)
    bpy.ops.mesh.primitive_uv_sphere_add(location=(0, 0, 1.2), radius=0.5)
    bpy.ops.object.camera_add(location=(0, 0, 4))
    opened.camera = bpy.context.object
    opened.camera.data.type, opened.camera.data.ortho_scale = "ORTHO", 1.0
    return opened


def bright_side(scene, light, *, keep):
    """Azimuth in degrees from which the ball is lit by one lamp or by the `world` alone."""
    made = build_set(scene, light, scene.collection, facing=0.0)
    for thing in made:
        if isinstance(thing, bpy.types.Object):
            thing.hide_render = thing.name != keep
    if keep != "world":
        scene.world = None
    prepare_subset(scene, seed=3, offset=1, length=32)
    with tempfile.TemporaryDirectory() as scratch:
        image = render_image(scene, Path(scratch), "radiance")
    remove_set(made)
    light_seen = np.where(image["A"] > 0.99, image["G"], 0.0)
    right, up = np.meshgrid(np.linspace(-1, 1, 32), np.linspace(1, -1, 32))
    x, y = (light_seen * right).sum(), (light_seen * up).sum()
    return np.degrees(np.arctan2(x, -y))


@pytest.mark.parametrize("keep", ["sun", "world"])
def test_rotation_turns_counter_clockwise_from_above(scene, keep):
    before, after = (
        bright_side(scene, Light(preset="sunset", rotation=rotation), keep=keep) for rotation in (-20.0, 40.0)
    )
    assert (after - before + 180) % 360 - 180 == pytest.approx(60, abs=12)


def test_azimuth_90_is_the_doubles_left(scene):
    """The studio's key stands at 38°, between the front and +X."""
    assert bright_side(scene, Light(preset="studio"), keep="key") == pytest.approx(38, abs=8)


def test_a_set_is_removed_without_a_trace(scene):
    kinds = ("objects", "meshes", "materials", "lights", "worlds", "images")
    before = {kind: len(getattr(bpy.data, kind)) for kind in kinds}
    remove_set(build_set(scene, Light(preset="courtyard"), scene.collection, facing=0.3))
    assert {kind: len(getattr(bpy.data, kind)) for kind in kinds} == before
