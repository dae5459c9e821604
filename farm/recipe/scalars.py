"""Single values of a recipe: stricter than pydantic's own (no number from text, no truth from 0), kinder to YAML."""

from __future__ import annotations

import math
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, WithJsonSchema

from farm.recipe.faults import fault, show

__all__ = ["TRUTH_SCHEMAS", "Number", "Truth", "Whole", "number", "truth", "whole"]

_TRUTHS: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}

TRUTH_SCHEMAS: Final[list[dict[str, Any]]] = [{"type": "boolean"}, {"enum": ["yes", "no", "on", "off"]}]
"""JSON Schemas of a truth, any of which may hold: to YAML 1.2, `yes` is text."""


def number(value: Any, *place: str | int) -> float:
    """A finite number; booleans and text are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise fault(f"expected a number, found {show(value)}", *place)
    try:
        if math.isfinite(value):
            return float(value)
    except OverflowError:
        pass
    raise fault("expected a finite number; this one is too large or not a number", *place)


def whole(value: Any, *place: str | int) -> int:
    """A whole number; 1e3 and 20.0 are whole, 0.5 and booleans are not."""
    if isinstance(value, bool) or not isinstance(value, int | float) or number(value, *place) % 1:
        raise fault(f"expected a whole number, found {show(value)}", *place)
    return int(value)


def truth(value: Any, *place: str | int) -> bool:
    """True or false; also yes, no, on and off."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _TRUTHS:
        return _TRUTHS[value.lower()]
    raise fault(f"expected true or false, found {show(value)}", *place)


Number = Annotated[float, BeforeValidator(number)]
Whole = Annotated[int, BeforeValidator(whole)]
Truth = Annotated[bool, BeforeValidator(truth), WithJsonSchema({"anyOf": TRUTH_SCHEMAS})]
