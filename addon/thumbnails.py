"""Pictures of templates for menus: `thumbnails/KIND/NAME.png` beside this file, cut from the sheets of the docs.

`make extension` cuts them. Where there are none, as in a checkout, menus have no pictures.

Pictures and what templates say of themselves are read when a menu first shows them: in a window a few at a time, so
that it goes on answering. The menu has its names meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import bpy
import bpy.utils.previews

from farm.errors import TemplateError
from farm.recipe import templates

from .windows import redraw

__all__ = ["FOLDER", "PICTURED", "icon", "read_some", "ready", "register", "unregister"]

FOLDER: Final = Path(__file__).parent / "thumbnails"
PICTURED: Final = ("hairstyles", "beards", "poses", "stunts", "expressions", "wardrobe")
"""Kinds with pictures."""

PIECE: Final = 0.02
"""Seconds that are read at a time."""
PAUSE: Final = 0.02

_loaded: dict[str, Any] = {}
_wanted: dict[tuple[str, str], None] = {}
_read: set[tuple[str, str]] = set()


def icon(kind: str, name: str) -> int:
    """The icon of a template; 0 where it has no picture."""
    pictures, key = _loaded["pictures"], f"{kind}/{name}"
    if key not in pictures:
        file = FOLDER / f"{key}.png"
        if not file.is_file():
            return 0
        pictures.load(key, str(file), "IMAGE")
    return int(pictures[key].icon_id)


def ready(kind: str, names: Iterable[str]) -> bool:
    """Whether a menu's templates have been read; in a window, the others are from now on."""
    left = [(kind, name) for name in names if (kind, name) not in _read]
    if not left or bpy.app.background:
        return True
    _wanted.update(dict.fromkeys(left))
    if not bpy.app.timers.is_registered(read_some):
        bpy.app.timers.register(read_some, first_interval=0.0)
    return False


def read_some() -> float | None:
    """Read as many as can be in a moment; again soon, while there are others."""
    until = time.monotonic() + PIECE
    while _wanted:
        kind, name = next(iter(_wanted))
        del _wanted[kind, name]
        _read.add((kind, name))
        with suppress(TemplateError):  # said where the template is used
            if name in templates.names(kind):
                templates.load(kind, name)
        icon(kind, name)
        if time.monotonic() >= until:
            break
    redraw()
    return PAUSE if _wanted else None


def register() -> None:
    """Make room for pictures; each is read when a menu first shows it."""
    _loaded["pictures"] = bpy.utils.previews.new()


def unregister() -> None:
    """Let go of them."""
    if bpy.app.timers.is_registered(read_some):
        bpy.app.timers.unregister(read_some)
    _wanted.clear()
    _read.clear()
    bpy.utils.previews.remove(_loaded.pop("pictures"))
