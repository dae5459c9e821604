"""A sheet of templates: every template of a kind rendered on a few people, from a few sides, as one labelled picture.

What a sheet shows stands in templates/sheets. It is for looking at, not data: few samples and Blender's denoiser.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from pydantic import Field

from farm.errors import TemplateError
from farm.recipe import templates
from farm.recipe.capture import Capture
from farm.recipe.parameters import PARAMETERS
from farm.recipe.templates import Part, nearest
from farm.recipe.variant import Variant
from farm.render.blender import open_scene
from farm.stage.apply import Stage

__all__ = ["SHEETS", "Sheet", "load_sheet", "render_sheet"]

SHEETS: Final = "sheets"
LABEL: Final = 20
GAP: Final = 4
BACKGROUND: Final = (22, 22, 24)
INK: Final = (225, 225, 228)
FRAMES: Final = range(1, 2)

Pixels = NDArray[np.uint8]


class Sheet(Part):
    """templates/sheets: what a kind's sheet shows."""

    description: str
    varies: str
    samples: int = Field(ge=1, le=4096)
    resolution: int = Field(ge=16, le=2048)
    views: tuple[dict[str, Any], ...] = Field(min_length=1)
    people: tuple[dict[str, dict[str, Any]], ...] = Field(min_length=1)

    def variant(self, name: str, person: int, view: int) -> Variant:
        """The variant of one picture; pydantic's ValidationError where the sheet says what a variant cannot have."""
        axis, parameter = self.varies.split(".")
        axes = {key: dict(values) for key, values in self.people[person].items()}
        axes.setdefault(axis, {})[parameter] = name
        bare: dict[str, dict[str, Any]] = {each: {} for each in ("body", "skin", "hair", "pose", "stunt", "light")}
        return Variant.model_validate({"index": 0, **bare, **axes, "camera": self.views[view]})


def load_sheet(kind: str) -> Sheet:
    """The sheet of a kind of template; TemplateError where there is none or it is wrong."""
    if kind not in templates.names(SHEETS):
        raise TemplateError(f"{kind} have no sheet{nearest(kind, templates.names(SHEETS))}")
    sheet = templates.read(Sheet, SHEETS, kind)
    place = templates.place(SHEETS, kind)
    if sheet.varies not in PARAMETERS or PARAMETERS[sheet.varies].template != kind:
        known = [path for path, parameter in PARAMETERS.items() if parameter.template == kind]
        raise TemplateError(f"{place}: varies: '{sheet.varies}' names no {kind}{nearest(sheet.varies, known)}")
    for person in range(len(sheet.people)):
        for view in range(len(sheet.views)):
            try:
                sheet.variant(templates.names(kind)[0], person, view)
            except ValueError as error:
                reason = " ".join(str(error).split())
                raise TemplateError(f"{place}: person {person + 1}, view {view + 1}: {reason}") from None
    return sheet


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
    with _unheard():
        bpy.ops.render.render(write_still=True)
    with Image.open(file) as image:
        return np.asarray(image.convert("RGB"))


@contextmanager
def _unheard() -> Iterator[None]:
    """Keep Blender's own lines, which it writes past Python, off the terminal."""
    sys.stdout.flush()
    kept = os.dup(1)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _compose(rows: dict[str, list[Pixels]], side: int) -> Image.Image:
    width = max(len(pictures) for pictures in rows.values()) * (side + GAP) + GAP
    height = len(rows) * (side + LABEL + GAP) + GAP
    sheet = Image.new("RGB", (width, height), BACKGROUND)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for row, (name, pictures) in enumerate(rows.items()):
        top = GAP + row * (side + LABEL + GAP)
        draw.text((GAP + 2, top + 1), name.replace("_", " "), font=font, fill=INK)
        for column, picture in enumerate(pictures):
            sheet.paste(Image.fromarray(picture), (GAP + column * (side + GAP), top + LABEL))
    return sheet
