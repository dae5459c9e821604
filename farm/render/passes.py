"""Passes: what Blender calls them, what the dataset calls them, and how they come out of a render as arrays.

Blender writes one EXR part a pass (5.2). The channels of a part are `<view layer>.<pass>.<component>`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np
import OpenEXR
from numpy.typing import NDArray

from farm.errors import RenderError

__all__ = ["Image", "data_pass", "enable_passes", "read_render", "render_image"]

Image = dict[str, NDArray[np.float32]]

# Blender's pass → its channels in the dataset, in Blender's order of components
RADIANCE: Final[dict[str, dict[str, str]]] = {
    "Combined": {"R": "R", "G": "G", "B": "B", "A": "A"},
    "Denoising Albedo": {"R": "albedo.R", "G": "albedo.G", "B": "albedo.B"},
    "Normal": {"X": "normal.X", "Y": "normal.Y", "Z": "normal.Z"},
}
# Depth is written by sample 0 alone: it comes from a render that starts there
DATA: Final[dict[str, dict[str, str]]] = {"Depth": {"Z": "depth.Z"}}
# Blender's own are previous − current and current − next, y up
MOTION: Final[dict[str, dict[str, str]]] = {
    "Vector": {"X": "motion.prev.X", "Y": "motion.prev.Y", "Z": "motion.next.X", "W": "motion.next.Y"}
}
TABLES: Final = {"radiance": RADIANCE, "data": DATA, "data in motion": {**DATA, **MOTION}}
# What is negated, so that a vector leads from its pixel to where this was or will be, y down
TURNED: Final = ("motion.prev.Y", "motion.next.X")
PASS_SHUTTER: Final = 2.0


def enable_passes(view_layer: Any) -> None:
    """Switch on the passes that pairs are made of."""
    view_layer.use_pass_combined = True
    view_layer.use_pass_z = True
    view_layer.use_pass_normal = True
    view_layer.cycles.denoising_store_passes = True


@contextmanager
def data_pass(scene: Any, *, motion: bool) -> Iterator[None]:
    """Meanwhile render without motion blur, and with motion vectors where they are asked for.

    A warm Cycles begins or ends to move the camera itself only where a setting of the camera has changed, too. The
    shutter is one, and of no other use here.
    """
    render, view_layer = scene.render, scene.view_layers[0]
    before = render.use_motion_blur, render.motion_blur_shutter
    render.use_motion_blur = False
    view_layer.use_pass_vector = motion
    if motion or before[0]:
        render.motion_blur_shutter = PASS_SHUTTER
    try:
        yield
    finally:
        view_layer.use_pass_vector = False
        render.use_motion_blur, render.motion_blur_shutter = before


def render_image(scene: Any, scratch: Path, kind: str) -> Image:
    """Render the current frame and return the channels of a kind of TABLES, each (H, W) float32."""
    file = scratch / "render.exr"
    file.unlink(missing_ok=True)
    scene.render.filepath = str(file)
    if bpy.ops.render.render(write_still=True, scene=scene.name) != {"FINISHED"} or not file.is_file():
        raise RenderError(f"Blender wrote no image of frame {scene.frame_current}")
    return read_render(file, kind)


def read_render(file: Path, kind: str) -> Image:
    """The channels of a kind of TABLES in a multilayer file that Blender wrote, each (H, W) float32."""
    table = TABLES[kind]
    image: Image = {}
    with OpenEXR.File(str(file), separate_channels=True) as exr:
        for part in exr.parts:
            for name, channel in part.channels.items():
                _, _, tail = name.rpartition(".")
                pass_name = name[: -len(tail) - 1].split(".", 1)[-1]
                wanted = table.get(pass_name, {}).get(tail)
                if wanted is not None:
                    image[wanted] = np.ascontiguousarray(channel.pixels, dtype=np.float32)
    missing = {channel for channels in table.values() for channel in channels.values()} - set(image)
    if missing:
        raise RenderError(f"the render lacks {', '.join(sorted(missing))}")
    for channel in set(TURNED) & set(image):
        image[channel] = 0 - image[channel]
    return image
