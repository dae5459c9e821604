"""The denoiser: a small U-Net that predicts filters for every pixel.

The network sees the logarithm of the noisy light and the features, and says for each pixel how to average the noisy
light around it: kernel prediction of Bako et al., "Kernel-Predicting Convolutional Networks for Denoising Monte Carlo
Renderings" (2017), by a U-Net (Ronneberger et al., 2015). An average of light that was rendered can be neither negative
nor a hallucination. Two filters of 5×5 taps follow each other, the second with wider spacing, after Dammertz et al.,
"Edge-Avoiding À-Trous Wavelet Transform" (2010) and Işık et al., "Interactive Monte Carlo Denoising using Affinity of
Neural Features" (2021): together they reach 17×17 pixels. For each filter a pixel says as well what it is like, in some
numbers, and is averaged of pixels that are like it (the affinity of Işık et al.): edges stay. And it says how far its
own light is to be trusted wherever it is taken, so that a single bright sample does not spread; after Gharbi et al.,
"Sample-based Monte Carlo Denoising using a Kernel-Splatting Network" (2019), where samples rather than pixels decide.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["SMAPE_FLOOR", "SPACINGS", "TAPS", "Denoiser", "smape", "squared"]

TAPS: Final = tuple((row, column) for row in range(-2, 3) for column in range(-2, 3))
"""Rows and columns from a pixel to those that it is averaged of, in units of the filter's spacing."""
SPACINGS: Final = (1, 3)
"""Pixels from tap to tap, of one filter after the other."""
LIKENESS: Final = 6
"""Numbers that say what a pixel is like."""
UNTOUCHED: Final = 6.0
"""What the untrained network gives the pixel itself over its neighbours: training starts from the light as it is."""

SMAPE_FLOOR: Final = 0.01


class Denoiser(nn.Module):
    """Noisy light (N, 3, H, W), scene-linear, and `features` channels (N, features, H, W), to light (N, 3, H, W).

    H and W are multiples of `farm.learn.tiles.MULTIPLE`. Negative light is taken for none.
    """

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        sizes = (width, 2 * width, 3 * width, 4 * width)
        self.down = nn.ModuleList(_block(*each) for each in zip((3 + features, *sizes), sizes, strict=False))
        self.up = nn.ModuleList(_block(sizes[level] + sizes[level + 1], sizes[level]) for level in (2, 1, 0))
        said = len(TAPS) + 1 + LIKENESS
        self.kernels = nn.Conv2d(width, len(SPACINGS) * said, 1)
        with torch.no_grad():
            self.kernels.bias.zero_()
            self.kernels.bias[TAPS.index((0, 0)) :: said] = UNTOUCHED

    def forward(self, noisy: Tensor, features: Tensor) -> Tensor:
        """The denoised light."""
        light = noisy.clamp(min=0)
        seen = torch.cat([torch.log1p(light), features], 1)
        levels: list[Tensor] = []
        for level, block in enumerate(self.down):
            seen = block(functional.max_pool2d(seen, 2) if level else seen)
            levels.append(seen)
        for block, finer in zip(self.up, reversed(levels[:-1]), strict=True):
            seen = block(torch.cat([functional.interpolate(seen, scale_factor=2.0), finer], 1))
        for spacing, said in zip(SPACINGS, self.kernels(seen).chunk(len(SPACINGS), 1), strict=True):
            light = _filtered(light, said[:, : len(TAPS)], said[:, len(TAPS) :], spacing)
        return light


def _block(inside: int, outside: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, 3, padding=1), nn.ReLU(), nn.Conv2d(outside, outside, 3, padding=1), nn.ReLU()
    )


def _filtered(light: Tensor, kernels: Tensor, marks: Tensor, spacing: int) -> Tensor:
    """Light averaged over the taps; `marks` (N, 1 + LIKENESS, H, W) are each pixel's trust and what it is like.

    A tap weighs exp(its kernel + the trust where it lies − the squared distance of what the two pixels are like), and
    the weights of a pixel are shared out to 1.
    """
    height, width = light.shape[2], light.shape[3]
    reach = 2 * spacing
    around = functional.pad(torch.cat([light, marks], 1), (reach, reach, reach, reach), mode="replicate")
    taps = [
        around[:, :, top : top + height, left : left + width]
        for top, left in ((reach + row * spacing, reach + column * spacing) for row, column in TAPS)
    ]
    like = marks[:, 1:]
    marked = [tap[:, 3:4] - ((tap[:, 4:] - like) ** 2).sum(1, keepdim=True) for tap in taps]
    weights = torch.softmax(kernels + torch.cat(marked, 1), 1)
    total = torch.zeros_like(light)
    for place, tap in enumerate(taps):
        total = total + tap[:, :3] * weights[:, place : place + 1]
    return total


def smape(image: Tensor, reference: Tensor) -> Tensor:
    """Mean of |x − r| / (|x| + |r| + 0.01), as in Vogels et al. (2018); bright and dark count alike."""
    return ((image - reference).abs() / (image.abs() + reference.abs() + SMAPE_FLOOR)).mean()


def squared(image: Tensor, reference: Tensor) -> Tensor:
    """Mean of (x − r)² / (x² + 0.01) with the denominator held: its gradient is right in the mean for noisy references.

    SMAPE alone pulls towards the median, which is darker than the mean where noise is bright and rare. Lehtinen et al.,
    "Noise2Noise: Learning Image Restoration without Clean Data" (2018).
    """
    return ((image - reference) ** 2 / (image.detach() ** 2 + SMAPE_FLOOR)).mean()
