"""A build in progress: how far it is, in the panel, and ESC, which stops it."""

from __future__ import annotations

from typing import Any, Final

import bpy

from . import keys, preview
from .problems import draw_problem
from .state import state_of

__all__ = ["CLASSES", "draw_building", "register", "unregister"]

STEPS: Final = {
    "double": "Shaping and dressing",
    "motion": "Posing",
    "groom": "Combing hair",
    "set": "Lighting",
    "camera": "Aiming the camera",
}
"""What people call the steps of farm.stage.steps."""


class DIGIDOUBLE_OT_stop_building(bpy.types.Operator):  # noqa: N801 - Blender's own form
    """Stop building this variant. The next change, or Build Double, goes on"""

    bl_idname = "digidouble.stop_building"
    bl_label = "Stop Building"
    bl_options: Final = {"INTERNAL"}

    @classmethod
    def poll(cls, _: Any) -> bool:
        """Only while one is built."""
        return preview.progress() is not None

    def execute(self, _: Any) -> set[str]:
        """Stop before the next step."""
        preview.stop()
        return {"FINISHED"}


class DIGIDOUBLE_OT_build_double(bpy.types.Operator):  # noqa: N801
    """Build the variant that was stopped"""

    bl_idname = "digidouble.build_double"
    bl_label = "Build Double"
    bl_options: Final = {"INTERNAL"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only where a double is not whole."""
        state = state_of(context.scene)
        return bool(state.document) and not state.shown and preview.progress() is None

    def execute(self, context: Any) -> set[str]:
        """Do what is missing."""
        preview.show(context.scene)
        return {"FINISHED"}


def draw_building(layout: Any, scene: Any) -> None:
    """How far the build is, with a button that stops it; or one that goes on, where it was stopped."""
    told = preview.progress()
    if told is not None:
        row = layout.row(align=True)
        row.progress(text=STEPS[told[0]], factor=told[1])
        row.operator(DIGIDOUBLE_OT_stop_building.bl_idname, text="", icon="X")
    elif not state_of(scene).shown:
        draw_problem(layout, scene, preview.BUILDING)
        layout.operator(DIGIDOUBLE_OT_build_double.bl_idname, icon="FILE_REFRESH")


def register() -> None:
    """Let ESC over the 3D view stop a build."""
    keys.bind(DIGIDOUBLE_OT_stop_building.bl_idname, keys.VIEW_3D, "ESC")


def unregister() -> None:
    """Give ESC back."""
    keys.release(DIGIDOUBLE_OT_stop_building.bl_idname)


CLASSES: Final = (DIGIDOUBLE_OT_stop_building, DIGIDOUBLE_OT_build_double)
