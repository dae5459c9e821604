"""Blender's signs of life: a call whenever it has evaluated a frame, begun or ended a render, or taken some samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import bpy

__all__ = ["watch"]

HANDLERS: Final = ("frame_change_post", "depsgraph_update_post", "render_pre", "render_stats", "render_post")


def watch(advanced: Callable[..., None]) -> None:
    """Call `advanced` at each sign from now on, with whatever Blender hands to a handler; it must be quick.

    Opening another file ends it.
    """

    def told(*said: object) -> None:
        advanced(*said)

    for name in HANDLERS:
        getattr(bpy.app.handlers, name).append(told)
