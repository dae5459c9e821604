"""The same crop of several images side by side, enlarged and labelled: where the hair is densest, if that is known."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from farm.dataset.tonemap import tonemap
from farm.dataset.views import enlarge

__all__ = ["compose", "hair_crop"]

SIDE: Final = 96
"""Pixels of a crop, where the images have as many."""
SHOWN: Final = 288
_GAP: Final = 6
_LINE: Final = 20


def compose(images: Mapping[str, np.ndarray], hair: np.ndarray | None) -> bytes:
    """A PNG of the crop of every image (3, H, W), linear light, under its name; `hair` (1, H, W) says where to look."""
    height, width = next(iter(images.values())).shape[1:]
    rows, columns = _middle(height, width) if hair is None else hair_crop(hair[0])
    tiles = {
        name: enlarge(tonemap(np.moveaxis(image[:, rows, columns], 0, -1)), SHOWN) for name, image in images.items()
    }
    high, wide = next(iter(tiles.values())).shape[:2]
    sheet = Image.new("RGB", (len(tiles) * (wide + _GAP) - _GAP, high + _LINE), (255, 255, 255))
    draw = ImageDraw.Draw(sheet)
    for place, (name, tile) in enumerate(tiles.items()):
        sheet.paste(Image.fromarray(tile), (place * (wide + _GAP), _LINE))
        draw.text((place * (wide + _GAP) + 2, 2), name, font=ImageFont.load_default(13), fill=(20, 20, 20))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def hair_crop(hair: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns of the square that holds the most hair's edge: `hair` is coverage (H, W).

    Where strands cover a pixel in part they are hardest to denoise.
    """
    height, width = hair.shape
    side = min(SIDE, height, width)
    edge = hair * (1.0 - hair) + 1e-3 * hair
    sums = np.pad(edge.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    inside = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    row, column = np.unravel_index(int(inside.argmax()), inside.shape)
    return slice(int(row), int(row) + side), slice(int(column), int(column) + side)


def _middle(height: int, width: int) -> tuple[slice, slice]:
    side = min(SIDE, height, width)
    row, column = (height - side) // 2, (width - side) // 2
    return slice(row, row + side), slice(column, column + side)
