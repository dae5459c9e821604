"""What an image goes through before and after the network, in numpy alone: whoever runs the ONNX file needs this too.

The network takes batches whose sides are multiples of `MULTIPLE`. So an image is cut into tiles with a halo, each is
lengthened by repeating its last rows and columns, and of what comes out only the inner part is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

__all__ = ["HALO", "MULTIPLE", "TILE", "Network", "denoise_tiled", "denoise_whole"]

MULTIPLE: Final = 8
"""Height and width of what the network is given must be multiples of this: three levels halve them."""
TILE: Final = 512
"""Side of a tile; a multiple of `MULTIPLE`."""
HALO: Final = 72
"""Pixels around a tile that are given to the network as well, as far as it can see: tiles leave no seams."""

Network = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Light (1, 3, H, W) and features (1, channels, H, W), float32, to light (1, 3, H, W); multiples of `MULTIPLE`."""


def denoise_whole(network: Network, noisy: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Light (3, H, W), scene-linear, with features (channels, H, W), any size, to denoised light (3, H, W)."""
    height, width = noisy.shape[1:]
    below, right = -height % MULTIPLE, -width % MULTIPLE
    batches = (
        np.pad(each.astype(np.float32, copy=False), ((0, 0), (0, below), (0, right)), mode="edge")[None]
        for each in (noisy, features)
    )
    return network(*batches)[0, :, :height, :width]


def denoise_tiled(network: Network, noisy: np.ndarray, features: np.ndarray) -> np.ndarray:
    """As `denoise_whole`, tile by tile: the same pixels with the memory of one tile."""
    height, width = noisy.shape[1:]
    clean = np.empty((3, height, width), np.float32)
    for top in range(0, height, TILE):
        for left in range(0, width, TILE):
            low, first = max(top - HALO, 0), max(left - HALO, 0)
            rows, columns = slice(low, top + TILE + HALO), slice(first, left + TILE + HALO)
            found = denoise_whole(network, noisy[:, rows, columns], features[:, rows, columns])
            inner = found[:, top - low : top - low + TILE, left - first : left - first + TILE]
            clean[:, top : top + TILE, left : left + TILE] = inner
    return clean
