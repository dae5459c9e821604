"""The camera in Blender: aimed so that the framing's part of the double, in all frames, fills the picture."""

from __future__ import annotations

import math
from typing import Any, Final

import bpy
import numpy as np
from bpy_extras.anim_utils import action_ensure_channelbag_for_slot
from mathutils import Matrix
from numpy.typing import NDArray

from farm.recipe.parameters import Camera
from farm.stage.camera_path import CameraPath
from farm.stage.framing import SENSOR_WIDTH, View, fit_camera

__all__ = ["build_camera", "lowest_view", "move_camera", "place_camera", "stop_camera"]

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


def lowest_view(
    points: NDArray[np.float64],
    camera: Camera,
    resolution: tuple[int, int],
    margin: float,
    path: CameraPath | None = None,
) -> View:
    """Fit a camera to points (N, 3), raising its elevation where it, or its path from there, would sink into the floor.

    The points are those that the camera sees when its path is taken away.
    """

    def fit(elevation: float) -> View:
        return fit_camera(
            points,
            azimuth=math.radians(camera.azimuth),
            elevation=elevation,
            focal_length=camera.focal_length,
            resolution=resolution,
            margin=margin,
        )

    def height(view: View) -> float:
        return float(view.matrix[2, 3]) if path is None else path.lowest(view)

    wanted = math.radians(camera.elevation)
    view = fit(wanted)
    if height(view) >= GROUND_CLEARANCE:
        return view
    low, high = wanted, math.radians(80.0)
    for _ in range(ELEVATION_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if height(fit(middle)) < GROUND_CLEARANCE else (low, middle)
    return fit(high)


def place_camera(thing: Any, view: View) -> None:
    """Move a camera object to a view."""
    thing.matrix_world = Matrix(view.matrix.tolist())
    thing.data.lens = view.focal_length


def move_camera(thing: Any, view: View, path: CameraPath) -> None:
    """Key a camera object's way, from the view that it was aimed with, linear between frames."""
    thing.rotation_mode = "QUATERNION"
    thing.data.lens = view.focal_length
    before = None
    for frame in path.frames:
        thing.location, turn, _ = Matrix(path.view(view, frame).matrix.tolist()).decompose()
        if before is not None:
            turn.make_compatible(before)
        thing.rotation_quaternion = before = turn
        for channel in ("location", "rotation_quaternion"):
            thing.keyframe_insert(channel, frame=frame)
    animation = thing.animation_data
    for curve in action_ensure_channelbag_for_slot(animation.action, animation.action_slot).fcurves:
        for key in curve.keyframe_points:
            key.interpolation = "LINEAR"


def stop_camera(thing: Any) -> None:
    """Take a camera object's way from it, if it has one."""
    if thing.animation_data:
        action = thing.animation_data.action
        thing.animation_data_clear()
        bpy.data.actions.remove(action)
    thing.rotation_mode = "XYZ"
