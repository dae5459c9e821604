"""Operators on the recipe's rules: add, edit, move and remove, each with what a dialog of its own can show."""

from __future__ import annotations

from typing import Any, Final

import bpy

from farm.recipe import PARAMETERS, Parameter
from farm.recipe.conditions import Among, Condition, Within
from farm.recipe.distributions import Choose, Fixed, Integers, Setting, Uniform
from farm.recipe.settings import value_range

from . import document, rules
from .ops_double import DIGIDOUBLE_PG_choice, StageOperator
from .parameters import known_names
from .rules import SET, WHERE
from .state import DIGITS, change, label, said, shown_variant, state_of

__all__ = ["CLASSES"]

ASKED: Final = ("stunt.name", "pose.name", "wardrobe.outfit", "hair.style")
MADE: Final = ("hair.style", "pose.name", "stunt.name")
"""What a new rule asks, if it varies, and what it sets to begin with."""


def _search(part: Any, context: Any, typed: str) -> list[str]:
    """The parameters that are like what was typed, in the recipe's order."""
    names = rules.may_stand(state_of(context.scene).document, part.part)
    return [name for name in names if typed.lower() in name.lower()]


def _chosen(part: Any, context: Any) -> None:
    """Begin with what the shown variant has, once another parameter is chosen."""
    parameter = rules.may_stand(state_of(context.scene).document, part.part).get(part.parameter)
    if parameter is not None and parameter.path != part.path:
        value = getattr(getattr(shown_variant(context.scene), parameter.axis), parameter.name)
        _fill(part, parameter, None, value)


def _fill(part: Any, parameter: Parameter, made: Condition | Setting | None, now: Any) -> None:
    """Show a condition or a setting of a parameter; where there is none yet, the value that the variant has."""
    part.path = parameter.path
    part.names.clear()
    if parameter.type in (str, bool):
        chosen = _values(made) or (now,)
        for value in (False, True) if parameter.type is bool else known_names(parameter):
            item = part.names.add()
            item.name, item.used = str(value), value in chosen
        return
    low, high = value_range(parameter)
    if isinstance(made, Fixed):
        low = high = float(made.value)
    elif isinstance(made, Within | Uniform | Integers):
        low, high = made.low, made.high
    part.between = low != high
    if parameter.type is int:
        part.whole_low, part.whole_high = int(low), int(high)
    else:
        part.low, part.high = low, high


def _values(made: Condition | Setting | None) -> tuple[Any, ...]:
    if isinstance(made, Among):
        return made.values
    if isinstance(made, Choose):
        return tuple(value for value, _ in made.options)
    return (made.value,) if isinstance(made, Fixed) else ()


class DIGIDOUBLE_PG_rule_part(bpy.types.PropertyGroup):  # noqa: N801 - Blender's own form
    """A condition or a setting of a rule as a dialog shows it: a parameter, and names or a range."""

    part: bpy.props.StringProperty(options={"HIDDEN"})  # type: ignore[valid-type]
    path: bpy.props.StringProperty(options={"HIDDEN"})  # type: ignore[valid-type]
    parameter: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Parameter", description="What it is about; type to search", search=_search, update=_chosen
    )
    names: bpy.props.CollectionProperty(type=DIGIDOUBLE_PG_choice, options={"HIDDEN"})  # type: ignore[valid-type]
    between: bpy.props.BoolProperty(name="A Range", description="Any value from the least to the most")  # type: ignore[valid-type]
    low: bpy.props.FloatProperty(name="Least", description="No value is below", precision=3)  # type: ignore[valid-type]
    high: bpy.props.FloatProperty(name="Most", description="No value is above", precision=3)  # type: ignore[valid-type]
    whole_low: bpy.props.IntProperty(name="Least", description="No value is below")  # type: ignore[valid-type]
    whole_high: bpy.props.IntProperty(name="Most", description="No value is above")  # type: ignore[valid-type]

    def show(self, scene: Any, part: str, path: str, made: Condition | Setting | None = None) -> None:
        """Show a part of a rule; without one, what the shown variant has of a parameter."""
        parameter = PARAMETERS[path]
        self.part = part
        now = getattr(getattr(shown_variant(scene), parameter.axis), parameter.name)
        _fill(self, parameter, made, now)
        listed = rules.may_stand(state_of(scene).document, part)
        self.parameter = next((name for name, each in listed.items() if each is parameter), "")

    def draw_in(self, layout: Any) -> None:
        """The parameter, and below it names to choose from, or a number or two."""
        layout.prop(self, "parameter", text="If" if self.part == WHERE else "Then", icon="VIEWZOOM")
        if self.path not in PARAMETERS:
            return
        parameter = PARAMETERS[self.path]
        if self.names:
            layout.label(text="is any of" if self.part == WHERE else "is one of, drawn for each variant")
            grid = layout.grid_flow(row_major=True, columns=3, even_columns=True, align=True)
            for item in self.names:
                text = {"True": "Yes", "False": "No"}.get(item.name) if parameter.type is bool else label(item.name)
                grid.prop(item, "used", text=text, toggle=True)
            return
        low, high = value_range(parameter)
        row = layout.row()
        row.prop(self, "between")
        told = row.row()
        told.active, told.alignment = False, "RIGHT"
        told.label(text=said("{} to {}", f"{low:.6g}", f"{high:.6g}") + f" {parameter.unit}", translate=False)
        whole = "whole_" if parameter.type is int else ""
        ends = layout.column(align=True)
        ends.prop(self, f"{whole}low", text="Least" if self.between else "Value")
        if self.between:
            ends.prop(self, f"{whole}high")

    def written(self) -> tuple[str, Any]:
        """The path, and what a recipe says beside it; RecipeError where nothing was chosen."""
        if self.path not in PARAMETERS:
            raise rules.refusal(f"'{self.parameter}' is no parameter; choose one")
        parameter = PARAMETERS[self.path]
        if self.names:
            values = [item.name == "True" if parameter.type is bool else item.name for item in self.names if item.used]
            if not values:
                raise rules.refusal(f"{rules.name_of(parameter)}: choose at least one")
            several = values if self.part == WHERE else {"choose": values}
            return self.path, values[0] if len(values) == 1 else several
        if parameter.type is int:
            low, high = self.whole_low, self.whole_high
        else:
            low, high = (float(f"{end:.{DIGITS}g}") for end in (self.low, self.high))
        if not self.between or low == high:
            return self.path, low
        kind = "integers" if parameter.type is int else "uniform"
        return self.path, [low, high] if self.part == WHERE else {kind: [low, high]}


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
    DIGIDOUBLE_PG_rule_part,
    DIGIDOUBLE_OT_add_rule,
    DIGIDOUBLE_OT_edit_rule,
    DIGIDOUBLE_OT_explain_rule,
    DIGIDOUBLE_OT_remove_rule,
    DIGIDOUBLE_OT_move_rule,
)
