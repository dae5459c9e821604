"""Creases of age: phase and depth of families of lines over the head's vertices, drawn in templates/skin/wrinkles.

A family is one line and those parallel to it, or a fan; the shader cuts a groove wherever the phase is a whole number,
so that creases are as fine as the picture although vertices lie 4 mm apart. Where they run follows anatomy: across
the pull of the muscles under the skin (Langer's and Kraissl's lines; Piérard, Uhoda, Piérard-Franchimont 2003, "From
skin microrelief to wrinkles. An area ripe for investigation").
"""

from __future__ import annotations

import functools
from typing import Annotated, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from farm.double.base_mesh import base_mesh
from farm.double.face_plane import ARC_RADIUS, face_plane, line_distance
from farm.double.zones import BODY_VERTICES, zone_masks
from farm.recipe import templates
from farm.recipe.templates import Part

__all__ = ["SETS", "Creases", "paint_creases"]

Array = NDArray[np.float64]
Place = tuple[float, float]

SETS: Final = 2
FULL_AGE: Final = 80.0
GROOVE: Final = 0.40
"""Half width of a groove as a share of the spacing."""


class _Crease(Part):
    set: Annotated[int, Field(ge=1, le=SETS)]
    line: tuple[Place, ...] = Field(min_length=2)
    fan: Place | None = Field(default=None, description="Centre from which lines spread; `spacing` is then degrees.")
    spacing: float = Field(gt=0)
    lines: tuple[int, int] = Field(description="First and last line of the family, by number.")
    depth: float = Field(gt=0, le=0.005, description="Depth in metres at full age.")
    from_: float = Field(alias="from", ge=0, lt=FULL_AGE)
    fade: float = Field(gt=0, description="Distance in metres over which creases end beyond the lines' ends.")
    width: float = Field(default=GROOVE, gt=0, le=0.5)


class _Lips(Part):
    spacing: float = Field(gt=0)
    depth: float = Field(gt=0, le=0.005)
    always: float = Field(ge=0, le=1)


class _Wrinkles(Part):
    description: str
    creases: dict[str, _Crease]
    lips: _Lips


class Creases(NamedTuple):
    """One set: `phase` (B,) is whole on a crease, `depth` (B,) in metres, `width` (B,) as a share of the phase."""

    phase: Array
    depth: Array
    width: Array


@functools.cache
def _wrinkles() -> _Wrinkles:
    return templates.read(_Wrinkles, "skin", "wrinkles")


def paint_creases(age: float) -> tuple[Creases, ...]:
    """The sets of creases at an age in years, over the body's vertices."""
    points, plane = base_mesh().vertices[:BODY_VERTICES], _plane()
    head = (plane[:, 1] > 0.56) * (1 - zone_masks()["inside-mouth"]) * (points[:, 1] < 0.05)
    sets = []
    for number in range(1, SETS + 1):
        phase, depth = np.zeros(BODY_VERTICES), np.zeros(BODY_VERTICES)
        width, claim = np.full(BODY_VERTICES, GROOVE), np.full(BODY_VERTICES, -np.inf)
        for name, crease in _wrinkles().creases.items():
            if crease.set == number:
                own, reach = _phase(name)
                here = reach > claim
                claim = np.maximum(claim, reach)
                shown = crease.depth * _rise((age - crease.from_) / (FULL_AGE - crease.from_)) * _rise(reach) * head
                phase, depth = np.where(here, own, phase), np.where(here, shown, depth)
                width = np.where(here, crease.width, width)
        sets.append(Creases(phase, depth, width))
    sets[-1] = _with_lips(sets[-1], plane, age)
    return tuple(sets)


@functools.cache
def _plane() -> Array:
    """The body's vertices on the left half of the unrolled face (B, 2)."""
    plane = face_plane(base_mesh().vertices[:BODY_VERTICES])
    plane[:, 0] = np.abs(plane[:, 0])
    return plane


@functools.cache
def _phase(name: str) -> tuple[Array, Array]:
    """A family's phase (B,), and how far inside of it each vertex is (B,): 1 well inside, 0 where it has ended."""
    crease, plane = _wrinkles().creases[name], _plane()
    line = np.array([(np.radians(azimuth) * ARC_RADIUS, height) for azimuth, height in crease.line])
    distance, beyond = line_distance(plane, line)
    spacing = crease.spacing
    if crease.fan:
        centre = np.array([np.radians(crease.fan[0]) * ARC_RADIUS, crease.fan[1]])
        offset, axis = plane - centre, line[-1] - line[0]
        turn = np.degrees(np.arctan2(axis[0] * offset[:, 1] - axis[1] * offset[:, 0], offset @ axis))
        radius = np.linalg.norm(offset, axis=1)
        phase = turn / spacing
        beyond = np.maximum(np.linalg.norm(line[0] - centre) - radius, radius - np.linalg.norm(line[-1] - centre))
        spacing = np.radians(spacing) * float(np.linalg.norm(line[0] - centre))
    else:
        phase = distance / spacing
    first, last = crease.lines
    past = np.maximum(np.maximum(first - 0.5 - phase, phase - last - 0.5) * spacing, 0.0)
    return phase, 1 - np.hypot(np.maximum(beyond, 0.0), past) / crease.fade


def _rise(share: Array | float) -> Array:
    """A smooth step from 0 to 1."""
    clipped = np.clip(share, 0.0, 1.0)
    risen: Array = clipped * clipped * (3 - 2 * clipped)
    return risen


def _with_lips(creases: Creases, plane: Array, age: float) -> Creases:
    """Lips are lined at every age, upright, and deeper with it."""
    lips, mask = _wrinkles().lips, zone_masks()["lips"].astype(float)
    depth = lips.depth * (lips.always + (1 - lips.always) * _rise((age - 25) / (FULL_AGE - 25)))
    on = mask > 0.02
    return Creases(
        np.where(on, plane[:, 0] / lips.spacing, creases.phase),
        np.where(on, depth * mask, creases.depth),
        np.where(on, GROOVE, creases.width),
    )
