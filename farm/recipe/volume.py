"""How much a pair of a capture is: its images, its samples and about how many bytes, before anything is rendered."""

from __future__ import annotations

from typing import Final, NamedTuple

from farm.recipe.capture import Capture
from farm.recipe.passes import MATTE_PASSES, MATTE_SAMPLES, PASS_CHANNELS

__all__ = ["PairVolume", "pair_volume"]

_ALWAYS: Final = (11, 15)
"""Channels of each noisy image and of the reference whatever is asked for: beauty, alpha, features, half difference."""

_OF_CLIPS: Final = 4
"""Channels of motion, which images of clips have as well."""

_DATA_SAMPLES: Final = 1

_PACKED: Final = (0.43, 0.47, 0.06)
"""Share of their float32 pixels that noisy images, references and data images take in a file. Measured on portraits and
whole doubles of 256², with no passes and with all; empty backgrounds take less."""


class PairVolume(NamedTuple):
    """What one pair holds and takes.

    noisy, references, data  images
    noisy_samples            samples a pixel over all noisy images
    reference_samples        at most, over both halves
    data_samples             of the data pass and the render of coverage
    bytes                    of all its images' files, about
    """

    noisy: int
    references: int
    data: int
    noisy_samples: int
    reference_samples: int
    data_samples: int
    bytes: int


def pair_volume(capture: Capture) -> PairVolume:
    """The volume of each pair of a capture."""
    added = [sum(PASS_CHANNELS[name][kind] for name in capture.layers) for kind in range(3)]
    moving = _OF_CLIPS if capture.frames.clip else 0
    counts = (len(capture.samples) * capture.replicas, 1, 1 if added[2] else 0)
    channels = (_ALWAYS[0] + moving + added[0], _ALWAYS[1] + moving + added[1], added[2])
    width, height = capture.resolution
    packed = sum(count * number * share for count, number, share in zip(counts, channels, _PACKED, strict=True))
    matte = MATTE_SAMPLES if any(name in capture.layers for name in MATTE_PASSES) else 0
    return PairVolume(
        *counts,
        noisy_samples=sum(capture.samples) * capture.replicas,
        reference_samples=capture.reference.samples,
        data_samples=_DATA_SAMPLES + matte,
        bytes=round(4 * width * height * packed),
    )
