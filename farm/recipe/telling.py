"""Settings, conditions and rules in words for people.

`spell` is how a value is written, `say` how values are put into a text, in whatever language.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from farm.recipe.conditions import Among, Condition
from farm.recipe.distributions import Beta, Choose, Fixed, Normal, Setting
from farm.recipe.parameters import PARAMETERS, Value
from farm.recipe.recipe import Recipe
from farm.recipe.rules import Rule

__all__ = ["Say", "Spell", "spell_value", "tell_condition", "tell_never", "tell_rule", "tell_setting", "tell_unmet"]

Spell = Callable[[Value], str]
Say = Callable[..., str]


def spell_value(value: Value) -> str:
    """A value: truths as yes and no, numbers with 6 digits at most."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def tell_condition(condition: Condition, spell: Spell = spell_value, say: Say = str.format, most: int = 0) -> str:
    """The values that meet a condition; beyond `most` they are counted, 0 names all."""
    if isinstance(condition, Among):
        return _either([spell(value) for value in condition.values], say, most)
    low, high = spell(condition.low), spell(condition.high)
    return low if low == high else say("{} to {}", low, high)


def tell_setting(setting: Setting, spell: Spell = spell_value, say: Say = str.format, most: int = 0) -> str:
    """The values that a setting draws, and how; beyond `most` they are counted, 0 names all."""
    if isinstance(setting, Fixed):
        return spell(setting.value)
    if isinstance(setting, Choose):
        even = len({weight for _, weight in setting.options}) == 1
        words = [f"{spell(value)}{'' if even else f' ({weight:g})'}" for value, weight in setting.options]
        return _either(words, say, most)
    if isinstance(setting, Normal):
        return say("around {}", f"{setting.mean:.6g}, ±\N{NO-BREAK SPACE}{setting.sd:.4g}")
    ends = say("{} to {}", spell(setting.low), spell(setting.high))
    return f"{ends}, {say(_leaning(setting))}" if isinstance(setting, Beta) else ends


def _either(words: Sequence[str], say: Say, most: int) -> str:
    """`a`, `a or b`, `a, b or c`, `a, b or 7 more`."""
    if most and len(words) > most + 1:
        words = [*words[:most], say("{} more", len(words) - most)]
    return f" {say('or')} ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


def _leaning(made: Beta) -> str:
    if made.a < 1 and made.b < 1:
        return "mostly near the ends"
    return "mostly high" if made.a > made.b else "mostly low" if made.a < made.b else "mostly in the middle"


def tell_rule(rule: Rule) -> str:
    """A rule in a line: `stunt.name back_flip or cartwheel → hair.style buzz, crew or ponytail`."""
    where = [f"{path} {tell_condition(condition)}{_unit(path)}" for path, condition in rule.where.items()]
    made = [f"{path} {tell_setting(setting)}{_unit(path)}" for path, setting in rule.set.items()]
    return f"{'; '.join(where)} → {'; '.join(made)}"


def tell_never(rule: Rule, path: str) -> str:
    """Why no variant can suit a rule, of which one parameter is never as it asks."""
    return f"no variant can suit it: {path} is never {tell_condition(rule.where[path])}"


def tell_unmet(recipe: Recipe) -> list[str]:
    """A line for each rule that no variant can suit, as far as that is plain."""
    return [f"rules[{number}]: {tell_never(recipe.rules[number], path)}" for number, path in recipe.never_met().items()]


def _unit(path: str) -> str:
    unit = PARAMETERS[path].unit
    return f" {unit}" if unit else ""
