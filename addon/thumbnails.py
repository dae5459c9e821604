"""Pictures of templates for menus: `thumbnails/KIND/NAME.png` beside this file, cut from the sheets of the docs.

`make extension` cuts them. Where there are none, as in a checkout, menus have no pictures.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import bpy.utils.previews

__all__ = ["FOLDER", "PICTURED", "icon", "register", "unregister"]

FOLDER: Final = Path(__file__).parent / "thumbnails"
PICTURED: Final = ("hairstyles", "beards", "poses", "stunts", "expressions", "wardrobe")
"""Kinds with pictures."""

_loaded: dict[str, Any] = {}


def icon(kind: str, name: str) -> int:
    """The icon of a template; 0 where it has no picture."""
    pictures, key = _loaded["pictures"], f"{kind}/{name}"
    if key not in pictures:
        file = FOLDER / f"{key}.png"
        if not file.is_file():
            return 0
        pictures.load(key, str(file), "IMAGE")
    return int(pictures[key].icon_id)


def register() -> None:
    """Make room for pictures; each is read when a menu first shows it."""
    _loaded["pictures"] = bpy.utils.previews.new()


def unregister() -> None:
    """Let go of them."""
    bpy.utils.previews.remove(_loaded.pop("pictures"))
