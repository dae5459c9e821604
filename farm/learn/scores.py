"""How good a denoised image is: relMSE, SMAPE, HDR-FLIP and MS-SSIM, over all of it or inside a mask.

relMSE     mean((x − r)² / (r² + 0.01))
SMAPE      mean(|x − r| / (|x| + |r| + 0.01))
FLIP       HDR-FLIP, Andersson et al. (2021), by NVIDIA's own `flip_evaluator`: 0 is equal, 1 as far as can be
MS-SSIM    Wang et al. (2003) on the tone-mapped pictures (AgX, sRGB): 1 is equal

Inside a mask each is the mean of its map weighted by the mask, a pixel's coverage by hair.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import flip_evaluator
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from farm.dataset.metrics import RELMSE_FLOOR
from farm.dataset.tonemap import tonemap
from farm.learn.net import SMAPE_FLOOR

__all__ = ["Scores", "ms_ssim", "score"]

_WINDOW: Final = 11
_SIGMA: Final = 1.5
_STABLE: Final = (0.01**2, 0.03**2)
_SCALES: Final = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


class Scores(NamedTuple):
    """Lower is better, but for MS-SSIM."""

    relmse: float
    smape: float
    flip: float
    msssim: float


def score(image: np.ndarray, reference: np.ndarray, mask: np.ndarray | None = None) -> Scores:
    """Scores of linear light (3, H, W) against its reference; `mask` (H, W) weighs the pixels, 0…1."""
    x, r = (np.maximum(np.moveaxis(each, 0, -1).astype(np.float64), 0.0) for each in (image, reference))
    weights = np.ones(x.shape[:2]) if mask is None else np.asarray(mask, np.float64)
    flip, _, _ = flip_evaluator.evaluate(
        r.astype(np.float32), x.astype(np.float32), "HDR", applyMagma=False, computeMeanError=False
    )
    shown, truth = (torch.from_numpy(tonemap(each) / 255.0) for each in (x, r))
    return Scores(
        relmse=_mean(((x - r) ** 2 / (r**2 + RELMSE_FLOOR)).mean(-1), weights),
        smape=_mean((np.abs(x - r) / (x + r + SMAPE_FLOOR)).mean(-1), weights),
        flip=_mean(np.asarray(flip, np.float64)[..., 0], weights),
        msssim=ms_ssim(shown, truth, None if mask is None else torch.from_numpy(weights)),
    )


def ms_ssim(image: Tensor, reference: Tensor, mask: Tensor | None = None) -> float:
    """Multi-scale structural similarity of pictures (H, W, 3) in 0…1, mean over the channels.

    A picture too small for five scales is judged at those where the 11×11 window fits, with the weights of these.
    Inside a `mask` (H, W), every scale's mean is weighted by it.
    """
    x, y = (each.movedim(-1, 0)[None].double() for each in (image, reference))
    weights = torch.ones_like(x[:, :1]) if mask is None else mask[None, None].double()
    side = min(x.shape[2:])
    if side < _WINDOW:
        return float("nan")
    scales = [scale for level, scale in enumerate(_SCALES) if side >> level >= _WINDOW]
    product = torch.ones(x.shape[1], dtype=torch.float64)
    for level, scale in enumerate(scales):
        whole, contrast = _similarity(x, y)
        similar = whole if level == len(scales) - 1 else contrast
        inside = weights[:, :, _WINDOW // 2 : -(_WINDOW // 2), _WINDOW // 2 : -(_WINDOW // 2)]
        mean = (similar * inside).sum((0, 2, 3)) / inside.sum()
        product = product * mean.clamp(min=0) ** (scale / sum(scales))
        x, y, weights = (functional.avg_pool2d(each, 2) for each in (x, y, weights))
    return float(product.mean())


def _similarity(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Maps of structural similarity and of its contrast part, where the whole window lies inside."""
    place = torch.arange(_WINDOW, dtype=torch.float64) - _WINDOW // 2
    bell = torch.exp(-(place**2) / (2 * _SIGMA**2))
    bell = bell / bell.sum()

    def blurred(values: Tensor) -> Tensor:
        kernel = bell.expand(values.shape[1], 1, -1)
        rows = functional.conv2d(values, kernel[..., None], groups=values.shape[1])
        return functional.conv2d(rows, kernel[..., None, :], groups=values.shape[1])

    first, second = _STABLE
    mx, my = blurred(x), blurred(y)
    vx, vy, vxy = blurred(x * x) - mx * mx, blurred(y * y) - my * my, blurred(x * y) - mx * my
    contrast = (2 * vxy + second) / (vx + vy + second)
    return contrast * (2 * mx * my + first) / (mx * mx + my * my + first), contrast


def _mean(values: np.ndarray, weights: np.ndarray) -> float:
    total = weights.sum()
    return float((values * weights).sum() / total) if total > 0 else float("nan")
