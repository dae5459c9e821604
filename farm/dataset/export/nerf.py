"""For nerfstudio, instant-ngp and Gaussian splatting: a folder a capture, with the cameras as `transforms.json`.

    TO/<capture>/images/<variant>_f<frame>.png       sRGB with straight alpha, cut at white
    TO/<capture>/hdr/<variant>_f<frame>.exr          the reference itself: scene-linear light
    TO/<capture>/transforms.json                     all views, PNG (nerfstudio)
    TO/<capture>/transforms_hdr.json                 all views, EXR (instant-ngp)
    TO/<capture>/transforms_{train,val,test}.json    views held out of one scene (3D Gaussian splatting, Blender's NeRF)

`transform_matrix` is camera to world with +X right, +Y up, −Z forward, the world's Z up, in metres: what Blender says.
"""

from __future__ import annotations

import math
from typing import Any, Final

from farm.dataset.export.captures import Capture, find_captures, intrinsics, matrix_world, picture_item
from farm.dataset.export.item import Item, Plan, json_item, link_item
from farm.dataset.export.source import Row, Source, pair_name
from farm.dataset.layout import REFERENCE_NAME
from farm.errors import DatasetError

__all__ = ["HELD_OUT", "held_out", "plan"]

HELD_OUT: Final = 8
"""One view in so many is for testing, and one for validation."""


def plan(source: Source) -> Plan:
    """A folder a capture."""
    captures = find_captures(source, needed_by="nerf")
    items = [item for capture in captures for item in _capture_items(source, capture)]
    views = sum(len(capture.views) for capture in captures)
    return Plan(tuple(items), (f"{len(captures)} captures of {views} views in all",))


def held_out(count: int) -> list[str]:
    """`train`, `val` or `test` for each of a capture's views in order."""
    middle = min(HELD_OUT, count) // 2
    names = {0: "test", middle: "val"}
    return [names.get(place % HELD_OUT, "train") for place in range(count)]


def _capture_items(source: Source, capture: Capture) -> list[Item]:
    head = _head(source, capture)
    angle = {"camera_angle_x": 2 * math.atan(head["w"] / (2 * head["fl_x"]))}
    items = []
    for row in capture.views:
        name = pair_name(row)
        items.append(picture_item(source, row, f"{capture.name}/images/{name}.png", needed_by="nerf"))
        items.append(link_item(source.root / row["pair"] / REFERENCE_NAME, f"{capture.name}/hdr/{name}.exr"))
    for suffix, folder, ending in (("", "images", ".png"), ("_hdr", "hdr", ".exr")):
        frames = [_frame(row, folder, ending) for row in capture.views]
        items.append(json_item(f"{capture.name}/transforms{suffix}.json", {**head, **angle, "frames": frames}))
    parts = held_out(len(capture.views))
    for part in ("train", "val", "test"):
        frames = [_frame(row, "images", "") for row, its in zip(capture.views, parts, strict=True) if its == part]
        items.append(json_item(f"{capture.name}/transforms_{part}.json", {**angle, "frames": frames}))
    return items


def _head(source: Source, capture: Capture) -> dict[str, Any]:
    lenses = {intrinsics(row): row["pair"] for row in capture.views}
    if len(lenses) > 1:
        raise DatasetError(
            f"{source.root}: {' and '.join(list(lenses.values())[:2])} see one scene through different lenses, "
            "transforms.json knows one; fix camera.focal_length in the recipe, or export as colmap"
        )
    width, height = source.resolution
    lens = dict(zip(("fl_x", "fl_y", "cx", "cy"), next(iter(lenses)), strict=True))
    return {"camera_model": "OPENCV", "w": width, "h": height, **lens, "k1": 0.0, "k2": 0.0, "p1": 0.0, "p2": 0.0}


def _frame(row: Row, folder: str, ending: str) -> dict[str, Any]:
    return {"file_path": f"./{folder}/{pair_name(row)}{ending}", "transform_matrix": matrix_world(row).tolist()}
