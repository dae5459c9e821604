"""The layers of an image: channels, units, axes, signs and bounds, stated once for writer, checks, index and docs."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict

__all__ = ["DEPTH_BACKGROUND", "LAYERS", "NOISY_CHANNELS", "REFERENCE_CHANNELS", "Layer", "dataset_layers"]

DEPTH_BACKGROUND: Final = 1e10
"""Depth where the camera sees nothing, as Cycles writes it."""


class Layer(BaseModel):
    """One layer of the images. `low` and `high` bound every value; None leaves a side open.

    Where `clips` is set, only images of clips have it: of variants that are rendered at more than one frame.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    channels: tuple[str, ...]
    unit: str
    axes: str = ""
    sign: str = ""
    low: float | None = None
    high: float | None = None
    images: tuple[str, ...] = ("noisy", "reference")
    clips: bool = False
    description: str


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
        description="Colour of the surface without light, premultiplied by coverage. An estimate: coats lift it above"
        " 1, and with few samples so does hair, whose lobes Cycles samples at random.",
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
)


def dataset_layers(*, clip: bool) -> tuple[Layer, ...]:
    """The layers of a dataset of clips, or of stills."""
    return tuple(layer for layer in LAYERS if clip or not layer.clips)


def _channels(image: str) -> tuple[str, ...]:
    return tuple(channel for layer in dataset_layers(clip=False) if image in layer.images for channel in layer.channels)


NOISY_CHANNELS: Final = _channels("noisy")
REFERENCE_CHANNELS: Final = _channels("reference")
"""What images of stills hold; those of clips have the motion as well."""
