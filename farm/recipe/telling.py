"""Settings, conditions and rules in words for people."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from farm.recipe.conditions import Among, Condition
from farm.recipe.distributions import Beta, Choose, Fixed, Normal, Setting
from farm.recipe.parameters import PARAMETERS, Value
from farm.recipe.rules import Rule

__all__ = ["either", "spell_value", "tell_condition", "tell_rule", "tell_setting"]


def spell_value(value: Value) -> str:
    """A value: truths as yes and no, numbers with 6 digits at most."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def either(words: Sequence[str]) -> str:
    """`a`, `a or b`, `a, b or c`."""
    return " or ".join(word for word in (", ".join(words[:-1]), words[-1]) if word)


def tell_condition(condition: Condition, spell: Callable[[Value], str] = spell_value) -> str:
    """The values that meet a condition; `spell` is how a value is written."""
    if isinstance(condition, Among):
        return either([spell(value) for value in condition.values])
    ends = dict.fromkeys((spell(condition.low), spell(condition.high)))
    return " to ".join(ends)


def tell_setting(setting: Setting, spell: Callable[[Value], str] = spell_value) -> str:
    """The values that a setting draws, and how; `spell` is how a value is written."""
    if isinstance(setting, Fixed):
        return spell(setting.value)
    if isinstance(setting, Choose):
        even = len({weight for _, weight in setting.options}) == 1
        return either([f"{spell(value)}{'' if even else f' ({weight:g})'}" for value, weight in setting.options])
    if isinstance(setting, Normal):
        return f"around {setting.mean:.6g}, ± {setting.sd:.4g}"
    ends = f"{spell(setting.low)} to {spell(setting.high)}"
    return f"{ends}, {_leaning(setting)}" if isinstance(setting, Beta) else ends


def _leaning(made: Beta) -> str:
    if made.a < 1 and made.b < 1:
        return "mostly near the ends"
    return "mostly high" if made.a > made.b else "mostly low" if made.a < made.b else "mostly in the middle"


def tell_rule(rule: Rule) -> str:
    """A rule in a line: `stunt.name back_flip or cartwheel → hair.style buzz, crew or ponytail`."""
    where = [f"{path} {tell_condition(condition)}{_unit(path)}" for path, condition in rule.where.items()]
    made = [f"{path} {tell_setting(setting)}{_unit(path)}" for path, setting in rule.set.items()]
    return f"{'; '.join(where)} → {'; '.join(made)}"


def _unit(path: str) -> str:
    unit = PARAMETERS[path].unit
    return f" {unit}" if unit else ""
