"""Blender's windows: sidebars drawn anew, and an editor to show something in."""

from __future__ import annotations

from typing import Any

import bpy

__all__ = ["open_editor", "redraw"]


def redraw() -> None:
    """Let sidebars show what is new; what is costly to draw is left alone."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            for region in area.regions:
                if region.type == "UI" and area.type in ("VIEW_3D", "IMAGE_EDITOR"):
                    region.tag_redraw()


def open_editor(kind: str) -> Any:
    """An editor of a kind that is open, else one in a new window; None where Blender has no windows."""
    if bpy.app.background:
        return None
    windows = bpy.context.window_manager.windows
    area = next((area for window in windows for area in window.screen.areas if area.type == kind), None)
    if area is None:
        with bpy.context.temp_override(window=bpy.context.window or windows[0]):
            bpy.ops.wm.window_new()
        area = windows[-1].screen.areas[0]
        area.type = kind
    return area
