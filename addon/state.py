"""What Digidouble keeps in a scene, and how it is changed."""

from __future__ import annotations

import functools
import json
import textwrap
from collections.abc import Callable
from typing import Any, Final

from farm.errors import BadInput
from farm.recipe import Variant

from . import document

__all__ = ["CHANGED", "DIGITS", "change", "change_held", "label", "shown_variant", "state_of", "told", "wrapped"]

DIGITS: Final = 6
"""Significant digits of what is written; Blender's floats have little more."""

CHANGED: Final[list[Callable[[], None]]] = []
"""Called whenever what a scene should show has changed."""


def label(name: str) -> str:
    """A name as people read it, in title case."""
    spelled = name.replace("_", " ")
    return spelled if any(letter.isupper() for letter in spelled) else spelled.title()


def told(text: str | None) -> str:
    """A description as a tooltip: Blender itself adds the last full stop."""
    return (text or "").rstrip(".")


def state_of(scene: Any) -> Any:
    """What Digidouble keeps in a scene."""
    return scene.digidouble


def shown_variant(scene: Any) -> Variant:
    """The variant that a scene shows, from its document."""
    state = state_of(scene)
    return document.draw(state.document, state.held, state.index)


def change(scene: Any, edit: Callable[[str], str]) -> None:
    """Edit a scene's document; what would be wrong is refused, and said in the panel."""
    state = state_of(scene)
    try:
        changed = edit(state.document)
        document.draw(changed, state.held, min(state.index, document.read(changed).count - 1))
    except BadInput as error:
        state.problem = _short(error)
        return
    state.problem = ""
    state.document = changed
    state.index = min(state.index, document.read(changed).count - 1)


def change_held(scene: Any, axis: str, name: str, value: Any) -> None:
    """Give a parameter of a held axis another value; what would be wrong is refused, and said in the panel."""
    state = state_of(scene)
    held = json.loads(state.held)
    held[axis][name] = value
    text = json.dumps(held)
    try:
        document.draw(state.document, text, state.index)
    except BadInput as error:
        state.problem = _short(error)
        return
    state.problem, state.held = "", text


def _short(error: BadInput) -> str:
    """The first line of a message, without the place in a file that nobody sees."""
    first = str(error).splitlines()[0]
    return first.partition(": ")[2] or first


@functools.lru_cache(maxsize=16)
def wrapped(text: str, width: int = 34) -> list[str]:
    """A message in lines that a narrow panel holds."""
    return textwrap.wrap(text, width)
