"""What strands are made of: Blender's Principled Hair BSDF."""

from __future__ import annotations

from typing import Any, Final

from farm.double.shading import new_material
from farm.recipe.parameters import Hair

__all__ = ["HAIR_MODEL", "build_hair_material"]

HAIR_MODEL: Final = "CHIANG"
"""Chiang et al. 2016: near-field, and cheaper and less noisy than Huang's for strands thinner than a pixel."""

ROUGHNESS: Final = 0.28
RADIAL_ROUGHNESS: Final = 0.35
RANDOM_COLOR: Final = 0.12
RANDOM_ROUGHNESS: Final = 0.15
IOR: Final = 1.55


def build_hair_material(name: str, hair: Hair) -> Any:
    """A new material coloured by the pigments of `hair`, each strand a little different."""
    material, graph = new_material(name)
    inputs = {
        "Melanin": hair.melanin,
        "Melanin Redness": hair.redness,
        "Roughness": ROUGHNESS,
        "Radial Roughness": RADIAL_ROUGHNESS,
        "IOR": IOR,
        "Random Color": RANDOM_COLOR,
        "Random Roughness": RANDOM_ROUGHNESS,
    }
    graph.surface(graph.node("BsdfHairPrincipled", inputs, model=HAIR_MODEL, parametrization="MELANIN"))
    return material
