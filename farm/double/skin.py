"""Skin: Monk tone, blood and zones painted as attributes of the body's vertices, and a subsurface material.

Everything is procedural in rest coordinates (attribute `rest`), so that nothing tiles and nothing slides when posed.
"""

from __future__ import annotations

import functools
import math
from typing import Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray

from farm.double.base_mesh import base_mesh, data_folder
from farm.double.shading import Graph, linear_colour, new_material
from farm.errors import TemplateError
from farm.recipe import templates
from farm.recipe.parameters import Body, Skin

__all__ = ["REST", "build_skin", "paint_zones", "skin_tone", "zone_masks"]

REST: Final = "rest"
ZONES: Final = {"lips": "lips", "lids": "eyelids", "ears": "ears", "nails": "fingernails", "mouth": "inside-mouth"}
BODY_VERTICES: Final = 13380

SUBSURFACE: Final = "BURLEY"
"""Christensen and Burley 2015, "Approximate reflectance profiles for efficient subsurface scattering": of a portrait's
cost per sample Cycles' random walk takes an eighth, this nothing that can be measured, with the same mean."""

SWATCH_WHITE: Final = 0.66
SWATCH_CONTRAST: Final = 0.72
"""Swatches show skin as photographed: brighter than its albedo where it is light, in deeper shade where it is dark."""

FLUSH: Final = {
    "nose": ((0.0, -0.168, 0.694), 0.014, 0.9),
    "left cheek": ((0.042, -0.137, 0.693), 0.022, 0.8),
    "right cheek": ((-0.042, -0.137, 0.693), 0.022, 0.8),
    "chin": ((0.0, -0.150, 0.632), 0.012, 0.35),
}
"""Where blood shows: centre on the unshaped face and radius in metres, and strength."""


@functools.cache
def zone_masks() -> dict[str, NDArray[np.float32]]:
    """By zone, a mask 0..1 over the body's vertices (B,), read from the base mesh's zone textures. Read-only."""
    base = base_mesh()
    faces = base.groups["body"]
    place = np.zeros((BODY_VERTICES, 2))
    place[base.faces[faces].ravel()] = base.uvs[faces].reshape(-1, 2)
    return {zone: _sample(f"mpfb_{file}.jpg", place) for zone, file in ZONES.items()}


def _sample(file: str, place: NDArray[np.float64]) -> NDArray[np.float32]:
    """The red channel of a texture at UV places (N, 2)."""
    image = bpy.data.images.load(str(data_folder() / "textures" / file))
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
def _flush() -> NDArray[np.float32]:
    """How much blood shows at each body vertex (B,), 0..1."""
    points = base_mesh().vertices[:BODY_VERTICES]
    flush = 0.6 * zone_masks()["ears"]
    for centre, radius, strength in FLUSH.values():
        distance = np.linalg.norm(points - np.array(centre), axis=1)
        flush = np.maximum(flush, strength * np.exp(-((distance / radius) ** 2)))
    return flush.astype(np.float32)


def paint_zones(mesh: Any, shape: NDArray[np.float64]) -> None:
    """Store zones, flush and rest positions as point attributes of a body mesh whose vertex i is base vertex i."""
    for zone, mask in {**zone_masks(), "flush": _flush()}.items():
        mesh.attributes.new(zone, "FLOAT", "POINT").data.foreach_set("value", mask)
    rest = mesh.attributes.new(REST, "FLOAT_VECTOR", "POINT")
    rest.data.foreach_set("vector", shape[:BODY_VERTICES].astype(np.float32).ravel())


@functools.cache
def _swatches() -> NDArray[np.float64]:
    place = templates.path("skin", "monk")
    codes = templates.load("skin", "monk").get("swatches", [])
    if len(codes) != 10:
        raise TemplateError(f"{place}: expected 10 swatches, found {len(codes)}")
    return np.array([linear_colour(code, place=str(place)) for code in codes])


def skin_tone(tone: float) -> tuple[float, float, float]:
    """The scene-linear albedo of a Monk tone 1..10; between two swatches it is their geometric mean, weighted."""
    at = np.arange(1, 11)
    logs = np.log(_swatches())
    red, green, blue = (float(np.interp(tone, at, logs[:, channel])) for channel in range(3))
    return _albedo(red), _albedo(green), _albedo(blue)


def _albedo(log_swatch: float) -> float:
    return SWATCH_WHITE * math.exp(SWATCH_CONTRAST * log_swatch)


def _times(colour: tuple[float, float, float], by: tuple[float, float, float]) -> tuple[float, float, float]:
    return colour[0] * by[0], colour[1] * by[1], colour[2] * by[2]


def build_skin(skin: Skin, body: Body) -> Any:
    """The skin's material: tone, blood, zones, mottling, pores and the fine lines of age."""
    material, graph = new_material("skin")
    rest = graph.attribute(REST, "Vector")
    dark = (skin.tone - 1) / 9
    colour = _colour(graph, rest, skin_tone(skin.tone), dark)
    shine = 0.62 - 0.30 * skin.gloss
    roughness = graph.mix(graph.attribute("lips"), (shine, shine, shine), (shine - 0.12,) * 3)
    graph.surface(
        graph.node(
            "BsdfPrincipled",
            {
                "Base Color": colour,
                "Roughness": graph.math("ADD", roughness, _patchy(graph, rest)),
                "IOR": 1.4,
                "Specular IOR Level": 0.4,
                "Subsurface Weight": 0.6,
                "Subsurface Radius": (1.0, 0.35, 0.2),
                "Subsurface Scale": 0.006 - 0.003 * dark,
                "Coat Weight": 0.12 + 0.3 * skin.gloss**2,
                "Coat Roughness": 0.35 - 0.2 * skin.gloss,
                "Normal": _relief(graph, rest, body.age),
            },
            subsurface_method=SUBSURFACE,
        )
    )
    return material


def _colour(graph: Graph, rest: Any, tone: tuple[float, float, float], dark: float) -> Any:
    """Tone with mottling, then blood where it shows, then lips, lids and nails."""
    tone = _times(tone, (1.08, 0.82 + 0.06 * dark, 0.72 + 0.06 * dark))
    blood = (0.95 - 0.05 * dark, 0.62 + 0.22 * dark, 0.58 + 0.28 * dark)
    lips = (0.80 - 0.05 * dark, 0.40 + 0.30 * dark, 0.42 + 0.36 * dark)
    broad = graph.ramp(graph.noise(rest, size=0.05, detail=1.0), 0.3, 0.7)
    fine = graph.ramp(graph.noise(rest, size=0.006, detail=3.0), 0.35, 0.75)
    spots = graph.ramp(graph.noise(rest, size=0.003, detail=1.0), 0.62, 0.75)
    colour = graph.mix(graph.math("MULTIPLY", broad, 0.35), tone, _times(tone, (0.95, 0.86, 0.82)))
    colour = graph.mix(graph.math("MULTIPLY", fine, 0.35), colour, _times(tone, (0.92, 0.76, 0.72)))
    colour = graph.mix(graph.math("MULTIPLY", spots, 0.18), colour, _times(tone, (0.72, 0.55, 0.45)))
    flush = graph.math("MULTIPLY", graph.attribute("flush"), graph.math("ADD", 0.55, graph.math("MULTIPLY", fine, 0.4)))
    colour = graph.mix(flush, colour, _times(tone, blood))
    colour = graph.mix(graph.math("MULTIPLY", graph.attribute("lids"), 0.45), colour, _times(tone, blood))
    colour = graph.mix(graph.math("MULTIPLY", graph.attribute("lips"), 0.85), colour, _times(tone, lips))
    colour = graph.mix(graph.attribute("mouth"), colour, (0.25, 0.06, 0.05))
    nails = _times(tone, (0.98, 0.80, 0.78)) if dark < 0.5 else _times(tone, (1.5, 1.3, 1.25))
    return graph.mix(graph.math("MULTIPLY", graph.attribute("nails"), 0.8), colour, nails)


def _patchy(graph: Graph, rest: Any) -> Any:
    """Roughness differs over the face by ±0.05."""
    return graph.math("MULTIPLY_ADD", graph.noise(rest, size=0.012), 0.1, -0.05)


def _relief(graph: Graph, rest: Any, age: float) -> Any:
    """Pores, and with age deeper lines that run level, as on a forehead, as a bumped normal."""
    lines = 0.12 + 0.88 * max(0.0, age - 25) / 55
    pores = graph.noise(rest, size=0.0011, detail=2.0, roughness=0.6)
    across = graph.node("VectorMath", {0: rest, 1: (0.45, 0.45, 1.8)}, operation="MULTIPLY")
    creases = graph.math("ABSOLUTE", graph.math("SUBTRACT", graph.noise(across, size=0.009, detail=3.0), 0.5))
    depth = graph.math("MULTIPLY", graph.ramp(creases, 0.0, 0.22), 0.0005 * lines)
    height = graph.math("ADD", graph.math("MULTIPLY", pores, 0.00016), depth)
    return graph.node("Bump", {"Strength": 0.7, "Distance": 1.0, "Height": height})
