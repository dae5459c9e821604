"""Skin: tone, blood and zones painted as attributes of the body's vertices, and a subsurface material.

Everything finer than the mesh is procedural in rest coordinates (attribute `rest`), so that nothing tiles and nothing
slides when posed.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from farm.double.beard_area import beard_shares
from farm.double.geometry import paint
from farm.double.pigment import absorbed, darkness, scatter, tint
from farm.double.shading import Graph, give_material, new_material
from farm.double.soil import Coat, Layer, add_dirt, add_sweat
from farm.double.wrinkles import SETS, paint_creases
from farm.double.zones import BODY_VERTICES, zone_masks, zone_sum
from farm.recipe.parameters import Body, Skin

__all__ = ["CREASE", "EXPOSURE", "RELIEF", "REST", "TINT", "build_skin", "paint_skin"]

REST: Final = "rest"
TINT: Final = "tint"
RELIEF: Final = "relief"
"""Pores, wetness of lips, nails and mouth, and veins: 0..1 each."""
EXPOSURE: Final = "exposure"
"""How much a place sees of sun, sweat and dirt: 0..1 each."""
CREASE: Final = "crease"
"""Phase, depth in metres and width of a set of creases; the set's number follows the name."""

SUBSURFACE: Final = "BURLEY"
"""Christensen and Burley 2015, "Approximate reflectance profiles for efficient subsurface scattering": of a portrait's
cost per sample Cycles' random walk takes an eighth, this nothing that can be measured, with the same mean."""

WET: Final = {"lips": 0.5, "fingernails": 0.9, "toenails": 0.8, "inside-mouth": 1.0}

PORE: Final = 0.0009
PORE_DEPTH: Final = 0.00012
HATCH: Final = 0.0010
HATCH_DEPTH: Final = 0.000035
"""Sizes in metres: a cheek's pores are 0.2 to 0.5 mm wide, primary lines of the skin's relief lie 0.5 to 1 mm apart
(Piérard et al. 2003); both a little more, to show at 512×512."""
HATCH_WAYS: Final = ((0.62, 0.35, 0.70), (-0.58, 0.45, 0.68))
FRECKLES: Final = ((0.0018, 0.75), (0.0032, 0.60))
"""Fine and coarse ones: size in metres of a cell, which holds one at most, and share of cells that do at most."""
AGE_SPOT: Final = 0.016
SPOTS_FROM: Final = 45
"""Size in metres of the cell of an age spot, and the age in years after which there are some."""
SHADOW: Final = (0.70, 0.75, 0.80)
"""Share of light that a shaven man's skin leaves where roots of a dense dark beard lie in it."""


def dress_skin(mesh: Any, shape: NDArray[np.float64], skin: Skin, body: Body) -> None:
    """Give a body mesh, whose vertex i is base vertex i, its skin, in place of the one that it may have."""
    give_material(mesh, 0, lambda: build_skin(skin, body))
    paint_skin(mesh, shape, skin, body)


def paint_skin(mesh: Any, shape: NDArray[np.float64], skin: Skin, body: Body) -> None:
    """Store what the material reads as point attributes of a body mesh whose vertex i is base vertex i."""
    wet = np.max([share * zone_masks()[zone] for zone, share in WET.items()], axis=0)
    vectors = {
        REST: shape[:BODY_VERTICES],
        TINT: tint(skin.tone) * _beard_shadow(skin, body),
        RELIEF: np.stack([zone_sum("pores"), wet, zone_sum("vein")], axis=1),
        EXPOSURE: np.stack([zone_sum("sun"), zone_sum("sweat"), zone_sum("dirt")], axis=1),
    }
    for number, creases in enumerate(paint_creases(body.age), start=1):
        vectors[f"{CREASE}{number}"] = np.stack(creases, axis=1)
    for name, values in vectors.items():
        paint(mesh, name, values)


def _beard_shadow(skin: Skin, body: Body) -> NDArray[np.float64]:
    """The share of light (B, 3) that roots of shaven hair leave, under skin that is not as dark as they are."""
    density = np.max([share[:BODY_VERTICES] for share in beard_shares().values()], axis=0)[:, None]
    strength = max(0.0, 2 * body.gender - 1) * (1 - 0.6 * darkness(skin.tone))
    shadow: NDArray[np.float64] = 1 - strength * density * (1 - np.array(SHADOW))
    return shadow


def build_skin(skin: Skin, body: Body) -> Any:
    """The skin's material: tone, blood, zones, mottling, freckles, pores, creases of age, sweat and dirt."""
    material, graph = new_material("skin")
    rest = graph.attribute(REST, "Vector")
    pores, wet, vein = graph.parts(graph.attribute(RELIEF, "Vector"))
    sun, sweat, dirt = graph.parts(graph.attribute(EXPOSURE, "Vector"))
    mottle = graph.noise(rest, size=0.022, detail=3.0, roughness=0.6)
    shine = 0.60 - 0.30 * skin.gloss + 0.05 * max(0.0, body.age - 40) / 40
    rough = graph.math("MULTIPLY_ADD", wet, -0.22, graph.math("MULTIPLY_ADD", mottle, 0.12, shine - 0.06))
    height = _relief(graph, rest, pores, wet)
    layer = Layer(
        colour=_colour(graph, rest, skin, body, mottle, vein, sun),
        roughness=rough,
        height=height,
        coat=Coat(0.08 + 0.3 * skin.gloss**2, 0.36 - 0.2 * skin.gloss),
        specular=0.4,
    )
    if skin.dirt:
        layer = add_dirt(graph, rest, layer, dirt, skin.dirt)
    if skin.sweat:
        layer = add_sweat(graph, rest, layer, sweat, skin.sweat)
    below = scatter(skin.tone)
    normal = graph.node("Bump", {"Strength": 1.0, "Distance": 1.0, "Height": layer.height})
    film = (
        normal if layer.water is None else graph.node("Bump", {"Strength": 1.0, "Distance": 1.0, "Height": layer.water})
    )
    graph.surface(
        graph.node(
            "BsdfPrincipled",
            {
                "Base Color": layer.colour,
                "Roughness": layer.roughness,
                "IOR": 1.4,
                "Specular IOR Level": layer.specular,
                "Subsurface Weight": below.weight,
                "Subsurface Radius": below.radius,
                "Subsurface Scale": below.scale,
                "Coat Weight": layer.coat.weight,
                "Coat Roughness": layer.coat.roughness,
                "Coat Normal": film,
                "Normal": normal,
            },
            subsurface_method=SUBSURFACE,
        )
    )
    return material


def _colour(graph: Graph, rest: Any, skin: Skin, body: Body, mottle: Any, vein: Any, sun: Any) -> Any:
    """The painted tint with mottling, veins, small moles, freckles and the spots of age."""
    tone = skin.tone
    dark = darkness(tone)
    colour = graph.attribute(TINT, "Vector")
    blush = graph.math("MULTIPLY", graph.ramp(mottle, 0.34, 0.66), 0.8)
    colour = graph.mix(blush, colour, absorbed(tone, blood=0.42, melanin=0.14), blend="MULTIPLY")
    ridge = graph.math("ABSOLUTE", graph.math("SUBTRACT", graph.noise(rest, size=0.028, detail=0.0), 0.5))
    blue = graph.math("MULTIPLY", graph.math("MULTIPLY", graph.ramp(ridge, 0.06, 0.0), vein), 0.55 - 0.35 * dark)
    colour = graph.mix(blue, colour, (0.80, 0.91, 0.95), blend="MULTIPLY")
    moles = graph.math("MULTIPLY", graph.ramp(graph.noise(rest, size=0.0035, detail=0.0), 0.76, 0.84), 0.6)
    colour = graph.mix(moles, colour, absorbed(tone, blood=0.2, melanin=1.0), blend="MULTIPLY")
    if skin.freckles:
        depth = (0.60 + 0.40 * skin.freckles) * (1 - 0.45 * dark)
        brown = absorbed(tone, melanin=2.0)
        for size, most in FRECKLES:
            shown = _spots(graph, rest, size, share=most * skin.freckles**0.7, sun=sun)
            colour = graph.mix(graph.math("MULTIPLY", shown, depth), colour, brown, blend="MULTIPLY")
    if body.age > SPOTS_FROM:
        shown = _spots(graph, rest, AGE_SPOT, share=0.45 * min(1.0, (body.age - SPOTS_FROM) / 30), sun=sun)
        colour = graph.mix(graph.math("MULTIPLY", shown, 0.7), colour, absorbed(tone, melanin=0.9), blend="MULTIPLY")
    return colour


def _spots(graph: Graph, rest: Any, size: float, *, share: float, sun: Any) -> Any:
    """Irregular spots 0..1, one to a cell of `size` metres, as many and as wide as sun and chance have it."""
    frayed = graph.shake(rest, size=size / 2, by=size * 0.20)
    distance, chance, dark, width = graph.cells(frayed, size=size)
    there = graph.math("LESS_THAN", chance, graph.math("MULTIPLY", sun, share))
    radius = graph.math("MULTIPLY_ADD", graph.math("MULTIPLY", width, width), 0.22, 0.30)
    spot = graph.ramp(distance, radius, graph.math("MULTIPLY", radius, 0.25))
    return graph.math("MULTIPLY", graph.math("MULTIPLY", spot, there), graph.math("MULTIPLY_ADD", dark, 0.7, 0.3))


def _relief(graph: Graph, rest: Any, pores: Any, wet: Any) -> Any:
    """Height in metres: pores wider where painted so, hatched lines, and creases."""
    warp = graph.noise(rest, size=0.006, detail=1.0)
    pit = graph.noise(rest, size=PORE, detail=0.0)
    edge = graph.math("MULTIPLY_ADD", pores, -0.12, 0.66)
    sunk = graph.math("MULTIPLY", graph.ramp(pit, edge, 0.80), graph.math("MULTIPLY_ADD", pores, 0.7, 0.3))
    height = graph.math("MULTIPLY", sunk, -PORE_DEPTH)
    cut = graph.math("MULTIPLY", graph.ramp(pit, 0.25, 0.65), -HATCH_DEPTH)
    for way in HATCH_WAYS:
        place = graph.dot(rest, tuple(axis / HATCH for axis in way))
        line = graph.math("PINGPONG", graph.math("MULTIPLY_ADD", warp, 2.6, place), 0.5)
        height = graph.math("MULTIPLY_ADD", graph.ramp(line, 0.22, 0.0), cut, height)
    height = graph.math("MULTIPLY", height, graph.math("SUBTRACT", 1.0, wet))
    uneven = graph.math("MULTIPLY_ADD", warp, -1.0, -0.5)
    for number in range(1, SETS + 1):
        phase, depth, width = graph.parts(graph.attribute(f"{CREASE}{number}", "Vector"))
        line = graph.math("PINGPONG", graph.math("MULTIPLY_ADD", warp, 0.24, graph.math("SUBTRACT", phase, 0.12)), 0.5)
        groove = graph.math("MULTIPLY", graph.ramp(line, width, 0.0), depth)
        height = graph.math("MULTIPLY_ADD", groove, uneven, height)
    return height
