"""For whatever reads COLMAP's text models: a folder a capture, with exact cameras and points from the depth layer.

    TO/<capture>/images/<variant>_f<frame>.png             sRGB with straight alpha, cut at white
    TO/<capture>/sparse/0/{cameras,images,points3D}.txt    no features, no tracks: nothing was matched

COLMAP's cameras lead from world to camera: +X right, +Y down, +Z forward, quaternions w x y z. The points are what
every few pixels' centres see.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.dataset.cameras import unproject
from farm.dataset.export.captures import Capture, find_captures, intrinsics, matrix_world, picture_item, straight_srgb
from farm.dataset.export.item import Item, Plan, text_item
from farm.dataset.export.source import Source, pair_name, read_layer
from farm.dataset.files import replace_bytes
from farm.dataset.layers import DEPTH_BACKGROUND, Layer
from farm.dataset.layout import REFERENCE_NAME
from farm.dataset.place import Place

__all__ = ["POINTS_MAX", "plan", "quaternion"]

POINTS_MAX: Final = 100_000
"""Pixels that are looked at for points, over all views of a capture."""

_FLIP: Final = np.diag([1.0, -1.0, -1.0])
"""From Blender's camera axes to COLMAP's."""

Array = NDArray[np.float64]


def plan(source: Source) -> Plan:
    """A folder a capture."""
    captures = find_captures(source, needed_by="colmap")
    items = [item for capture in captures for item in _capture_items(source, capture)]
    views = sum(len(capture.views) for capture in captures)
    return Plan(tuple(items), (f"{len(captures)} captures of {views} views in all",))


def quaternion(rotation: Array) -> Array:
    """The unit quaternion (w, x, y, z), w ≥ 0, of a rotation (3, 3): Bar-Itzhack's method of 2000."""
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = rotation
    symmetric = np.array(
        [
            [xx - yy - zz, 0, 0, 0],
            [yx + xy, yy - xx - zz, 0, 0],
            [zx + xz, zy + yz, zz - xx - yy, 0],
            [zy - yz, xz - zx, yx - xy, xx + yy + zz],
        ]
    )
    x, y, z, w = np.linalg.eigh(symmetric)[1][:, -1]
    found = np.array([w, x, y, z])
    return found if w >= 0 else -found


def _capture_items(source: Source, capture: Capture) -> list[Item]:
    folder = f"{capture.name}/sparse/0"
    lenses = sorted({intrinsics(row) for row in capture.views})
    width, height = source.resolution
    cameras = [f"{number} PINHOLE {width} {height} {_numbers(lens)}" for number, lens in enumerate(lenses, start=1)]
    layers = [source.layer(name, needed_by="colmap") for name in ("beauty", "alpha", "depth")]
    return [
        *(picture_item(source, row, f"{capture.name}/images/{pair_name(row)}.png", needed_by="colmap")
          for row in capture.views),
        text_item(f"{folder}/cameras.txt", ["# CAMERA_ID MODEL WIDTH HEIGHT fx fy cx cy", *cameras]),
        text_item(f"{folder}/images.txt", _image_lines(capture, lenses)),
        Item((f"{folder}/points3D.txt",), partial(_write_points, source.root, capture, layers)),
    ]  # fmt: skip


def _image_lines(capture: Capture, lenses: Sequence[tuple[float, ...]]) -> Iterator[str]:
    yield "# IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME, then its 2D points: none"
    for number, row in enumerate(capture.views, start=1):
        camera = matrix_world(row)
        rotation = _FLIP @ camera[:3, :3].T
        place = -rotation @ camera[:3, 3]
        lens = lenses.index(intrinsics(row)) + 1
        yield f"{number} {_numbers(quaternion(rotation))} {_numbers(place)} {lens} {pair_name(row)}.png"
        yield ""


def _write_points(root: Place, capture: Capture, layers: list[Layer], folder: Path) -> None:
    lines = ["# POINT3D_ID X Y Z R G B ERROR, then its track: none"]
    pixels_in_all = sum(row["width"] * row["height"] for row in capture.views)
    step = max(1, round((pixels_in_all / POINTS_MAX) ** 0.5))
    for row in capture.views:
        pixels = read_layer(root / row["pair"] / REFERENCE_NAME, layers)
        depth = pixels["depth"][..., 0]
        marked = np.zeros(depth.shape, bool)
        marked[step // 2 :: step, step // 2 :: step] = True
        marked &= depth < DEPTH_BACKGROUND / 2
        points = unproject(matrix_world(row), intrinsics(row), depth)[marked]
        colours = straight_srgb(pixels["beauty"], pixels["alpha"][..., 0])[marked][:, :3]
        for point, colour in zip(points, colours, strict=True):
            lines.append(f"{len(lines)} {_numbers(point)} {' '.join(map(str, colour))} 0")
    text = "".join(f"{line}\n" for line in lines)
    replace_bytes(folder / f"{capture.name}/sparse/0/points3D.txt", text.encode("ascii"))


def _numbers(values: Sequence[float] | Array) -> str:
    return " ".join(f"{value:.9g}" for value in values)
