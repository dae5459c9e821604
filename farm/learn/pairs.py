"""Pairs for training, one by its number: crops of a noisy image, its features and its reference.

Nothing here needs torch: `PairDataset` is what torch calls a map-style dataset, and its arrays become tensors in a
`DataLoader`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from farm.errors import BadInput, DatasetError
from farm.learn.sample import FEATURES, Sample, features_of, find_layers, random_window, read_arrays
from farm.learn.source import Source
from farm.learn.window import OpenImage, Window, open_image
from farm.recipe.capture import SPLITS
from farm.recipe.variant import stream

__all__ = ["Item", "PairDataset"]


class Item(NamedTuple):
    """One noisy image of a pair."""

    pair: str
    noisy: str
    samples: int


class PairDataset:
    """The noisy images of a split, each with its features and reference.

    `dataset[i]` gives `noisy` and `reference` (3, height, width), every layer of `layers` by its name, and `pair`
    and `samples`. With `crop`, all are the same square of that many pixels at a random place, which `seed`, epoch and
    `i` alone decide: of each image only the rows of the crop are decoded. Any number of worker processes, forked or
    spawned, gives the same samples. With `crops` above 1, an epoch has each noisy image so many times. `dataset` is a
    folder or anything that fsspec opens.

    Raises DatasetError for a dataset of another version, an empty split, a layer that is not there, mixed
    resolutions, and on reading for images that are broken, of another size, or hold NaN; BadInput for a bad argument.
    """

    def __init__(
        self,
        dataset: str | Path,
        *,
        split: str = "train",
        layers: Sequence[str] | None = None,
        samples: Iterable[int] | None = None,
        crop: int | None = None,
        crops: int = 1,
        seed: int = 0,
    ) -> None:
        if split not in SPLITS:
            raise BadInput(f"no split '{split}'; there are {', '.join(SPLITS)}")
        self.source = Source(str(dataset))
        info, rows = self.source.description()
        names = features_of(info.layers) if layers is None else tuple(layers)
        if not names:
            raise DatasetError(f"{self.source.url}: has no layer that a denoiser is given: {', '.join(FEATURES)}")
        self.layers = find_layers(names, info.layers, place=self.source.url)
        self.crop, self.crops, self.seed, self.epoch = crop, crops, seed, 0
        self.height, self.width = _one_resolution(rows, self.source.url)
        if crop is not None and not 0 < crop <= min(self.height, self.width):
            raise BadInput(f"a crop of {crop} pixels does not fit into images of {self.width}×{self.height}")
        wanted = None if samples is None else frozenset(samples)
        self.items = _items(rows, split, wanted, self.source.url)

    def __len__(self) -> int:
        return len(self.items) * self.crops

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(index)
        item = self.items[index % len(self.items)]

        def opened(name: str) -> OpenImage:
            path = f"{item.pair}/{name}"
            return open_image(functools.partial(self.source.read, path), place=self.source.place(path))

        size = (self.height, self.width)
        arrays = read_arrays(opened, item.noisy, self.layers, size=size, window=self._window(index))
        return {"pair": item.pair, "samples": item.samples, **arrays}

    def set_epoch(self, epoch: int) -> None:
        """Other crops and another order: to be called before each epoch's loader is started."""
        self.epoch = epoch

    def order(self) -> list[int]:
        """The epoch's random order of all numbers, for a `DataLoader`'s `sampler`: `seed` and epoch alone decide it."""
        return [int(each) for each in stream(self.seed, "order", self.epoch).permutation(len(self))]

    def _window(self, index: int) -> Window | None:
        if self.crop is None:
            return None
        return random_window(stream(self.seed, "crop", self.epoch, index), self.height, self.width, self.crop)


def _one_resolution(rows: Sequence[dict[str, Any]], url: str) -> tuple[int, int]:
    """Height and width of every pair."""
    sizes = sorted({(row["height"], row["width"]) for row in rows})
    if not sizes:
        raise DatasetError(f"{url}: its index holds no pairs; render some with `digidouble render`")
    if len(sizes) > 1:
        shown = " and ".join(f"{width}×{height}" for height, width in sizes[:2])
        raise DatasetError(f"{url}: its pairs have mixed resolutions ({shown}); train on datasets of one resolution")
    return sizes[0]


def _items(rows: Sequence[dict[str, Any]], split: str, samples: frozenset[int] | None, url: str) -> tuple[Item, ...]:
    mine = [row for row in rows if row["split"] == split]
    if not mine:
        there = sorted({row["split"] for row in rows})
        raise DatasetError(f"{url}: its split '{split}' is empty; its pairs are in {', '.join(there)}")
    noisy = [(row["pair"], file) for row in mine for file in row["files"] if file["kind"] == "noisy"]
    counts = sorted({file["spp"] for _, file in noisy})
    if samples is not None and not samples <= set(counts):
        odd = min(samples - set(counts))
        raise DatasetError(f"{url}: no image of {odd} samples per pixel in split '{split}', only {counts}")
    return tuple(
        Item(pair, file["name"], file["spp"]) for pair, file in noisy if samples is None or file["spp"] in samples
    )
