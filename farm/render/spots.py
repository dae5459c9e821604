"""Spots: renders whose samples all lie on one point of each pixel. Partners of low resolution and single samples are.

An upscaler's input is such a picture: a game's rasteriser looks through one point of each pixel, moved from frame to
frame. Filtered samples around a shifted camera would blur it by the filter's width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from farm.dataset.layout import partner_name, sample_name
from farm.recipe import Capture
from farm.render.jitter import Jitter, partner_jitter, sample_jitter, seen_through
from farm.render.passes import Image
from farm.render.scene_flow import camera_aside, camera_before, world_motion
from farm.render.seeds import data_role, partner_role, sample_role

__all__ = ["WHOLE", "Light", "Spot", "find_spots", "render_frame"]

Render = Callable[..., Image]


@dataclass(frozen=True)
class Light:
    """An image of a spot: its name, the role that its seed is made from, and its samples per pixel."""

    name: str
    role: str
    samples: int


@dataclass(frozen=True)
class Spot:
    """A point of every pixel at a part of the resolution, and the images through it. No jitter is the usual filter."""

    jitter: Jitter | None
    factor: int = 1
    images: tuple[Light, ...] = ()


WHOLE = Spot(None)
"""The view itself."""


def find_spots(view: str, capture: Capture, frame: int) -> list[Spot]:
    """The spots of a view, named `<clip>/<frame>`: partners by factor, then single samples."""
    clip, place = view.rpartition("/")[0], (frame - capture.frames.start) // capture.frames.step
    partners = [
        Spot(
            partner_jitter(clip, place, factor),
            factor,
            tuple(Light(partner_name(factor, spp), partner_role(factor, spp), spp) for spp in capture.partners.samples),
        )
        for factor in capture.partners.factors
    ]
    samples = [
        Spot(sample_jitter(view, number), 1, (Light(sample_name(number), sample_role(number), 1),))
        for number in range(capture.per_sample)
    ]
    return [*partners, *samples]


def render_frame(
    scene: Any, render: Render, spots: Sequence[Spot], passes: Sequence[str], *, clip: bool
) -> list[Image]:
    """What the rays through each spot hit first: the data of the frame, one render a spot, two with `motion.world`."""

    def each(kind: str) -> Iterator[Image]:
        for spot in spots:
            with seen_through(scene, spot.jitter, spot.factor):
                yield render(data_role(), kind, offset=0, length=1, motion=clip)

    found = list(each("data"))
    if clip and "motion.world" in passes:
        before = camera_before(scene)
        with camera_aside(scene, before):
            aside = list(each("motion"))
        for spot, image, other in zip(spots, found, aside, strict=True):
            image.update(world_motion(image, other, before, spot.jitter or (0.0, 0.0)))
            if "position" not in passes:
                for axis in "XYZ":
                    del image[f"position.{axis}"]
    return found
