"""Where skin differs: masks over the body's vertices, read from the base mesh's textures and drawn in templates/skin.

Everything is placed on the unshaped base mesh, so each vertex keeps its share on every identity, age and build.
"""

from __future__ import annotations

import functools
from typing import Annotated, Final, Literal

import bpy
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from farm.double.base_mesh import base_mesh, data_folder
from farm.double.normals import vertex_normals
from farm.errors import TemplateError
from farm.recipe import templates
from farm.recipe.templates import Part

__all__ = ["BODY_VERTICES", "Zone", "zone_masks", "zone_sum"]

Array = NDArray[np.float64]
Point = tuple[float, float, float]
Share = Annotated[float, Field(ge=-1, le=3)]

BODY_VERTICES: Final = 13380
FACING: Final = 0.25
"""How softly a zone ends where the body turns away from its direction, as a cosine."""
EDGE: Final = 0.02
"""Distance in metres over which a zone ends at a wrist or the edge of a sole."""


class Zone(Part):
    """How much a region differs: see templates/skin/zones.yaml."""

    blood: Share = 0.0
    melanin: Share = 0.0
    pores: Share = 0.0
    sun: Share = 0.0
    sweat: Share = 0.0
    dirt: Share = 0.0
    vein: Share = 0.0


class _Place(Zone):
    at: Point | None = None
    joint: str = ""
    radius: float = Field(gt=0, le=0.5)
    towards: Point | Literal["", "dorsal", "palmar"] = ""
    flat: bool = False
    beyond: str = ""
    below: float | None = None


class _Zones(Part):
    description: str
    textures: dict[str, Zone]
    places: dict[str, _Place]


@functools.cache
def _zones() -> _Zones:
    return templates.read(_Zones, "skin", "zones")


@functools.cache
def zone_masks() -> dict[str, NDArray[np.float32]]:
    """By texture of the base mesh, as `lips`, a mask 0..1 over the body's vertices (B,). Read-only."""
    base = base_mesh()
    faces = base.groups["body"]
    place = np.zeros((BODY_VERTICES, 2))
    place[base.faces[faces].ravel()] = base.uvs[faces].reshape(-1, 2)
    return {zone: _sample(zone, place) for zone in _zones().textures}


def _sample(zone: str, place: Array) -> NDArray[np.float32]:
    """The red channel of a zone's texture at UV places (N, 2)."""
    file = data_folder() / "textures" / f"mpfb_{zone}.jpg"
    if not file.is_file():
        known = [path.stem.removeprefix("mpfb_") for path in sorted(file.parent.glob("mpfb_*.jpg"))]
        raise TemplateError(
            f"{templates.place('skin', 'zones')}: textures: no '{zone}'{templates.nearest(zone, known)}"
        )
    image = bpy.data.images.load(str(file))
    width, height = image.size
    pixels = np.empty(width * height * image.channels, dtype=np.float32)
    image.pixels.foreach_get(pixels)
    channels = image.channels
    bpy.data.images.remove(image)
    column = np.clip((place[:, 0] * width).astype(int), 0, width - 1)
    row = np.clip((place[:, 1] * height).astype(int), 0, height - 1)
    sampled: NDArray[np.float32] = pixels.reshape(height, width, channels)[row, column, 0]
    return sampled


@functools.cache
def zone_sum(quantity: str) -> Array:
    """A quantity of `Zone`, as `blood`, over the body's vertices (B,). Cached; treat it as read-only.

    Where places overlap, the one that says most counts; textures come on top of them.
    """
    total = np.zeros(BODY_VERTICES)
    for name, place in _zones().places.items():
        share = getattr(place, quantity)
        if share:
            here = share * _place_mask(name)
            total = np.where(np.abs(here) > np.abs(total), here, total)
    for name, zone in _zones().textures.items():
        mask = zone_masks()[name]
        total = total * (1 - mask) + getattr(zone, quantity) * mask
    return total


@functools.cache
def _place_mask(name: str) -> Array:
    """How much each vertex (B,) belongs to a place on either side of the body, 0..1."""
    place = _zones().places[name]
    left = _one_side(name, place, np.array([1.0, 1.0, 1.0]))
    return np.maximum(left, _one_side(name, place, np.array([-1.0, 1.0, 1.0])))


def _one_side(name: str, place: _Place, mirror: Array) -> Array:
    points = base_mesh().vertices[:BODY_VERTICES] * mirror
    centre = np.array(place.at) if place.at else _joint(name, place.joint)
    distance = np.linalg.norm(points - centre, axis=1) / place.radius
    mask = _fall(distance, 0.9, 1.1) if place.flat else np.exp(-(distance**2))
    if place.towards:
        mask = mask * _fall(-(_normals() * mirror) @ _direction(place.towards), -FACING, FACING)
    if place.beyond:
        wrist = _joint(name, place.beyond)
        along = (centre - wrist) / np.linalg.norm(centre - wrist)
        mask = mask * _fall(-(points - wrist) @ along, -EDGE, 0.0)
    if place.below is not None:
        mask = mask * _fall(points[:, 2], place.below, place.below + EDGE)
    return mask


def _fall(values: Array, start: float, end: float) -> Array:
    """A smooth step from 1 up to `start` to 0 from `end` on."""
    share = np.clip((values - start) / (end - start), 0.0, 1.0)
    return 1 - share * share * (3 - 2 * share)


def _direction(towards: Point | str) -> Array:
    """A unit vector on the left side; the back of the hand lies across its four knuckles."""
    if isinstance(towards, str):
        wrist, index, small = (_joint("", f"joint-l-{name}") for name in ("hand", "finger-2-1", "finger-5-1"))
        vector = np.cross(index - wrist, small - wrist) * (1 if towards == "dorsal" else -1)
    else:
        vector = np.array(towards)
    return vector / np.linalg.norm(vector)


def _joint(name: str, joint: str) -> Array:
    base = base_mesh()
    if joint not in base.groups:
        known = [group for group in base.groups if group.startswith("joint-l")]
        source = templates.place("skin", "zones")
        raise TemplateError(f"{source}: places.{name}: no joint '{joint}'{templates.nearest(joint, known)}")
    centre: Array = base.vertices[base.group_vertices(joint)].mean(axis=0)
    return centre


@functools.cache
def _normals() -> Array:
    base = base_mesh()
    return vertex_normals(base.vertices, base.faces[base.groups["body"]])[:BODY_VERTICES]
