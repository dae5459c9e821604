"""The denoiser: a small U-Net that predicts a filter for every pixel.

The network sees the logarithm of the noisy light and the features, and says for each pixel how to average the noisy
light around it: kernel prediction of Bako et al., "Kernel-Predicting Convolutional Networks for Denoising Monte Carlo
Renderings" (2017), by a U-Net (Ronneberger et al., 2015) as in Işık et al., "Interactive Monte Carlo Denoising using
Affinity of Neural Features" (2021). An average of light that was rendered can be neither negative nor a hallucination.
The taps are a 5×5 square and two rings of wider spacing, after Dammertz et al., "Edge-Avoiding À-Trous Wavelet
Transform" (2010).
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["MULTIPLE", "REACH", "TAPS", "Denoiser", "smape"]

TAPS: Final = tuple(
    [(row, column) for row in range(-2, 3) for column in range(-2, 3)]
    + [
        (row * spacing, column * spacing)
        for spacing in (4, 8)
        for row in (-1, 0, 1)
        for column in (-1, 0, 1)
        if (row, column) != (0, 0)
    ]
)
"""Rows and columns from a pixel to those that it is averaged of."""
REACH: Final = 8
"""The widest of them, in pixels."""
MULTIPLE: Final = 4
"""Height and width of what goes in must be multiples of this: two levels halve them."""
UNTOUCHED: Final = 6.0
"""What the untrained network gives the pixel itself over its neighbours: training starts from the light as it is."""

SMAPE_FLOOR: Final = 0.01


class Denoiser(nn.Module):
    """Noisy light (N, 3, H, W), scene-linear, and `features` channels (N, features, H, W), to light (N, 3, H, W)."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.first = _block(3 + features, width)
        self.second = _block(width, 2 * width)
        self.third = _block(2 * width, 4 * width)
        self.widen = _block(6 * width, 2 * width)
        self.last = _block(3 * width, width)
        self.kernels = nn.Conv2d(width, len(TAPS), 1)
        with torch.no_grad():
            self.kernels.bias[TAPS.index((0, 0))] = UNTOUCHED

    def forward(self, noisy: Tensor, features: Tensor) -> Tensor:
        """The denoised light."""
        fine = self.first(torch.cat([torch.log1p(noisy), features], 1))
        middle = self.second(functional.max_pool2d(fine, 2))
        coarse = self.third(functional.max_pool2d(middle, 2))
        middle = self.widen(torch.cat([functional.interpolate(coarse, scale_factor=2.0), middle], 1))
        fine = self.last(torch.cat([functional.interpolate(middle, scale_factor=2.0), fine], 1))
        return _filtered(noisy, torch.softmax(self.kernels(fine), 1))


def _block(inside: int, outside: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, 3, padding=1), nn.ReLU(), nn.Conv2d(outside, outside, 3, padding=1), nn.ReLU()
    )


def _filtered(light: Tensor, weights: Tensor) -> Tensor:
    """Light averaged over the taps; `weights` (N, taps, H, W) add up to 1 in each pixel."""
    height, width = light.shape[2], light.shape[3]
    around = functional.pad(light, (REACH, REACH, REACH, REACH), mode="replicate")
    total = torch.zeros_like(light)
    for tap, (row, column) in enumerate(TAPS):
        top, left = REACH + row, REACH + column
        total = total + around[:, :, top : top + height, left : left + width] * weights[:, tap : tap + 1]
    return total


def smape(image: Tensor, reference: Tensor) -> Tensor:
    """The loss: mean of |x − r| / (|x| + |r| + 0.01), as in Vogels et al. (2018); bright and dark count alike."""
    return ((image - reference).abs() / (image.abs() + reference.abs() + SMAPE_FLOOR)).mean()
