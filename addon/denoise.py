"""Denoising an EXR with an exported denoiser: which channels it needs, what Blender calls them, and the pixels.

All but `render_to` may run in a thread.
"""

from __future__ import annotations

import functools
import importlib.util
import math
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from farm.dataset.layout import DATA_NAME
from farm.errors import BadInput
from farm.learn.onnx_model import OnnxModel
from farm.learn.tiles import TILE, denoise_tiled

__all__ = ["PASSES", "Pass", "able", "channels_of", "denoise", "load", "missing_passes", "read_exr", "render_to"]


class Pass(NamedTuple):
    """A layer of a dataset as Blender renders it: its pass, the pass' components, and the view layer's switch."""

    name: str
    components: str
    switch: str


PASSES: Final = {
    "albedo": Pass("Denoising Albedo", "RGB", "cycles.denoising_store_passes"),
    "normal": Pass("Normal", "XYZ", "use_pass_normal"),
    "depth": Pass("Depth", "Z", "use_pass_z"),
    "position": Pass("Position", "XYZ", "use_pass_position"),
    "diffuse.color": Pass("Diffuse Color", "RGB", "use_pass_diffuse_color"),
    "glossy.color": Pass("Glossy Color", "RGB", "use_pass_glossy_color"),
    "emission": Pass("Emission", "RGB", "use_pass_emit"),
}
"""Layers that any scene can render. Others, such as the hair's tangent, come from renders of the farm."""
LIGHT: Final = ("R", "G", "B", "A")


@functools.cache
def able() -> str:
    """What this Blender lacks to denoise, in a few words; '' where it lacks nothing."""
    lacks = [
        name
        for name, module in (("ONNX Runtime", "onnxruntime"), ("OpenImageIO", "OpenImageIO"))
        if importlib.util.find_spec(module) is None
    ]
    return " and no ".join(lacks)


def load(path: Path) -> OnnxModel:
    """A denoiser; BadInput where the file is none, or ONNX Runtime is missing."""
    return OnnxModel(path)


def missing_passes(layers: Collection[str], view_layer: Any) -> tuple[list[Pass], list[str]]:
    """What a denoiser needs that a view layer does not render: passes to switch on, and layers that none has."""
    known = [PASSES[name] for name in layers if name in PASSES]
    off = [each for each in known if not _switch(view_layer, each.switch)]
    return off, [name for name in layers if name not in PASSES]


def switch_on(view_layer: Any, passes: Collection[Pass]) -> None:
    """Let a view layer render passes."""
    for each in passes:
        owner, name = _owner(view_layer, each.switch)
        setattr(owner, name, True)


def _switch(view_layer: Any, switch: str) -> bool:
    owner, name = _owner(view_layer, switch)
    return bool(getattr(owner, name))


def _owner(view_layer: Any, switch: str) -> tuple[Any, str]:
    where, _, name = switch.rpartition(".")
    return (getattr(view_layer, where) if where else view_layer), name


def render_to(scene: Any, image: Any, path: Path) -> None:
    """Write the render result with all its passes as a multilayer EXR; the scene's settings stay as they were."""
    settings = scene.render.image_settings
    wanted = {"media_type": "MULTI_LAYER_IMAGE", "file_format": "OPEN_EXR_MULTILAYER", "color_depth": "32",
              "exr_codec": "NONE"}  # fmt: skip
    before = {"media_type": settings.media_type, "file_format": settings.file_format,
              "color_depth": settings.color_depth, "exr_codec": settings.exr_codec,
              "color_mode": settings.color_mode}  # fmt: skip
    try:
        for name, value in wanted.items():
            setattr(settings, name, value)
        image.save_render(str(path), scene=scene)
    except RuntimeError as error:
        raise BadInput(f"the render result cannot be saved: {str(error).strip()}; render first") from error
    finally:
        for name, value in before.items():
            if value in {item.identifier for item in settings.bl_rna.properties[name].enum_items}:
                setattr(settings, name, value)


def read_exr(path: Path) -> dict[str, np.ndarray]:
    """Every channel of an EXR, of all its parts, as float32 (height, width); BadInput for a file that is none."""
    import OpenImageIO as oiio  # noqa: N813

    opened = oiio.ImageInput.open(str(path))
    if opened is None:
        raise BadInput(f"{path}: not a readable image: {oiio.geterror().strip()}")
    found: dict[str, np.ndarray] = {}
    try:
        part = 0
        while opened.seek_subimage(part, 0):
            spec = opened.spec()
            pixels = opened.read_image(part, 0, 0, spec.nchannels, oiio.FLOAT)
            if pixels is None:
                raise BadInput(f"{path}: not a readable image: {opened.geterror().strip()}")
            for number, name in enumerate(spec.channelnames):
                found[name] = np.ascontiguousarray(pixels[..., number])
            part += 1
    finally:
        opened.close()
    return found


def channels_of(there: Mapping[str, np.ndarray], layers: Mapping[str, Collection[str]]) -> dict[str, np.ndarray]:
    """The light and a denoiser's channels by their names, out of a dataset's image or one of Blender's.

    BadInput names all that are missing.
    """
    named = dict(there)
    if "R" not in named:
        named = _renamed(there)
    wanted = ["R", "G", "B", *(channel for channels in layers.values() for channel in channels)]
    missing = [name for name, channels in layers.items() if any(channel not in named for channel in channels)]
    if missing or not {"R", "G", "B"} <= named.keys():
        raise BadInput(f"the image lacks {', '.join(missing) or 'its light'}, which the denoiser needs")
    return {name: named[name] for name in (*wanted, *(["A"] if "A" in named else []))}


def _renamed(there: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Channels of a multilayer EXR of Blender's, `<view layer>.<pass>.<component>`, by a dataset's names.

    Where Blender has denoised the picture itself, the light before that is taken.
    """
    layer = next((name.rpartition(".Combined.")[0] for name in there if name.endswith(".Combined.R")), "")
    light = "Noisy Image" if f"{layer}.Noisy Image.R" in there else "Combined"
    wanted = {f"{layer}.{light}.{channel}": channel for channel in LIGHT}
    for name, each in PASSES.items():
        wanted |= {f"{layer}.{each.name}.{component}": f"{name}.{component}" for component in each.components}
    return {wanted[name]: pixels for name, pixels in there.items() if name in wanted}


def denoise(model: OnnxModel, path: Path, say: Callable[[str], None]) -> np.ndarray:
    """An image's denoised light with its alpha, (height, width, 4) float32, rows from the top.

    What an image of a dataset lacks, its pair's data image may have. `say` is told how far it is. BadInput where
    channels are missing or hold NaN.
    """
    there = read_exr(path)
    beside = path.with_name(DATA_NAME)
    if "R" in there and beside.is_file() and beside != path:
        there = {**read_exr(beside), **there}
    pixels = channels_of(there, model.layers)
    stack = np.stack([pixels[name] for name in model.channels])
    if not np.isfinite(stack).all():
        raise BadInput("the image holds NaN or infinite values")
    height, width = stack.shape[1:]
    total, done = math.ceil(height / TILE) * math.ceil(width / TILE), 0

    def network(noisy: np.ndarray, features: np.ndarray) -> np.ndarray:
        nonlocal done
        say(f"Denoising, {done} of {total}")
        done += 1
        return model.run(noisy, features)

    clean = denoise_tiled(network, stack[:3], stack[3:])
    alpha = pixels["A"] if "A" in pixels else np.ones((height, width), np.float32)
    return np.stack([*clean, alpha], axis=-1)
