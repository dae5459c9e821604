"""Scene-linear light to pictures for the eye, for reports only: nothing here touches what is trained on.

The curve is AgX, Blender's own default view, in Benjamin Wrensch's polynomial form ("Minimal AgX Implementation",
2023, after Troy Sobotka's AgX): rotate towards white, logarithm over 16.5 stops, an S curve, rotate back.
"""

from __future__ import annotations

from typing import Final

import numpy as np

__all__ = ["BACKDROP", "encode_srgb", "over_backdrop", "tonemap"]

BACKDROP: Final = 0.05
"""Neutral grey that shows where a picture's alpha is below 1; scene-linear."""

_INSET: Final = np.array(
    [
        [0.842479062253094, 0.0784335999999992, 0.0792237451477643],
        [0.0423282422610123, 0.878468636469772, 0.0791661274605434],
        [0.0423756549057051, 0.0784336, 0.879142973793104],
    ]
)
_OUTSET: Final = np.linalg.inv(_INSET)
_STOPS: Final = (-12.47393, 4.026069)
_CURVE: Final = (15.5, -40.14, 31.96, -6.868, 0.4298, 0.1191, -0.00232)


def tonemap(rgb: np.ndarray) -> np.ndarray:
    """Linear Rec.709 (…, 3), any exposure, as sRGB bytes (…, 3)."""
    low, high = _STOPS
    light = np.maximum(np.asarray(rgb, np.float64), 0.0) @ _INSET.T
    stops = np.clip((np.log2(np.maximum(light, 1e-10)) - low) / (high - low), 0.0, 1.0)
    return _bytes(np.polyval(_CURVE, stops) @ _OUTSET.T)


def encode_srgb(values: np.ndarray) -> np.ndarray:
    """Linear values in 0..1 as sRGB bytes, without a curve: for albedo and the like."""
    x = np.clip(np.asarray(values, np.float64), 0.0, 1.0)
    return _bytes(np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055))


def over_backdrop(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Premultiplied light (height, width, 3) over the backdrop where alpha (height, width) leaves it open."""
    shown: np.ndarray = rgb + BACKDROP * (1.0 - np.clip(alpha, 0.0, 1.0))[..., None]
    return shown


def _bytes(values: np.ndarray) -> np.ndarray:
    scaled: np.ndarray = np.clip(values, 0.0, 1.0) * 255.0 + 0.5
    return scaled.astype(np.uint8)
