"""A model against the noisy images and Blender's own denoiser, on a split that it was not trained on."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from farm.dataset.files import replace_bytes
from farm.dataset.layers import Layer
from farm.errors import DatasetError
from farm.learn.comparison import compose
from farm.learn.model import Model
from farm.learn.oidn import Guided, denoise_with_blender
from farm.learn.pairs import PairDataset
from farm.learn.sample import HAIR
from farm.learn.scores import Scores, score
from farm.learn.source import Source

__all__ = ["METHODS", "SCORES_FILE", "Row", "evaluate", "means", "table"]

SCORES_FILE: Final = "scores.csv"
TABLE_FILE: Final = "scores.md"

METHODS: Final = {"noisy": "noisy", "model": "this model", "oidn": "Open Image Denoise"}
REGIONS: Final = {"image": "whole image", "hair": "inside the hair"}

_GUIDES: Final = ("albedo", "normal")
_PIXELS_MIN: Final = 1.0
"""Hair in pixels below which an image has none to judge."""
_BATCH: Final = 16
"""Images that Blender is started for at once."""


@dataclass(frozen=True)
class Row:
    """The scores of one image by one method in one region."""

    pair: str
    samples: int
    method: str
    region: str
    scores: Scores


def evaluate(
    model: Model,
    dataset: str | Path,
    out: Path,
    *,
    split: str = "test",
    blender: Path | None,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> list[Row]:
    """Scores every noisy image of a split, and writes `scores.csv`, `scores.md` and a picture of each pair's crop.

    Where `blender` is given, a Python with bpy, Open Image Denoise is scored as well. Inside the hair is judged where
    the dataset has a hair mask. Raises as `PairDataset` does.
    """
    data = _open(model, dataset, split)
    rows: list[Row] = []
    pictures: set[tuple[str, int]] = set()
    for start in range(0, len(data), _BATCH):
        samples = [data[index] for index in range(start, min(start + _BATCH, len(data)))]
        guided = [Guided(sample["noisy"], sample["albedo"], sample["normal"]) for sample in samples]
        theirs = denoise_with_blender(blender, guided) if blender is not None else [None] * len(samples)
        for number, (sample, oidn) in enumerate(zip(samples, theirs, strict=True)):
            images = {"noisy": sample["noisy"], "model": _denoised(model, sample)}
            images |= {} if oidn is None else {"oidn": oidn}
            rows += _rows(sample, images)
            if (key := (sample["pair"], sample["samples"])) not in pictures:
                pictures.add(key)
                _picture(out, sample, images)
            progress(start + number + 1, len(data))
    _write(out, rows)
    return rows


def means(rows: Iterable[Row]) -> dict[tuple[int, str, str], Scores]:
    """Mean scores by samples per pixel, region and method."""
    groups: dict[tuple[int, str, str], list[Scores]] = defaultdict(list)
    for row in rows:
        groups[row.samples, row.region, row.method].append(row.scores)
    return {
        key: Scores(*(float(value) for value in np.mean(groups[key], axis=0)))
        for key in sorted(groups, key=lambda key: (key[0], list(REGIONS).index(key[1]), list(METHODS).index(key[2])))
    }


def table(rows: Iterable[Row]) -> str:
    """The means as a table in Markdown."""
    lines = ["| samples | where | image | relMSE | SMAPE | HDR-FLIP | MS-SSIM |", "|---|---|---|---|---|---|---|"]
    for (samples, region, method), mean in means(rows).items():
        figures = " | ".join(f"{value:.4f}" for value in mean)
        lines.append(f"| {samples} | {REGIONS[region]} | {METHODS[method]} | {figures} |")
    return "\n".join(lines) + "\n"


def _open(model: Model, dataset: str | Path, split: str) -> PairDataset:
    info, _ = Source(str(dataset)).description()
    there = {layer.name for layer in info.layers}
    names = [*model.layers, *_GUIDES, *([HAIR] if HAIR in there else [])]
    data = PairDataset(dataset, split=split, layers=list(dict.fromkeys(names)))
    _same_channels(model, data.layers, str(dataset))
    return data


def _same_channels(model: Model, layers: Sequence[Layer], place: str) -> None:
    for layer in layers:
        if layer.channels != model.layers.get(layer.name, layer.channels):
            raise DatasetError(
                f"{place}: its layer '{layer.name}' has {layer.channels}, the model was trained on"
                f" {model.layers[layer.name]}; train on such a dataset"
            )


def _denoised(model: Model, sample: dict[str, Any]) -> np.ndarray:
    return model.denoise(sample["noisy"], np.concatenate([sample[name] for name in model.layers]))


def _rows(sample: dict[str, Any], images: dict[str, np.ndarray]) -> list[Row]:
    regions: dict[str, np.ndarray | None] = {"image": None}
    if HAIR in sample and sample[HAIR].sum() >= _PIXELS_MIN:
        regions["hair"] = np.clip(sample[HAIR][0], 0.0, 1.0)
    return [
        Row(sample["pair"], sample["samples"], method, region, score(image, sample["reference"], mask))
        for region, mask in regions.items()
        for method, image in images.items()
    ]


def _picture(out: Path, sample: dict[str, Any], images: dict[str, np.ndarray]) -> None:
    named = {METHODS[method]: image for method, image in images.items()} | {"reference": sample["reference"]}
    name = "_".join(sample["pair"].split("/")[1:]) + f"_{sample['samples']:04d}spp.png"
    replace_bytes(out / name, compose(named, sample.get(HAIR)))


def _write(out: Path, rows: Sequence[Row]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("pair", "samples", "region", "method", *Scores._fields))
    for row in rows:
        writer.writerow((row.pair, row.samples, row.region, row.method, *(f"{value:.6g}" for value in row.scores)))
    replace_bytes(out / SCORES_FILE, text.getvalue().encode("utf-8"))
    replace_bytes(out / TABLE_FILE, table(rows).encode("utf-8"))
