"""What validators of the recipe raise: a message for people, and where under the field it applies."""

from __future__ import annotations

import re
from typing import Any, Final

from pydantic_core import PydanticCustomError

__all__ = ["FAULT", "Key", "Place", "fault", "show", "spell"]

FAULT: Final = "recipe"
"""The `type` of every error made by `fault`."""

_SHOWN_LENGTH: Final = 60
_PLAIN_KEY: Final = re.compile(r"[\w. +-]{1,40}")


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


def spell(place: Place) -> str:
    """A place as people write it: `axes.hair.melanin.uniform[1]`."""
    text = ""
    for step in place:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + (step if _PLAIN_KEY.fullmatch(step) else show(str(step)))
    return text
