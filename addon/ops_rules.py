"""Operators on the recipe's rules: add, edit, move and remove, each with what a dialog of its own can show."""

from __future__ import annotations

from typing import Any, Final

import bpy

from . import document, rules
from .ops_double import StageOperator
from .rule_dialog import DIGIDOUBLE_PG_rule_part
from .rules import SET, WHERE
from .state import change, said, state_of

__all__ = ["CLASSES"]

ASKED: Final = ("stunt.name", "pose.name", "wardrobe.outfit", "hair.style")
MADE: Final = ("hair.style", "pose.name", "stunt.name")
"""What a new rule asks, if it varies, and what it sets to begin with."""


class _RuleOperator(StageOperator):
    """What operators on rules share: they edit the document, and say what it refuses."""

    def edit(self, context: Any, work: Any) -> set[str]:
        """Change the document by `work(text)`, and show the variant."""
        change(context.scene, work)
        if state_of(context.scene).problem:
            self.report({"ERROR"}, state_of(context.scene).problem)  # type: ignore[attr-defined]
            return {"CANCELLED"}
        return self.show(context)

    def there(self, context: Any, number: int) -> bool:
        """Whether there is such a rule; says so where there is none."""
        if 0 <= number < len(rules.rules_of(state_of(context.scene).document)):
            return True
        self.report({"ERROR"}, f"There is no rule {number + 1}")  # type: ignore[attr-defined]
        return False


NUMBER: Final = {"name": "Rule", "min": 0, "options": {"HIDDEN"}}
WHY: Final = {"name": "Why", "description": "What the rule is for, for whoever reads the recipe", "maxlen": 200}
PATH: Final = {"name": "Parameter", "options": {"HIDDEN"}}
PART: Final = {"name": "Part", "items": [(WHERE, "Condition", ""), (SET, "Setting", "")], "options": {"HIDDEN"}}


class DIGIDOUBLE_OT_add_rule(_RuleOperator, bpy.types.Operator):  # noqa: N801
    """Say what variants of one kind must have, such as short hair in a back flip"""

    bl_idname = "digidouble.add_rule"
    bl_label = "Add Rule"
    asked: bpy.props.PointerProperty(type=DIGIDOUBLE_PG_rule_part)  # type: ignore[valid-type]
    made: bpy.props.PointerProperty(type=DIGIDOUBLE_PG_rule_part)  # type: ignore[valid-type]
    why: bpy.props.StringProperty(**WHY)  # type: ignore[valid-type]

    def invoke(self, context: Any, _: Any) -> set[str]:
        """Begin with the stunt and the hairstyle of the shown variant, or what varies instead."""
        text = state_of(context.scene).document
        varied = document.read(text).varied
        asked = next((path for path in ASKED if path in varied), ASKED[0])
        able = {each.path for each in rules.may_stand(text, SET).values()} - {asked}
        self.asked.show(context.scene, WHERE, asked)
        self.made.show(context.scene, SET, next(path for path in MADE if path in able))
        self.why = ""
        return context.window_manager.invoke_props_dialog(self, width=440, title="New Rule")  # type: ignore[no-any-return]

    def draw(self, _: Any) -> None:
        """Condition, setting, and why."""
        self.asked.draw_in(self.layout.column())
        self.layout.separator(type="LINE")
        self.made.draw_in(self.layout.column())
        self.layout.separator(type="LINE")
        self.layout.prop(self, "why")

    def execute(self, context: Any) -> set[str]:
        """Add it after the others."""

        def add(text: str) -> str:
            (asked, value), (path, made) = self.asked.written(), self.made.written()
            return rules.add_rule(text, {asked: value}, {path: made}, self.why)

        return self.edit(context, add)


class DIGIDOUBLE_OT_edit_rule(_RuleOperator, bpy.types.Operator):  # noqa: N801
    """Change a condition of this rule, or what it sets"""

    bl_idname = "digidouble.edit_rule"
    bl_label = "Edit Rule"
    number: bpy.props.IntProperty(**NUMBER)  # type: ignore[valid-type]
    part: bpy.props.EnumProperty(**PART)  # type: ignore[valid-type]
    path: bpy.props.StringProperty(**PATH)  # type: ignore[valid-type]
    edited: bpy.props.PointerProperty(type=DIGIDOUBLE_PG_rule_part)  # type: ignore[valid-type]

    @classmethod
    def description(cls, _: Any, properties: Any) -> str:
        """What is changed, or added."""
        if properties.path:
            return "Change what is asked" if properties.part == WHERE else "Change what is set"
        return "Ask one thing more: all conditions must hold" if properties.part == WHERE else "Set one thing more"

    def invoke(self, context: Any, _: Any) -> set[str]:
        """Begin with what the rule says."""
        if not self.there(context, self.number):
            return {"CANCELLED"}
        text = state_of(context.scene).document
        made = rules.read_part(text, self.number, self.part, self.path) if self.path else None
        taken = getattr(rules.rules_of(text)[self.number], self.part)
        free = (each.path for each in rules.may_stand(text, self.part).values() if each.path not in taken)
        self.edited.show(context.scene, self.part, self.path or next(free), made)
        title = said("Rule {}", self.number + 1)
        return context.window_manager.invoke_props_dialog(self, width=440, title=title)  # type: ignore[no-any-return]

    def draw(self, _: Any) -> None:
        """The condition or the setting."""
        self.edited.draw_in(self.layout.column())

    def execute(self, context: Any) -> set[str]:
        """Write it in place of what was there."""
        if not self.there(context, self.number):
            return {"CANCELLED"}
        return self.edit(
            context, lambda text: rules.write_part(text, self.number, self.part, self.path, self.edited.written())
        )


class DIGIDOUBLE_OT_explain_rule(_RuleOperator, bpy.types.Operator):  # noqa: N801
    """Say why this rule is there"""

    bl_idname = "digidouble.explain_rule"
    bl_label = "Why"
    number: bpy.props.IntProperty(**NUMBER)  # type: ignore[valid-type]
    why: bpy.props.StringProperty(**WHY)  # type: ignore[valid-type]

    def invoke(self, context: Any, _: Any) -> set[str]:
        """Begin with what is said."""
        if not self.there(context, self.number):
            return {"CANCELLED"}
        self.why = rules.rules_of(state_of(context.scene).document)[self.number].why or ""
        title = said("Rule {}", self.number + 1)
        return context.window_manager.invoke_props_dialog(self, width=440, title=title)  # type: ignore[no-any-return]

    def execute(self, context: Any) -> set[str]:
        """Write it."""
        if not self.there(context, self.number):
            return {"CANCELLED"}
        return self.edit(context, lambda text: rules.explain_rule(text, self.number, self.why))


class DIGIDOUBLE_OT_remove_rule(_RuleOperator, bpy.types.Operator):  # noqa: N801
    """Take this rule away"""

    bl_idname = "digidouble.remove_rule"
    bl_label = "Remove Rule"
    number: bpy.props.IntProperty(**NUMBER)  # type: ignore[valid-type]
    part: bpy.props.EnumProperty(**PART)  # type: ignore[valid-type]
    path: bpy.props.StringProperty(**PATH)  # type: ignore[valid-type]

    @classmethod
    def description(cls, _: Any, properties: Any) -> str:
        """Whether all of it goes."""
        return "Take this out of the rule" if properties.path else "Take this rule away"

    def execute(self, context: Any) -> set[str]:
        """Take away the rule; where a path is given, that part of it."""
        if not self.there(context, self.number):
            return {"CANCELLED"}
        if not self.path:
            return self.edit(context, lambda text: rules.remove_rule(text, self.number))
        if self.path not in getattr(rules.rules_of(state_of(context.scene).document)[self.number], self.part):
            self.report({"ERROR"}, f"Rule {self.number + 1} does not name '{self.path}'")
            return {"CANCELLED"}
        return self.edit(context, lambda text: rules.remove_part(text, self.number, self.part, self.path))


class DIGIDOUBLE_OT_move_rule(_RuleOperator, bpy.types.Operator):  # noqa: N801
    """Let this rule come earlier or later: a later one has the last word"""

    bl_idname = "digidouble.move_rule"
    bl_label = "Move Rule"
    number: bpy.props.IntProperty(**NUMBER)  # type: ignore[valid-type]
    by: bpy.props.IntProperty(name="By", description="How many places down; negative goes up", default=1)  # type: ignore[valid-type]

    @classmethod
    def description(cls, _: Any, properties: Any) -> str:
        """Which way it goes."""
        if properties.by > 0:
            return "Let this rule come after the next one: what comes later has the last word"
        return "Let this rule come before the one above: what comes later has the last word"

    def execute(self, context: Any) -> set[str]:
        """Move it; at either end it stays."""
        if not self.there(context, self.number):
            return {"CANCELLED"}
        return self.edit(context, lambda text: rules.move_rule(text, self.number, self.by))


CLASSES: Final = (
    DIGIDOUBLE_OT_add_rule,
    DIGIDOUBLE_OT_edit_rule,
    DIGIDOUBLE_OT_explain_rule,
    DIGIDOUBLE_OT_remove_rule,
    DIGIDOUBLE_OT_move_rule,
)
