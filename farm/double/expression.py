"""Expressions: how far each facial action unit goes, from templates/expressions."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from farm.double.face import UNITS
from farm.errors import TemplateError
from farm.recipe import templates
from farm.recipe.parameters import Face

__all__ = ["expression_weights", "load_expression"]


class _Expression(templates.Part):
    """templates/expressions: weights 0..1 by ARKit's unit."""

    description: str
    units: dict[str, Annotated[float, Field(ge=0, le=1)]]


def expression_weights(face: Face) -> dict[str, float]:
    """The weights 0..1 of the units of a face, those that are 0 left out, in ARKit's order.

    strength · ((1 − blend) · first + blend · second). TemplateError names the place and the nearest unit.
    """
    first, second = load_expression(face.expression), load_expression(face.second)
    weights = {
        unit: face.strength * ((1 - face.blend) * first.get(unit, 0.0) + face.blend * second.get(unit, 0.0))
        for unit in UNITS
    }
    return {unit: min(1.0, weight) for unit, weight in weights.items() if weight > 0}


def load_expression(name: str) -> dict[str, float]:
    """The weights 0..1 of an expression's units; TemplateError names the place and the nearest unit."""
    units = templates.read(_Expression, "expressions", name).units
    for unit in units:
        if unit not in UNITS:
            raise TemplateError(
                f"{templates.place('expressions', name)}: units: no unit '{unit}'{templates.nearest(unit, list(UNITS))}"
            )
    return units
