"""How much a pair of a capture is: its images, its samples and about how many bytes, before anything is rendered."""

from __future__ import annotations

from typing import Final, NamedTuple

from farm.recipe.capture import Capture
from farm.recipe.passes import CLIP_PASSES, MATTE_PASSES, MATTE_SAMPLES, PASS_CHANNELS

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
    partners, single         images of low resolution, and of one sample
    noisy_samples            samples a pixel over all noisy images
    reference_samples        at most, over both halves
    data_samples             of the data pass and the render of coverage
    beside_samples           of partners and single samples, by pixels of the full resolution
    bytes                    of all its images' files, about
    """

    noisy: int
    references: int
    data: int
    partners: int
    single: int
    noisy_samples: int
    reference_samples: int
    data_samples: int
    beside_samples: float
    bytes: int

    @property
    def images(self) -> int:
        """All of them."""
        return self.noisy + self.references + self.data + self.partners + self.single


def pair_volume(capture: Capture) -> PairVolume:
    """The volume of each pair of a capture."""
    clip, partners = capture.frames.clip, capture.partners
    passes = [name for name in capture.layers if clip or name not in CLIP_PASSES]
    added = [sum(PASS_CHANNELS[name][kind] for name in passes) for kind in range(3)]
    noisy = _ALWAYS[0] + added[0] + (_OF_CLIPS if clip else 0)
    reference = _ALWAYS[1] + added[1] + (_OF_CLIPS if clip else 0)
    mattes = [name for name in passes if name in MATTE_PASSES]
    beside = noisy + added[2] - sum(PASS_CHANNELS[name][2] for name in mattes)
    areas = [1 / factor**2 for factor in partners.factors]
    counts = len(capture.samples) * capture.replicas, 1, 1 if added[2] else 0
    packed = (
        (counts[0] * noisy + (sum(areas) * len(partners.samples) + capture.per_sample) * beside) * _PACKED[0]
        + reference * _PACKED[1]
        + added[2] * _PACKED[2]
    )
    width, height = capture.resolution
    return PairVolume(
        *counts,
        partners=len(areas) * len(partners.samples),
        single=capture.per_sample,
        noisy_samples=sum(capture.samples) * capture.replicas,
        reference_samples=capture.reference.samples,
        data_samples=_DATA_SAMPLES + (MATTE_SAMPLES if mattes else 0),
        beside_samples=sum(areas) * (sum(partners.samples) + _DATA_SAMPLES) + 2 * capture.per_sample,
        bytes=round(4 * width * height * packed),
    )
