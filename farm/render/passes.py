"""Passes: what Blender calls them, what the dataset calls them, and how they come out of a render as arrays.

Blender writes one EXR part a pass (5.2). The channels of a part are `<view layer>.<pass>.<component>`.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np
import OpenEXR
from numpy.typing import NDArray

from farm.dataset.layers import MATTE_LEVELS
from farm.errors import RenderError, StorageError
from farm.render.shader_outputs import OUTPUTS

__all__ = ["Image", "Kind", "data_pass", "enable_passes", "read_render", "render_image", "table", "unite_light"]

Image = dict[str, NDArray[np.float32]]
Kind = str
"""Of a render: `radiance` (light), `data` (the frame itself, from sample 0), `matte` (coverage), `motion` alone."""

Channels = dict[str, dict[str, str]]
"""Blender's pass → component → channel in the dataset. A channel that starts with RAW goes into others."""

Targets = dict[str, dict[str, list[str]]]
"""Blender's pass → component → all channels that it goes into."""

CHANNELS_AT_MOST: Final = 128
"""Of a render's file: with all passes on, Blender writes fewer."""
RAW: Final = "raw:"


def _rgb(name: str) -> dict[str, str]:
    return {colour: f"{name}.{colour}" for colour in "RGB"}


def _xyz(name: str) -> dict[str, str]:
    return {axis: f"{name}.{axis}" for axis in "XYZ"}


def _coloured(name: str, blender: str) -> Channels:
    return {
        f"{blender} Direct": _rgb(f"{name}.direct"),
        f"{blender} Indirect": _rgb(f"{name}.indirect"),
        f"{blender} Color": _rgb(f"{name}.color"),
    }


COLOURED: Final = ("diffuse", "glossy", "transmission")

BEHIND: Final[Channels] = {"Environment": _rgb(f"{RAW}environment")}
RADIANCE: Final[Channels] = {
    "Combined": {channel: channel for channel in "RGBA"},
    "Denoising Albedo": _rgb("albedo"),
    "Normal": _xyz("normal"),
    **BEHIND,
}
LIGHT: Final[dict[str, Channels]] = {
    **{name: _coloured(name, name.capitalize()) for name in COLOURED},
    "volume": {"Volume Direct": _rgb("volume.direct"), "Volume Indirect": _rgb("volume.indirect")},
    "emission": {"Emission": _rgb("emission")},
    "environment": {"Environment": _rgb("environment")},
}
# Depth is written by sample 0 alone: it comes from a render that starts there
DATA: Final[Channels] = {"Depth": {"Z": "depth.Z"}}
# Blender's own are previous − current and current − next, y up
MOTION: Final[Channels] = {
    "Vector": {"X": "motion.prev.X", "Y": "motion.prev.Y", "Z": "motion.next.X", "W": "motion.next.Y"}
}
SURFACE: Final[dict[str, Channels]] = {
    "position": {"Position": _xyz("position")},
    "normal.world": {"Normal": _xyz("normal.world")},
    "normal.camera": {"Normal": _xyz(f"{RAW}normal")},
    "base_color": {
        "base_color": _rgb("base_color"),
        "Denoising Albedo": _rgb(f"{RAW}albedo"),
        **BEHIND,
        "base_known": {"X": f"{RAW}known"},
        "Combined": {"A": f"{RAW}A"},
    },
    "roughness": {
        "base_roughness": {"X": "roughness.X"},
        "Denoising Roughness": {"X": f"{RAW}roughness"},
        "base_known": {"X": f"{RAW}known"},
        "Combined": {"A": f"{RAW}A"},
    },
    "albedo.centre": {"Denoising Albedo": _rgb("albedo.centre"), **BEHIND},
    "motion.world": {"Position": _xyz("position")},
    "uv": {"UV": {"U": "uv.U", "V": "uv.V"}},
    "strand.tangent": {"strand_tangent": {"R": "strand.tangent.X", "G": "strand.tangent.Y", "B": "strand.tangent.Z"}},
    "strand.id": {"strand_id": {"X": "strand.id.X"}},
}


def _matte(kind: str) -> Channels:
    names = [f"Crypto{kind.capitalize()}{level:02d}" for level in range(MATTE_LEVELS)]
    return {name: {channel.lower(): f"{name}.{channel}" for channel in "RGBA"} for name in names}


MATTE: Final[dict[str, Channels]] = {
    "hair.mask": {"hair_mask": {"X": "hair.mask.X"}},
    **{f"cryptomatte.{kind}": _matte(kind) for kind in ("object", "material", "asset")},
}
SWITCHES: Final = {
    "Emission": "use_pass_emit",
    "Volume Direct": "cycles.use_pass_volume_direct",
    "Volume Indirect": "cycles.use_pass_volume_indirect",
    "UV": "use_pass_uv",
    **{
        name: f"use_pass_{name.lower().replace(' ', '_')}"
        for name in (
            *(
                f"{of} {part}"
                for of in ("Diffuse", "Glossy", "Transmission")
                for part in ("Direct", "Indirect", "Color")
            ),
            "Environment",
            "Position",
        )
    },
    **{f"Crypto{kind.capitalize()}00": f"use_pass_cryptomatte_{kind}" for kind in ("object", "material", "asset")},
}
"""The view layer's switch of each pass that is not always on; of motion see `data_pass`."""

# What is negated, so that a vector leads from its pixel to where this was or will be, y down
TURNED: Final = ("motion.prev.Y", "motion.next.X")
PASS_SHUTTER: Final = 2.0


def table(kind: Kind, passes: Collection[str] = (), *, motion: bool = False) -> Targets:
    """What a kind of render gives: the channels of each of Blender's passes, those wanted together."""
    parts = {
        "radiance": [RADIANCE, *(LIGHT[name] for name in LIGHT if name in passes)],
        "data": [DATA, *([MOTION] if motion else []), *_surface(passes, motion=motion)],
        "motion": [MOTION],
        "matte": [{"Combined": {"A": "matte.A"}}, *(MATTE[name] for name in MATTE if name in passes)],
    }[kind]
    wanted: Targets = {}
    for part in parts:
        for name, channels in part.items():
            for component, channel in channels.items():
                targets = wanted.setdefault(name, {}).setdefault(component, [])
                if channel not in targets:
                    targets.append(channel)
    return wanted


def _surface(passes: Collection[str], *, motion: bool) -> list[Channels]:
    return [SURFACE[name] for name in SURFACE if name in passes and (motion or name != "motion.world")]


def enable_passes(view_layer: Any) -> None:
    """Switch on the passes that all pairs are made of."""
    view_layer.use_pass_combined = True
    view_layer.use_pass_z = True
    view_layer.use_pass_normal = True
    view_layer.use_pass_environment = True
    view_layer.cycles.denoising_store_passes = True


def switch_passes(view_layer: Any, wanted: Targets) -> None:
    """Switch on the passes of a table, and off those that others need."""
    for name, switch in SWITCHES.items():
        _, _, attribute = switch.rpartition(".")
        owner = view_layer.cycles if switch.startswith("cycles.") else view_layer
        if getattr(owner, attribute) != (name in wanted):
            setattr(owner, attribute, name in wanted)
    outputs = [name for name in OUTPUTS if name in wanted]
    if [output.name for output in view_layer.aovs] != outputs:
        for output in list(view_layer.aovs):
            view_layer.aovs.remove(output)
        for name in outputs:
            output = view_layer.aovs.add()
            output.name, output.type = name, OUTPUTS[name]
    view_layer.pass_cryptomatte_depth = 2 * MATTE_LEVELS


@contextmanager
def data_pass(scene: Any, *, motion: bool) -> Iterator[None]:
    """Meanwhile render without motion blur and depth of field; `motion` says that motion vectors are asked for.

    A warm Cycles begins or ends to move the camera itself only where a setting of the camera has changed, too. The
    shutter is one, and of no other use here.
    """
    render, view_layer, lens = scene.render, scene.view_layers[0], scene.camera.data.dof
    before = render.use_motion_blur, render.motion_blur_shutter, lens.use_dof
    render.use_motion_blur = lens.use_dof = False
    view_layer.use_pass_vector = motion
    if motion or before[0]:
        render.motion_blur_shutter = PASS_SHUTTER
    try:
        yield
    finally:
        view_layer.use_pass_vector = False
        render.use_motion_blur, render.motion_blur_shutter, lens.use_dof = before


def render_image(scene: Any, scratch: Path, kind: Kind, passes: Collection[str] = (), *, motion: bool = False) -> Image:
    """Render the current frame and return the channels of a kind of render, each (H, W) float32."""
    file = scratch / "render.exr"
    file.unlink(missing_ok=True)
    scene.render.filepath = str(file)
    wanted = table(kind, passes, motion=motion)
    switch_passes(scene.view_layers[0], wanted)
    try:
        if bpy.ops.render.render(write_still=True, scene=scene.name) != {"FINISHED"} or not file.is_file():
            raise RenderError(f"Blender wrote no image of frame {scene.frame_current}")
        image = read_render(file, kind, passes, motion=motion)
    except Exception as error:
        _refuse_full_disk(scene, scratch, error)
        raise
    if kind == "data":
        _finish_surface(image, scene.camera)
    return image


def _refuse_full_disk(scene: Any, scratch: Path, error: Exception) -> None:
    """StorageError, where what went wrong with a render is that its file had no room: the scene is not to blame."""
    free = shutil.disk_usage(scratch).free
    if free < 4 * CHANNELS_AT_MOST * scene.render.resolution_x * scene.render.resolution_y:
        raise StorageError(f"no space left for renders in {scratch}: {free / 1e6:.1f} MB; free some") from error


def read_render(file: Path, kind: Kind, passes: Collection[str] = (), *, motion: bool = False) -> Image:
    """The channels of a kind of render in a multilayer file that Blender wrote, each (H, W) float32."""
    wanted = table(kind, passes, motion=motion)
    image: Image = {}
    with OpenEXR.File(str(file), separate_channels=True) as exr:
        for part in exr.parts:
            for name, channel in part.channels.items():
                _, _, tail = name.rpartition(".")
                pass_name = name[: -len(tail) - 1].split(".", 1)[-1]
                for target in wanted.get(pass_name, {}).get(tail, ()):
                    image[target] = np.array(channel.pixels, dtype=np.float32, order="C")
    asked = {channel for targets in wanted.values() for names in targets.values() for channel in names}
    if missing := asked - set(image):
        raise RenderError(f"the render lacks {', '.join(sorted(missing))}")
    for channel in set(TURNED) & set(image):
        image[channel] = 0 - image[channel]
    unite_light(image)
    _take_world_from_albedo(image)
    return image


def read_manifests(file: Path) -> dict[str, str]:
    """Cryptomatte's header entries of a file that Blender wrote, without the view layer in the names."""
    found: dict[str, str] = {}
    with OpenEXR.File(str(file), header_only=True) as exr:
        for part in exr.parts:
            for name, value in part.header.items():
                if name.startswith("cryptomatte/"):
                    found[name] = value.rpartition(".")[2] if name.endswith("/name") else value
    return found


def unite_light(image: Image) -> None:
    """Put the colour back into the light that Blender divides by it, so that splits add up and average exactly."""
    for name in COLOURED:
        for part in ("direct", "indirect"):
            for colour in "RGB":
                channel = f"{name}.{part}.{colour}"
                if channel in image:
                    image[channel] = image[channel] * image[f"{name}.color.{colour}"]


def _take_world_from_albedo(image: Image) -> None:
    """Take the world's light from the albedo, into which Cycles puts it where a sample hits nothing."""
    for colour in "RGB":
        behind = image.pop(f"{RAW}environment.{colour}", None)
        for name in ("albedo", "albedo.centre", f"{RAW}albedo"):
            if behind is not None and f"{name}.{colour}" in image:
                image[f"{name}.{colour}"] = np.maximum(image[f"{name}.{colour}"] - behind, 0)


def _finish_surface(image: Image, camera: Any) -> None:
    """Channels that are made of others: normals in the camera's axes, and materials without values of their own."""
    raw = {channel: image.pop(channel) for channel in list(image) if channel.startswith(RAW)}
    if f"{RAW}normal.X" in raw:
        turn = np.array(camera.matrix_world.to_3x3().normalized(), dtype=np.float32)
        world = np.stack([raw[f"{RAW}normal.{axis}"] for axis in "XYZ"], axis=-1)
        for axis, pixels in zip("XYZ", np.moveaxis(world @ turn, -1, 0), strict=True):
            image[f"normal.camera.{axis}"] = np.ascontiguousarray(pixels)
    pairs = {"roughness.X": f"{RAW}roughness", **{f"base_color.{c}": f"{RAW}albedo.{c}" for c in "RGB"}}
    for channel, other in pairs.items():
        if channel in image:
            filled = np.where(raw[f"{RAW}known"] > 0, image[channel], raw[other])
            image[channel] = np.where(raw[f"{RAW}A"] > 0, filled, 0).astype(np.float32)
