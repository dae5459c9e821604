"""The skin's colour: Monk tone, and haemoglobin and melanin that add to it by absorbing.

A colour is the tone's albedo times the exponential of minus what the two pigments absorb: Tsumura et al. 2003,
"Image-based skin color and texture analysis/synthesis by extracting hemoglobin and melanin information in the skin".
Light scatters under skin as far as Jensen et al. 2001, "A practical model for subsurface light transport", measured,
and less far, and less red, the more melanin lies above: Donner and Jensen 2008, "A layered, heterogeneous reflectance
model for acquiring and rendering human skin".
"""

from __future__ import annotations

import functools
import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.double.shading import linear_colour
from farm.double.zones import zone_masks, zone_sum
from farm.errors import TemplateError
from farm.recipe import templates

__all__ = ["Colour", "Scatter", "absorbed", "darkness", "scatter", "skin_tone", "tint"]

Colour = tuple[float, float, float]

SWATCH_WHITE: Final = 0.66
SWATCH_CONTRAST: Final = 0.72
"""Swatches show skin as photographed: brighter than its albedo where it is light, in deeper shade where it is dark."""
LIVING: Final = ((1.08, 0.82, 0.72), (1.08, 0.88, 0.78))
"""What living skin is to a swatch, at the lightest and darkest tone: swatches hold no blood."""

BLOOD: Final = ((0.05, 0.48, 0.54), (0.09, 0.18, 0.16))
"""Absorbance of one unit of haemoglobin, at the lightest and darkest tone, where melanin hides it."""
MELANIN: Final = ((0.30, 0.56, 0.74), (0.34, 0.42, 0.46))
"""Absorbance of one unit of melanin more than around."""
PALE: Final = ((0.10, 0.16, 0.20), (1.25, 1.40, 1.50))
"""Absorbance that goes with one unit of melanin less: next to nothing on skin that has none."""
MUCOSA: Final = np.array([0.25, 0.06, 0.05])
"""Albedo of the mouth's inside, alike in all tones."""


class Scatter(NamedTuple):
    """Subsurface scattering: `weight` 0..1, `radius` by channel relative to red's, `scale` in metres."""

    weight: float
    radius: Colour
    scale: float


@functools.cache
def _swatches() -> NDArray[np.float64]:
    place = templates.path("skin", "monk")
    codes = templates.load("skin", "monk").get("swatches", [])
    if len(codes) != 10:
        raise TemplateError(f"{place}: expected 10 swatches, found {len(codes)}")
    return np.array([linear_colour(code, place=str(place)) for code in codes])


def darkness(tone: float) -> float:
    """Where a Monk tone 1..10 lies between the lightest (0) and the darkest (1)."""
    return (tone - 1) / 9


def skin_tone(tone: float) -> Colour:
    """The scene-linear albedo of a Monk tone 1..10; between two swatches it is their geometric mean, weighted."""
    at = np.arange(1, 11)
    logs = np.log(_swatches())
    red, green, blue = (float(np.interp(tone, at, logs[:, channel])) for channel in range(3))
    return _albedo(red), _albedo(green), _albedo(blue)


def _albedo(log_swatch: float) -> float:
    return SWATCH_WHITE * math.exp(SWATCH_CONTRAST * log_swatch)


def _between(ends: tuple[Colour, Colour], share: float) -> NDArray[np.float64]:
    return np.array(ends[0]) * (1 - share) + np.array(ends[1]) * share


def absorbed(tone: float, *, blood: float = 0.0, melanin: float = 0.0) -> Colour:
    """The share of light (RGB, 0..1) that skin of a tone leaves under some more blood and melanin."""
    dark = darkness(tone)
    red, green, blue = np.exp(-blood * _between(BLOOD, dark) - melanin * _between(MELANIN, dark))
    return float(red), float(green), float(blue)


def tint(tone: float) -> NDArray[np.float64]:
    """The albedo (B, 3) of each of the body's vertices, scene-linear, without what is finer than the mesh."""
    dark = darkness(tone)
    blood, melanin = zone_sum("blood")[:, None], zone_sum("melanin")[:, None]
    pale = _between(PALE, dark**1.5)
    absorbance = blood * _between(BLOOD, dark) + np.maximum(melanin, 0) * _between(MELANIN, dark)
    living = np.array(skin_tone(tone)) * _between(LIVING, dark)
    colour = np.minimum(living * np.exp(-absorbance - np.minimum(melanin, 0) * pale), 0.9)
    inside = zone_masks()["inside-mouth"][:, None]
    mixed: NDArray[np.float64] = colour * (1 - inside) + MUCOSA * inside
    return mixed


def scatter(tone: float) -> Scatter:
    """How light scatters under skin of a Monk tone.

    Green and blue reach 0.37 and 0.19 as far as red: the diffusion lengths 1/sqrt(3 σa (σa + σs')) of Jensen's skin 1.
    """
    dark = darkness(tone)
    red, green, blue = _between(((1.0, 0.37, 0.19), (1.0, 0.50, 0.32)), dark)
    return Scatter(0.66 - 0.18 * dark, (float(red), float(green), float(blue)), 0.0062 - 0.0034 * dark)
