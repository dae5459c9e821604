"""Conditions on parameters, as `where` states them in a recipe's rules and in a population's layers.

Beside a number stands one value, or [least, most], both included; beside a name or a truth one value, or any of
several: `{hair.style: [buzz, crew], body.age: [60, 80], pose.mirror: true}`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic_core import PydanticCustomError

from farm.recipe.distributions import Choose, Fixed, Integers, Setting
from farm.recipe.faults import fault, show
from farm.recipe.parameters import Parameter, Value
from farm.recipe.settings import parse_value

__all__ = ["Among", "Condition", "Within", "at_path", "parse_condition", "suits"]

Parsed = TypeVar("Parsed")


@dataclass(frozen=True)
class Within:
    """A number from `low` to `high`, both included."""

    low: float
    high: float

    def holds(self, value: Value) -> bool:
        """Whether a value meets it."""
        return self.low <= value <= self.high  # type: ignore[operator]

    def may_hold(self, setting: Setting) -> bool:
        """Whether a draw of a setting can meet it."""
        if isinstance(setting, Fixed | Choose):
            return any(map(self.holds, _values(setting)))
        low, high = max(self.low, setting.low), min(self.high, setting.high)
        return math.ceil(low) <= high if isinstance(setting, Integers) else low <= high

    def plain(self) -> Any:
        """One value, or `[low, high]`."""
        return self.low if self.low == self.high else [self.low, self.high]


@dataclass(frozen=True)
class Among:
    """Any of several names or truths; kept sorted, so that their order says nothing."""

    values: tuple[Value, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(sorted(self.values)))

    def holds(self, value: Value) -> bool:
        """Whether a value meets it."""
        return value in self.values

    def may_hold(self, setting: Setting) -> bool:
        """Whether a draw of a setting can meet it."""
        return isinstance(setting, Fixed | Choose) and any(map(self.holds, _values(setting)))

    def plain(self) -> Any:
        """One value, or a list of them."""
        return self.values[0] if len(self.values) == 1 else list(self.values)


Condition = Within | Among


def _values(setting: Fixed | Choose) -> list[Value]:
    return [setting.value] if isinstance(setting, Fixed) else [value for value, _ in setting.options]


def suits(where: Mapping[str, Condition], values: Mapping[str, Value]) -> bool:
    """Whether values by path meet all of some conditions."""
    return all(condition.holds(values[path]) for path, condition in where.items())


def parse_condition(parameter: Parameter, raw: Any) -> Condition:
    """What stands beside a parameter in `where`.

    Raises:
        PydanticCustomError: made by `faults.fault`, with the place below the parameter.
    """
    if isinstance(raw, Within | Among):
        raw = raw.plain()
    if isinstance(raw, Mapping):
        inner = next((body for body in raw.values() if isinstance(body, list)), None)
        hint = f"; write [{', '.join(map(str, inner))}]" if inner else ""
        raise fault(f"a condition has values, and no distribution{hint}")
    if raw is None:
        raise fault("no value; give one or delete the line")
    values = list(raw) if isinstance(raw, list | tuple) else [raw]
    for place, value in enumerate(values):
        if isinstance(value, list | tuple | Mapping):
            raise fault(f"expected a value, found {show(value)}", place)
    if parameter.type in (int, float):
        return _within(parameter, values)
    return _among(parameter, values, listed=isinstance(raw, list | tuple))


def _within(parameter: Parameter, values: list[Any]) -> Within:
    if len(values) == 1:
        value = parse_value(parameter, values[0])
        return Within(value, value)  # type: ignore[arg-type]
    if len(values) != 2:
        raise fault(f"expected one value or [least, most], found a list of {len(values)}")
    low, high = (parse_value(parameter, end, place) for place, end in enumerate(values))
    if low > high:  # type: ignore[operator]
        raise fault(f"impossible range: least {show(values[0])} is above most {show(values[1])}; swap them")
    return Within(low, high)  # type: ignore[arg-type]


def _among(parameter: Parameter, values: list[Any], *, listed: bool) -> Among:
    if not values:
        raise fault("an empty list; give it at least one value")
    found: list[Value] = []
    for place, raw in enumerate(values):
        value = parse_value(parameter, raw, *((place,) if listed else ()))
        if value in found:
            raise fault(f"{show(raw)} is there twice", place)
        found.append(value)
    return Among(tuple(found))


def at_path(
    path: str, written: Any, known: Callable[[str], Parameter], parse: Callable[[Parameter, Any], Parsed]
) -> Parsed:
    """What stands beside a path of `where` or `set`.

    Args:
        path: `axis.name`.
        written: What is written beside it.
        known: The parameter of a path; raises a fault for one that may not stand there.
        parse: Reads what stands beside a parameter.

    Raises:
        PydanticCustomError: made by `faults.fault`; the path is in its place where what stands beside it is wrong.
    """
    parameter = known(path)
    try:
        return parse(parameter, written)
    except PydanticCustomError as error:
        context = error.context or {}
        raise fault(context["message"], path, *context["place"]) from None
