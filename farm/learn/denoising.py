"""One image denoised: from an EXR into an EXR, in tiles where it is large."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from farm.dataset import write_image
from farm.dataset.layout import DATA_NAME
from farm.errors import BadInput, DatasetError
from farm.learn.source import Source
from farm.learn.tiles import denoise_tiled
from farm.learn.window import channel_names, read_window

__all__ = ["Runs", "denoise_file"]


class Runs(Protocol):
    """A model of whatever runtime: torch's `Model`, or `OnnxModel`."""

    @property
    def channels(self) -> tuple[str, ...]:
        """Channels of an image that the network is given, in order: the light, then the features."""

    def run(self, noisy: np.ndarray, features: np.ndarray) -> np.ndarray:
        """The network alone, a `farm.learn.tiles.Network`."""


def denoise_file(model: Runs, image: Path, out: Path) -> None:
    """Writes the denoised light, with the alpha and nothing else of `image`.

    Raises DatasetError for an image that is missing or broken, holds NaN or lacks what the model needs, BadInput for
    an output without an EXR's ending or that is `image` itself.
    """
    if out.suffix.lower() != ".exr":
        raise BadInput(f"{out}: a denoised image is an EXR; give it the ending .exr")
    if out.resolve() == image.resolve():
        raise BadInput(f"{out} is the noisy image itself; give another --out")
    pixels = _pixels(image, model)
    stack = np.stack([pixels[name] for name in model.channels])
    clean = denoise_tiled(model.run, stack[:3], stack[3:])
    write_image(out, {**dict(zip("RGB", clean, strict=True)), "A": pixels["A"]}, {"denoiser": "digidouble"})


def _pixels(image: Path, model: Runs) -> dict[str, np.ndarray]:
    """The channels that the model needs, and alpha; what the image has not, its pair's data image may have."""
    source = Source(str(image.parent))
    there = channel_names(partial(source.read, image.name), place=str(image))
    needed = list(dict.fromkeys((*model.channels, "A")))
    data = image.with_name(DATA_NAME)
    beside = [name for name in needed if name not in there] if data.exists() else []
    own = [name for name in needed if name not in beside]
    pixels = read_window(partial(source.read, image.name), own, None, place=str(image))
    if beside:
        pixels |= read_window(partial(source.read, DATA_NAME), beside, None, place=str(data))
    sizes = {values.shape for values in pixels.values()}
    if len(sizes) > 1:
        raise DatasetError(f"{data} is not of the size of {image.name}")
    return pixels
