"""How a style varies over the head: figures and combing directions at any point around it (numpy only)."""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.double.groom.style import REGIONS, SECTION, Hairstyle, direction, directions
from farm.double.groom.surface import SECTIONED
from farm.double.normals import lengths

__all__ = ["comb_direction", "region_shares", "regional"]

Array = NDArray[np.float64]

REGION_SHARPNESS: Final = 7.0
"""Concentration of a region around its centres (that of a von Mises–Fisher kernel)."""
MIDDLE_BLEND: Final = 0.02
"""Distance from the middle over which `aside` turns from left to right where there is no parting."""


def region_shares(local: Array) -> Array:
    """How much points (N, 3) in the head's axes belong to each region: (N, regions), each row summing to 1."""
    return _shares(local / np.maximum(lengths(local), 1e-9))


def _shares(unit: Array) -> Array:
    """`region_shares` of unit vectors (N, 3)."""
    regions, vectors = _centres()
    kernel = np.exp(REGION_SHARPNESS * (unit @ vectors.T - 1.0))
    shares = np.zeros((len(unit), len(REGIONS)))
    for column, index in enumerate(regions):
        shares[:, index] = np.maximum(shares[:, index], kernel[:, column])
    total: Array = shares / shares.sum(axis=1, keepdims=True)
    return total


@functools.cache
def _centres() -> tuple[list[int], Array]:
    """Which region each centre is of, and the unit vectors (C, 3) to them."""
    names, vectors = zip(*directions(), strict=True)
    return [list(REGIONS).index(name) for name in names], np.array(vectors)


def regional(style: Hairstyle, quantity: str, shares: Array, side: Array) -> Array:
    """A figure of the style, as `length`, blended over regions, and the section's own where hair is of it: (N,)."""
    blended: Array = shares @ np.array(style.table(quantity))
    own = getattr(style.region(SECTION), quantity)
    return blended if own is None else np.where(np.abs(side) == SECTIONED, own, blended)


def comb_direction(style: Hairstyle, local: Array, normals: Array, side: Array) -> Array:
    """The combed direction (N, 3) at points (N, 3), all in the head's axes: unit length, at right angles to `normals`.

    The sign of `side` (N,) says which side of the parting a point is on; without a parting, `aside` leads away from the
    middle.
    """
    unit = local / np.maximum(lengths(local), 1e-9)
    shares = _shares(unit)
    words = {word: shares @ figures for word, figures in style.comb_table().items()}
    sectioned = np.abs(side) == SECTIONED
    own = style.region(SECTION).comb
    if own is not None and sectioned.any():
        words = {word: np.where(sectioned, getattr(own, word), value) for word, value in words.items()}
    side = np.sign(side)
    if style.parting.side == "none":
        side = np.tanh(local[:, 0] / MIDDLE_BLEND)
    away = unit - np.array(direction(style.whorl.azimuth, style.whorl.elevation))
    away -= np.einsum("nc,nc->n", away, normals)[:, None] * normals
    away /= np.maximum(lengths(away), 0.15)
    flow = np.stack(
        [
            words["left"] - words["right"] + words["aside"] * side,
            words["back"] - words["forward"],
            words["up"] - words["down"],
        ],
        axis=1,
    )
    flow += words["whorl"][:, None] * away + words["swirl"][:, None] * np.cross(normals, away)
    flow -= np.einsum("nc,nc->n", flow, normals)[:, None] * normals
    result: Array = flow / np.maximum(lengths(flow), 1e-6)
    return result
