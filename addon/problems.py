"""What was refused or went wrong, shown in the panel where it belongs, with what can be done about it."""

from __future__ import annotations

from typing import Any, Final

import bpy

from farm.errors import RecipeError

from . import document
from .ops_double import StageOperator
from .state import draw_lines, settle, state_of

__all__ = ["CLASSES", "draw_problem", "draw_trouble"]

WIDTH: Final = 25
"""Letters in a line of a message in a box, beside the button that takes it away."""


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
    box, row = _draw_box(layout, state.problem)
    row.operator(DIGIDOUBLE_OT_dismiss.bl_idname, text="", icon="X", emboss=False)
    if not place:
        box.operator(DIGIDOUBLE_OT_try_again.bl_idname, icon="FILE_REFRESH")


class DIGIDOUBLE_OT_do_without(StageOperator, bpy.types.Operator):  # noqa: N801
    """Leave out of the recipe what is not known here, such as a stunt of somebody else's"""

    bl_idname = "digidouble.do_without"
    bl_label = "Do Without"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only where the recipe is wrong."""
        return super().poll(context) and bool(document.trouble(state_of(context.scene).document))

    def execute(self, context: Any) -> set[str]:
        """Take it out, and show the variant."""
        state = state_of(context.scene)
        try:
            state.document = document.without_trouble(state.document)
        except RecipeError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return self.show(context)


def draw_trouble(layout: Any, scene: Any) -> bool:
    """Why the scene's document is no recipe here, and what can be done; False where it is one."""
    wrong = document.trouble(state_of(scene).document)
    if not wrong:
        return False
    _draw_box(layout, wrong)
    layout.operator(DIGIDOUBLE_OT_do_without.bl_idname, icon="TRASH")
    return True


def _draw_box(layout: Any, text: str) -> tuple[Any, Any]:
    """A message in a box; returns the box, and the row that the message stands in."""
    box = layout.box()
    row = box.row()
    lines = row.column(align=True)
    lines.alert = True
    draw_lines(lines, text, width=WIDTH)
    return box, row


CLASSES: Final = (DIGIDOUBLE_OT_dismiss, DIGIDOUBLE_OT_try_again, DIGIDOUBLE_OT_do_without)
