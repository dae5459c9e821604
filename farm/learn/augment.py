"""More pictures out of those that were rendered: each stays one that the renderer could have made, noise and all.

A crop turned by quarters is what a rolled camera sees; directions are the world's, so they stay. A crop mirrored is a
mirrored world, whose directions are mirrored with it. A world turned about its vertical axis, camera and lights with
it, makes the same picture with other directions. Light and colour are linear: other exposures and other orders of the
channels are other lamps and other paint.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import torch
from torch import Tensor

__all__ = ["COLOURS", "DIRECTIONS", "augmented"]

COLOURS: Final = frozenset({"noisy", "reference", "albedo", "base_color"})
"""What has red, green and blue."""
DIRECTIONS: Final = frozenset({"normal", "normal.world", "strand.tangent"})
"""What has X, Y and Z in the world's axes."""
_LIGHT: Final = frozenset({"noisy", "reference"})
_STOPS: Final = 1.5
"""Exposures are changed by at most so many stops."""


class _Change(NamedTuple):
    """Quarters of a turn, whether mirrored, the world's turn in radians, the exposure's factor, the colours' order."""

    quarters: int
    mirrored: bool
    turn: float
    factor: float
    order: list[int]


def augmented(batch: dict[str, Tensor], random: np.random.Generator) -> dict[str, Tensor]:
    """The batch's images (N, C, H, H) changed, each sample in a way of its own that `random` alone decides."""
    changes = [_drawn(random) for _ in range(next(iter(batch.values())).shape[0])]
    return {
        name: torch.stack([_changed(name, image, change) for image, change in zip(images, changes, strict=True)])
        for name, images in batch.items()
    }


def _drawn(random: np.random.Generator) -> _Change:
    return _Change(
        quarters=int(random.integers(4)),
        mirrored=bool(random.integers(2)),
        turn=float(random.uniform(-math.pi, math.pi)),
        factor=float(2 ** random.uniform(-_STOPS, _STOPS)),
        order=[int(each) for each in random.permutation(3)],
    )


def _changed(name: str, image: Tensor, change: _Change) -> Tensor:
    if name in DIRECTIONS:
        image = torch.einsum("ij,jhw->ihw", _world(change).to(image), image)
    if name in COLOURS:
        image = image[change.order]
    if name in _LIGHT:
        image = image * change.factor
    return torch.rot90(image.flip(2) if change.mirrored else image, change.quarters, (1, 2))


def _world(change: _Change) -> Tensor:
    """The world mirrored in a vertical plane and turned about its vertical axis, as a matrix."""
    sine, cosine, side = math.sin(change.turn), math.cos(change.turn), -1.0 if change.mirrored else 1.0
    return torch.tensor([[side * cosine, -sine, 0.0], [side * sine, cosine, 0.0], [0.0, 0.0, 1.0]])
