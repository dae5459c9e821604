"""What a light set and a framing may say: templates/lights and templates/framings, checked as they are read."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from farm.recipe import templates
from farm.recipe.templates import Part

__all__ = ["Backdrop", "Framing", "Lamp", "LightSet", "World", "load_framing", "load_light_set"]

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


def load_light_set(name: str) -> LightSet:
    """The light set of that name; TemplateError names the file and what is wrong."""
    return templates.read(LightSet, "lights", name)


def load_framing(name: str) -> Framing:
    """The framing of that name; TemplateError names the file and what is wrong."""
    return templates.read(Framing, "framings", name)
