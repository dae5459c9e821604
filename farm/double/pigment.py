"""The skin's colour: Monk tone, and haemoglobin and melanin that add to it by absorbing.

A colour is the tone's albedo times the exponential of minus what the two pigments absorb: Tsumura et al. 2003,
"Image-based skin color and texture analysis/synthesis by extracting hemoglobin and melanin information in the skin".
Light scatters under skin as far as Jensen et al. 2001, "A practical model for subsurface light transport", measured,
and less far, and less red, the more melanin lies above: Donner and Jensen 2008, "A layered, heterogeneous reflectance
model for acquiring and rendering human skin".
"""

from __future__ import annotations

import functools
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.double.shading import linear_colour
from farm.double.zones import zone_masks, zone_sum
from farm.errors import TemplateError
from farm.recipe import templates

__all__ = ["Colour", "Scatter", "absorbed", "darkness", "scatter", "skin_tone", "tint"]

Colour = tuple[float, float, float]

XYZ: Final = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
"""CIE XYZ of scene-linear Rec.709."""

LIGHTNESS: Final = (74.0, 21.0)
"""CIE L* of the lightest and darkest skin's albedo: swatches show skin as photographed, brighter than its albedo where
it is light and in deeper shade where it is dark."""
EVEN: Final = 0.5
"""How far lightness falls by equal steps, rather than by the swatches', of which the first three are nearly alike."""
LIVING: Final = (9.5, 15.0)
ALIVE: Final = 0.55
"""CIE a*, b* of living skin, which hardly differ between peoples while L* falls from 70 to 30 (Xiao et al. 2017,
"Characterising the variations in ethnic skin colours"), and their share in ours: swatches hold no blood."""

BLOOD: Final = ((0.05, 0.46, 0.42), (0.09, 0.18, 0.16))
"""Absorbance of one unit of haemoglobin, at the lightest and darkest tone, where melanin hides it."""
MELANIN: Final = ((0.36, 0.56, 0.70), (0.34, 0.42, 0.46))
"""Absorbance of one unit of melanin more than around."""
PALE: Final = ((0.10, 0.16, 0.20), (1.25, 1.40, 1.50))
"""Absorbance that goes with one unit of melanin less: next to nothing on skin that has none."""
MUCOSA: Final = np.array([0.42, 0.13, 0.11])
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


@functools.cache
def _tones() -> NDArray[np.float64]:
    """CIE L*, a*, b* (10, 3) of the albedo of the ten tones."""
    lab = np.array([_lab(swatch) for swatch in _swatches()])
    published = (lab[0, 0] - lab[:, 0]) / (lab[0, 0] - lab[-1, 0])
    fallen = (1 - EVEN) * published + EVEN * np.linspace(0.0, 1.0, len(lab))
    lightness = LIGHTNESS[0] + (LIGHTNESS[1] - LIGHTNESS[0]) * fallen
    hue = (1 - ALIVE) * lab[:, 1:] + ALIVE * np.array(LIVING)
    return np.column_stack([lightness, hue])


def skin_tone(tone: float) -> Colour:
    """The scene-linear albedo of a Monk tone 1..10; between two tones it is their mean in CIE L*a*b*."""
    at = np.arange(1, 11)
    red, green, blue = _from_lab(np.array([np.interp(tone, at, values) for values in _tones().T]))
    return float(red), float(green), float(blue)


def _lab(colour: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIE L*a*b* (D65) of a scene-linear Rec.709 colour."""
    x, y, z = np.cbrt(XYZ @ colour / XYZ.sum(axis=1))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def _from_lab(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    y = (lab[0] + 16) / 116
    roots = np.array([y + lab[1] / 500, y, y - lab[2] / 200])
    colour: NDArray[np.float64] = np.linalg.solve(XYZ, roots**3 * XYZ.sum(axis=1))
    return colour


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
    colour = np.minimum(np.array(skin_tone(tone)) * np.exp(-absorbance - np.minimum(melanin, 0) * pale), 0.9)
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
