"""Pairs for training, streamed from tar shards in WebDataset's convention.

What a file's path has up to the first dot of its name is the sample's key, the rest its field; files of one key lie
side by side. A key is a pair's; its fields are the pair's own files, such as `reference.exr`.
"""

from __future__ import annotations

import posixpath
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import fsspec
import numpy as np
from torch.utils.data import IterableDataset, get_worker_info

from farm.dataset import LAYERS, Layer
from farm.dataset.layout import REFERENCE_NAME, parse_noisy
from farm.errors import BadInput, DatasetError
from farm.learn.sample import ALWAYS, Sample, find_layers, random_window, read_arrays
from farm.learn.window import OpenImage, open_image
from farm.recipe.variant import stream

__all__ = ["ShardDataset"]

BUFFER: Final = 64
"""Noisy images that are held to draw the next one from; those of one pair share its bytes."""


class _Image(NamedTuple):
    """One noisy image: its pair's files by name, and what the shard and the pair are called."""

    shard: str
    key: str
    files: dict[str, bytes]
    noisy: str

    def opened(self, name: str) -> OpenImage:
        data = self.files.get(name)
        if data is None:
            raise DatasetError(f"{self.shard}: {self.key} has no {name}")
        return open_image(lambda start, end: data[start:end], place=f"{self.shard}: {self.key}.{name}")


class ShardDataset(IterableDataset[Sample]):
    """The noisy images in shards, each with its features and reference: samples as `PairDataset` gives them.

    `shards` are paths or URLs that fsspec opens, with `*` where wanted; `described` are the layers that they may hold,
    those of a dataset's `dataset.json` where they are not this digidouble's own. The order is random over shards and
    within a buffer; `seed`, epoch and the number of worker processes alone decide it. Each worker reads shards of its
    own, so that every sample comes once an epoch. With `crop`, only the crop's rows of an image are decoded.

    Raises DatasetError for shards that are missing or broken, and as `PairDataset` does.
    """

    def __init__(
        self,
        shards: str | Sequence[str],
        *,
        layers: Sequence[str] = ALWAYS,
        described: Sequence[Layer] = LAYERS,
        crop: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        patterns = [shards] if isinstance(shards, str) else list(shards)
        self.shards = tuple(sorted(_expanded(patterns)))
        if not self.shards:
            raise DatasetError(f"no shards at {', '.join(patterns)}")
        if crop is not None and crop < 1:
            raise BadInput(f"a crop of {crop} pixels; give 1 or more")
        self.layers = find_layers(layers, described, place=self.shards[0])
        self.crop, self.seed, self.epoch = crop, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Other crops and another order: to be called before each epoch's loader is started."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[Sample]:
        order = stream(self.seed, "shards", self.epoch).permutation(len(self.shards))
        worker = get_worker_info()
        number, workers = (0, 1) if worker is None else (worker.id, worker.num_workers)
        random = stream(self.seed, "buffer", self.epoch, number, workers)
        held: list[_Image] = []
        for shard in order[number::workers]:
            for image in _images(self.shards[shard]):
                held.append(image)
                if len(held) > BUFFER:
                    yield self._sample(_drawn(held, random))
        while held:
            yield self._sample(_drawn(held, random))

    def _sample(self, image: _Image) -> Sample:
        noisy = image.opened(image.noisy)
        size = noisy.size
        window = None
        if self.crop is not None:
            if self.crop > min(size):
                raise DatasetError(f"{noisy.place}: a crop of {self.crop} pixels does not fit into {size[1]}×{size[0]}")
            window = random_window(stream(self.seed, "crop", self.epoch, image.key, image.noisy), *size, self.crop)
        samples, _ = parse_noisy(image.noisy) or (0, 0)

        def opened(name: str) -> OpenImage:
            return noisy if name == image.noisy else image.opened(name)

        arrays = read_arrays(opened, image.noisy, self.layers, size=size, window=window)
        return {"pair": image.key, "samples": samples, **arrays}


def _expanded(patterns: Iterable[str]) -> Iterator[str]:
    for pattern in patterns:
        if "*" not in pattern:
            yield pattern
            continue
        system, path = fsspec.core.url_to_fs(pattern)
        yield from (system.unstrip_protocol(found) for found in system.glob(path))


def _images(shard: str) -> Iterator[_Image]:
    """Every noisy image of a shard, in the shard's order."""
    for key, files in _pairs(shard):
        if REFERENCE_NAME not in files:
            raise DatasetError(f"{shard}: {key} has no {REFERENCE_NAME}; is it a shard of `webdataset`?")
        for name in sorted(files):
            if parse_noisy(name) is not None:
                yield _Image(shard, key, files, name)


def _pairs(shard: str) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Each key of a shard with its files."""
    current: str | None = None
    files: dict[str, bytes] = {}
    for path, data in _members(shard):
        folder, name = posixpath.split(path)
        stem, _, field = name.partition(".")
        key = posixpath.join(folder, stem)
        if current is not None and key != current:
            yield current, files
            files = {}
        current = key
        files[field] = data
    if current is not None:
        yield current, files


def _members(shard: str) -> Iterator[tuple[str, bytes]]:
    try:
        with fsspec.open(shard, "rb") as file, tarfile.open(fileobj=file, mode="r|") as tar:
            for member in tar:
                content = tar.extractfile(member) if member.isfile() else None
                if content is not None:
                    yield member.name, content.read()
    except FileNotFoundError as error:
        raise DatasetError(f"{shard} is missing") from error
    except (tarfile.TarError, OSError, ValueError, ImportError) as error:
        raise DatasetError(f"cannot read shard {shard}: {error}") from error


def _drawn(held: list[_Image], random: np.random.Generator) -> _Image:
    """An image taken out of those that are held, any as likely."""
    place = int(random.integers(len(held)))
    held[place], held[-1] = held[-1], held[place]
    return held.pop()
