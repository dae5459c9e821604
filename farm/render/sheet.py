"""A sheet of templates: every template of a kind rendered on a few people, from a few sides, as one labelled picture.

`farm.recipe.sheet` says what a sheet shows. It is for looking at, not data: few samples and Blender's denoiser.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from farm.motion.perform import FPS
from farm.quiet import silence
from farm.recipe.capture import Capture
from farm.recipe.sheet import load_sheet
from farm.recipe.variant import Variant
from farm.render.blender import open_scene
from farm.stage.apply import Stage

__all__ = ["LABEL", "cut_sheet", "render_sheet"]

LABEL: Final = 20
GAP: Final = 4
BACKGROUND: Final = (22, 22, 24)
INK: Final = (225, 225, 228)
STILL: Final = range(1, 2)

Pixels = NDArray[np.uint8]


def render_sheet(kind: str, names: list[str], progress: Callable[[int, int], None], *, threads: int = 0) -> Image.Image:
    """Render templates of a kind, a row each; `progress(done, total)` is called after every picture."""
    sheet = load_sheet(kind)
    size = sheet.resolution
    capture = Capture.model_validate({"resolution": list(size), "samples": [1], "reference": {"samples": 2}})
    scene, _ = open_scene(capture, threads=threads)
    _look(scene, sheet.samples)
    stage = Stage(scene, resolution=size)
    total = len(names) * len(sheet.people) * len(sheet.views) * sheet.moments
    rows: dict[str, list[Pixels]] = {name: [] for name in names}
    done = 0
    with tempfile.TemporaryDirectory() as folder:
        for person in range(len(sheet.people)):
            for name in names:
                for view in range(len(sheet.views)):
                    for frame in _set(stage, sheet.variant(name, person, view), sheet.moments):
                        stage.show(frame)
                        rows[name].append(_picture(scene, Path(folder) / f"{done}.png"))
                        done += 1
                        progress(done, total)
    return _compose(rows, size)


def _set(stage: Stage, variant: Variant, moments: int) -> range:
    """Put a variant on the stage for a still, or for moments evenly over its stunt; returns their frames.

    Moments are so many frames apart as come nearest to the usual rate; the rate then makes them end with the stunt.
    """
    if moments == 1:
        stage.apply(variant, frames=STILL)
        return STILL
    duration = stage.duration(variant)
    step = max(1, round(duration * FPS / (moments - 1)))
    frames = range(1, 2 + step * (moments - 1), step)
    stage.apply(variant, frames=frames, rate=step * (moments - 1) / duration)
    return frames


def _look(scene: Any, samples: int) -> None:
    """Settings for looking at, in place of those for data."""
    cycles, image = scene.cycles, scene.render.image_settings
    cycles.use_sample_subset = False
    cycles.samples = samples
    cycles.use_denoising = True
    scene.render.film_transparent = False
    image.media_type = "IMAGE"
    image.file_format = "PNG"
    image.color_depth = "8"
    scene.view_settings.view_transform = "AgX"
    scene.update_tag()


def _picture(scene: Any, file: Path) -> Pixels:
    scene.render.filepath = str(file)
    with silence(stderr=False):
        bpy.ops.render.render(write_still=True)
    with Image.open(file) as image:
        return np.asarray(image.convert("RGB"))


def cut_sheet(sheet: Image.Image, kind: str, names: list[str], number: int) -> dict[str, Image.Image]:
    """Picture `number` of each row of the sheet that `render_sheet` made of these names, without its label.

    Raises ValueError for a picture of another size than such a sheet has.
    """
    found = load_sheet(kind)
    grid = _Grid(len(names), len(found.people) * len(found.views) * found.moments, found.resolution)
    if sheet.size != grid.size:
        raise ValueError(f"a sheet of {len(names)} {kind} measures {grid.size}, found {sheet.size}")
    wide, high = found.resolution
    pictures = {}
    for place, name in enumerate(names):
        left, top = grid.picture(place, number)
        pictures[name] = sheet.crop((left, top, left + wide, top + high))
    return pictures


class _Grid:
    """Where rows of pictures lie, in as many columns of rows as make the sheet about as wide as tall."""

    def __init__(self, rows: int, pictures: int, size: tuple[int, int]) -> None:
        wide, high = size
        self._step = wide + GAP
        self._across = pictures * self._step + GAP
        self._down = high + LABEL + GAP
        columns = max(1, round(math.sqrt(rows * self._down / self._across)))
        self._per_column = math.ceil(rows / columns)
        self.size = (columns * self._across, min(self._per_column, rows) * self._down + GAP)

    def row(self, place: int) -> tuple[int, int]:
        """Left and top of a row, where its name stands."""
        return place // self._per_column * self._across + GAP, place % self._per_column * self._down + GAP

    def picture(self, place: int, number: int) -> tuple[int, int]:
        """Left and top of a picture of a row."""
        left, top = self.row(place)
        return left + number * self._step, top + LABEL


def _compose(rows: dict[str, list[Pixels]], size: tuple[int, int]) -> Image.Image:
    """Rows of pictures under their names."""
    grid = _Grid(len(rows), max(len(pictures) for pictures in rows.values()), size)
    sheet = Image.new("RGB", grid.size, BACKGROUND)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for place, (name, pictures) in enumerate(rows.items()):
        left, top = grid.row(place)
        draw.text((left + 2, top + 1), name.replace("_", " "), font=font, fill=INK)
        for number, picture in enumerate(pictures):
            sheet.paste(Image.fromarray(picture), grid.picture(place, number))
    return sheet
