"""One image denoised: from an EXR into an EXR, in tiles where it is large."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from farm.dataset import write_image
from farm.dataset.layout import DATA_NAME
from farm.errors import BadInput, DatasetError
from farm.learn.model import Model
from farm.learn.source import Source
from farm.learn.window import channel_names, read_window

__all__ = ["HALO", "TILE", "denoise_file", "denoise_tiled"]

TILE: Final = 512
"""Side of a tile; a multiple of what the network's levels halve."""
HALO: Final = 32
"""Pixels around a tile that are given to the network as well, more than it can see: tiles leave no seams."""


def denoise_file(model: Model, image: Path, out: Path) -> None:
    """Writes the denoised light, with the alpha and nothing else of `image`.

    Raises DatasetError for an image that is missing or broken, holds NaN or lacks what the model needs, BadInput for
    an output without an EXR's ending or that is `image` itself.
    """
    if out.suffix.lower() != ".exr":
        raise BadInput(f"{out}: a denoised image is an EXR; give it the ending .exr")
    if out.resolve() == image.resolve():
        raise BadInput(f"{out} is the noisy image itself; give another --out")
    pixels = _pixels(image, model)
    stack = np.stack([pixels[name] for name in model.channels])
    clean = denoise_tiled(model, stack[:3], stack[3:])
    write_image(out, {**dict(zip("RGB", clean, strict=True)), "A": pixels["A"]}, {"denoiser": "digidouble"})


def _pixels(image: Path, model: Model) -> dict[str, np.ndarray]:
    """The channels that the model needs, and alpha; what the image has not, its pair's data image may have."""
    source = Source(str(image.parent))
    there = channel_names(partial(source.read, image.name), place=str(image))
    needed = list(dict.fromkeys((*model.channels, "A")))
    data = image.with_name(DATA_NAME)
    beside = [name for name in needed if name not in there] if data.exists() else []
    own = [name for name in needed if name not in beside]
    pixels = read_window(partial(source.read, image.name), own, None, place=str(image))
    if beside:
        pixels |= read_window(partial(source.read, DATA_NAME), beside, None, place=str(data))
    sizes = {values.shape for values in pixels.values()}
    if len(sizes) > 1:
        raise DatasetError(f"{data} is not of the size of {image.name}")
    return pixels


def denoise_tiled(model: Model, noisy: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Light (3, H, W) denoised tile by tile: the same pixels as in one go, with the memory of one tile."""
    height, width = noisy.shape[1:]
    clean = np.empty_like(noisy)
    for top in range(0, height, TILE):
        for left in range(0, width, TILE):
            low, first = max(top - HALO, 0), max(left - HALO, 0)
            rows, columns = slice(low, top + TILE + HALO), slice(first, left + TILE + HALO)
            found = model.denoise(
                np.ascontiguousarray(noisy[:, rows, columns]), np.ascontiguousarray(features[:, rows, columns])
            )
            inner = found[:, top - low : top - low + TILE, left - first : left - first + TILE]
            clean[:, top : top + TILE, left : left + TILE] = inner
    return clean
