"""Keys and clicks that call the add-on's operators, until it is taken away."""

from __future__ import annotations

from typing import Any, Final

import bpy

__all__ = ["FILE_LIST", "VIEW_3D", "bind", "bound", "release"]

VIEW_3D: Final = ("3D View Generic", "VIEW_3D")
FILE_LIST: Final = ("File Browser Main", "FILE_BROWSER")
"""A keymap, and the kind of area where it counts."""

_bound: Final[dict[str, tuple[Any, Any]]] = {}


def bind(operator: str, where: tuple[str, str], type_: str, value: str = "PRESS") -> None:
    """Let a key or click call an operator in a keymap; nothing where Blender keeps none, as without a window."""
    chosen = bpy.context.window_manager.keyconfigs.addon
    if chosen is not None:
        name, space = where
        keymap = chosen.keymaps.new(name=name, space_type=space)
        _bound[operator] = (keymap, keymap.keymap_items.new(operator, type_, value))


def bound(operator: str) -> tuple[Any, Any]:
    """The keymap where an operator is bound, and its item there; KeyError where it is not."""
    return _bound[operator]


def release(operator: str) -> None:
    """Give an operator's key back, if it has one."""
    if operator in _bound:
        keymap, item = _bound.pop(operator)
        keymap.keymap_items.remove(item)
