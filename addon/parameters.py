"""Blender properties of the parameters, made from the recipe's models, where name, unit, range and tooltip stand.

No property here stores a parameter. Each reads from the scene's document and writes into it, so that panel and recipe
cannot drift apart, and undoing the document undoes them.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable
from typing import Any, Final

import bpy

from farm.recipe import AXES, PARAMETERS, Parameter, templates
from farm.recipe.distributions import Choose, Fixed, Integers, Setting, Uniform
from farm.recipe.settings import known_names as read_names
from farm.recipe.settings import value_range

from . import document, thumbnails
from .state import DIGITS, change, change_held, label, shown_variant, state_of, told

__all__ = [
    "AXIS_GROUPS",
    "VARIED",
    "choice_property",
    "ends_of",
    "forget_names",
    "known_names",
    "mode_in",
    "mode_of",
    "number_property",
    "property_of",
    "title",
    "title_of",
]

AUTOMATIC: Final = "AUTOMATIC"
FIXED: Final = "FIXED"
VARIED: Final = "VARIED"
MODES: Final = (
    (AUTOMATIC, "Automatic", "Left out of the recipe: as people are, or the default", "DOT", 0),
    (FIXED, "Fixed", "The same in every variant", "PINNED", 1),
    (VARIED, "Varied", "Drawn anew for every variant", "MOD_NOISE", 2),
)
UNITS: Final = {"m": ("DISTANCE", "LENGTH"), "mm": ("DISTANCE_CAMERA", "CAMERA"), "deg": ("ANGLE", "ROTATION")}

TITLES: Final = {"skin": "Skin and Eyes", "face": "Expression"}
"""Titles of axes whose name is not what artists call them."""

CHOSEN: Final = "chosen"
"""Stands for `name`, which every group of Blender's has already."""


@functools.cache
def known_names(parameter: Parameter) -> list[str]:
    """The names that a template-valued parameter accepts, as they were at the first look."""
    return read_names(parameter)


def forget_names() -> None:
    """Look anew for what names there are: a template was added."""
    known_names.cache_clear()
    document.trouble.cache_clear()


Getter = Callable[[Any], Any]
Setter = Callable[[Any, Any], None]


def property_of(parameter: Parameter) -> str:
    """The property that shows a parameter in its axis' group."""
    return CHOSEN if parameter.name == "name" else parameter.name


def title(axis: str) -> str:
    """What people call an axis."""
    return TITLES.get(axis, label(axis))


def title_of(parameter: Parameter) -> str:
    """What people call a parameter."""
    return label(parameter.axis if parameter.name == "name" else parameter.name)


def _tidy(parameter: Parameter, value: Any) -> Any:
    """A value from Blender in the recipe's unit, without the noise of single precision, within the range."""
    if parameter.type is not float:
        return value
    if parameter.unit == "deg":
        value = math.degrees(value)
    low, high = value_range(parameter)
    return min(max(float(f"{value:.{DIGITS}g}"), low), high)


def _foreign(parameter: Parameter, value: float) -> float:
    """A number of the recipe as Blender has it: angles in radians."""
    return math.radians(value) if parameter.unit == "deg" else value


def _value_access(parameter: Parameter) -> tuple[Getter, Setter]:
    named = parameter.type is str

    def get(group: Any) -> Any:
        scene = group.id_data
        if not state_of(scene).document:
            value = parameter.default
        else:
            value = getattr(getattr(shown_variant(scene), parameter.axis), parameter.name)
        return known_names(parameter).index(value) if named else _foreign(parameter, value)

    def set_(group: Any, raw: Any) -> None:
        value = known_names(parameter)[raw] if named else _tidy(parameter, raw)
        state = state_of(group.id_data)
        if parameter.axis in json.loads(state.held):
            change_held(group.id_data, parameter.axis, parameter.name, value)
        else:
            change(group.id_data, lambda text: document.write_setting(text, parameter.path, Fixed(value)))

    return get, set_


def mode_of(scene: Any, parameter: Parameter) -> str:
    """Whether the recipe leaves a parameter out, fixes it or lets it vary."""
    return mode_in(state_of(scene).document, parameter)


def mode_in(text: str, parameter: Parameter) -> str:
    """Whether a document leaves a parameter out, fixes it or lets it vary."""
    made = document.setting(text, parameter.path)
    return AUTOMATIC if made is None else FIXED if isinstance(made, Fixed) else VARIED


def _mode_access(parameter: Parameter) -> tuple[Getter, Setter]:
    order = [mode[0] for mode in MODES]

    def get(group: Any) -> int:
        return order.index(mode_of(group.id_data, parameter)) if state_of(group.id_data).document else 0

    def set_(group: Any, raw: int) -> None:
        scene, mode = group.id_data, order[raw]
        if mode == mode_of(scene, parameter):
            return
        made = {AUTOMATIC: lambda: None, FIXED: lambda: Fixed(_now(scene, parameter)), VARIED: lambda: _wide(parameter)}
        change(scene, lambda text: document.write_setting(text, parameter.path, made[mode]()))

    return get, set_


def _now(scene: Any, parameter: Parameter) -> Any:
    return getattr(getattr(shown_variant(scene), parameter.axis), parameter.name)


def _wide(parameter: Parameter) -> Setting:
    """The widest distribution of a parameter."""
    if parameter.type is str:
        return Choose(tuple((name, 1.0) for name in known_names(parameter)))
    if parameter.type is bool:
        return Choose(((False, 1.0), (True, 1.0)))
    low, high = value_range(parameter)
    return Integers(int(low), int(high)) if parameter.type is int else Uniform(low, high)


def ends_of(made: Setting | None) -> tuple[float, float] | None:
    """The ends of a distribution that has two, and nothing else but a form that is kept."""
    return (made.low, made.high) if isinstance(made, Uniform | Integers) else None


def _end_access(parameter: Parameter, end: int) -> tuple[Getter, Setter]:
    def get(group: Any) -> Any:
        made = document.setting(state_of(group.id_data).document, parameter.path)
        return _foreign(parameter, (ends_of(made) or value_range(parameter))[end])

    def set_(group: Any, raw: Any) -> None:
        scene, value = group.id_data, _tidy(parameter, raw)
        made = document.setting(state_of(scene).document, parameter.path)
        ends = list(ends_of(made) or value_range(parameter))
        ends[end] = value
        if ends[0] >= ends[1]:
            other = 1 - end
            ends[other] = value_range(parameter)[other]
        if ends[0] >= ends[1]:
            return
        kind = Integers if parameter.type is int else Uniform
        change(scene, lambda text: document.write_setting(text, parameter.path, kind(*ends)))

    return get, set_


def number_property(parameter: Parameter, **given: Any) -> Any:
    """A property of a number, with its name, tooltip, range and unit; `given` completes or replaces them."""
    low, high = value_range(parameter)
    limits = {"min": _foreign(parameter, low), "max": _foreign(parameter, high)}
    given = {"name": label(parameter.name), "description": told(parameter.description), **given}
    if parameter.type is int:
        limits = {key: int(value) for key, value in limits.items()}
        return bpy.props.IntProperty(**limits, **given)
    subtype, unit = UNITS.get(parameter.unit, ("FACTOR" if (low, high) == (0, 1) else "NONE", "NONE"))
    return bpy.props.FloatProperty(**limits, subtype=subtype, unit=unit, precision=2, step=1, **given)


def _value_property(parameter: Parameter) -> Any:
    get, set_ = _value_access(parameter)
    given = {"get": get, "set": set_}
    if parameter.type is bool:
        return bpy.props.BoolProperty(name=label(parameter.name), description=told(parameter.description), **given)
    if parameter.type is str:
        return choice_property(parameter, **given)
    return number_property(parameter, **given)


def choice_property(parameter: Parameter, *, without: str = "", **given: Any) -> Any:
    """A menu of the templates that a parameter can name, each with its description and, where there is one, picture."""
    given = {"name": title_of(parameter), "description": told(parameter.description), **given}

    def items() -> list[Any]:
        names = [name for name in known_names(parameter) if name != without]
        return [(name, label(name), _tooltip(parameter, name), place) for place, name in enumerate(names)]

    if parameter.template not in thumbnails.PICTURED:
        return bpy.props.EnumProperty(items=items(), **given)
    listed: dict[tuple[bool, str], list[Any]] = {}  # kept: Blender does not hold on to the texts itself

    def with_pictures(_: Any, __: Any) -> list[Any]:
        names = known_names(parameter)
        key = (thumbnails.ready(parameter.template, names), " ".join(names))
        if key not in listed and key[0]:
            listed[key] = [(*item[:3], thumbnails.icon(parameter.template, item[0]), item[3]) for item in items()]
        elif key not in listed:
            shown = [name for name in names if name != without]
            listed[key] = [(name, label(name), "", 0, place) for place, name in enumerate(shown)]
        return listed[key]

    return bpy.props.EnumProperty(items=with_pictures, **given)


def _tooltip(parameter: Parameter, name: str) -> str:
    if name not in templates.names(parameter.template):
        return ""
    return told(str(templates.load(parameter.template, name).get("description", "")))


def _parameter_properties(parameter: Parameter) -> dict[str, Any]:
    get, set_ = _mode_access(parameter)
    made = {
        property_of(parameter): _value_property(parameter),
        f"mode_{parameter.name}": bpy.props.EnumProperty(
            name="How It Varies", description=told(parameter.description), items=MODES, get=get, set=set_
        ),
    }
    if parameter.type in (int, float):
        for end, (name, text) in enumerate((("low", "Least"), ("high", "Most"))):
            get, set_ = _end_access(parameter, end)
            made[f"{name}_{parameter.name}"] = number_property(
                parameter, name=text, description=f"{text} of {label(parameter.name)}", get=get, set=set_
            )
    return made


def _lock_property(axis: str) -> Any:
    def get(group: Any) -> bool:
        return axis in json.loads(state_of(group.id_data).held)

    def set_(group: Any, locked: bool) -> None:
        state = state_of(group.id_data)
        if locked:
            state.held = document.hold(state.held, shown_variant(group.id_data), axis)
        else:
            state.held = document.release(state.held, axis)

    return bpy.props.BoolProperty(
        name="Lock",
        description=f"Keep the {label(axis).lower()} as it is now, in all variants",
        get=get,
        set=set_,
    )


def _axis_group(axis: str) -> type:
    made = {"locked": _lock_property(axis)}
    for name in AXES[axis].model_fields:
        made |= _parameter_properties(PARAMETERS[f"{axis}.{name}"])
    return type(
        f"DIGIDOUBLE_PG_{axis}", (bpy.types.PropertyGroup,), {"__annotations__": made, "__doc__": AXES[axis].__doc__}
    )


AXIS_GROUPS: Final = {axis: _axis_group(axis) for axis in AXES}
