"""A condition or a setting of a rule as a dialog shows it: a parameter that is searched for, and names or a range."""

from __future__ import annotations

from typing import Any, Final

import bpy

from farm.recipe import PARAMETERS, Parameter
from farm.recipe.conditions import Among, Condition, Within
from farm.recipe.distributions import Choose, Fixed, Integers, Setting, Uniform
from farm.recipe.settings import value_range

from . import rules
from .ops_double import DIGIDOUBLE_PG_choice
from .parameters import known_names
from .rules import WHERE
from .state import DIGITS, label, said, shown_variant, state_of

__all__ = ["CLASSES", "DIGIDOUBLE_PG_rule_part"]


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


CLASSES: Final = (DIGIDOUBLE_PG_rule_part,)
