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

from farm.quiet import silence
from farm.recipe.capture import Capture
from farm.recipe.sheet import load_sheet
from farm.render.blender import open_scene
from farm.stage.apply import Stage

__all__ = ["LABEL", "render_sheet"]

LABEL: Final = 20
GAP: Final = 4
BACKGROUND: Final = (22, 22, 24)
INK: Final = (225, 225, 228)
FRAMES: Final = range(1, 2)

Pixels = NDArray[np.uint8]


def render_sheet(kind: str, names: list[str], progress: Callable[[int, int], None], *, threads: int = 0) -> Image.Image:
    """Render templates of a kind, a row each; `progress(done, total)` is called after every picture."""
    sheet = load_sheet(kind)
    side = sheet.resolution
    capture = Capture.model_validate({"resolution": [side, side], "samples": [1], "reference": {"samples": 2}})
    scene, _ = open_scene(capture, threads=threads)
    _look(scene, sheet.samples)
    stage = Stage(scene, resolution=(side, side))
    columns = [(person, view) for person in range(len(sheet.people)) for view in range(len(sheet.views))]
    rows: dict[str, list[Pixels]] = {name: [] for name in names}
    done = 0
    with tempfile.TemporaryDirectory() as folder:
        for person in range(len(sheet.people)):
            for name in names:
                for view in range(len(sheet.views)):
                    stage.apply(sheet.variant(name, person, view), frames=FRAMES)
                    rows[name].append(_picture(scene, Path(folder) / f"{done}.png"))
                    done += 1
                    progress(done, len(names) * len(columns))
    return _compose(rows, side)


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


def _compose(rows: dict[str, list[Pixels]], side: int) -> Image.Image:
    """Rows of pictures under their names, in as many columns of rows as make the sheet about as wide as tall."""
    across = max(len(pictures) for pictures in rows.values()) * (side + GAP) + GAP
    down = side + LABEL + GAP
    columns = max(1, round(math.sqrt(len(rows) * down / across)))
    per_column = math.ceil(len(rows) / columns)
    sheet = Image.new("RGB", (columns * across, min(per_column, len(rows)) * down + GAP), BACKGROUND)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for place, (name, pictures) in enumerate(rows.items()):
        left, top = place // per_column * across + GAP, place % per_column * down + GAP
        draw.text((left + 2, top + 1), name.replace("_", " "), font=font, fill=INK)
        for number, picture in enumerate(pictures):
            sheet.paste(Image.fromarray(picture), (left + number * (side + GAP), top + LABEL))
    return sheet
