"""Smooth curves through time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Chain", "Quintic", "flow", "hermite", "tangents"]

Array = NDArray[np.float64]


def flow(times: Array, values: Array, at: Array) -> Array:
    """Values (N, ...) at times (N,) of keys (K, ...) at increasing times (K,); at rest outside.

    Monotone cubic interpolation, with the harmonic mean of neighbouring slopes at each key (Fritsch and Butland 1984,
    "A method for constructing local monotone piecewise cubic interpolants"): velocity is continuous, and nothing
    goes beyond its keys, so postures between two that respect the joints' limits respect them too.
    """
    return hermite(times, values, tangents(times, values))(np.asarray(at, dtype=np.float64))


def tangents(times: Array, values: Array) -> Array:
    """The slopes (K, ...) of `flow` at its keys: 0 at both ends."""
    steps = np.diff(times).reshape(-1, *[1] * (values.ndim - 1))
    slopes = np.diff(values, axis=0) / steps
    found = np.zeros_like(values)
    before, after, first, second = slopes[:-1], slopes[1:], steps[:-1], steps[1:]
    same = before * after > 0.0
    weighted = (2.0 * second + first) / np.where(same, before, 1.0) + (second + 2.0 * first) / np.where(
        same, after, 1.0
    )
    found[1:-1] = np.where(same, 3.0 * (first + second) / np.where(same, weighted, 1.0), 0.0)
    return found


def hermite(times: Array, values: Array, slopes: Array) -> Callable[[Array], Array]:
    """The cubic curve through values (K, ...) with slopes (K, ...) at times (K,); constant outside."""

    def curve(at: Array) -> Array:
        clamped = np.clip(at, times[0], times[-1])
        key = np.clip(np.searchsorted(times, clamped, side="right") - 1, 0, len(times) - 2)
        step = np.diff(times)[key].reshape(-1, *[1] * (values.ndim - 1))
        s = (clamped - times[key]).reshape(step.shape) / step
        blend: Array = (
            values[key] * (1.0 + 2.0 * s) * (1.0 - s) ** 2
            + slopes[key] * step * s * (1.0 - s) ** 2
            + values[key + 1] * s**2 * (3.0 - 2.0 * s)
            + slopes[key + 1] * step * s**2 * (s - 1.0)
        )
        return blend

    return curve


@dataclass(frozen=True)
class Quintic:
    """The curve of least jerk between two states (value, velocity, acceleration) a given time apart.

    Flash and Hogan (1985, "The coordination of arm movements"): a polynomial of fifth degree.
    """

    start: tuple[float, float, float]
    end: tuple[float, float, float]
    duration: float

    def __call__(self, at: Array) -> Array:
        """Values (N,) at times (N,) since the start."""
        span = self.duration
        s = at / span
        position, velocity, acceleration = self.start[0], self.start[1] * span, self.start[2] * span**2
        ahead = self.end[0] - position - velocity - 0.5 * acceleration
        faster = self.end[1] * span - velocity - acceleration
        sharper = self.end[2] * span**2 - acceleration
        third = 10.0 * ahead - 4.0 * faster + 0.5 * sharper
        fourth = -15.0 * ahead + 7.0 * faster - sharper
        fifth = 6.0 * ahead - 3.0 * faster + 0.5 * sharper
        value: Array = position + s * (velocity + s * (0.5 * acceleration + s * (third + s * (fourth + s * fifth))))
        return value


@dataclass(frozen=True)
class Chain:
    """Curves one after the other: `pieces[i]` runs from `times[i]` on, and takes the time since then."""

    times: Array
    pieces: Sequence[Callable[[Array], Array]]

    def __call__(self, at: Array) -> Array:
        """Values (N, ...) at times (N,)."""
        piece = np.clip(np.searchsorted(self.times, at, side="right") - 1, 0, len(self.pieces) - 1)
        first = self.pieces[0](at - self.times[0])
        value = np.zeros_like(first)
        for index, curve in enumerate(self.pieces):
            chosen = piece == index
            value[chosen] = curve(at[chosen] - self.times[index])
        return value
