"""Settings of a parameter: a fixed value or a distribution that it is drawn from.

Every setting has `draw(generator)`, which gives one value, and `plain()`, which gives what stands in the recipe, in
the parameter's own unit. A drawn float has 6 significant digits, so that it reads well and survives JSON unchanged.
Whether a setting suits a parameter is checked where it is read, in `farm.recipe.settings`.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Final

import numpy as np

from farm.recipe.parameters import Value

__all__ = ["Beta", "Choose", "Fixed", "Integers", "Normal", "Setting", "Uniform", "normal_mass"]

_STANDARD: Final = NormalDist()


def _rounded(value: float, low: float, high: float) -> float:
    """`value` to 6 significant digits, kept within the range that it was drawn from; no negative zero."""
    return min(max(float(f"{value:.6g}"), low), high) + 0.0


def _normal_cdf(z: float) -> float:
    """Standard normal distribution function, accurate in the lower tail."""
    return 0.5 * math.erfc(-z / math.sqrt(2))


def _standard_bounds(mean: float, sd: float, low: float, high: float) -> tuple[float, float, float]:
    """The truncation's ends in standard deviations, mirrored to the lower tail where they lie above the mean.

    Returns:
        (sign, lower end, upper end); sign is −1 where mirrored.
    """
    lower, upper = (low - mean) / sd, (high - mean) / sd
    return (-1.0, -upper, -lower) if lower > 0 else (1.0, lower, upper)


def normal_mass(mean: float, sd: float, low: float, high: float) -> float:
    """Share of a normal distribution's draws that fall within [low, high]."""
    _, lower, upper = _standard_bounds(mean, sd, low, high)
    return _normal_cdf(upper) - _normal_cdf(lower)


@dataclass(frozen=True)
class Fixed:
    """Always the same value."""

    value: Value

    def draw(self, generator: np.random.Generator) -> Value:
        """The value; takes nothing from the generator."""
        return self.value

    def plain(self) -> Any:
        """The value."""
        return self.value


@dataclass(frozen=True)
class Choose:
    """One of several values, each with its weight; kept sorted, so that their order in the recipe says nothing."""

    options: tuple[tuple[Value, float], ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", tuple(sorted(self.options)))

    def draw(self, generator: np.random.Generator) -> Value:
        """A value, as likely as its share of the weights."""
        edges = np.cumsum([weight for _, weight in self.options])
        place = int(np.searchsorted(edges, generator.random() * edges[-1], side="right"))
        return self.options[min(place, len(self.options) - 1)][0]

    def plain(self) -> Any:
        """`{choose: [...]}` where the weights are 1, else `{choose: {value: weight}}`."""
        if all(weight == 1 for _, weight in self.options):
            return {"choose": [value for value, _ in self.options]}
        return {"choose": {_key(value): weight for value, weight in self.options}}


def _key(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True)
class Uniform:
    """Any number from `low` to `high`, all equally likely."""

    low: float
    high: float

    def draw(self, generator: np.random.Generator) -> float:
        """A number from low to high."""
        return _rounded(self.low + (self.high - self.low) * generator.random(), self.low, self.high)

    def plain(self) -> Any:
        """`{uniform: [low, high]}`."""
        return {"uniform": [self.low, self.high]}


@dataclass(frozen=True)
class Normal:
    """A bell curve of which only [low, high] is kept."""

    mean: float
    sd: float
    low: float
    high: float

    def draw(self, generator: np.random.Generator) -> float:
        """A number from low to high, exactly distributed: the inverse distribution function of one uniform number."""
        sign, lower, upper = _standard_bounds(self.mean, self.sd, self.low, self.high)
        start, end = _normal_cdf(lower), _normal_cdf(upper)
        share = start + (end - start) * generator.random()
        share = min(max(share, sys.float_info.min), 1 - sys.float_info.epsilon)
        return _rounded(self.mean + sign * self.sd * _STANDARD.inv_cdf(share), self.low, self.high)

    def plain(self) -> Any:
        """`{normal: {mean, sd, min, max}}`."""
        return {"normal": {"mean": self.mean, "sd": self.sd, "min": self.low, "max": self.high}}


@dataclass(frozen=True)
class Beta:
    """The beta distribution of shape (a, b), stretched over [low, high]."""

    a: float
    b: float
    low: float
    high: float

    def draw(self, generator: np.random.Generator) -> float:
        """A number from low to high."""
        return _rounded(self.low + (self.high - self.low) * generator.beta(self.a, self.b), self.low, self.high)

    def plain(self) -> Any:
        """`{beta: {a, b, min, max}}`."""
        return {"beta": {"a": self.a, "b": self.b, "min": self.low, "max": self.high}}


@dataclass(frozen=True)
class Integers:
    """Any whole number from `low` to `high`, both included, all equally likely."""

    low: int
    high: int

    def draw(self, generator: np.random.Generator) -> int:
        """A whole number from low to high."""
        return min(self.low + math.floor((self.high - self.low + 1) * generator.random()), self.high)

    def plain(self) -> Any:
        """`{integers: [low, high]}`."""
        return {"integers": [self.low, self.high]}


Setting = Fixed | Choose | Uniform | Normal | Beta | Integers
