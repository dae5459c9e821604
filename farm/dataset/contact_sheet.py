"""`contact_sheet.png`: one labelled reference a variant, in a grid."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

__all__ = ["Thumbnail", "compose_sheet", "label_lines"]

_GAP: Final = 12
_LINE: Final = 19
_BACKGROUND: Final = (22, 22, 24)
_TITLE: Final = (225, 225, 228)
_DETAIL: Final = (150, 150, 156)


class Thumbnail(NamedTuple):
    """One picture of the sheet: sRGB bytes (height, width, 3) and its two lines of text."""

    picture: np.ndarray
    lines: tuple[str, str]


def label_lines(row: Mapping[str, Any]) -> tuple[str, str]:
    """The two lines under a picture: what the double wears and does, and who it is. `row` is the index's."""
    stunt = row["stunt.name"]
    act = row["pose.name"] if stunt == "none" else f"{stunt} {row['stunt.phase']:.0%}"
    return f"{_words(row['hair.style'])} · {_words(act)}", f"age {row['body.age']:.0f} · tone {row['skin.tone']:.1f}"


def compose_sheet(thumbnails: Sequence[Thumbnail]) -> bytes:
    """The sheet as a PNG: as wide as it is high or wider, filled row by row."""
    height, width = thumbnails[0].picture.shape[:2]
    cell = (width + _GAP, height + 2 * _LINE + _GAP + 6)
    columns = min(len(thumbnails), math.ceil(math.sqrt(len(thumbnails) * 1.3)))
    rows = math.ceil(len(thumbnails) / columns)
    sheet = Image.new("RGB", (columns * cell[0] + _GAP, rows * cell[1] + _GAP), _BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    fonts = (ImageFont.load_default(15), ImageFont.load_default(13))
    for place, thumbnail in enumerate(thumbnails):
        left, top = _GAP + place % columns * cell[0], _GAP + place // columns * cell[1]
        sheet.paste(Image.fromarray(thumbnail.picture), (left, top))
        for line, (text, font, colour) in enumerate(zip(thumbnail.lines, fonts, (_TITLE, _DETAIL), strict=True)):
            draw.text((left + 1, top + height + 5 + line * _LINE), _fitted(text, font, width), font=font, fill=colour)
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _words(name: str) -> str:
    return name.replace("_", " ")


def _fitted(text: str, font: Any, width: int) -> str:
    while len(text) > 1 and font.getlength(text) > width:
        text = text.removesuffix("…")[:-1].rstrip() + "…"
    return text
