"""For Open Image Denoise's training toolkit: one feature a file, grouped and ordered by name alone.

    TO/<split>/<variant>_f<frame>_<number>spp.<feature>.exr     noisy: hdr, alb, nrm
    TO/<split>/<variant>_f<frame>_ref.<feature>.exr             the target, last in the order of names

The toolkit takes the name up to its last `_` for the group, sorts a group's names as strings and takes the last for its
target; it never reads the number. So numbers have equal digits, and where there are replicas, the last two count them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from farm.dataset.export.item import Item, Plan
from farm.dataset.export.source import Row, Source, pair_name, read_layer
from farm.dataset.exr import write_image
from farm.dataset.index import noisy_files
from farm.dataset.layers import Layer
from farm.dataset.layout import REFERENCE_NAME
from farm.dataset.place import Place

__all__ = ["FEATURES", "TARGET", "plan"]

FEATURES: Final = {"hdr": "beauty", "alb": "albedo", "nrm": "normal"}
"""The toolkit's features and the dataset's layers."""

TARGET: Final = "ref"

_RANGES: Final = {"hdr": (0.0, np.inf), "alb": (0.0, 1.0), "nrm": (-1.0, 1.0)}
"""What the toolkit expects of values; the albedo of coats and hair may be above."""

_TILE: Final = 256
"""The toolkit's tile size where `--ts` is not given: no side of an image may be shorter."""


def plan(source: Source) -> Plan:
    """A group a pair, in the folder of its split."""
    layers = {feature: source.layer(name, needed_by="oidn") for feature, name in FEATURES.items()}
    digits = max(4, *(len(str(file["spp"])) for row in source.rows for file in noisy_files(row)))
    replicas = any(file["replica"] for row in source.rows for file in noisy_files(row))
    items = []
    for row in source.rows:
        for file in noisy_files(row):
            suffix = f"{file['spp']:0{digits}d}" + (f"{file['replica']:02d}" if replicas else "spp")
            items.append(_item(source, row, file["name"], suffix, layers))
        items.append(_item(source, row, REFERENCE_NAME, TARGET, layers))
    return Plan(tuple(items), tuple(_notes(source)))


def _item(source: Source, row: Row, name: str, suffix: str, layers: Mapping[str, Layer]) -> Item:
    stem = f"{row['split']}/{pair_name(row)}_{suffix}"
    outputs = {feature: f"{stem}.{feature}.exr" for feature in layers}
    return Item(tuple(outputs.values()), partial(_write, source.root / row["pair"] / name, outputs, layers))


def _write(image: Place, outputs: Mapping[str, str], layers: Mapping[str, Layer], folder: Path) -> None:
    pixels = read_layer(image, list(layers.values()))
    for feature, output in outputs.items():
        values = np.clip(pixels[layers[feature].name], *_RANGES[feature])
        write_image(folder / output, {colour: values[..., place] for place, colour in enumerate("RGB")}, {})


def _notes(source: Source) -> list[str]:
    counts = {split: sum(len(noisy_files(row)) for row in source.of(split)) for split in source.splits}
    notes = [f"the toolkit must count: {', '.join(f'{split} {count} images' for split, count in counts.items())}"]
    if min(source.resolution) < _TILE:
        notes.append(f"give train.py `--ts` of at most {min(source.resolution)}: images are no larger")
    return notes
