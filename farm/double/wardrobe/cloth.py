"""Materials of clothes: the cloths of templates/cloths and the leather of shoes, procedural in rest coordinates.

Fibres are drawn as sheen over a rough diffuse base (Principled BSDF, whose sheen is Zeltner, Burley and Chiang 2022,
"Practical multiple-scattering sheen using linearly transformed cosines"); threads, creases and stitches as bump.
"""

from __future__ import annotations

import colorsys
from typing import Any, Final, Literal

from pydantic import Field

from farm.double.shading import Graph, linear_colours, linear_value, new_material
from farm.double.wardrobe.outfit import Outfit, Shoe
from farm.recipe import templates
from farm.recipe.parameters import Wardrobe
from farm.recipe.templates import Part

__all__ = ["FIELDS", "HEM", "REST", "SEAMS", "Cloth", "cloth_material", "hsv_colour", "shoe_material", "suit_material"]

FIELDS: Final = "pattern"
SEAMS: Final = "seams"
HEM: Final = "hem"
REST: Final = "rest"
"""Attributes of garments: side panels, pads and height; sides and arms; distance to the border; rest place."""

STITCH: Final = 0.0012
SIDE_SEAM: Final = 0.06
"""Half the width of the side seam, in the units of the field that falls from front to back."""
SLEEVE_SEAM: Final = 0.04
"""Where the sleeve is sewn on, along the arm."""

Colour = tuple[float, float, float]


class Cloth(Part):
    """One file of templates/cloths; lengths in metres.

    thread        distance of neighbouring threads, and `relief` how deep it shows; `weave` how they cross
    crease        size of the fine creases, and `depth` of them
    fade          how much lighter the cloth is where it is worn, 0 to 1
    stitch        how much lighter (or, below 0, darker) seams are
    """

    description: str
    weave: Literal["plain", "twill", "knit", "felt", "grain"]
    thread: float = Field(gt=0.0002, le=0.02)
    relief: float = Field(ge=0, le=0.002)
    crease: float = Field(gt=0.005, le=0.3)
    depth: float = Field(ge=0, le=0.03)
    roughness: float = Field(ge=0, le=1)
    specular: float = Field(ge=0, le=1)
    sheen: float = Field(ge=0, le=1)
    coat: float = Field(default=0.0, ge=0, le=1)
    fade: float = Field(default=0.0, ge=0, le=1)
    stitch: float = Field(default=-0.3, ge=-1, le=3)


def hsv_colour(hue: float, saturation: float, value: float) -> Colour:
    """Scene-linear Rec.709 of a hue in degrees, saturation and value 0..1 of sRGB."""
    red, green, blue = colorsys.hsv_to_rgb(hue / 360.0 % 1.0, saturation, value)
    return linear_value(red), linear_value(green), linear_value(blue)


def _worn(wardrobe: Wardrobe, takes: str) -> tuple[Cloth, Colour]:
    """The cloth and colour of the upper or lower garment."""
    name, hue, saturation, value = (
        getattr(wardrobe, f"{takes}_{key}") for key in ("cloth", "hue", "saturation", "value")
    )
    return templates.read(Cloth, "cloths", name), hsv_colour(hue, saturation, value)


def cloth_material(wardrobe: Wardrobe, takes: str) -> Any:
    """A garment of one cloth with side seams, sleeve seams and stitched hems."""
    cloth, colour = _worn(wardrobe, takes)
    material, graph = new_material(f"{takes} cloth")
    seams, stitches = _seams(graph)
    lighter = graph.math("MULTIPLY_ADD", stitches, cloth.stitch, 1.0)
    lighter = graph.math("MULTIPLY", lighter, graph.math("MULTIPLY_ADD", seams, -0.45, 1.0))
    _finish(
        graph,
        cloth,
        colour,
        shade=lighter,
        ridge=graph.math("MULTIPLY", graph.math("MAXIMUM", seams, stitches), -0.0008),
    )
    return material


def _seams(graph: Graph) -> tuple[Any, Any]:
    """Masks of seams, and of stitches: two rows beside hems, one beside each seam."""
    front, along, arm = graph.node("SeparateXYZ", {"Vector": graph.attribute(SEAMS, "Vector")}).outputs
    side = graph.math("ABSOLUTE", front)
    trunk = graph.ramp(arm, 0.9, 0.6)
    seam = graph.math("MULTIPLY", graph.ramp(side, 0.5 * SIDE_SEAM, 0.15 * SIDE_SEAM), trunk)
    sleeve = graph.math("MULTIPLY", band(graph, along, SLEEVE_SEAM, 0.006), graph.ramp(arm, 0.01, 0.05))
    hem = graph.attribute(HEM)
    rows = graph.math("MAXIMUM", band(graph, hem, 0.018, STITCH), band(graph, hem, 0.0235, STITCH))
    beside = graph.math("MULTIPLY", band(graph, side, SIDE_SEAM, 0.2 * SIDE_SEAM), trunk)
    return graph.math("MAXIMUM", seam, sleeve), graph.math("MAXIMUM", rows, beside)


def band(graph: Graph, value: Any, middle: float, half: float) -> Any:
    """1 where a value is within `half` of `middle`."""
    return graph.ramp(graph.math("ABSOLUTE", graph.math("SUBTRACT", value, middle)), half, 0.9 * half)


def _finish(graph: Graph, cloth: Cloth, colour: Any, *, shade: Any = 1.0, ridge: Any = 0.0, smooth: Any = 0.0) -> None:
    """End a graph with a cloth of a colour; `shade` multiplies it, `ridge` is added relief, `smooth` hides threads."""
    rest = graph.attribute(REST, "Vector")
    uneven = graph.math("MULTIPLY_ADD", graph.noise(rest, size=0.02, detail=4.0), 0.4, 0.8)
    worn = graph.math("MULTIPLY_ADD", graph.ramp(graph.noise(rest, size=0.12, detail=3.0), 0.4, 0.75), cloth.fade, 1.0)
    value = graph.math("MULTIPLY", graph.math("MULTIPLY", uneven, worn), shade)
    stretched = graph.node("VectorMath", {0: rest, 1: (0.6, 0.6, 1.6)}, operation="MULTIPLY")
    creases = graph.math("MULTIPLY", graph.noise(stretched, size=cloth.crease, detail=2.0), cloth.depth)
    rough = graph.math("MULTIPLY_ADD", smooth, -0.25, cloth.roughness)
    deep = graph.math("MULTIPLY_ADD", smooth, -cloth.relief, cloth.relief)
    threads = _threads(graph, cloth, rest)
    value = graph.math("MULTIPLY", value, graph.math("MULTIPLY_ADD", threads, 0.3, 0.85))
    grey = graph.node("CombineColor", dict.fromkeys(("Red", "Green", "Blue"), value))
    relief = graph.math("MULTIPLY", threads, deep)
    height = graph.math("ADD", graph.math("ADD", creases, relief), ridge)
    inputs = {
        "Base Color": graph.mix(1.0, colour, grey, blend="MULTIPLY"),
        "Roughness": rough,
        "Specular IOR Level": cloth.specular,
        "Sheen Weight": cloth.sheen,
        "Sheen Roughness": 0.5,
        "Coat Weight": cloth.coat,
        "Coat Roughness": 0.3,
        "Normal": graph.node("Bump", {"Strength": 0.6, "Distance": 1.0, "Height": height}),
    }
    graph.surface(graph.node("BsdfPrincipled", inputs))


def _threads(graph: Graph, cloth: Cloth, rest: Any) -> Any:
    """The relief of the threads, 0..1, on every side of a limb: around it, up it, and where they cross."""
    if cloth.weave in ("felt", "grain"):
        noise = graph.noise(rest, size=cloth.thread, detail=4.0 if cloth.weave == "felt" else 1.0, roughness=0.6)
        return graph.ramp(noise, 0.3, 0.6)
    x, y, z = graph.node("SeparateXYZ", {"Vector": rest}).outputs
    around = graph.math("ADD", x, y)
    if cloth.weave == "twill":
        return _ribs(graph, graph.math("ADD", graph.math("ADD", x, graph.math("MULTIPLY", y, 0.7)), z), cloth.thread)
    if cloth.weave == "knit":
        return graph.math("MULTIPLY", _ribs(graph, around, cloth.thread), _ribs(graph, z, 0.7 * cloth.thread))
    return graph.math("MAXIMUM", _ribs(graph, around, cloth.thread), _ribs(graph, z, cloth.thread))


def _ribs(graph: Graph, value: Any, size: float) -> Any:
    wave = graph.math("SINE", graph.math("MULTIPLY", value, 6.2832 / size))
    return graph.math("MULTIPLY_ADD", wave, 0.5, 0.5)


def suit_material(wardrobe: Wardrobe, outfit: Outfit, *, place: str) -> Any:
    """The upper cloth with side panels in the lower garment's colour, piping, pads, a belt and a zip down the front."""
    if outfit.trim is None:
        raise LookupError("an outfit without trim has no suit")
    seam = outfit.trim.seam
    trim = linear_colours(outfit.trim, ("accent", "pad", "zip"), place=f"{place}: trim")
    cloth, main = _worn(wardrobe, "upper")
    panel_colour = _worn(wardrobe, "lower")[1]
    material, graph = new_material("suit")
    fields = graph.node("SeparateXYZ", {"Vector": graph.attribute(FIELDS, "Vector")})
    across, depth, height = graph.node("SeparateXYZ", {"Vector": graph.attribute(REST, "Vector")}).outputs
    panel = graph.ramp(fields.outputs[0], 0.64, 0.66)
    piping = graph.ramp(graph.math("ABSOLUTE", graph.math("SUBTRACT", fields.outputs[0], 0.63)), 0.035, 0.022)
    pad = graph.ramp(fields.outputs[1], 0.02, 0.06)
    belt = band(graph, height, 0.150, 0.016)
    front = graph.math("MULTIPLY", graph.ramp(depth, -0.02, -0.03), graph.ramp(height, 0.150, 0.152))
    aside = graph.math("ABSOLUTE", across)
    flap = graph.math("MULTIPLY", front, graph.ramp(aside, 4 * seam, 3.6 * seam))
    teeth = graph.math("MULTIPLY", front, graph.ramp(aside, seam, 0.7 * seam))
    colour = graph.mix(panel, main, panel_colour)
    colour = graph.mix(piping, colour, trim["accent"])
    for mask, other in ((pad, trim["pad"]), (belt, panel_colour), (flap, panel_colour), (teeth, trim["zip"])):
        colour = graph.mix(mask, colour, other)
    _finish(graph, cloth, colour, smooth=pad)
    return material


def shoe_material(shoe: Shoe, *, place: str) -> Any:
    """Worn leather over a rubber sole."""
    material, graph = new_material("shoe")
    colours = linear_colours(shoe, ("upper", "sole"), place=f"{place}: shoe")
    height_above = graph.node("SeparateXYZ", {"Vector": graph.attribute(FIELDS, "Vector")}).outputs[2]
    rest = graph.attribute(REST, "Vector")
    sole = graph.ramp(height_above, shoe.thick + 0.001, shoe.thick - 0.001)
    groove = graph.math("MULTIPLY", band(graph, height_above, shoe.thick + 0.001, 0.003), -0.002)
    height = graph.math("MULTIPLY_ADD", graph.noise(rest, size=0.008, detail=3.0), 0.0012, groove)
    inputs = {
        "Base Color": graph.mix(sole, colours["upper"], colours["sole"]),
        "Roughness": graph.math("MULTIPLY_ADD", sole, 0.3, 0.45),
        "Normal": graph.node("Bump", {"Strength": 0.5, "Distance": 1.0, "Height": height}),
    }
    graph.surface(graph.node("BsdfPrincipled", inputs))
    return material
