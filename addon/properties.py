"""The scene's properties: its document, and the recipe's count, seed and capture, made from the recipe's models."""

from __future__ import annotations

import json
from typing import Any, Final

import bpy
from pydantic import BaseModel

from farm.recipe import Capture, Frames, Recipe, Reference, templates
from farm.recipe.passes import PRESETS

from . import document
from .own_recipe import keep_hair_property
from .parameters import AXIS_GROUPS
from .state import CHANGED, DIGITS, change, label, refuse, state_of, told

__all__ = ["CLASSES", "DIGIDOUBLE_PG_scene", "preset_property"]

TITLES: Final = {"relight-gbuffer": "Relighting"}
"""Presets of passes whose name is not what artists call them."""


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
            refuse(group.id_data, f"'{value}' is no list of whole numbers; write such as 1, 4, 16", "capture")
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
    return bpy.props.BoolProperty(
        name=TITLES.get(name) or label(name.replace("-", " ")), description=f"Also render: {listed}", get=get, set=set_
    )


def preset_property(name: str) -> str:
    """The property that switches a preset of passes."""
    return f"passes_{name.replace('-', '_')}"


def _population() -> Any:
    names = templates.names("populations")
    items = [("NONE", "Default", "What is Automatic has its default", 0)]
    items += [
        (name, label(name), told(templates.description("populations", name)), place)
        for place, name in enumerate(names, start=1)
    ]

    def get(group: Any) -> int:
        written = state_of(group.id_data).document
        chosen = document.read(written).population if written else None
        return names.index(chosen) + 1 if chosen else 0

    def set_(group: Any, raw: int) -> None:
        change(group.id_data, lambda text: document.write(text, ("population",), names[raw - 1] if raw else None))

    shown = told(Recipe.model_fields["population"].description)
    return bpy.props.EnumProperty(name="People", description=shown, items=items, get=get, set=set_)


def _whole(*places: str) -> Any:
    """Parts of the document as JSON, for presets to keep and to put back: all of it, or nothing where it is wrong.

    What is put back is unlocked.
    """

    def get(group: Any) -> str:
        written = state_of(group.id_data).document
        data = json.loads(written) if written else {}
        return json.dumps({place: _at(data, place.split(".")) for place in places}, ensure_ascii=False)

    def set_(group: Any, value: str) -> None:
        def edit(text: str) -> str:
            for place, part in json.loads(value).items():
                text = document.write(text, place.split("."), part)
            return text

        change(group.id_data, edit)
        state = state_of(group.id_data)
        if not state.problem:
            state.held = document.release(state.held, *(place.removeprefix("axes.") for place in places))

    return bpy.props.StringProperty(name="Preset", get=get, set=set_, options={"HIDDEN"})


def _at(data: Any, steps: list[str]) -> Any:
    for step in steps:
        data = data.get(step) if isinstance(data, dict) else None
    return data


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


def _tell(_: Any, __: Any) -> None:
    """What Blender calls when one of the texts or the number below has changed."""
    for each in CHANGED:
        each()


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
        "problem_at": bpy.props.StringProperty(name="Panel", options={"HIDDEN", "SKIP_SAVE"}),
        "keep_hair": keep_hair_property(),
        "population": _population(),
        "capture_preset": _whole("capture"),
        "stage_preset": _whole("axes.light", "axes.camera"),
        "recipe_name": _field(Recipe, "name", ("name",), "Name", str),
        "seed": _field(Recipe, "seed", ("seed",), "Seed", int),
        "count": _field(Recipe, "count", ("count",), "Variants", int),
        "capture": bpy.props.PointerProperty(type=DIGIDOUBLE_PG_capture),
        **{axis: bpy.props.PointerProperty(type=group) for axis, group in AXIS_GROUPS.items()},
    }


CLASSES: Final = (*AXIS_GROUPS.values(), DIGIDOUBLE_PG_capture, DIGIDOUBLE_PG_scene)
