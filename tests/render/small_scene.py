"""A small scene for render tests: a ball with hair-thin spikes on a lit floor. Run as a program, it renders cold.

python small_scene.py OUT.npy SEED OFFSET LENGTH BALL_X
"""

import sys
import tempfile
from pathlib import Path

import bpy
import numpy as np

from farm.recipe import Capture
from farm.render.blender import open_scene
from farm.render.passes import render_image
from farm.render.settings import prepare_subset

CAPTURE = Capture(resolution=(48, 40), samples=(1, 4, 16), reference=64)


def build():
    """Open Blender on the scene; returns the scene."""
    scene, _ = open_scene(CAPTURE, threads=1)
    bpy.ops.mesh.primitive_plane_add(size=8)
    bpy.ops.mesh.primitive_uv_sphere_add(location=(0, 0, 1), segments=24, ring_count=12)
    curves = bpy.data.hair_curves.new("spikes")
    curves.add_curves([4] * 60)
    places = np.random.default_rng(1).normal(size=(60, 1, 3))
    places = places / np.linalg.norm(places, axis=2, keepdims=True) * np.linspace(1, 1.6, 4)[None, :, None]
    curves.points.foreach_set("position", places.astype(np.float32).ravel())
    curves.points.foreach_set("radius", np.full(240, 0.02, dtype=np.float32))
    spikes = bpy.data.objects.new("spikes", curves)
    spikes.location = (0, 0, 1)
    scene.collection.objects.link(spikes)
    lamp = bpy.data.objects.new("lamp", bpy.data.lights.new("lamp", "AREA"))
    lamp.data.energy, lamp.data.size, lamp.location = 400.0, 2.0, (1, -2, 5)
    scene.collection.objects.link(lamp)
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.location, camera.rotation_euler = (0, -7, 2.2), (1.4, 0, 0)
    scene.collection.objects.link(camera)
    scene.camera = camera
    return scene


def move_ball(x):
    """Move ball and spikes sideways."""
    for name in ("Sphere", "spikes"):
        bpy.data.objects[name].location.x = x


def shoot(scene, seed, offset, length):
    """The beauty (H, W, 4) of a subset."""
    prepare_subset(scene, seed=seed, offset=offset, length=length)
    with tempfile.TemporaryDirectory() as scratch:
        image = render_image(scene, Path(scratch), "radiance")
    return np.stack([image[channel] for channel in "RGBA"], axis=-1)


if __name__ == "__main__":
    out, *numbers = sys.argv[1:]
    seed, offset, length = (int(number) for number in numbers[:3])
    opened = build()
    move_ball(float(numbers[3]))
    np.save(out, shoot(opened, seed, offset, length))
