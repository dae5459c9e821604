"""Cycles' settings for data, written once and read back from Blender rather than assumed.

Nothing here may bias the mean: no clamping, no denoiser, no adaptive sampling, no filter on glossy paths. What
decides the image itself (bounces, caustics, pixel filter) is the same for noisy images and reference.
"""

from __future__ import annotations

import math
from typing import Any, Final

import bpy

from farm.dataset.record import EngineBuild
from farm.double.base_mesh import data_digest
from farm.double.groom.material import HAIR_MODEL
from farm.errors import RenderError
from farm.recipe import Capture
from farm.recipe.passes import MATTE_SAMPLES
from farm.recipe.templates import templates_digest
from farm.recipe.variant import content_hash

__all__ = ["allowed", "configure", "engine_build", "prepare_subset", "read_back", "sequence_length", "use_threads"]

UNBIASED: Final[dict[str, Any]] = {
    "use_denoising": False,
    "use_adaptive_sampling": False,
    "use_guiding": False,
    "use_pixel_jitter": False,
    "use_animated_seed": False,
    "sample_clamp_direct": 0.0,
    "sample_clamp_indirect": 0.0,
    "blur_glossy": 0.0,
    "film_exposure": 1.0,
    "time_limit": 0.0,
}
ALLOWABLE: Final = ("sample_clamp_direct", "sample_clamp_indirect", "blur_glossy")
TRANSPORT: Final[dict[str, Any]] = {
    "sampling_pattern": "TABULATED_SOBOL",
    "use_light_tree": True,
    "light_sampling_threshold": 0.01,  # Russian roulette on faint lights: unbiased
    "max_bounces": 6,
    "diffuse_bounces": 3,
    "glossy_bounces": 4,
    "transmission_bounces": 6,
    "volume_bounces": 0,
    "transparent_max_bounces": 8,
    "pixel_filter_type": "BLACKMAN_HARRIS",
    "filter_width": 1.5,
}
RENDER: Final = (
    "use_motion_blur",
    "motion_blur_shutter",
    "motion_blur_position",
    "fps",
    "fps_base",
    "film_transparent",
    "use_persistent_data",
    "resolution_x",
    "resolution_y",
)
FIRST_SAMPLE: Final = 1  # sample 0 is always the pixel's centre: an image of it alone is aliased


def engine_build(device: str) -> EngineBuild:
    """What renders: this Blender on a kind of device, with the templates and the base mesh's data as they are."""
    return EngineBuild(
        blender=bpy.app.version_string,
        build_hash=bpy.app.build_hash.decode("ascii"),
        device=device,
        digidouble=content_hash([templates_digest(), data_digest()]),
    )


def sequence_length(capture: Capture) -> int:
    """The length of every sample sequence of a capture.

    Constant over a run: Cycles gives other pixels for a lower total after a higher one while data is persistent.
    """
    counts = (*capture.samples, *capture.partners.samples, capture.reference.samples // 2, MATTE_SAMPLES)
    return FIRST_SAMPLE + max(counts)


def configure(scene: Any, capture: Capture, *, threads: int = 0) -> None:
    """Set a scene up for a capture. `threads` 0 leaves the number to Blender."""
    render, cycles = scene.render, scene.cycles
    render.engine = "CYCLES"
    render.resolution_x, render.resolution_y = capture.resolution
    render.resolution_percentage = 100
    render.use_persistent_data = True
    render.use_motion_blur = capture.shutter > 0
    render.motion_blur_shutter = capture.shutter
    render.motion_blur_position = "CENTER"
    cycles.rolling_shutter_type = "NONE"
    render.use_compositing = False
    render.use_sequencer = False
    render.film_transparent = True
    render.dither_intensity = 0.0
    render.threads_mode = "AUTO"
    use_threads(scene, threads)
    scene.cycles_curves.shape = "RIBBONS"
    for name, value in {**UNBIASED, **TRANSPORT, **allowed(capture)}.items():
        setattr(cycles, name, value)
    cycles.caustics_reflective = cycles.caustics_refractive = capture.caustics
    cycles.samples = sequence_length(capture)
    cycles.use_sample_subset = True
    image = render.image_settings
    image.media_type = "MULTI_LAYER_IMAGE"
    image.file_format = "OPEN_EXR_MULTILAYER"
    image.color_depth = "32"
    image.exr_codec = "NONE"
    scene.update_tag()


def use_threads(scene: Any, threads: int) -> None:
    """Let the next renders have so many CPU threads; 0 leaves the number as it is.

    Where it changes Cycles takes the scene in anew, and renders the same pixels.
    """
    if threads and (scene.render.threads_mode != "FIXED" or scene.render.threads != threads):
        scene.render.threads_mode = "FIXED"
        scene.render.threads = threads


def prepare_subset(scene: Any, *, seed: int, offset: int, length: int) -> None:
    """Choose the samples [offset, offset + length) of a seed's sequence for the next render.

    Writing to `scene.cycles` does not tag the scene: without the tag a warm render silently keeps the old seed.
    """
    cycles = scene.cycles
    if offset + length > cycles.samples:
        raise RenderError(f"samples {offset} to {offset + length} exceed the sequence of {cycles.samples}")
    cycles.seed = seed
    cycles.sample_offset = offset
    cycles.sample_subset_length = length
    scene.update_tag()


def allowed(capture: Capture) -> dict[str, float]:
    """The settings that a recipe lets bias the mean, by Cycles' name."""
    bias = capture.allow_bias
    return {
        "sample_clamp_direct": bias.clamp_direct,
        "sample_clamp_indirect": bias.clamp_indirect,
        "blur_glossy": bias.blur_glossy,
    }


def read_back(scene: Any, capture: Capture | None = None) -> dict[str, Any]:
    """The settings that ran, as Blender holds them; a biasing one is refused, unless `capture` allows just that."""
    cycles = scene.cycles
    for name, wanted in {**UNBIASED, **({} if capture is None else allowed(capture))}.items():
        found = getattr(cycles, name)
        if not math.isclose(found, wanted, rel_tol=1e-6):
            remedy = "; a recipe that wants it says so in capture.allow_bias" if name in ALLOWABLE else ""
            raise RenderError(f"cycles.{name} is {found!r} and biases the mean; it must be {wanted!r}{remedy}")
    names = [*UNBIASED, *TRANSPORT, "caustics_reflective", "caustics_refractive", "samples"]
    settings: dict[str, Any] = {f"cycles.{name}": _plain(getattr(cycles, name)) for name in names}
    render = scene.render
    for name in RENDER:
        settings[f"render.{name}"] = _plain(getattr(render, name))
    settings["curves.shape"] = scene.cycles_curves.shape
    settings["hair.model"] = HAIR_MODEL
    settings["colour.scene_linear"] = bpy.data.colorspace.working_space
    return settings


def _plain(value: Any) -> bool | int | float | str:
    if isinstance(value, float):
        return round(value, 6)
    return value if isinstance(value, bool | int) else str(value)
