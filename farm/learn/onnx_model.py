"""A denoiser in an ONNX file, run by ONNX Runtime: no torch. What Blender or another program runs is this.

    noisy     (N, 3, H, W) float32     scene-linear light, R G B, any exposure
    features  (N, channels, H, W)      float32; the file's metadata `layers` names their channels, in order
    denoised  (N, 3, H, W) float32     scene-linear light

H and W are multiples of `farm.learn.tiles.MULTIPLE`; that module brings an image there and back.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np

from farm.errors import BadInput
from farm.learn.tiles import denoise_tiled

__all__ = ["FEATURES", "LAYERS_KEY", "NOISY", "OUTPUT", "OnnxModel"]

NOISY: Final = "noisy"
FEATURES: Final = "features"
OUTPUT: Final = "denoised"
LAYERS_KEY: Final = "layers"
"""The metadata's entry: JSON, each layer's channels by its name, in order."""


class OnnxModel:
    """A file of `digidouble onnx`. BadInput where it is none, or ONNX Runtime is not installed."""

    def __init__(self, path: Path) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise BadInput(f"{path}: running it needs onnxruntime; install digidouble[onnx]") from error
        if not path.is_file():
            raise BadInput(f"{path} is missing")
        try:
            self._session: Any = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
            properties = self._session.get_modelmeta().custom_metadata_map
            layers: dict[str, list[str]] = json.loads(properties[LAYERS_KEY])
        except Exception as error:  # ONNX Runtime raises whatever it likes
            raise BadInput(f"{path}: not a file of `digidouble onnx`, or a broken one") from error
        self.layers: dict[str, tuple[str, ...]] = {name: tuple(channels) for name, channels in layers.items()}

    @property
    def channels(self) -> tuple[str, ...]:
        """Channels of an image that the network is given, in order: the light, then the features."""
        return ("R", "G", "B", *(channel for layer in self.layers.values() for channel in layer))

    def run(self, noisy: np.ndarray, features: np.ndarray) -> np.ndarray:
        """The network alone, a `farm.learn.tiles.Network`."""
        found: np.ndarray = self._session.run([OUTPUT], {NOISY: noisy, FEATURES: features})[0]
        return found

    def denoise(self, noisy: np.ndarray, features: np.ndarray) -> np.ndarray:
        """Light (3, H, W) and features (channels, H, W), any size, to denoised light (3, H, W) float32."""
        return denoise_tiled(self.run, noisy, features)
