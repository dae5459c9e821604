"""What Digidouble keeps in a scene, and how it is changed."""

from __future__ import annotations

import functools
import json
import textwrap
from collections.abc import Callable
from typing import Any, Final

import bpy

from farm.errors import BadInput
from farm.recipe import Variant

from . import document

__all__ = [
    "CHANGED",
    "CONTEXT",
    "DIGITS",
    "change",
    "change_held",
    "draw_lines",
    "label",
    "refuse",
    "said",
    "settle",
    "shown_variant",
    "state_of",
    "told",
    "wrapped",
]

PLACES: Final = {
    "axes": "",
    "capture": "capture",
    "split": "recipe",
    "name": "recipe",
    "seed": "vary",
    "count": "vary",
    "population": "vary",
    "rules": "rules",
}
"""What a recipe's message begins with -> the panel where it belongs."""

CONTEXT: Final = "Digidouble"
"""Where our words are looked up first: Blender's own tables have others for "Double" or "Second"."""

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


def said(text: str, *values: Any) -> str:
    """A text in the language of the interface, with values in place of its `{}`."""
    return str(bpy.app.translations.pgettext_iface(text, CONTEXT)).format(*values)


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
        refuse(scene, error)
        return
    settle(scene)
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
        refuse(scene, error, axis)
        return
    settle(scene)
    state.held = text


def refuse(scene: Any, error: BadInput | str, place: str = "") -> None:
    """Say what was refused, in the panel where it belongs: at `place`, or where the message itself says."""
    state = state_of(scene)
    text = str(error).splitlines()[0]
    if not isinstance(error, str):  # the place in a file that nobody sees stands before it
        text = text.partition(": ")[2] or text
    found, _, rest = text.partition(": ")
    steps = [step.partition("[")[0] for step in found.split(".")]
    if rest and steps[0] in PLACES:
        place = place or (steps[1] if steps[0] == "axes" and len(steps) > 1 else PLACES[steps[0]])
        text = f"{label(steps[-1])}: {rest}" if len(steps) > 1 else rest
    state.problem, state.problem_at = text, place


def settle(scene: Any) -> None:
    """Nothing is refused any more."""
    state_of(scene).problem = state_of(scene).problem_at = ""


@functools.lru_cache(maxsize=16)
def wrapped(text: str, width: int = 30) -> list[str]:
    """A message in lines that a narrow panel holds."""
    return textwrap.wrap(text, width)


def draw_lines(layout: Any, text: str, *, icon: str = "ERROR", width: int = 30) -> None:
    """A message as lines of a panel, the first one with an icon."""
    for number, line in enumerate(wrapped(text, width)):
        layout.label(text=line, icon="BLANK1" if number else icon, translate=False)
