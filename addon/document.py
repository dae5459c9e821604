"""The recipe that a scene holds: plain data as JSON text, so that all of a recipe is kept, shown in a panel or not.

The text is the only truth. Sliders read from it and write into it; what a change would make wrong is refused.

An axis may be held: its values then stay as they are, whatever is drawn, and no rule sets them. What is drawn, saved
and rendered is the `effective` recipe: the document with the values of held axes, and without what rules set of them.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from typing import Any, Final

from farm.errors import RecipeError
from farm.recipe import AXES, PARAMETERS, Recipe, Variant, parse_recipe, templates
from farm.recipe.distributions import Choose, Setting
from farm.recipe.telling import Say, tell_setting

__all__ = [
    "START",
    "choices",
    "describe",
    "draw",
    "effective",
    "fresh",
    "hold",
    "of_recipe",
    "read",
    "release",
    "roll",
    "rules_without",
    "setting",
    "trouble",
    "without_trouble",
    "write",
    "write_setting",
]

START: Final = "double"
"""The recipe of templates/recipes that a new double begins with."""


def of_recipe(recipe: Recipe) -> str:
    """A recipe as a document."""
    return json.dumps(recipe.model_dump(mode="json", exclude_unset=True), ensure_ascii=False)


def fresh() -> str:
    """The document that a new double begins with."""
    return of_recipe(parse_recipe(templates.path("recipes", START).read_text(encoding="utf-8"), source=START))


@functools.lru_cache(maxsize=64)
def read(text: str) -> Recipe:
    """The recipe of a document; RecipeError where it is none."""
    return parse_recipe(text, source="recipe")


@functools.lru_cache(maxsize=64)
def effective(text: str, held: str) -> Recipe:
    """The recipe with the values of held axes, `{axis: {name: value}}` as JSON, in place of what would be drawn."""
    kept = json.loads(held)
    if not kept:
        return read(text)
    data = json.loads(text)
    data["axes"] = {**data.get("axes", {}), **kept}
    if "rules" in data:
        data["rules"] = [rule for _, rule in rules_without(text, held)]
    return read(json.dumps(data, ensure_ascii=False))


def rules_without(text: str, held: str) -> list[tuple[int, dict[str, Any]]]:
    """A document's rules and their numbers, without what they set of held axes; one that sets nothing else is gone."""
    return _setting_of(text, set(AXES) - set(json.loads(held)))


def _setting_of(text: str, axes: set[str]) -> list[tuple[int, dict[str, Any]]]:
    found = []
    for number, rule in enumerate(json.loads(text).get("rules", [])):
        made = {path: value for path, value in rule["set"].items() if path.partition(".")[0] in axes}
        if made:
            found.append((number, {**rule, "set": made}))
    return found


@functools.lru_cache(maxsize=256)
def draw(text: str, held: str, index: int) -> Variant:
    """Variant `index` of the effective recipe."""
    return effective(text, held).variant(index)


@functools.lru_cache(maxsize=64)
def trouble(text: str) -> str:
    """Why a document is no recipe here, as where a template that it names is gone; '' where it is one."""
    try:
        read(text)
    except RecipeError as error:
        return str(error).splitlines()[0].partition(": ")[2]
    return ""


def without_trouble(text: str) -> str:
    """The document without the parameters and the rules that are wrong in it; RecipeError where other things are."""
    while wrong := trouble(text):
        steps = wrong.partition(": ")[0].split(".")
        data = json.loads(text)
        if steps[0].startswith("rules["):
            del data["rules"][int(steps[0].removeprefix("rules[").removesuffix("]"))]
            text = json.dumps(data, ensure_ascii=False)
            continue
        if len(steps) < 3 or steps[0] != "axes" or steps[2] not in data.get("axes", {}).get(steps[1], {}):
            raise RecipeError(wrong)
        del data["axes"][steps[1]][steps[2]]
        text = json.dumps(data, ensure_ascii=False)
    return text


def write(text: str, place: Sequence[str], value: Any) -> str:
    """The document with a value at a place, such as `("capture", "frames", "count")`; None leaves it out.

    Raises:
        RecipeError: the recipe would be wrong; the message says how.
    """
    data = json.loads(text)
    around = data
    for step in place[:-1]:
        if not isinstance(around.get(step), dict):
            around[step] = {}
        around = around[step]
    if value is None:
        around.pop(place[-1], None)
    else:
        around[place[-1]] = value
    changed = json.dumps(data, ensure_ascii=False)
    read(changed)
    return changed


def setting(text: str, path: str) -> Setting | None:
    """The setting of a parameter, `axis.name`; None where the recipe leaves it out."""
    axis, name = path.split(".")
    settings = getattr(read(text).axes, axis)
    return getattr(settings, name) if name in settings.model_fields_set else None


def write_setting(text: str, path: str, made: Setting | None) -> str:
    """The document with a parameter's setting; None leaves it out. RecipeError as `write`."""
    return write(text, ("axes", *path.split(".")), None if made is None else made.plain())


def release(held: str, *axes: str) -> str:
    """What is held, without some axes."""
    return json.dumps({axis: kept for axis, kept in json.loads(held).items() if axis not in axes})


def hold(held: str, variant: Variant, axis: str) -> str:
    """What is held, and an axis of a variant with it; RecipeError for what an artist's double brings."""
    if variant.double is not None and axis in variant.double.brought:
        raise RecipeError("the double brings its own")
    return json.dumps({**json.loads(held), axis: getattr(variant, axis).model_dump(mode="json")})


def roll(text: str, held: str, index: int, axis: str, number: int) -> str:
    """What is held, and with it an axis as the recipe draws it for `number`, its rules minding the rest of `index`."""
    drawn = draw(write(text, ("rules",), None), release(held, axis), number)
    rules = [rule for _, rule in _setting_of(text, {axis})]
    if rules:
        rest = draw(text, held, index)
        data = {**json.loads(text), "rules": rules, "axes": {axis: getattr(drawn, axis).model_dump(mode="json")}}
        for each in set(AXES) - {axis, *read(text).brought}:
            data["axes"][each] = getattr(rest, each).model_dump(mode="json")
        drawn = read(json.dumps(data, ensure_ascii=False)).variant(number)
    return hold(held, drawn, axis)


def choices(made: Setting | None) -> dict[Any, float]:
    """The values that a setting chooses from, with their weights."""
    return dict(made.options) if isinstance(made, Choose) else {}


def describe(path: str, made: Setting, say: Say = str.format) -> str:
    """A distribution in few words, for people; `say` puts values into a text, in whatever language."""
    if isinstance(made, Choose) and PARAMETERS[path].template:
        return say("{} of {}", len(made.options), len(templates.names(PARAMETERS[path].template)))
    words = tell_setting(made, say=say)
    return words[:1].upper() + words[1:]
