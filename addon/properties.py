"""Blender properties made from the recipe's models: name, unit, range and tooltip stand in `farm.recipe` alone.

No property here stores a parameter. Each reads from the scene's document and writes into it, so that panel and recipe
cannot drift apart, and undoing the document undoes them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, Final

import bpy
from pydantic import BaseModel

from farm.errors import BadInput
from farm.recipe import AXES, PARAMETERS, Capture, Frames, Parameter, Recipe, Reference, Variant
from farm.recipe.distributions import Choose, Fixed, Integers, Setting, Uniform
from farm.recipe.passes import PRESETS
from farm.recipe.settings import known_names, value_range

from . import document

__all__ = ["CLASSES", "DIGIDOUBLE_PG_scene", "label", "names_of", "property_of", "shown_variant", "state_of"]

AUTOMATIC: Final = "AUTOMATIC"
FIXED: Final = "FIXED"
VARIED: Final = "VARIED"
MODES: Final = (
    (AUTOMATIC, "Automatic", "Left out of the recipe: as people are, or the default", "AUTO", 0),
    (FIXED, "Fixed", "The same in every variant", "PINNED", 1),
    (VARIED, "Varied", "Drawn anew for every variant", "MOD_NOISE", 2),
)
UNITS: Final = {"m": ("DISTANCE", "LENGTH"), "mm": ("DISTANCE_CAMERA", "CAMERA"), "deg": ("ANGLE", "ROTATION")}
DIGITS: Final = 6
"""Significant digits of what is written; Blender's floats have little more."""

CHOSEN: Final = "chosen"

Getter = Callable[[Any], Any]
Setter = Callable[[Any, Any], None]


CHANGED: Final[list[Callable[[], None]]] = []
"""Called whenever what a scene should show has changed."""


def _tell(*_: Any) -> None:
    for each in CHANGED:
        each()


def label(name: str) -> str:
    """A name as people read it, in title case."""
    spelled = name.replace("_", " ")
    return spelled if any(letter.isupper() for letter in spelled) else spelled.title()


def property_of(parameter: Parameter) -> str:
    """The property that shows a parameter in its axis' group; every group of Blender's has a `name` of its own."""
    return CHOSEN if parameter.name == "name" else parameter.name


def told(text: str | None) -> str:
    """A description as a tooltip: Blender itself adds the last full stop."""
    return (text or "").rstrip(".")


def state_of(scene: Any) -> Any:
    """What Digidouble keeps in a scene."""
    return scene.digidouble


def shown_variant(scene: Any) -> Variant:
    """The variant that a scene shows, from its document."""
    state = state_of(scene)
    return document.draw(state.document, state.held, state.index)


def names_of(parameter: Parameter) -> list[str]:
    """The templates that a parameter can name, in the order of its menu."""
    return known_names(parameter)


def change(scene: Any, edit: Callable[[str], str]) -> None:
    """Edit a scene's document; what would be wrong is refused, and said in the panel."""
    state = state_of(scene)
    try:
        changed = edit(state.document)
        document.draw(changed, state.held, min(state.index, document.read(changed).count - 1))
    except BadInput as error:
        state.problem = str(error).splitlines()[0].partition(": ")[2] or str(error)
        return
    state.problem = ""
    state.document = changed
    state.index = min(state.index, document.read(changed).count - 1)


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
    names = names_of(parameter) if parameter.type is str else []

    def get(group: Any) -> Any:
        scene = group.id_data
        if not state_of(scene).document:
            value = parameter.default
        else:
            value = getattr(getattr(shown_variant(scene), parameter.axis), parameter.name)
        return names.index(value) if names else _foreign(parameter, value)

    def set_(group: Any, raw: Any) -> None:
        value = names[raw] if names else _tidy(parameter, raw)
        state = state_of(group.id_data)
        if parameter.axis in json.loads(state.held):
            _change_held(group.id_data, parameter, value)
        else:
            change(group.id_data, lambda text: document.write_setting(text, parameter.path, Fixed(value)))

    return get, set_


def _change_held(scene: Any, parameter: Parameter, value: Any) -> None:
    state = state_of(scene)
    held = json.loads(state.held)
    held[parameter.axis][parameter.name] = value
    text = json.dumps(held)
    try:
        document.draw(state.document, text, state.index)
    except BadInput as error:
        state.problem = str(error).splitlines()[0].partition(": ")[2] or str(error)
        return
    state.problem, state.held = "", text


def mode_of(scene: Any, parameter: Parameter) -> str:
    """Whether the recipe leaves a parameter out, fixes it or lets it vary."""
    made = document.setting(state_of(scene).document, parameter.path)
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
        return Choose(tuple((name, 1.0) for name in names_of(parameter)))
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


def _number(parameter: Parameter, **given: Any) -> Any:
    low, high = value_range(parameter)
    limits = {"min": _foreign(parameter, low), "max": _foreign(parameter, high)}
    if parameter.type is int:
        limits = {key: int(value) for key, value in limits.items()}
        return bpy.props.IntProperty(**limits, **given)
    subtype, unit = UNITS.get(parameter.unit, ("FACTOR" if (low, high) == (0, 1) else "NONE", "NONE"))
    return bpy.props.FloatProperty(**limits, subtype=subtype, unit=unit, precision=2, step=1, **given)


def _value_property(parameter: Parameter) -> Any:
    get, set_ = _value_access(parameter)
    title = label(parameter.axis if parameter.name == "name" else parameter.name)
    given = {"name": title, "description": told(parameter.description), "get": get, "set": set_}
    if parameter.type is bool:
        return bpy.props.BoolProperty(**given)
    if parameter.type is str:
        items = [
            (name, label(name), _tooltip(parameter, name), place) for place, name in enumerate(names_of(parameter))
        ]
        return bpy.props.EnumProperty(items=items, **given)
    return _number(parameter, **given)


def _tooltip(parameter: Parameter, name: str) -> str:
    from farm.recipe import templates

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
            made[f"{name}_{parameter.name}"] = _number(
                parameter, name=text, description=f"{text} of {label(parameter.name)}", get=get, set=set_
            )
    return made


def _lock_property(axis: str) -> Any:
    def get(group: Any) -> bool:
        return axis in json.loads(state_of(group.id_data).held)

    def set_(group: Any, locked: bool) -> None:
        state = state_of(group.id_data)
        held = json.loads(state.held)
        if locked:
            state.held = document.hold(state.held, shown_variant(group.id_data), axis)
        else:
            held.pop(axis, None)
            state.held = json.dumps(held)

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


def _bounds(model: type[BaseModel], name: str, within: type) -> dict[str, Any]:
    """Tooltip and range of a field of a recipe's model."""
    field = model.model_fields[name]
    found: dict[str, Any] = {"description": told(field.description)}
    for mark in field.metadata:
        for key, end in (("ge", "min"), ("gt", "min"), ("le", "max")):
            if hasattr(mark, key):
                found[end] = within(getattr(mark, key))
    return found


def _field(model: type[BaseModel], name: str, place: tuple[str, ...], text: str, kind: type) -> Any:
    """A property of one value at a place of the document, as the recipe's model has it."""

    def get(group: Any) -> Any:
        if not state_of(group.id_data).document:
            return kind()
        found: Any = document.read(state_of(group.id_data).document)
        for step in place:
            found = getattr(found, step)
        return found

    def set_(group: Any, value: Any) -> None:
        tidy = float(f"{value:.{DIGITS}g}") if kind is float else value
        change(group.id_data, lambda written: document.write(_expanded(written, place), place, tidy))

    given = {**_bounds(model, name, kind), "name": text, "get": get, "set": set_}
    makers = {int: bpy.props.IntProperty, float: bpy.props.FloatProperty, bool: bpy.props.BoolProperty}
    return (bpy.props.StringProperty if kind is str else makers[kind])(**given)


def _expanded(text: str, place: tuple[str, ...]) -> str:
    """The document, with a part that stands in its short form (`reference: 256`) written in full."""
    if len(place) < 3:
        return text
    data = json.loads(text)
    part = data.get(place[0], {})
    short = {"reference": "samples", "frames": "count"}[place[1]]
    if isinstance(part.get(place[1]), int | float):
        part[place[1]] = {short: part[place[1]]}
        return json.dumps(data, ensure_ascii=False)
    return text


def _extent(place: int, text: str) -> Any:
    def get(group: Any) -> int:
        written = state_of(group.id_data).document
        return document.read(written).capture.resolution[place] if written else 256

    def set_(group: Any, value: int) -> None:
        size = list(document.read(state_of(group.id_data).document).capture.resolution)
        size[place] = value
        change(group.id_data, lambda written: document.write(written, ("capture", "resolution"), size))

    shown = told(Capture.model_fields["resolution"].description)
    return bpy.props.IntProperty(name=text, description=shown, min=8, max=16_384, subtype="PIXEL", get=get, set=set_)


def _samples() -> Any:
    def get(group: Any) -> str:
        written = state_of(group.id_data).document
        return ", ".join(str(each) for each in document.read(written).capture.samples) if written else ""

    def set_(group: Any, value: str) -> None:
        words = value.replace(",", " ").split()
        if not words or not all(word.isdecimal() for word in words):
            state_of(group.id_data).problem = f"Samples: '{value}' is no list of whole numbers; write such as 1, 4, 16"
            return
        change(group.id_data, lambda written: document.write(written, ("capture", "samples"), [int(w) for w in words]))

    return bpy.props.StringProperty(
        name="Samples", description=told(Capture.model_fields["samples"].description), get=get, set=set_
    )


def _preset(name: str) -> Any:
    def get(group: Any) -> bool:
        written = state_of(group.id_data).document
        return bool(written) and name in document.read(written).capture.passes

    def set_(group: Any, wanted: bool) -> None:
        others = [each for each in document.read(state_of(group.id_data).document).capture.passes if each != name]
        passes = [*others, name] if wanted else others
        change(group.id_data, lambda written: document.write(written, ("capture", "passes"), passes))

    listed = ", ".join(PRESETS[name])
    return bpy.props.BoolProperty(name=label(name), description=f"Also render: {listed}", get=get, set=set_)


def preset_property(name: str) -> str:
    """The property that switches a preset of passes."""
    return f"passes_{name.replace('-', '_')}"


class DIGIDOUBLE_PG_capture(bpy.types.PropertyGroup):  # noqa: N801 - Blender's own form
    """What is rendered of each variant."""

    __annotations__ = {
        "width": _extent(0, "Width"),
        "height": _extent(1, "Height"),
        "samples": _samples(),
        "replicas": _field(Capture, "replicas", ("capture", "replicas"), "Replicas", int),
        "reference": _field(Reference, "samples", ("capture", "reference", "samples"), "Reference", int),
        "residual": _field(Reference, "residual", ("capture", "reference", "residual"), "Residual Noise", float),
        "start": _field(Frames, "start", ("capture", "frames", "start"), "First Frame", int),
        "count": _field(Frames, "count", ("capture", "frames", "count"), "Frames", int),
        "rate": _field(Frames, "rate", ("capture", "frames", "rate"), "Frame Rate", float),
        "shutter": _field(Capture, "shutter", ("capture", "shutter"), "Shutter", float),
        "caustics": _field(Capture, "caustics", ("capture", "caustics"), "Caustics", bool),
        **{preset_property(name): _preset(name) for name in PRESETS},
    }


class DIGIDOUBLE_PG_scene(bpy.types.PropertyGroup):  # noqa: N801
    """What Digidouble keeps in a scene: the document, which variant of it is shown, and which axes are held."""

    __annotations__ = {
        "document": bpy.props.StringProperty(name="Recipe", update=_tell, options={"HIDDEN"}),
        "held": bpy.props.StringProperty(name="Held", default="{}", update=_tell, options={"HIDDEN"}),
        "index": bpy.props.IntProperty(name="Variant", min=0, update=_tell, options={"HIDDEN"}),
        "rolls": bpy.props.IntProperty(name="Rolls", min=0, options={"HIDDEN"}),
        "shown": bpy.props.StringProperty(name="Shown", options={"HIDDEN"}),
        "output": bpy.props.StringProperty(
            name="Folder", description="Where datasets go; left empty, a folder of Digidouble's own", subtype="DIR_PATH"
        ),
        "problem": bpy.props.StringProperty(name="Problem", options={"HIDDEN", "SKIP_SAVE"}),
        "recipe_name": _field(Recipe, "name", ("name",), "Name", str),
        "seed": _field(Recipe, "seed", ("seed",), "Seed", int),
        "count": _field(Recipe, "count", ("count",), "Variants", int),
        "capture": bpy.props.PointerProperty(type=DIGIDOUBLE_PG_capture),
        **{axis: bpy.props.PointerProperty(type=group) for axis, group in AXIS_GROUPS.items()},
    }


CLASSES: Final = (*AXIS_GROUPS.values(), DIGIDOUBLE_PG_capture, DIGIDOUBLE_PG_scene)
