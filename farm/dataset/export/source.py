"""What an export reads: a finished dataset whose parts fit together, or one clear error."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.dataset import layout
from farm.dataset.exr import read_image
from farm.dataset.files import read_bytes, sha256_of
from farm.dataset.folder import open_dataset
from farm.dataset.index import read_index
from farm.dataset.info import DatasetInfo, read_recipe
from farm.dataset.layers import Layer
from farm.dataset.leaks import refuse_leaks
from farm.dataset.place import Place
from farm.dataset.scan import find_pairs
from farm.errors import DatasetError
from farm.recipe import Recipe
from farm.recipe.capture import SPLITS

__all__ = ["Row", "Source", "open_source", "pair_name", "read_layer", "read_verified"]

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Source:
    """An open dataset: its rows are those of the index, in its order."""

    root: Place
    info: DatasetInfo
    recipe: Recipe
    rows: tuple[Row, ...]
    index_sha256: str

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that the recipe gives a share."""
        shares = self.recipe.split.shares()
        return tuple(name for name in SPLITS if shares[name] > 0)

    @property
    def resolution(self) -> tuple[int, int]:
        """Width and height of every image."""
        return self.rows[0]["width"], self.rows[0]["height"]

    def of(self, split: str) -> list[Row]:
        """The rows of a split."""
        return [row for row in self.rows if row["split"] == split]

    def layer(self, name: str, *, needed_by: str) -> Layer:
        """A layer of the dataset's images; DatasetError where it has none of that name."""
        for layer in self.info.layers:
            if layer.name == name:
                return layer
        there = ", ".join(layer.name for layer in self.info.layers)
        raise DatasetError(f"{self.root}: no layer '{name}', which {needed_by} needs; its images hold {there}")


def open_source(root: Place | str) -> Source:
    """Opens a dataset for an export.

    Raises DatasetError where there is none or one of another version, an index that is missing or not of this state of
    the dataset, no pair, images of several resolutions, a split without a pair, or splits that leak.
    """
    dataset = open_dataset(root)
    rows = read_index(dataset.root)
    digest = sha256_of(dataset.root / layout.INDEX_FILE)
    if dataset.info.files.get(layout.INDEX_FILE) != digest:
        raise DatasetError(
            f"{dataset.root / layout.INDEX_FILE} is not the one that {layout.DATASET_FILE} lists; "
            "write it anew: digidouble index"
        )
    if not rows:
        raise DatasetError(f"{dataset.root} has no committed pair; render it first")
    recipe = read_recipe(dataset.root)
    source = Source(dataset.root, dataset.info, recipe, tuple(rows), digest)
    _refuse_mixed(source)
    _refuse_empty(source)
    refuse_leaks(rows, dataset.root)
    return source


def pair_name(row: Row) -> str:
    """A pair's name among others, without dots: `0123456789abcdef_f0012`."""
    return f"{row['variant']}_f{row['frame']:04d}"


def read_layer(path: Place, layers: Sequence[Layer]) -> dict[str, NDArray[np.float32]]:
    """Layers of an image by name, each (height, width, channels).

    Raises DatasetError for a broken file, a channel that is missing, and a value that is NaN or infinite.
    """
    channels = read_image(path)
    found = {}
    for layer in layers:
        for channel in layer.channels:
            if channel not in channels:
                raise DatasetError(f"{path}: has no channel {channel} of the layer '{layer.name}'; render it again")
            if not np.isfinite(channels[channel]).all():
                kind = "NaN" if np.isnan(channels[channel]).any() else "infinite"
                raise DatasetError(f"{path}: channel {channel} is {kind}; `digidouble check` says where")
        found[layer.name] = np.stack([channels[channel] for channel in layer.channels], axis=-1)
    return found


def read_verified(path: Place, sha256: str) -> bytes:
    """A file's bytes; DatasetError where they are not those that the index lists."""
    data = read_bytes(path)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise DatasetError(f"{path}: its bytes are not those that {layout.INDEX_FILE} lists; run `digidouble check`")
    return data


def _refuse_mixed(source: Source) -> None:
    sizes = {(row["width"], row["height"]): row["pair"] for row in source.rows}
    if len(sizes) > 1:
        (first, one), (second, other), *_ = sizes.items()
        raise DatasetError(
            f"{source.root}: images of several resolutions: {one} is {first[0]}×{first[1]}, {other} is "
            f"{second[0]}×{second[1]}; a trainer's batch needs one: render each into a dataset of its own"
        )
    there = {pair.folder.key: pair.sizes for pair in find_pairs(source.root)}
    for row in source.rows:
        for file in row["files"]:
            path = source.root / row["pair"] / file["name"]
            if there.get(row["pair"], {}).get(file["name"]) != file["bytes"]:
                raise DatasetError(f"{path} is missing or of another length; render again, or run `digidouble check`")


def _refuse_empty(source: Source) -> None:
    for split in source.splits:
        if not source.of(split):
            raise DatasetError(
                f"{source.root}: the split '{split}' is empty, though the recipe gives it a share; render the rest of"
                f" the recipe, raise its count, or set its share to 0 (`split: {{{split}: 0}}`)"
            )
