"""The camera in Blender: aimed so that the framing's part of the double, in all frames, fills the picture."""

from __future__ import annotations

import math
from typing import Any, Final

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from farm.recipe.parameters import Camera
from farm.stage.framing import SENSOR_WIDTH, View, fit_camera

__all__ = ["build_camera", "lowest_view", "place_camera"]

GROUND_CLEARANCE: Final = 0.12
CLIP: Final = (0.05, 200.0)
ELEVATION_STEPS: Final = 24


def build_camera(scene: Any, collection: Any) -> Any:
    """Make a camera and let the scene look through it."""
    data = bpy.data.cameras.new("camera")
    data.sensor_fit = "HORIZONTAL"
    data.sensor_width = SENSOR_WIDTH
    data.clip_start, data.clip_end = CLIP
    thing = bpy.data.objects.new("camera", data)
    collection.objects.link(thing)
    scene.camera = thing
    return thing


def lowest_view(points: NDArray[np.float64], camera: Camera, resolution: tuple[int, int], margin: float) -> View:
    """Fit a camera to points (N, 3), raising its elevation where it would sink into the floor."""

    def fit(elevation: float) -> View:
        return fit_camera(
            points,
            azimuth=math.radians(camera.azimuth),
            elevation=elevation,
            focal_length=camera.focal_length,
            resolution=resolution,
            margin=margin,
        )

    wanted = math.radians(camera.elevation)
    view = fit(wanted)
    if view.matrix[2, 3] >= GROUND_CLEARANCE:
        return view
    low, high = wanted, math.radians(80.0)
    for _ in range(ELEVATION_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if fit(middle).matrix[2, 3] < GROUND_CLEARANCE else (low, middle)
    return fit(high)


def place_camera(thing: Any, view: View) -> None:
    """Move a camera object to a view."""
    thing.matrix_world = Matrix(view.matrix.tolist())
    thing.data.lens = view.focal_length
