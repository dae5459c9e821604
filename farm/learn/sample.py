"""One sample for a trainer: a noisy image, its features and its reference, read from the images of a pair."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np

from farm.dataset import LAYERS, Layer
from farm.dataset.layout import REFERENCE_NAME
from farm.errors import DatasetError
from farm.learn.window import OpenImage, Window

__all__ = [
    "ALWAYS",
    "FEATURES",
    "HAIR",
    "Sample",
    "features_of",
    "find_layers",
    "random_window",
    "read_arrays",
    "stacked",
]

ALWAYS: Final = ("albedo", "normal")
"""Features that every dataset has."""
FEATURES: Final = (*ALWAYS, "strand.tangent")
"""What the denoiser is given beside the noisy light, as far as a dataset has it."""
HAIR: Final = "hair.mask"
"""The layer that says how much of a pixel is hair."""

Sample = dict[str, Any]
"""Arrays (channels, height, width) float32 by name, and what they are of: `pair` and `samples`."""

_BEAUTY: Final = next(layer for layer in LAYERS if layer.name == "beauty")


def features_of(layers: Iterable[Layer]) -> tuple[str, ...]:
    """Those of the denoiser's features that a dataset of these layers has."""
    there = {layer.name for layer in layers}
    return tuple(name for name in FEATURES if name in there)


def find_layers(names: Sequence[str], layers: Iterable[Layer], *, place: str) -> tuple[Layer, ...]:
    """The layers of these names; DatasetError where a dataset does not have one."""
    known = {layer.name: layer for layer in layers}
    for name in names:
        if name not in known:
            raise DatasetError(f"{place}: has no layer '{name}', only {', '.join(known)}; render it, or leave it out")
    return tuple(known[name] for name in names)


def random_window(random: np.random.Generator, height: int, width: int, crop: int) -> Window:
    """A square of `crop` pixels anywhere in an image."""
    row, column = (int(random.integers(side - crop + 1)) for side in (height, width))
    return Window(row, column, crop, crop)


def read_arrays(
    opened: Callable[[str], OpenImage],
    noisy: str,
    layers: Sequence[Layer],
    *,
    size: tuple[int, int],
    window: Window | None,
) -> dict[str, np.ndarray]:
    """`noisy`, `reference` and every layer by its name, (channels, height, width) each, of a window or whole.

    `opened` opens the image of a name. A layer that noisy images have is the noisy image's own. Raises DatasetError
    for an image that is not of `size` (height, width), and as `OpenImage.window` does.
    """
    wanted: dict[str, list[Layer]] = {noisy: [_BEAUTY]}
    for layer in layers:
        wanted.setdefault(noisy if "noisy" in layer.images else f"{layer.images[0]}.exr", []).append(layer)
    arrays: dict[str, np.ndarray] = {}
    for name, group in wanted.items():
        arrays |= _read(opened(name), group, size, window)
    arrays["noisy"] = arrays.pop(_BEAUTY.name)
    arrays["reference"] = _read(opened(REFERENCE_NAME), [_BEAUTY], size, window)[_BEAUTY.name]
    return arrays


def stacked(pixels: dict[str, np.ndarray], layer: Layer) -> np.ndarray:
    """A layer's channels as one array (channels, height, width)."""
    return np.stack([pixels[channel] for channel in layer.channels])


def _read(
    image: OpenImage, layers: Sequence[Layer], size: tuple[int, int], window: Window | None
) -> dict[str, np.ndarray]:
    if image.size != size:
        found, wanted = (f"{width}×{height}" for height, width in (image.size, size))
        raise DatasetError(f"{image.place}: has {found} pixels, its dataset's images have {wanted}")
    pixels = image.window([channel for layer in layers for channel in layer.channels], window)
    return {layer.name: stacked(pixels, layer) for layer in layers}
