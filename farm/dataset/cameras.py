"""Where pixels look: places in the world of what they see."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Lens", "unproject"]

Array = NDArray[np.float64]
Lens = tuple[float, float, float, float]
"""Focal lengths and principal point in pixels: fl_x, fl_y, cx, cy."""


def unproject(camera: Array, lens: Lens, depth: NDArray[np.float32]) -> Array:
    """World places (height, width, 3) of what the pixels' centres see at a depth (height, width), metres.

    camera  (4, 4) from the camera's axes to the world's: +X right, +Y up, −Z forward
    """
    fl_x, fl_y, cx, cy = lens
    height, width = depth.shape
    away = depth.astype(np.float64)
    across, down = (np.arange(width) + 0.5 - cx) / fl_x, (cy - np.arange(height) - 0.5)[:, None] / fl_y
    places = np.empty((3, height, width))
    for axis, (right, up, back, start) in enumerate(camera[:3]):
        np.multiply(across * right + down * up - back, away, out=places[axis])
        places[axis] += start
    return np.moveaxis(places, 0, -1)
