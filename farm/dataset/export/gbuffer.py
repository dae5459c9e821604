"""For RGB↔X and its kin: a file a channel, named `<scene>-<channel>` as RGB↔X's own examples are.

    TO/<split>/<variant>_f<frame>-ref.exr                         the reference itself
    TO/<split>/<variant>_f<frame>-{albedo,normal,depth,…}.exr     a channel of it, or of the data image, as R, G, B

Normals are in camera space: +X right, +Y up, +Z towards the camera; −1…1, as RGB↔X normalises them when it reads EXR.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.dataset.export.captures import matrix_world
from farm.dataset.export.item import Item, Plan, link_item
from farm.dataset.export.source import Row, Source, pair_name, read_layer
from farm.dataset.exr import write_image
from farm.dataset.layers import Layer
from farm.dataset.layout import DATA_NAME, REFERENCE_NAME
from farm.dataset.place import Place

__all__ = ["CHANNELS", "NEEDED", "plan"]

CHANNELS: Final[dict[str, tuple[str, ...]]] = {
    "albedo": ("base_color", "albedo"),
    "normal": ("normal",),
    "roughness": ("roughness",),
    "metallic": ("metallic",),
    "irradiance": ("irradiance",),
    "depth": ("depth",),
}
"""RGB↔X's channels and the layers that hold them: the first that the dataset has."""

NEEDED: Final = ("albedo", "normal")
"""Channels without which there is no G-buffer."""


def plan(source: Source) -> Plan:
    """The reference of each pair with its channels, in the folder of its split."""
    there = {layer.name: layer for layer in source.info.layers}
    layers = {}
    for channel, names in CHANNELS.items():
        found = next((there[name] for name in names if name in there), None)
        if found is None and channel in NEEDED:
            found = source.layer(names[-1], needed_by="gbuffer")
        if found is not None:
            layers[channel] = found
    items = []
    for row in source.rows:
        stem = f"{row['split']}/{pair_name(row)}"
        items.append(link_item(source.root / row["pair"] / REFERENCE_NAME, f"{stem}-ref.exr"))
        outputs = {channel: f"{stem}-{channel}.exr" for channel in layers}
        items.append(Item(tuple(outputs.values()), partial(_write, source.root, row, outputs, layers)))
    absent = [channel for channel in CHANNELS if channel not in layers]
    return Plan(tuple(items), (f"the dataset has no {', '.join(absent)}",) if absent else ())


def _write(root: Place, row: Row, outputs: Mapping[str, str], layers: Mapping[str, Layer], folder: Path) -> None:
    apart = [layer for layer in layers.values() if "reference" not in layer.images]
    pixels = read_layer(root / row["pair"] / REFERENCE_NAME, [layer for layer in layers.values() if layer not in apart])
    if apart:
        pixels |= read_layer(root / row["pair"] / DATA_NAME, apart)
    for channel, output in outputs.items():
        values = pixels[layers[channel].name]
        if channel == "normal":
            values = _to_camera(values, matrix_world(row)[:3, :3])
        elif channel == "albedo":
            values = np.clip(values, 0.0, 1.0)
        colours = np.broadcast_to(values, (*values.shape[:2], 3))
        write_image(folder / output, {colour: colours[..., place] for place, colour in enumerate("RGB")}, {})


def _to_camera(normals: NDArray[np.float32], rotation: NDArray[np.float64]) -> NDArray[np.float32]:
    return (normals.astype(np.float64) @ rotation).astype(np.float32)
