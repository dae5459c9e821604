"""Small pictures of what stands on a double's stage, rendered quickly, and laid out as one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import blf
import bpy
import imbuf
import numpy as np
from numpy.typing import NDArray

__all__ = ["COLUMNS", "Pixels", "laid_out", "render_small"]

SIZE: Final = 192
"""Pixels of a picture's longer side."""
SAMPLES: Final = 24
GAP: Final = 6
FONT: Final = 0
LETTERS: Final = 22
"""Pixels high."""
COLUMNS: Final = 3
BACKGROUND: Final = (0.02, 0.02, 0.02, 1.0)

Pixels = NDArray[np.float32]


def render_small(scene: Any, file: Path, text: str) -> Pixels:
    """A small picture (H, W, 4) of what stands on the stage with a text on it, its first row at the bottom."""
    render, image = scene.render, scene.render.image_settings
    wide, high = render.resolution_x, render.resolution_y
    changes = [
        (render, "engine", "CYCLES"),
        (render, "resolution_percentage", 100),
        (render, "resolution_x", max(8, round(SIZE * wide / max(wide, high)))),
        (render, "resolution_y", max(8, round(SIZE * high / max(wide, high)))),
        (render, "filepath", str(file)),
        (render, "use_file_extension", True),
        (image, "media_type", "IMAGE"),
        (image, "file_format", "PNG"),
        (scene.cycles, "samples", SAMPLES),
        (scene.cycles, "use_denoising", True),
    ]
    with _changed(changes), _result_kept():
        scene.update_tag()
        bpy.ops.render.render(write_still=True, scene=scene.name)
    _write_on(file, text)
    loaded = bpy.data.images.load(str(file))
    try:
        pixels = np.empty(len(loaded.pixels), dtype=np.float32)
        loaded.pixels.foreach_get(pixels)
        return pixels.reshape(loaded.size[1], loaded.size[0], -1)
    finally:
        bpy.data.images.remove(loaded)


def _write_on(file: Path, text: str) -> None:
    """Write into the lower left corner of a picture, white with a dark rim."""
    picture = imbuf.load(str(file))
    with blf.bind_imbuf(FONT, picture):
        blf.size(FONT, LETTERS)
        for across, down, shade in (*((x, y, 0.0) for x in (-1, 0, 1) for y in (-1, 0, 1)), (0, 0, 1.0)):
            blf.color(FONT, shade, shade, shade, 1.0)
            blf.position(FONT, GAP + across, GAP + down, 0)
            blf.draw_buffer(FONT, text)
    imbuf.write(picture, filepath=str(file))


@contextlib.contextmanager
def _changed(changes: list[tuple[Any, str, Any]]) -> Iterator[None]:
    """Meanwhile settings are others."""
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in changes]
    try:
        for owner, name, value in changes:
            setattr(owner, name, value)
        yield
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)


@contextlib.contextmanager
def _result_kept() -> Iterator[None]:
    """Render into the last slot, so that the artist's own render stays in the one that they use."""
    result = bpy.data.images.get("Render Result")
    slots = result.render_slots if result is not None else []
    if len(slots) < 2:
        yield
        return
    before = slots.active_index
    slots.active_index = len(slots) - 1 if before < len(slots) - 1 else 0
    try:
        yield
    finally:
        slots.active_index = before


def laid_out(pictures: list[Pixels]) -> Pixels:
    """Pictures in rows of COLUMNS from the top left, as one (H, W, 4), its first row at the bottom."""
    high, wide = pictures[0].shape[:2]
    columns = min(COLUMNS, len(pictures))
    rows = -(-len(pictures) // columns)
    sheet = np.empty((rows * (high + GAP) + GAP, columns * (wide + GAP) + GAP, 4), dtype=np.float32)
    sheet[:] = BACKGROUND
    for place, picture in enumerate(pictures):
        row, column = divmod(place, columns)
        bottom = (rows - 1 - row) * (high + GAP) + GAP
        left = column * (wide + GAP) + GAP
        sheet[bottom : bottom + high, left : left + wide] = picture
    return sheet
