"""Where in a pixel samples lie: points from low-discrepancy sequences, and renders with all samples on one such point.

A jitter is (x, y) from the pixel's centre in pixels of its image, X to the right, Y down. The camera itself stands
still: what a projection matrix that moves the picture by −jitter would show.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np

__all__ = ["Jitter", "afresh", "halton", "partner_jitter", "phases", "sample_jitter", "seen_through"]

Jitter = tuple[float, float]

BASES: Final = (2, 3)
FILTER_RADIUS: Final = 1.5
"""How far the reference's pixel filter reaches, in pixels: `filter_width` of `farm.render.settings.TRANSPORT`."""
BLACKMAN_HARRIS: Final = (0.35875, -0.48829, 0.14128, -0.01168)
OVERRIDE: Final = "override_pixel_jitter_sample"
DECIMALS: Final = 6


def halton(index: int, base: int) -> float:
    """A point of the Halton sequence, in [0, 1): the digits of `index` (from 0) mirrored at the point."""
    value, share = 0.0, 1.0
    while index:
        share /= base
        value += share * (index % base)
        index //= base
    return value


def phases(factor: int) -> int:
    """After how many frames the jitter of partners repeats: 8 × factor², as AMD FSR 2 and NVIDIA DLSS advise."""
    return 8 * factor**2


def partner_jitter(clip: str, place: int, factor: int) -> Jitter:
    """The jitter of the partners at a factor in a clip's frame, `place` frames after its first; within ±0.5.

    Halton (2, 3) less 0.5, from its first point on (0 is left out), as AMD FSR 2's `ffxFsr2GetJitterOffset` gives it.
    Each clip begins at a place of its own in the cycle, so that stills have different jitters.
    """
    begin = int.from_bytes(hashlib.sha256(f"{clip}/partner/{factor}".encode()).digest()[:8], "little")
    index = (begin + place) % phases(factor) + 1
    across, down = (round(halton(index, base) - 0.5, DECIMALS) for base in BASES)
    return across, down


def sample_jitter(view: str, number: int) -> Jitter:
    """The jitter of a view's single sample, drawn as the reference's pixel filter weighs, so that their means agree.

    Halton (2, 3) turned by a random shift a view (Cranley and Patterson 1976), so that each sample alone is drawn from
    the filter, too.
    """
    digest = hashlib.sha256(f"{view}/samples".encode()).digest()
    shift = [int.from_bytes(digest[at : at + 8], "little") / 2**64 for at in (0, 8)]
    across, down = (
        round(_filtered((halton(number + 1, base) + turn) % 1.0), DECIMALS)
        for base, turn in zip(BASES, shift, strict=True)
    )
    return across, down


@contextmanager
def seen_through(scene: Any, jitter: Jitter | None, factor: int = 1) -> Iterator[None]:
    """Meanwhile all samples lie on one point of each pixel, and the picture has a part of its resolution.

    Cycles takes the override as a step back from the pixel's lower left corner. None lets the filter spread them.
    """
    render, cycles = scene.render, scene.cycles
    size = render.resolution_x, render.resolution_y
    render.resolution_x, render.resolution_y = (side // factor for side in size)
    if jitter is not None:
        cycles.use_pixel_jitter = True
        scene[OVERRIDE] = [-0.5 - jitter[0], -0.5 + jitter[1]]
    try:
        yield
    finally:
        cycles.use_pixel_jitter = False
        if OVERRIDE in scene:
            del scene[OVERRIDE]
        render.resolution_x, render.resolution_y = size
        scene.update_tag()


@contextmanager
def afresh(scene: Any) -> Iterator[None]:
    """Meanwhile each render begins anew, without persistent data.

    With all samples on one point a warm Cycles draws other noise from render to render, whatever the seed; what rays
    hit stays the same.
    """
    before = scene.render.use_persistent_data
    scene.render.use_persistent_data = False
    try:
        yield
    finally:
        scene.render.use_persistent_data = before


def _filtered(share: float) -> float:
    """The place below which the pixel filter has this share of its weight."""
    places = np.linspace(-FILTER_RADIUS, FILTER_RADIUS, 6001)
    turn = np.pi * (places / FILTER_RADIUS + 1)
    weights = np.sum([part * np.cos(number * turn) for number, part in enumerate(BLACKMAN_HARRIS)], axis=0)
    sums = np.concatenate([[0.0], np.cumsum((weights[1:] + weights[:-1]) / 2)])
    return float(np.interp(share, sums / sums[-1], places))
