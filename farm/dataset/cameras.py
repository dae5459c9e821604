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
    rows, columns = np.indices(depth.shape)
    fl_x, fl_y, cx, cy = lens
    away = depth.astype(np.float64)
    local = np.stack([(columns + 0.5 - cx) / fl_x * away, (cy - rows - 0.5) / fl_y * away, -away], axis=-1)
    places: Array = local @ camera[:3, :3].T + camera[:3, 3]
    return places
