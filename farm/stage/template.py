"""What a light set, a framing and a camera move may say: their templates, checked as they are read."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from farm.recipe import templates
from farm.recipe.templates import Part

__all__ = [
    "Backdrop",
    "CameraMove",
    "Follow",
    "Framing",
    "Lamp",
    "LightSet",
    "World",
    "load_camera_move",
    "load_framing",
    "load_light_set",
]

Colour = tuple[float, float, float]


class World(Part):
    """Light from all around: one of Blender's own HDRIs, turned by `rotation` degrees."""

    image: str
    strength: float = Field(ge=0)
    rotation: float = 0.0


class Backdrop(Part):
    """What the double stands on: a seamless `cyclorama` behind it, or a round `disc` in the open."""

    shape: Literal["cyclorama", "disc"]
    colour: Colour
    roughness: float = Field(ge=0, le=1)


class Lamp(Part):
    """A square area lamp aimed at the double. Degrees, metres, watts, kelvin; `spread` is a soft box's grid."""

    azimuth: float
    elevation: float = Field(ge=-90, le=90)
    distance: float = Field(gt=0)
    size: float = Field(gt=0)
    spread: float = Field(default=180.0, gt=0, le=180)
    power: float = Field(ge=0)
    temperature: float = Field(ge=1000, le=20000)


class LightSet(Part):
    """templates/lights."""

    description: str
    world: World
    backdrop: Backdrop
    lamps: dict[str, Lamp] = Field(default_factory=dict)


class Framing(Part):
    """templates/framings: the part of the body that must be in the picture, in shares of stature."""

    description: str
    from_: float = Field(alias="from", ge=0, lt=1)
    reach: float = Field(gt=0)
    margin: float = Field(ge=0, lt=0.5)

    def part(self, rest: NDArray[np.float64]) -> NDArray[np.int64]:
        """Which of points (N, 3) around a body, upright from the floor to its crown, must be in the picture."""
        stature = float(np.ptp(rest[:, 2]))
        return np.flatnonzero((rest[:, 2] >= self.from_ * stature) & (np.abs(rest[:, 0]) <= self.reach * stature))


class Follow(Part):
    """A camera that goes along: shares of the hips' way, on the floor and upward, smoothed over seconds."""

    along: float = Field(ge=0, le=1)
    up: float = Field(ge=0, le=1)
    smooth: float = Field(ge=0, le=2)


class CameraMove(Part):
    """templates/camera_moves; templates/camera_moves/static.yaml says what each of it is."""

    description: str
    follow: Follow | None = None
    orbit: float = Field(default=0.0, ge=-60, le=60)
    slide: float = Field(default=0.0, ge=-1, le=1)
    dolly: float = Field(default=0.0, ge=-2, le=2)

    @property
    def still(self) -> bool:
        """Whether the camera never moves."""
        return self.follow is None and not self.orbit and not self.slide and not self.dolly


def load_light_set(name: str) -> LightSet:
    """The light set of that name; TemplateError names the file and what is wrong."""
    return templates.read(LightSet, "lights", name)


def load_framing(name: str) -> Framing:
    """The framing of that name; TemplateError names the file and what is wrong."""
    return templates.read(Framing, "framings", name)


def load_camera_move(name: str) -> CameraMove:
    """The camera move of that name; TemplateError names the file and what is wrong."""
    return templates.read(CameraMove, "camera_moves", name)
