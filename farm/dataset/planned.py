"""Which images a pair of a capture has."""

from __future__ import annotations

from farm.dataset.layers import has_data
from farm.dataset.layout import DATA_NAME, REFERENCE_NAME, noisy_name, partner_name, sample_name
from farm.recipe import Capture

__all__ = ["planned_images"]


def planned_images(capture: Capture) -> tuple[str, ...]:
    """The names of a pair's images."""
    noisy = [noisy_name(spp, replica) for spp in capture.samples for replica in range(capture.replicas)]
    partners = [partner_name(factor, spp) for factor in capture.partners.factors for spp in capture.partners.samples]
    samples = [sample_name(number) for number in range(capture.per_sample)]
    data = [DATA_NAME] if has_data(capture.layers, clip=capture.frames.clip) else []
    return (*noisy, REFERENCE_NAME, *data, *partners, *samples)
