"""Few keys that stand for many frames: cubic pieces with common slopes at their ends (numpy only)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Curve", "Error", "sparse_curve", "travel_error", "turn_error"]

Array = NDArray[np.float64]
Index = NDArray[np.int_]
Error = Callable[[Array, Array], Array]
"""How far found values (N, C) are from true ones, frame by frame (N,)."""
STILL: Final = 1e-7


@dataclass(frozen=True)
class Curve:
    """Keys of C channels.

    at      (K,) the frames that have a key, as indices
    values  (K, C) and slopes (K, C) there, a frame
    """

    at: Index
    values: Array
    slopes: Array

    def __call__(self, frames: Array) -> Array:
        """Values (N, C) at frames (N,) between the first key and the last (cubic Hermite)."""
        if len(self.at) == 1:
            return np.repeat(self.values, len(frames), axis=0)
        key = np.clip(np.searchsorted(self.at, frames, side="right") - 1, 0, len(self.at) - 2)
        return _piece(frames, self.at[key], self.at[key + 1], self.values, self.slopes, key)


def _piece(frames: Array, first: Index, last: Index, values: Array, slopes: Array, key: Index) -> Array:
    span = (last - first)[:, None].astype(np.float64)
    s = (frames - first)[:, None] / span
    piece: Array = (
        values[key] * (1.0 + 2.0 * s) * (1.0 - s) ** 2
        + slopes[key] * span * s * (1.0 - s) ** 2
        + values[key + 1] * s**2 * (3.0 - 2.0 * s)
        + slopes[key + 1] * span * s**2 * (s - 1.0)
    )
    return piece


def turn_error(found: Array, true: Array) -> Array:
    """The angle (...) in radians between quaternions (..., 4), of which `found` need not be of length one."""
    unit = found / np.linalg.norm(found, axis=-1, keepdims=True)
    angle: Array = 4.0 * np.arcsin(np.clip(0.5 * np.linalg.norm(unit - true, axis=-1), 0.0, 1.0))
    return angle


def travel_error(found: Array, true: Array) -> Array:
    """The distance (...) between places (..., 3)."""
    distance: Array = np.linalg.norm(found - true, axis=-1)
    return distance


def sparse_curve(values: Array, error: Error, tolerance: float) -> Curve:
    """Keys within `tolerance` of values (N, C) at every frame, by `error` of (found, true).

    Pieces are halved where they err most (Douglas and Peucker 1973, with cubics for lines), their slopes being the
    central differences of the values. Values that keep still get one key.
    """
    if np.ptp(values, axis=0).max() <= STILL:
        return Curve(np.zeros(1, dtype=np.int_), values[:1], np.zeros_like(values[:1]))
    slopes = np.gradient(values, axis=0)
    keys, waiting = {0, len(values) - 1}, [(0, len(values) - 1)]
    while waiting:
        first, last = waiting.pop()
        inside = np.arange(first + 1, last)
        if not len(inside):
            continue
        ends = np.array([first, last])
        found = Curve(ends, values[ends], slopes[ends])(inside.astype(np.float64))
        errors = error(found, values[inside])
        if errors.max() > tolerance:
            middle = int(inside[np.argmax(errors)])
            keys.add(middle)
            waiting += [(first, middle), (middle, last)]
    at = np.array(sorted(keys), dtype=np.int_)
    return Curve(at, values[at], slopes[at])
