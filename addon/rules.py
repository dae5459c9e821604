"""The rules of a scene's recipe: what they say in words, which hold, and how the document is edited."""

from __future__ import annotations

import functools
import json
from collections import Counter
from typing import Any, Final

from farm.errors import RecipeError
from farm.recipe import PARAMETERS, Parameter
from farm.recipe.conditions import Among, Condition, Within
from farm.recipe.distributions import Choose, Fixed, Integers, Setting, Uniform
from farm.recipe.rules import FIRST_OF_ALL, Rule
from farm.recipe.telling import spell_value, tell_condition, tell_setting

from . import document
from .parameters import title, title_of
from .state import label, said, state_of

__all__ = [
    "SET",
    "WHERE",
    "add_rule",
    "explain_rule",
    "idle",
    "may_stand",
    "move_rule",
    "name_of",
    "read_part",
    "refusal",
    "remove_part",
    "remove_rule",
    "rules_of",
    "ruling",
    "simple",
    "standing",
    "tell_part",
    "write_part",
]

WHERE: Final = "where"
SET: Final = "set"
NAMED: Final = 5
"""So many names are told before the others are counted."""

UNITS: Final = {"year": " years", "deg": "°"}
"""Units as they are written behind a number, where not by their name."""

HOLDS: Final = "CHECKMARK"
NOT_HERE: Final = "REMOVE"
HELD: Final = "LOCKED"
"""How a rule stands with the variant that is shown: it holds, it does not, or all that it sets is locked."""

_SHARED: Final = Counter(title_of(parameter) for parameter in PARAMETERS.values())


def name_of(parameter: Parameter) -> str:
    """What a parameter is called where no panel around it says whose it is: `Hair Style`, `Age`."""
    name = title_of(parameter)
    return name if _SHARED[name] == 1 else f"{label(parameter.axis)} {name}"


def listed_name(parameter: Parameter) -> str:
    """What a parameter is called in a list of all: `Hair: Style`."""
    return title_of(parameter) if parameter.name == "name" else f"{title(parameter.axis)}: {title_of(parameter)}"


def may_stand(text: str, part: str) -> dict[str, Parameter]:
    """The parameters that a part of a document's rules may name, by their names in a list of all."""
    brought = document.read(text).brought
    return {
        listed_name(parameter): parameter
        for path, parameter in PARAMETERS.items()
        if parameter.axis not in brought and (part == WHERE or path != FIRST_OF_ALL)
    }


def refusal(text: str) -> RecipeError:
    """What a dialog says that cannot be written, to be said in the panel Rules."""
    return RecipeError(f"recipe: rules: {text}")


def rules_of(text: str) -> tuple[Rule, ...]:
    """A document's rules."""
    return document.read(text).rules


@functools.lru_cache(maxsize=64)
def standing(text: str, held: str, index: int) -> tuple[str, ...]:
    """How each rule stands with variant `index`: `HOLDS`, `NOT_HERE` or `HELD`."""
    numbers = [number for number, _ in document.rules_without(text, held)]
    suited = {numbers[place] for place in document.effective(text, held).suited(index)}
    return tuple(
        HELD if number not in numbers else HOLDS if number in suited else NOT_HERE
        for number in range(len(rules_of(text)))
    )


def ruling(scene: Any, path: str) -> int | None:
    """The number of the rule that sets a parameter in the variant that a scene shows."""
    state = state_of(scene)
    return _deciding(state.document, state.held, state.index).get(path)


@functools.lru_cache(maxsize=64)
def _deciding(text: str, held: str, index: int) -> dict[str, int]:
    """The parameters that rules set in variant `index`, and the number of the last one that does."""
    rules = document.rules_without(text, held)
    found = {}
    for place in document.effective(text, held).suited(index) if rules else ():
        number, rule = rules[place]
        found |= dict.fromkeys(rule["set"], number)
    return found


@functools.lru_cache(maxsize=16)
def idle(text: str, held: str) -> dict[int, str]:
    """The rules that no variant can suit, and the path that is never as each asks."""
    numbers = [number for number, _ in document.rules_without(text, held)]
    return {numbers[place]: path for place, path in document.effective(text, held).never_met().items()}


def tell_part(part: str, path: str, made: Condition | Setting, *, first: bool) -> str:
    """A condition or a setting of a rule in words: `If Stunt is Back Flip or Cartwheel`."""
    parameter = PARAMETERS[path]
    spell = _spell if parameter.type in (str, bool) else spell_value
    tell: Any = tell_condition if isinstance(made, Within | Among) else tell_setting
    told = tell(made, spell, said, NAMED) + UNITS.get(parameter.unit, f" {parameter.unit}" if parameter.unit else "")
    opening = "and {} is {}" if not first else "If {} is {}" if part == WHERE else "then {} is {}"
    return said(opening, said(name_of(parameter)), told)


def _spell(value: Any) -> str:
    return said(spell_value(value).title() if isinstance(value, bool) else label(value))


def simple(path: str, made: Condition | Setting) -> bool:
    """Whether a dialog can show a part of a rule: values of equal weight, or an even range."""
    if isinstance(made, Choose):
        return PARAMETERS[path].type not in (int, float) and len({weight for _, weight in made.options}) == 1
    even = Integers if PARAMETERS[path].type is int else Uniform
    return isinstance(made, (Among, Within, Fixed, even))


def read_part(text: str, number: int, part: str, path: str) -> Condition | Setting:
    """A condition or a setting of a document's rule."""
    made: Condition | Setting = getattr(rules_of(text)[number], part)[path]
    return made


def _edited(text: str, rules: list[Any]) -> str:
    return document.write(text, ("rules",), rules or None)


def _written(text: str) -> list[Any]:
    rules: list[Any] = json.loads(text).get("rules", [])
    return rules


def add_rule(text: str, where: dict[str, Any], made: dict[str, Any], why: str) -> str:
    """The document with a rule more, after the others. RecipeError where it would be wrong."""
    return _edited(text, [*_written(text), {WHERE: where, SET: made, **({"why": why} if why else {})}])


def remove_rule(text: str, number: int) -> str:
    """The document without a rule."""
    rules = _written(text)
    del rules[number]
    return _edited(text, rules)


def move_rule(text: str, number: int, by: int) -> str:
    """The document with a rule moved by some places; at either end it stays."""
    rules = _written(text)
    place = min(max(number + by, 0), len(rules) - 1)
    rules.insert(place, rules.pop(number))
    return _edited(text, rules)


def explain_rule(text: str, number: int, why: str) -> str:
    """The document with why a rule is there; '' takes that away."""
    rules = _written(text)
    rules[number].pop("why", None)
    rules[number] |= {"why": why} if why else {}
    return _edited(text, rules)


def write_part(text: str, number: int, part: str, path: str, written: tuple[str, Any]) -> str:
    """The document with a part of a rule, `(path, value)`, in place of the one at `path`; '' adds it.

    RecipeError where the recipe would be wrong, or the rule has a part of the new path already.
    """
    rules = _written(text)
    parts = dict(rules[number][part])
    if written[0] != path and written[0] in parts:
        raise refusal(f"{name_of(PARAMETERS[written[0]])} stands in this rule already")
    if path:
        rules[number][part] = dict(written if each == path else (each, value) for each, value in parts.items())
    else:
        rules[number][part] = {**parts, written[0]: written[1]}
    return _edited(text, rules)


def remove_part(text: str, number: int, part: str, path: str) -> str:
    """The document without a part of a rule; the last one of its kind takes the rule with it."""
    rules = _written(text)
    del rules[number][part][path]
    if not rules[number][part]:
        del rules[number]
    return _edited(text, rules)
