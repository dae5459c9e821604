"""The layers of an image: channels, units, axes, signs and bounds, stated once for writer, checks, index and docs."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from pydantic import BaseModel, ConfigDict

__all__ = [
    "COLOUR_SPACE",
    "DEPTH_BACKGROUND",
    "LAYERS",
    "MATTE_LEVELS",
    "NOISY_CHANNELS",
    "REFERENCE_CHANNELS",
    "Layer",
    "dataset_layers",
    "has_data",
    "present_layers",
]

COLOUR_SPACE: Final = "lin_rec709_scene"

DEPTH_BACKGROUND: Final = 1e10
"""Depth where the camera sees nothing, as Cycles writes it."""

MATTE_LEVELS: Final = 3
"""Cryptomatte's levels, of two ids each."""


class Layer(BaseModel):
    """One layer of the images. `low` and `high` bound every value; None leaves a side open.

    Where `clips` is set, only images of clips have it: of variants that are rendered at more than one frame.
    `asked_as` is the pass of a recipe's `capture.passes` that brings it; empty is a layer that is always there.
    `images` are the noisy images, the reference, the data image, whose layers are of the frame itself, partners of low
    resolution, and single samples. In the last two, what is said of the pixel's centre holds for the point of the pixel
    that their jitter names.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    channels: tuple[str, ...]
    unit: str
    axes: str = ""
    sign: str = ""
    low: float | None = None
    high: float | None = None
    images: tuple[str, ...] = ("noisy", "reference", "partner", "sample")
    clips: bool = False
    asked_as: str = ""
    description: str


_RADIANCE: Final = "radiance, scene-linear Rec.709"
_WORLD: Final = "world: X to the double's left, Y behind it, Z up"


_SURFACE: Final = ("data", "partner", "sample")
"""Images that say what a ray from the pixel hits."""


def _colours(name: str) -> tuple[str, ...]:
    return tuple(f"{name}.{colour}" for colour in "RGB")


def _light(name: str, description: str) -> Layer:
    return Layer(
        name=name,
        channels=_colours(name),
        unit=_RADIANCE,
        sign="never negative",
        low=0.0,
        asked_as=name.partition(".")[0],
        description=description,
    )


def _splits(name: str, of: str) -> Iterator[Layer]:
    yield _light(f"{name}.direct", f"Part of the beauty: light of lamps that {of} sent to the camera, colour included.")
    yield _light(
        f"{name}.indirect", f"Part of the beauty: bounced light that {of} sent to the camera, colour included."
    )
    yield Layer(
        name=f"{name}.color",
        channels=_colours(f"{name}.color"),
        unit="reflectance, scene-linear Rec.709",
        low=0.0,
        high=16.0,
        asked_as=name,
        description=f"Colour of {of}, premultiplied by coverage; divide direct and indirect by it for light alone.",
    )


def _direction(name: str, axes: str, sign: str, description: str) -> Layer:
    return Layer(
        name=name,
        channels=tuple(f"{name}.{axis}" for axis in "XYZ"),
        unit="direction, unit length",
        axes=axes,
        sign=sign,
        low=-1.0,
        high=1.0,
        images=_SURFACE,
        asked_as=name,
        description=description,
    )


def _cryptomatte(kind: str, what: str) -> Layer:
    name = f"Crypto{kind.capitalize()}"
    return Layer(
        name=f"cryptomatte.{kind}",
        channels=tuple(f"{name}{level:02d}.{channel}" for level in range(MATTE_LEVELS) for channel in "RGBA"),
        unit="R and B an id (MurmurHash3 as float), G and A the share of the pixel it covers",
        images=("data",),
        asked_as=f"cryptomatte.{kind}",
        description=f"Cryptomatte 1.2 by {what}, six ids a pixel; the names of the ids are in the header.",
    )


LAYERS: Final[tuple[Layer, ...]] = (
    Layer(
        name="beauty",
        channels=("R", "G", "B"),
        unit="radiance, scene-linear Rec.709 (lin_rec709_scene)",
        sign="never negative",
        low=0.0,
        description="Light that reaches the camera. In the reference it is the mean of two independent halves.",
    ),
    Layer(
        name="alpha",
        channels=("A",),
        unit="share of the pixel that is covered",
        low=0.0,
        high=1.0,
        description="Coverage; the beauty is premultiplied by it.",
    ),
    Layer(
        name="albedo",
        channels=("albedo.R", "albedo.G", "albedo.B"),
        unit="reflectance, scene-linear Rec.709",
        low=0.0,
        high=16.0,
        description="Colour of the surface without light, premultiplied by coverage: zero where nothing is hit. An"
        " estimate: coats lift it above 1, and with few samples so does hair, whose lobes Cycles samples at random.",
    ),
    Layer(
        name="normal",
        channels=("normal.X", "normal.Y", "normal.Z"),
        unit="direction, unit length",
        axes="world: X to the double's left, Y behind it, Z up",
        sign="away from the surface",
        low=-1.0,
        high=1.0,
        description="Surface normal; zero where nothing is hit, shorter than 1 where a pixel blends several surfaces.",
    ),
    Layer(
        name="depth",
        channels=("depth.Z",),
        unit="metre",
        axes="along the camera's view axis (planar, not along the ray)",
        sign="positive in front of the camera",
        low=0.0,
        high=DEPTH_BACKGROUND,
        description="Distance of the first surface at the pixel's centre, never blended; 1e10 where nothing is hit.",
    ),
    Layer(
        name="motion.prev",
        channels=("motion.prev.X", "motion.prev.Y"),
        unit="pixel",
        axes="image: X to the right, Y down",
        sign="place at the frame before − place at this frame",
        clips=True,
        description="Where what is at the pixel's centre came from: the frame before is one less, whatever the step.",
    ),
    Layer(
        name="motion.next",
        channels=("motion.next.X", "motion.next.Y"),
        unit="pixel",
        axes="image: X to the right, Y down",
        sign="place at the frame after − place at this frame",
        clips=True,
        description="Where what is at the pixel's centre goes to: the frame after is one more, whatever the step.",
    ),
    Layer(
        name="half_difference",
        channels=("half_difference.R", "half_difference.G", "half_difference.B", "half_difference.A"),
        unit="as beauty and alpha",
        sign="(first half − second half) / 2",
        images=("reference",),
        description="Spread of the reference's two halves: a draw of the reference's own remaining noise.",
    ),
    Layer(
        name="variance",
        channels=_colours("variance"),
        unit="square of the beauty's",
        sign="never negative",
        low=0.0,
        images=("reference",),
        asked_as="variance",
        description="Variance of the reference's mean at each pixel, from the spread of its chunks.",
    ),
    *_splits("diffuse", "matt surfaces"),
    *_splits("glossy", "shiny surfaces and hair"),
    *_splits("transmission", "clear surfaces"),
    _light("volume.direct", "Part of the beauty: light of lamps that smoke or fog scattered."),
    _light("volume.indirect", "Part of the beauty: bounced light that smoke or fog scattered."),
    _light("emission", "Part of the beauty: light that surfaces give by themselves."),
    _light(
        "environment",
        "Light of the world behind the scene, where the beauty is transparent: no part of the beauty, beauty plus"
        " environment is the picture before its world.",
    ),
    Layer(
        name="position",
        channels=tuple(f"position.{axis}" for axis in "XYZ"),
        unit="metre",
        axes=_WORLD,
        images=_SURFACE,
        asked_as="position",
        description="Place of the first surface at the pixel's centre, never blended; zero where nothing is hit.",
    ),
    _direction(
        "normal.world",
        _WORLD,
        "away from the surface",
        "Normal of the first surface at the pixel's centre: never blended, at hair's edges neither.",
    ),
    _direction(
        "normal.camera",
        "camera: X to the right, Y up, Z towards the camera",
        "away from the surface",
        "The same in the camera's axes.",
    ),
    Layer(
        name="base_color",
        channels=_colours("base_color"),
        unit="reflectance, scene-linear Rec.709",
        low=0.0,
        high=16.0,
        images=_SURFACE,
        asked_as="base_color",
        description="Base colour of the material at the pixel's centre, never blended; in hair and other materials"
        " that are no Principled BSDF, the albedo of one sample there; zero where nothing is hit.",
    ),
    Layer(
        name="roughness",
        channels=("roughness.X",),
        unit="Principled BSDF's roughness (its square is the microfacets' alpha)",
        low=0.0,
        high=1.0,
        images=_SURFACE,
        asked_as="roughness",
        description="Roughness of the material at the pixel's centre, never blended; in hair and other materials"
        " that are no Principled BSDF, Cycles' own estimate for denoising; zero where nothing is hit.",
    ),
    Layer(
        name="albedo.centre",
        channels=_colours("albedo.centre"),
        unit="reflectance, scene-linear Rec.709",
        low=0.0,
        high=16.0,
        images=_SURFACE,
        asked_as="albedo.centre",
        description="The albedo of one sample at the pixel's centre, never blended with what is behind; zero where"
        " nothing is hit.",
    ),
    Layer(
        name="motion.world",
        channels=tuple(f"motion.world.{axis}" for axis in "XYZ"),
        unit="metre",
        axes=_WORLD,
        sign="place at the frame before − place at this frame",
        images=_SURFACE,
        clips=True,
        asked_as="motion.world",
        description="How what is at the pixel's centre moved in the world, whatever the camera did (scene flow); zero"
        " where nothing is hit.",
    ),
    Layer(
        name="uv",
        channels=("uv.U", "uv.V"),
        unit="share of the texture",
        axes="texture: U to the right, V up",
        images=_SURFACE,
        asked_as="uv",
        description="Place in the surface's first UV map at the pixel's centre, never blended; zero where there is"
        " none.",
    ),
    _direction(
        "strand.tangent",
        _WORLD,
        "from root to tip",
        "Direction of the strand at the pixel's centre, never blended; zero off hair.",
    ),
    Layer(
        name="strand.id",
        channels=("strand.id.X",),
        unit="whole number",
        low=0.0,
        high=float(2**24),
        images=_SURFACE,
        asked_as="strand.id",
        description="Number of the strand at the pixel's centre, from 1, the same in every frame of a variant; 0 off"
        " hair.",
    ),
    Layer(
        name="hair.mask",
        channels=("hair.mask.X",),
        unit="share of the pixel that hair covers",
        low=0.0,
        high=1.0,
        images=("data",),
        asked_as="hair.mask",
        description="Coverage by hair, beard, brows and lashes, filtered as the beauty is.",
    ),
    _cryptomatte("object", "object"),
    _cryptomatte("material", "material"),
    _cryptomatte("asset", "asset: an object's outermost parent"),
)


def dataset_layers(*, clip: bool, passes: Collection[str] = ()) -> tuple[Layer, ...]:
    """The layers of a dataset of clips, or of stills, whose recipe asks for these passes (presets expanded)."""
    return tuple(
        layer for layer in LAYERS if (clip or not layer.clips) and (not layer.asked_as or layer.asked_as in passes)
    )


def has_data(passes: Collection[str], *, clip: bool) -> bool:
    """Whether these passes (presets expanded) bring layers of the data image, in clips or in stills."""
    return any("data" in layer.images for layer in dataset_layers(clip=clip, passes=passes))


def present_layers(channels: Collection[str]) -> tuple[Layer, ...]:
    """The layers that an image with these channels has a part of, and those that every image has."""
    return tuple(
        layer
        for layer in LAYERS
        if any(channel in channels for channel in layer.channels) or not (layer.asked_as or layer.clips)
    )


def _channels(image: str) -> tuple[str, ...]:
    return tuple(channel for layer in dataset_layers(clip=False) if image in layer.images for channel in layer.channels)


NOISY_CHANNELS: Final = _channels("noisy")
REFERENCE_CHANNELS: Final = _channels("reference")
"""What images of stills hold where a recipe asks for no passes; those of clips have the motion as well."""
