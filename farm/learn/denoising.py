"""One image denoised: from an EXR into an EXR, in tiles where it is large."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from farm.dataset import write_image
from farm.errors import BadInput
from farm.learn.model import Model
from farm.learn.source import Source
from farm.learn.window import read_window

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
    source = Source(str(image.parent))
    names = list(dict.fromkeys((*model.channels, "A")))
    pixels = read_window(lambda start, end: source.read(image.name, start, end), names, None, place=str(image))
    stack = np.stack([pixels[name] for name in model.channels])
    clean = denoise_tiled(model, stack[:3], stack[3:])
    write_image(out, {**dict(zip("RGB", clean, strict=True)), "A": pixels["A"]}, {"denoiser": "digidouble"})


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
