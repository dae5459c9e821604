"""A trained denoiser as a file: weights, and what it must be given; used on pixels, exported as ONNX."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from farm.dataset.files import read_bytes, replace_bytes
from farm.errors import BadInput, DatasetError
from farm.learn.net import Denoiser
from farm.learn.onnx_model import FEATURES, LAYERS_KEY, NOISY, OUTPUT
from farm.learn.tiles import MULTIPLE, denoise_whole

__all__ = ["MODEL_FORMAT", "Model", "load_file", "save_file"]

MODEL_FORMAT: Final = "digidouble-denoiser/2"

_OPSET: Final = 18


@dataclass(frozen=True)
class Model:
    """A network with the layers that it is given beside the light: each layer's channels by its name, in order."""

    net: Denoiser
    layers: dict[str, tuple[str, ...]]
    width: int

    @classmethod
    def fresh(cls, layers: Mapping[str, Sequence[str]], *, width: int, seed: int) -> Model:
        """An untrained one: equal seeds, equal weights."""
        torch.manual_seed(seed)
        channels = {name: tuple(each) for name, each in layers.items()}
        return cls(Denoiser(sum(map(len, channels.values())), width), channels, width)

    @classmethod
    def load(cls, path: Path) -> Model:
        """A model file; BadInput where it is none, or of another format."""
        data = load_file(path, MODEL_FORMAT)
        model = cls.fresh(data["layers"], width=data["width"], seed=0)
        model.net.load_state_dict(data["weights"])
        model.net.eval()
        return model

    def save(self, path: Path) -> None:
        """Writes the model, whole or not at all."""
        save_file(path, {"format": MODEL_FORMAT, **self.plain()})

    def plain(self) -> dict[str, Any]:
        """What a file holds of it."""
        layers = {name: list(channels) for name, channels in self.layers.items()}
        return {"layers": layers, "width": self.width, "weights": self.net.state_dict()}

    @property
    def channels(self) -> tuple[str, ...]:
        """Channels of an image that the network is given, in order: the light, then the features."""
        return ("R", "G", "B", *(channel for layer in self.layers.values() for channel in layer))

    def run(self, noisy: np.ndarray, features: np.ndarray) -> np.ndarray:
        """The network alone, a `farm.learn.tiles.Network`."""
        device = next(self.net.parameters()).device
        with torch.inference_mode():
            light, beside = (torch.from_numpy(np.ascontiguousarray(each)).to(device) for each in (noisy, features))
            found: np.ndarray = self.net(light, beside).cpu().numpy()
        return found

    def denoise(self, noisy: np.ndarray, features: np.ndarray) -> np.ndarray:
        """Light (3, H, W) and features (channels, H, W), any size, to denoised light (3, H, W) float32."""
        return denoise_whole(self.run, noisy, features)

    def export_onnx(self, path: Path) -> None:
        """Writes the network as ONNX, which `farm.learn.onnx_model` reads."""
        import onnx

        sides = 4 * MULTIPLE, 6 * MULTIPLE
        example = (torch.zeros(1, 3, *sides), torch.zeros(1, len(self.channels) - 3, *sides))
        sizes = {0: "count", 2: "height", 3: "width"}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            buffer = io.BytesIO()
            torch.onnx.export(
                self.net.cpu().eval(),
                example,
                buffer,
                dynamo=False,
                opset_version=_OPSET,
                input_names=[NOISY, FEATURES],
                output_names=[OUTPUT],
                dynamic_axes=dict.fromkeys((NOISY, FEATURES, OUTPUT), sizes),
            )
        graph = onnx.load_from_string(buffer.getvalue())
        onnx.helper.set_model_props(graph, {"format": MODEL_FORMAT, LAYERS_KEY: json.dumps(self.layers)})
        replace_bytes(path, graph.SerializeToString())


def save_file(path: Path, data: dict[str, Any]) -> None:
    """Writes plain data with tensors, whole or not at all."""
    buffer = io.BytesIO()
    torch.save(data, buffer)
    replace_bytes(path, buffer.getvalue())


def load_file(path: Path, expected: str) -> dict[str, Any]:
    """What `save_file` wrote, of the `format` that is expected; BadInput for anything else."""
    try:
        data = torch.load(io.BytesIO(read_bytes(path)), map_location="cpu", weights_only=True)
    except DatasetError:
        raise
    except Exception as error:  # torch raises whatever it likes
        raise BadInput(f"{path}: not a file of `digidouble train`, or a broken one") from error
    found = data.get("format") if isinstance(data, dict) else None
    if found != expected:
        raise BadInput(f"{path}: format is {found!r}, expected '{expected}'; give a file of this digidouble's")
    return dict(data)
