"""Scenes that several cameras see: what reconstruction from many views is trained on."""

from __future__ import annotations

import io
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from farm.dataset.cameras import Lens
from farm.dataset.export.item import Item
from farm.dataset.export.source import Row, Source, read_layer
from farm.dataset.files import replace_bytes
from farm.dataset.layers import Layer
from farm.dataset.layout import REFERENCE_NAME
from farm.dataset.place import Place
from farm.dataset.tonemap import encode_srgb
from farm.errors import DatasetError
from farm.recipe import PARAMETERS, content_hash
from farm.recipe.parameters import NO_STUNT

__all__ = ["VIEWS_MIN", "Capture", "find_captures", "intrinsics", "matrix_world", "picture_item", "straight_srgb"]

VIEWS_MIN: Final = 3
"""Fewer cameras than this make no capture: one to train with, one to validate and one to test."""


@dataclass(frozen=True)
class Capture:
    """One moment of one double, with the rows of the cameras that see it, in the index's order."""

    name: str
    views: tuple[Row, ...]


def find_captures(source: Source, *, needed_by: str) -> list[Capture]:
    """The dataset's captures, in the index's order; DatasetError where there is none.

    Rows are of one capture where they differ in the camera alone, and in the frame where nothing but it moves.
    """
    views: dict[str, list[Row]] = defaultdict(list)
    for row in source.rows:
        scene = {path: row[path] for path, parameter in PARAMETERS.items() if parameter.axis != "camera"}
        moment = None if row["stunt.name"] == NO_STUNT else row["frame"]
        views[content_hash([scene, moment])].append(row)
    captures = [
        Capture(name, tuple(rows))
        for name, rows in views.items()
        if len({tuple(row["view.matrix_world"]) for row in rows}) >= VIEWS_MIN
    ]
    if not captures:
        raise DatasetError(
            f"{source.root}: no scene is seen by {VIEWS_MIN} cameras or more, which {needed_by} needs; write a recipe"
            " that fixes body.identity and hair.seed and varies nothing but camera.azimuth and camera.elevation,"
            " or a clip without a stunt whose camera.move is orbit"
        )
    return captures


def matrix_world(row: Row) -> NDArray[np.float64]:
    """Camera to world (4, 4): +X right, +Y up, −Z forward."""
    return np.array(row["view.matrix_world"], np.float64).reshape(4, 4)


def intrinsics(row: Row) -> Lens:
    """Focal lengths and principal point in pixels: fl_x, fl_y, cx, cy."""
    return row["view.fl_x"], row["view.fl_y"], row["view.cx"], row["view.cy"]


def picture_item(source: Source, row: Row, output: str, *, needed_by: str) -> Item:
    """The reference as an 8-bit PNG."""
    layers = [source.layer(name, needed_by=needed_by) for name in ("beauty", "alpha")]
    return Item((output,), partial(_write_picture, source.root / row["pair"] / REFERENCE_NAME, output, layers))


def straight_srgb(rgb: NDArray[np.float32], alpha: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Premultiplied light (H, W, 3) and coverage (H, W) as sRGB bytes (H, W, 4) with straight alpha, cut at white."""
    covered = np.clip(alpha, 0.0, 1.0)
    straight = rgb / np.maximum(covered, 1e-6)[..., None]
    coverage = (covered * 255.0 + 0.5).astype(np.uint8)
    return np.concatenate([encode_srgb(straight), coverage[..., None]], axis=-1)


def _write_picture(image: Place, output: str, layers: list[Layer], folder: Path) -> None:
    pixels = read_layer(image, layers)
    buffer = io.BytesIO()
    Image.fromarray(straight_srgb(pixels["beauty"], pixels["alpha"][..., 0])).save(buffer, "PNG")
    replace_bytes(folder / output, buffer.getvalue())
