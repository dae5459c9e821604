"""What was refused or went wrong, shown in the panel where it belongs, with what can be done about it."""

from __future__ import annotations

from typing import Any, Final

import bpy

from .ops_double import StageOperator
from .state import settle, state_of, wrapped

__all__ = ["CLASSES", "draw_problem"]


class DIGIDOUBLE_OT_dismiss(StageOperator, bpy.types.Operator):  # noqa: N801 - Blender's own form
    """Take this message away; what it is about was not done"""

    bl_idname = "digidouble.dismiss"
    bl_label = "Dismiss"
    bl_options: Final = {"INTERNAL"}

    def execute(self, context: Any) -> set[str]:
        """Forget the message."""
        settle(context.scene)
        return {"FINISHED"}


class DIGIDOUBLE_OT_try_again(StageOperator, bpy.types.Operator):  # noqa: N801
    """Build this variant again"""

    bl_idname = "digidouble.try_again"
    bl_label = "Try Again"

    def execute(self, context: Any) -> set[str]:
        """Forget what is on the stage, and show the variant."""
        settle(context.scene)
        state_of(context.scene).shown = ""
        return self.show(context)


def draw_problem(layout: Any, scene: Any, place: str) -> None:
    """What was refused, where it belongs to a place: an axis, or a panel; '' is the double itself."""
    state = state_of(scene)
    if not state.problem or state.problem_at != place:
        return
    box = layout.box()
    row = box.row()
    lines = row.column(align=True)
    lines.alert = True
    for number, line in enumerate(wrapped(state.problem)):
        lines.label(text=line, icon="ERROR" if number == 0 else "BLANK1", translate=False)
    row.operator(DIGIDOUBLE_OT_dismiss.bl_idname, text="", icon="X", emboss=False)
    if not place:
        box.operator(DIGIDOUBLE_OT_try_again.bl_idname, icon="FILE_REFRESH")


CLASSES: Final = (DIGIDOUBLE_OT_dismiss, DIGIDOUBLE_OT_try_again)
