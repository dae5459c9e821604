"""Where the camera stands so that a set of points fills the picture (numpy only)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["SENSOR_WIDTH", "View", "deciding_frames", "fit_camera"]

SENSOR_WIDTH: Final = 36.0
"""Width of the film back in millimetres."""

NEAREST: Final = 0.3
"""No point comes nearer to the camera than this, in metres along its axis."""


@dataclass(frozen=True)
class View:
    """A camera: `matrix` (4, 4) is camera to world, +X right, +Y up, −Z forward, in metres."""

    matrix: NDArray[np.float64]
    focal_length: float

    def intrinsics(self, resolution: tuple[int, int]) -> dict[str, float]:
        """Focal lengths and principal point in pixels, with square pixels."""
        width, height = resolution
        focal = self.focal_length / SENSOR_WIDTH * width
        return {"fl_x": focal, "fl_y": focal, "cx": width / 2, "cy": height / 2}


def fit_camera(
    points: NDArray[np.float64],
    *,
    azimuth: float,
    elevation: float,
    focal_length: float,
    resolution: tuple[int, int],
    margin: float,
) -> View:
    """The nearest camera of a direction (radians) that sees all points (N, 3), with `margin` of the picture free.

    A point is inside when it lies above or below each of the four planes through the camera. In the camera's axes
    these are linear in the camera's place, so the nearest one has a closed form. It keeps `NEAREST` away.
    """
    right = np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
    back = np.array([np.sin(azimuth) * np.cos(elevation), -np.cos(azimuth) * np.cos(elevation), np.sin(elevation)])
    up = np.cross(back, right)
    slope_x, slope_y = _slopes(focal_length, resolution, margin)
    depth = -points @ back
    middle_x, near_x = _fit(points @ right, depth, slope_x)
    middle_y, near_y = _fit(points @ up, depth, slope_y)
    near = min(near_x, near_y, float(depth.min()) - NEAREST)
    place = middle_x * right + middle_y * up - near * back
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([right, up, back], axis=1)
    matrix[:3, 3] = place
    return View(matrix=matrix, focal_length=focal_length)


def deciding_frames(
    view: View, points: NDArray[np.float64], resolution: tuple[int, int], margin: float
) -> NDArray[np.int64]:
    """Of points (F, P, 3) over frames, the frames (at most 5) that decide where a camera of a view's direction stands.

    In one the double reaches farthest to the left of the picture, in others to the right, up, down and nearest.
    """
    right, up, back = view.matrix[:3, :3].T
    depth = -points @ back
    frames = [np.argmin(depth.min(axis=1))]
    for axis, slope in zip((right, up), _slopes(view.focal_length, resolution, margin), strict=True):
        across = points @ axis
        frames += [np.argmin((across + slope * depth).min(axis=1)), np.argmax((across - slope * depth).max(axis=1))]
    return np.unique(frames)


def _slopes(focal_length: float, resolution: tuple[int, int], margin: float) -> tuple[float, float]:
    """How far the picture without its margin reaches from its middle, to the side and up, at a depth of 1."""
    width, height = resolution
    across = (1 - 2 * margin) * SENSOR_WIDTH / 2 / focal_length
    return across, across * height / width


def _fit(across: NDArray[np.float64], depth: NDArray[np.float64], slope: float) -> tuple[float, float]:
    """Along one axis: the camera's middle, and the greatest depth from which all points are inside."""
    low = float(np.min(across + slope * depth))
    high = float(np.max(across - slope * depth))
    return (low + high) / 2, (low - high) / (2 * slope)
