"""The panel Rules, below Vary: each rule in words, whether the shown variant suits it, and its buttons."""

from __future__ import annotations

from typing import Any, Final

import bpy

from farm.recipe import PARAMETERS
from farm.recipe.rules import Rule

from . import rules
from .panels import SPACE, StagePanel
from .problems import draw_problem
from .rules import SET, WHERE
from .state import said, state_of, wrapped

__all__ = ["CLASSES"]

WIDTH: Final = 31
"""Letters in a line beside two buttons; a line without has more."""
WIDE: Final = 38
STANDS: Final = {
    rules.HOLDS: "Holds here",
    rules.NOT_HERE: "Not here",
    rules.HELD: "Locked",
}


class DIGIDOUBLE_PT_rules(StagePanel, bpy.types.Panel):  # noqa: N801 - Blender's own form
    """What variants of one kind must have, whatever else is drawn"""

    bl_label = "Rules"
    bl_space_type, bl_region_type, bl_category = SPACE.values()
    bl_parent_id = "DIGIDOUBLE_PT_vary"
    bl_options: Final = set()

    def draw(self, context: Any) -> None:
        """Each rule in a box of its own, in the order in which they are applied."""
        layout, scene = self.layout, context.scene
        state = state_of(scene)
        draw_problem(layout, scene, "rules")
        stands = rules.standing(state.document, state.held, state.index)
        idle = rules.idle(state.document, state.held)
        for number, rule in enumerate(rules.rules_of(state.document)):
            box = layout.box().column()
            _draw_head(box, number, stands[number], len(stands))
            _draw_parts(box, number, rule, WHERE)
            _draw_parts(box, number, rule, SET)
            if rule.why:
                _draw_text(box.column(align=True), rule.why, width=WIDE, active=False)
            if number in idle:
                name = said(rules.name_of(PARAMETERS[idle[number]]))
                told = said("{} is never so: no variant can suit it", name)
                _draw_text(box.column(align=True), told, icon="ERROR")
            _draw_foot(box, number)
        layout.operator("digidouble.add_rule", icon="ADD")


def _draw_head(box: Any, number: int, stands: str, count: int) -> None:
    """Its number and how it stands with the shown variant, and what moves and removes it."""
    row = box.row(align=True)
    row.label(text=f"{number + 1}  {said(STANDS[stands])}", icon=stands, translate=False)
    for by, icon, able in ((-1, "TRIA_UP", number > 0), (1, "TRIA_DOWN", number < count - 1)):
        button = row.row(align=True)
        button.enabled = able
        move = button.operator("digidouble.move_rule", text="", icon=icon, emboss=False)
        move.number, move.by = number, by
    row.operator("digidouble.remove_rule", text="", icon="X", emboss=False).number = number


def _draw_parts(box: Any, number: int, rule: Rule, part: str) -> None:
    """Conditions or settings in words, each with the button that edits it where a dialog can show it."""
    parts: dict[str, Any] = getattr(rule, part)
    for place, (path, made) in enumerate(parts.items()):
        row = box.row(align=True)
        _draw_text(row.column(align=True), rules.tell_part(part, path, made, first=place == 0))
        buttons = row.row(align=True)
        buttons.alignment = "RIGHT"
        if not rules.simple(path, made):
            buttons.label(icon="BLANK1")
        else:
            edit = buttons.operator("digidouble.edit_rule", text="", icon="GREASEPENCIL", emboss=False)
            edit.number, edit.part, edit.path = number, part, path
        if len(parts) > 1:
            away = buttons.operator("digidouble.remove_rule", text="", icon="REMOVE", emboss=False)
            away.number, away.part, away.path = number, part, path
        else:
            buttons.label(icon="BLANK1")


def _draw_text(column: Any, text: str, *, width: int = WIDTH, active: bool = True, icon: str = "NONE") -> None:
    """A text in lines close to each other; those below the first stand where it does, also beside an icon."""
    column.active = active
    column.scale_y = 0.8
    for place, line in enumerate(wrapped(text, width)):
        column.label(text=line, icon="BLANK1" if place and icon != "NONE" else icon, translate=False)


def _draw_foot(box: Any, number: int) -> None:
    """What adds to it."""
    row = box.row(align=True)
    for part, text in ((WHERE, "Condition"), (SET, "Setting")):
        add = row.operator("digidouble.edit_rule", text=text, icon="ADD")
        add.number, add.part, add.path = number, part, ""
    row.operator("digidouble.explain_rule", text="", icon="TEXT").number = number


CLASSES: Final = (DIGIDOUBLE_PT_rules,)
