"""What validators of the recipe raise: a message for people, and where under the field it applies."""

from __future__ import annotations

import math
from typing import Annotated, Any, Final

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

__all__ = ["FAULT", "Key", "Number", "Place", "Truth", "Whole", "fault", "number", "show", "truth", "whole"]

FAULT: Final = "recipe"
"""The `type` of every error made by `fault`."""

_TRUTHS: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_SHOWN_LENGTH: Final = 60


Place = tuple[str | int, ...]
"""Where something stands in nested mappings and lists."""


class Key(str):
    """The last step of a place that means the key of a mapping itself, not the value beside it."""

    __slots__ = ()


def fault(message: str, *place: str | int) -> PydanticCustomError:
    """An error at `place`, relative to the field being validated. `ctx` holds both."""
    return PydanticCustomError(FAULT, "{message}", {"message": message, "place": place})


def show(value: Any) -> str:
    """A value as a message quotes it: short, on one line, spelled as YAML does."""
    if value is None:
        return "nothing"
    if isinstance(value, dict | list | tuple):
        return ("a mapping" if isinstance(value, dict) else "a list") if value else "an empty one"
    if isinstance(value, float):
        return f"{value:.10g}"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= _SHOWN_LENGTH else f"{text[: _SHOWN_LENGTH - 1]}…"


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
Truth = Annotated[bool, BeforeValidator(truth)]
