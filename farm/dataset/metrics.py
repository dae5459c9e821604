"""How far images are apart, and how noisy a reference still is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

__all__ = ["RELMSE_FLOOR", "beauty", "luminance", "merge_halves", "relmse", "residual_relmse"]

RELMSE_FLOOR: Final = 0.01
"""Added to the squared reference so that dark pixels do not rule the sum (Rousselle et al. 2011)."""

_LUMINANCE: Final = np.array([0.2126, 0.7152, 0.0722], np.float32)


def beauty(channels: Mapping[str, np.ndarray], prefix: str = "") -> np.ndarray:
    """R, G and B of a layer as one float64 array (height, width, 3); `prefix` is `albedo.` and so on."""
    return np.stack([channels[f"{prefix}{colour}"] for colour in "RGB"], axis=-1).astype(np.float64)


def luminance(channels: Mapping[str, np.ndarray], prefix: str = "") -> np.ndarray:
    """Relative luminance (height, width) float32 of a layer of linear Rec.709; `prefix` as for `beauty`."""
    red, green, blue = (channels[f"{prefix}{colour}"] * part for colour, part in zip("RGB", _LUMINANCE, strict=True))
    weighted: np.ndarray = red + green + blue
    return weighted


def relmse(image: np.ndarray, reference: np.ndarray) -> float:
    """Relative mean squared error `mean((x − r)² / (r² + 0.01))` of two arrays of one shape."""
    x, r = np.asarray(image, np.float64), np.asarray(reference, np.float64)
    return float(np.mean((x - r) ** 2 / (r**2 + RELMSE_FLOOR)))


def merge_halves(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean (a + b)/2 and the half difference (a − b)/2 of two independent halves.

    Let each half be the truth plus noise of variance V, independent of the other. Then both the mean's error and
    the half difference have variance V/4 + V/4 = V/2 and mean 0: the half difference is a draw from the same
    spread as the mean's unknown error, so the mean of its square estimates the mean's squared error without bias.
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    return ((a + b) / 2).astype(np.float32), ((a - b) / 2).astype(np.float32)


def residual_relmse(mean: np.ndarray, half_difference: np.ndarray) -> float:
    """The relMSE that the mean of two halves still has, estimated from their half difference: see `merge_halves`.

    The squared error's estimate is unbiased; its weight is taken from the mean in place of the truth, which tells
    only where the remaining noise is about as large as the light itself.
    """
    d, r = np.asarray(half_difference, np.float64), np.asarray(mean, np.float64)
    return float(np.mean(d**2 / (r**2 + RELMSE_FLOOR)))
