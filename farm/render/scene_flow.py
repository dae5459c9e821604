"""Motion in the world, which Cycles has no pass for: seen by two eyes at the frame before.

Cycles' motion vectors say where in the picture a point was at the frame before, not how far away. The same vectors for
a camera that stood aside at that frame give its distance, as two eyes do (stereo triangulation), whatever moves a
point: armature, simulation or nodes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import bpy
import numpy as np
from bpy_extras.anim_utils import action_ensure_channelbag_for_slot
from numpy.typing import NDArray

from farm.dataset.layers import DEPTH_BACKGROUND
from farm.render.jitter import Jitter

__all__ = ["Before", "camera_aside", "camera_before", "world_motion"]

ASIDE: Final = 1.0
"""Metres between the eyes."""
ASIDE_SHUTTER: Final = 1.5
CHANNEL: Final = "delta_location"

Array = NDArray[np.float64]


class Before:
    """The camera at the frame before.

    pose    (4, 4) from its axes to the world's
    scale   horizontal and vertical, from tangents to half pictures
    shift   the same for the lens' shift
    """

    def __init__(self, pose: Array, projection: Array) -> None:
        self.pose = pose
        self.scale = projection[0, 0], projection[1, 1]
        self.shift = projection[0, 2], projection[1, 2]


def camera_before(scene: Any) -> Before:
    """The scene's camera one frame before the current one; the scene must be in motion."""
    frame, camera, render = scene.frame_current, scene.camera, scene.render
    scene.frame_set(frame - 1)
    pose = np.array(camera.matrix_world.normalized())
    depsgraph = bpy.context.evaluated_depsgraph_get()
    projection = camera.calc_matrix_camera(depsgraph, x=render.resolution_x, y=render.resolution_y)
    scene.frame_set(frame)
    return Before(pose, np.array(projection))


@contextmanager
def camera_aside(scene: Any, before: Before) -> Iterator[None]:
    """Meanwhile the camera comes from `ASIDE` to its right.

    It is keyed there for the frame before; another shutter lets a warm Cycles notice (see `farm.render.passes`).
    """
    camera, render, frame = scene.camera, scene.render, scene.frame_current
    shutter, had = render.motion_blur_shutter, camera.animation_data and camera.animation_data.action
    for moment, share in ((frame - 1, ASIDE), (frame, 0.0), (frame + 1, 0.0)):
        camera.delta_location = before.pose[:3, 0] * share
        camera.keyframe_insert(CHANNEL, frame=moment)
    camera.delta_location = (0.0, 0.0, 0.0)
    render.motion_blur_shutter = ASIDE_SHUTTER
    try:
        yield
    finally:
        action, slot = camera.animation_data.action, camera.animation_data.action_slot
        curves = action_ensure_channelbag_for_slot(action, slot).fcurves
        for curve in [curve for curve in curves if curve.data_path == CHANNEL]:
            curves.remove(curve)
        if not had:
            camera.animation_data_clear()
            bpy.data.actions.remove(action)
        camera.delta_location = (0.0, 0.0, 0.0)
        render.motion_blur_shutter = shutter


def world_motion(
    image: dict[str, NDArray[np.float32]],
    aside: dict[str, NDArray[np.float32]],
    before: Before,
    jitter: Jitter = (0.0, 0.0),
) -> dict[str, NDArray[np.float32]]:
    """The layer `motion.world` of a data image that has position, depth and motion, from it and its twin from aside.

    `aside` are the same frame's motion vectors for the camera that came from aside.
    """
    height, width = image["depth.Z"].shape
    rows, columns = np.indices((height, width))
    across = columns + 0.5 + jitter[0] + image["motion.prev.X"].astype(np.float64)
    down = rows + 0.5 + jitter[1] + image["motion.prev.Y"].astype(np.float64)
    other = columns + 0.5 + jitter[0] + aside["motion.prev.X"].astype(np.float64)
    parallax = (across - other) * 2 / width
    seen = (image["depth.Z"] < DEPTH_BACKGROUND / 2) & (parallax > 0)
    away = before.scale[0] * ASIDE / np.where(seen, parallax, 1.0)
    local = np.stack(
        [
            (across * 2 / width - 1 + before.shift[0]) * away / before.scale[0],
            (1 - down * 2 / height + before.shift[1]) * away / before.scale[1],
            -away,
        ]
    )
    then = np.tensordot(before.pose[:3, :3], local, 1) + before.pose[:3, 3, None, None]
    return {
        f"motion.world.{axis}": np.where(seen, place - image[f"position.{axis}"], 0.0).astype(np.float32)
        for axis, place in zip("XYZ", then, strict=True)
    }
