"""What strands are made of: Blender's Principled Hair BSDF."""

from __future__ import annotations

import colorsys
from typing import Any, Final

from farm.double.shading import linear_colour, new_material
from farm.recipe.parameters import Hair

__all__ = ["HAIR_MODEL", "build_hair_material"]

HAIR_MODEL: Final = "CHIANG"
"""Chiang et al. 2016: near-field, and cheaper and less noisy than Huang's for strands thinner than a pixel."""

ROUGHNESS: Final = 0.28
RADIAL_ROUGHNESS: Final = 0.35
RANDOM_COLOR: Final = 0.12
RANDOM_ROUGHNESS: Final = 0.15
IOR: Final = 1.55
LOCK_COLOR: Final = 0.06
"""How much locks differ in melanin: a standard deviation, as a share."""
GREY_PATCHES: Final = 0.45
"""How much more or less of a lock may be grey, at half grey: a standard deviation, as a share of strands."""
GREY_PIGMENT: Final = 0.03
"""Part of its melanin that a grey strand keeps."""
BLEACHED: Final = 0.97
"""Part of its melanin that hair loses to the strongest dye."""
PALE_DYE: Final = 0.5
"""Strength of the dye on brows and lashes relative to the head's."""
LATE_GREY: Final = 0.6
"""Share of grey strands among brows and lashes relative to the head's."""


def build_hair_material(name: str, hair: Hair, *, darker: bool = False) -> Any:
    """A new material coloured by pigments, grey share and dye of `hair`, each strand and lock a little different.

    Strands lose their pigment by their own random number, which Cycles derives from their place among the others, and
    by the attribute `tone` of their lock, where they carry one. A dye bleaches the pigment and adds an absorption of
    its own. `darker` is for brows and lashes, which hold more pigment, turn grey later and are dyed paler.
    """
    material, graph = new_material(name)
    melanin, grey, dye = hair.melanin, hair.grey, hair.dye
    if darker:
        melanin = min(1.0, melanin + 0.6 * (1 - melanin) * melanin + 0.12)
        grey, dye = LATE_GREY * grey, PALE_DYE * dye
    tone = graph.attribute("tone")
    share = graph.math("MULTIPLY_ADD", tone, GREY_PATCHES * grey * (1 - grey), grey)
    is_grey = graph.math("LESS_THAN", graph.node("HairInfo").outputs["Random"], share)
    pigment = graph.math("MULTIPLY_ADD", tone, LOCK_COLOR * melanin, melanin)
    kept = graph.math("MULTIPLY_ADD", is_grey, GREY_PIGMENT - 1.0, 1.0)
    pigment = graph.math("MULTIPLY", graph.math("MULTIPLY", pigment, kept), 1 - BLEACHED * dye, clamp=True)
    inputs = {
        "Melanin": pigment,
        "Melanin Redness": hair.redness,
        "Tint": _tint(hair, dye),
        "Roughness": ROUGHNESS,
        "Radial Roughness": RADIAL_ROUGHNESS,
        "IOR": IOR,
        "Random Color": RANDOM_COLOR,
        "Random Roughness": RANDOM_ROUGHNESS,
    }
    graph.surface(graph.node("BsdfHairPrincipled", inputs, model=HAIR_MODEL, parametrization="MELANIN"))
    return material


def _tint(hair: Hair, dye: float) -> tuple[float, float, float]:
    """The scene-linear colour of the dye, which fades to white, no absorption, with its strength."""
    rgb = colorsys.hsv_to_rgb(hair.dye_hue / 360, hair.dye_saturation, hair.dye_value)
    code = "#" + "".join(f"{round(255 * channel):02x}" for channel in rgb)
    red, green, blue = (1 - dye + dye * channel for channel in linear_colour(code, place="hair.dye"))
    return red, green, blue
