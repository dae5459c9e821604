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

__all__ = ["LABEL", "render_sheet"]

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


def _compose(rows: dict[str, list[Pixels]], size: tuple[int, int]) -> Image.Image:
    """Rows of pictures under their names, in as many columns of rows as make the sheet about as wide as tall."""
    wide, high = size
    across = max(len(pictures) for pictures in rows.values()) * (wide + GAP) + GAP
    down = high + LABEL + GAP
    columns = max(1, round(math.sqrt(len(rows) * down / across)))
    per_column = math.ceil(len(rows) / columns)
    sheet = Image.new("RGB", (columns * across, min(per_column, len(rows)) * down + GAP), BACKGROUND)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for place, (name, pictures) in enumerate(rows.items()):
        left, top = place // per_column * across + GAP, place % per_column * down + GAP
        draw.text((left + 2, top + 1), name.replace("_", " "), font=font, fill=INK)
        for number, picture in enumerate(pictures):
            sheet.paste(Image.fromarray(picture), (left + number * (wide + GAP), top + LABEL))
    return sheet
