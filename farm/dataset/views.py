"""The layers of an image as pictures for the eye: sRGB bytes (height, width, 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from PIL import Image

from farm.dataset.layers import DEPTH_BACKGROUND
from farm.dataset.metrics import beauty
from farm.dataset.tonemap import encode_srgb, over_backdrop, tonemap

__all__ = [
    "FEATURE_VIEWS",
    "depth_range",
    "enlarge",
    "shrink",
    "view_albedo",
    "view_alpha",
    "view_beauty",
    "view_depth",
    "view_normal",
]

Channels = Mapping[str, np.ndarray]


def view_beauty(channels: Channels) -> np.ndarray:
    """The picture itself, tone mapped; the report's backdrop shows where alpha is below 1."""
    return tonemap(over_backdrop(beauty(channels), channels["A"].astype(np.float64)))


def view_albedo(channels: Channels) -> np.ndarray:
    """Surface colour, sRGB-encoded."""
    return encode_srgb(beauty(channels, "albedo."))


def view_normal(channels: Channels) -> np.ndarray:
    """World normals, −1..1 as 0..255."""
    normal = np.stack([channels[f"normal.{axis}"] for axis in "XYZ"], axis=-1).astype(np.float64)
    return np.asarray(np.clip((normal + 1.0) * 127.5 + 0.5, 0, 255).astype(np.uint8))


def depth_range(channels: Channels) -> tuple[float, float]:
    """Nearest and farthest metre in the picture, background and the last hundredth of each end left out."""
    depth = channels["depth.Z"]
    hit = depth[depth < DEPTH_BACKGROUND / 2]
    low, high = np.quantile(hit, (0.01, 0.99)) if hit.size else (0.0, 1.0)
    return float(low), float(max(high, low + 1e-6))


def view_depth(channels: Channels) -> np.ndarray:
    """Nearness (1/depth) over `depth_range`: near is bright, background black."""
    depth = channels["depth.Z"].astype(np.float64)
    near, far = (1.0 / max(metres, 1e-3) for metres in depth_range(channels))
    grey = 0.1 + 0.9 * np.clip((1.0 / np.maximum(depth, 1e-3) - far) / max(near - far, 1e-12), 0.0, 1.0)
    grey[depth >= DEPTH_BACKGROUND / 2] = 0.0
    return _grey(grey)


def view_alpha(channels: Channels) -> np.ndarray:
    """Coverage, black to white."""
    return _grey(channels["A"])


def shrink(picture: np.ndarray, side: int) -> np.ndarray:
    """The picture at a half, a third and so on, so that neither side is longer than `side`."""
    factor = -(-max(picture.shape[:2]) // side)
    return picture if factor == 1 else np.asarray(Image.fromarray(picture).reduce(factor))


def enlarge(picture: np.ndarray, side: int) -> np.ndarray:
    """The picture with each pixel doubled, tripled and so on, as often as it fits into `side`."""
    factor = max(1, side // max(picture.shape[:2]))
    return picture.repeat(factor, axis=0).repeat(factor, axis=1)


def _grey(values: np.ndarray) -> np.ndarray:
    bytes_ = (np.clip(values, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)
    return np.repeat(bytes_[..., None], 3, axis=-1)


FEATURE_VIEWS: Final = {
    "albedo": view_albedo,
    "normal": view_normal,
    "depth": view_depth,
    "alpha": view_alpha,
}
