"""Reads what stands beside a parameter in a recipe: a value or a distribution, checked against the parameter."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from farm.recipe import templates
from farm.recipe.distributions import Beta, Choose, Fixed, Integers, Normal, Setting, Uniform, normal_mass
from farm.recipe.faults import Key, Place, fault, show
from farm.recipe.parameters import NO_STUNT, OWN_POSE, Parameter, Value
from farm.recipe.scalars import number, truth, whole
from farm.recipe.units import accepted_units, convert

__all__ = ["BETA_SHAPE", "distributions", "known_names", "parse_setting", "parse_value", "value_range"]

_QUANTITY: Final = re.compile(r"\s*([-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?)\s*(.*?)\s*", re.DOTALL)
_LEAST_MASS: Final = 1e-9
BETA_SHAPE: Final = (0.01, 1000.0)
"""Least and most of a and b of a beta distribution."""


def known_names(parameter: Parameter) -> list[str]:
    """The names that a template-valued parameter accepts."""
    names = templates.names(parameter.template)
    if parameter.path == "rig.name":
        return [name for name in names if templates.load(parameter.template, name).get("builds")]
    if parameter.template == "stunts":
        return [NO_STUNT, *names]
    return [OWN_POSE, *names] if parameter.path in ("stunt.start", "stunt.end") else names


def parse_value(parameter: Parameter, raw: Any, *place: str | int) -> Value:
    """One value of a parameter, in its own unit, type and range; a fault at `place` where it is none."""
    if parameter.type is bool:
        return truth(raw, *place)
    if parameter.type is str:
        return _name(parameter, raw, place)
    value = _in_range(parameter, _quantity(parameter, raw, place), raw, place)
    return whole(value, *place) if parameter.type is int else value


def _name(parameter: Parameter, raw: Any, place: Place) -> str:
    names = known_names(parameter)
    if not isinstance(raw, str):
        hint = f"; write `{NO_STUNT}` for no stunt" if raw is None and NO_STUNT in names else ""
        raise fault(f"expected a name from {parameter.template}, found {show(raw)}{hint}", *place)
    if raw not in names:
        raise fault(f"no {show(raw)} in {parameter.template}{templates.nearest(raw, names)}", *place)
    return raw


def _quantity(parameter: Parameter, raw: Any, place: Place) -> float:
    """A number in the parameter's unit, converted where another unit is written."""
    if not isinstance(raw, str):
        return number(raw, *place)
    match = _QUANTITY.fullmatch(raw)
    if not match:
        raise fault(f"expected {_wanted(parameter)}, found {show(raw)}", *place)
    value, unit = number(float(match[1].replace("_", "")), *place), match[2]
    if not unit:
        return value
    if not parameter.unit:
        raise fault(f"{show(raw)} carries the unit '{unit}', but {parameter.path} has none; write {match[1]}", *place)
    try:
        return number(convert(value, unit, parameter.unit), *place)
    except KeyError:
        accepted = ", ".join(accepted_units(parameter.unit))
        raise fault(f"{show(raw)} has the wrong unit; {parameter.path} accepts {accepted}", *place) from None


def _wanted(parameter: Parameter) -> str:
    kind = "a whole number" if parameter.type is int else "a number"
    return f"{kind} in {parameter.unit}" if parameter.unit else kind


def value_range(parameter: Parameter) -> tuple[float, float]:
    """The ends of a number's range."""
    if parameter.low is None or parameter.high is None:
        raise TypeError(f"{parameter.path} is a number without a range")
    return parameter.low, parameter.high


def _in_range(parameter: Parameter, value: float, raw: Any, place: Place) -> float:
    low, high = value_range(parameter)
    if not low <= value <= high:
        unit = f" {parameter.unit}" if parameter.unit else ""
        message = f"{show(raw)} is outside the range of {parameter.path}, {low:.10g} to {high:.10g}{unit}"
        raise fault(message + _unit_hint(parameter, raw), *place)
    return value + 0.0


def _unit_hint(parameter: Parameter, raw: Any) -> str:
    """The unit that would bring a bare number into the parameter's range."""
    low, high = value_range(parameter)
    if isinstance(raw, int | float):
        for unit in accepted_units(parameter.unit):
            if unit != parameter.unit and low <= convert(float(raw), unit, parameter.unit) <= high:
                return f"; did you mean '{raw:.10g} {unit}'?"
    return ""


def parse_setting(parameter: Parameter, raw: Any) -> Setting:
    """A value or a distribution of a parameter.

    Args:
        parameter: What it is for.
        raw: A plain value, `{distribution: arguments}` or a ready Setting, which is checked alike.

    Raises:
        PydanticCustomError: made by `faults.fault`, with the place below the parameter.
    """
    if isinstance(raw, Setting):
        raw = raw.plain()
    if isinstance(raw, list):
        raise fault("expected a value or a distribution, found a list; write `choose: [...]`")
    if not isinstance(raw, Mapping):
        if raw is None:
            raise fault(f"no value; give one or delete the line{_default_hint(parameter)}")
        return Fixed(parse_value(parameter, raw))
    known = distributions(parameter)
    if not raw:
        raise fault(f"an empty distribution; write one of {', '.join(known)}")
    for key in raw:
        if key not in _PARSERS:
            raise fault(f"unknown distribution {show(key)}{templates.nearest(str(key), known)}", Key(key))
        if key not in known:
            raise fault(
                f"{key} does not suit {parameter.path}, {_nature(parameter)}; use {' or '.join(known)}", Key(key)
            )
    if len(raw) > 1:
        raise fault(f"one distribution, not {len(raw)}: {', '.join(map(str, raw))}", Key(list(raw)[1]))
    ((kind, body),) = raw.items()
    return _PARSERS[kind](parameter, body)


def _default_hint(parameter: Parameter) -> str:
    return " to have it drawn" if parameter.drawn else f" for the default, {show(parameter.default)}"


def distributions(parameter: Parameter) -> list[str]:
    """Names of the distributions that suit a parameter."""
    if parameter.type is float:
        return ["choose", "uniform", "normal", "beta", "integers"]
    return ["choose", "integers"] if parameter.type is int else ["choose"]


def _nature(parameter: Parameter) -> str:
    if parameter.type is str:
        return f"a name from {parameter.template}"
    return "which is true or false" if parameter.type is bool else "a whole number"


def _choose(parameter: Parameter, body: Any) -> Choose:
    if not isinstance(body, list | tuple | Mapping):
        raise fault(f"expected a list of values, or values with weights, found {show(body)}", "choose")
    if not body:
        raise fault("an empty choice; give it at least one value", "choose")
    weights = body if isinstance(body, Mapping) else dict.fromkeys(range(len(body)), 1)
    options: dict[Value, float] = {}
    for key, weight in weights.items():
        raw, place = (key, Key(key)) if isinstance(body, Mapping) else (body[key], key)
        if isinstance(raw, list | tuple | Mapping):
            raise fault(f"expected a value, found {show(raw)}", "choose", place)
        value = parse_value(parameter, raw, "choose", place)
        if value in options:
            raise fault(f"{show(raw)} is there twice; say it once, with a larger weight", "choose", place)
        options[value] = _weight(weight, "choose", str(key))
    return Choose(tuple(options.items()))


def _weight(raw: Any, *place: str | int) -> float:
    weight = number(raw, *place)
    if weight <= 0:
        raise fault(f"weight {show(raw)} is not above 0; delete the line to leave the value out", *place)
    return weight


def _pair(parameter: Parameter, kind: str, body: Any) -> tuple[float, float]:
    """The two ends of a range, low below high, both within the parameter's range."""
    if not isinstance(body, list | tuple) or len(body) != 2:
        found = f"a list of {len(body)}" if isinstance(body, list | tuple) else show(body)
        raise fault(f"expected [low, high], found {found}", kind)
    low, high = (
        _in_range(parameter, _quantity(parameter, end, (kind, place)), end, (kind, place))
        for place, end in enumerate(body)
    )
    _check_order(low, high, body[0], body[1], (kind,))
    return low, high


def _check_order(low: float, high: float, raw_low: Any, raw_high: Any, place: Place) -> None:
    if low > high:
        raise fault(f"impossible range: low {show(raw_low)} is above high {show(raw_high)}; swap them", *place)
    if low == high:
        raise fault(f"impossible range: low and high are both {show(raw_low)}; write the value alone", *place)


def _uniform(parameter: Parameter, body: Any) -> Uniform:
    return Uniform(*_pair(parameter, "uniform", body))


def _integers(parameter: Parameter, body: Any) -> Integers:
    low, high = _pair(parameter, "integers", body)
    return Integers(whole(low, "integers", 0), whole(high, "integers", 1))


def _arguments(kind: str, body: Any, required: tuple[str, str]) -> Mapping[str, Any]:
    """The named arguments of a distribution, checked for missing and unknown ones."""
    known = [*required, "min", "max"]
    if not isinstance(body, Mapping):
        raise fault(f"expected {{{required[0]}: , {required[1]}: }}, found {show(body)}", kind)
    for key in body:
        if key not in known:
            raise fault(f"unknown key {show(key)}{templates.nearest(str(key), known)}", kind, Key(key))
    for key in required:
        if key not in body:
            raise fault(f"'{key}' is missing; {kind} needs {required[0]} and {required[1]}", kind)
    return body


def _bounds(parameter: Parameter, kind: str, body: Mapping[str, Any]) -> tuple[float, float]:
    """Both ends of a distribution, from min and max; the parameter's range where left out."""
    raw = [body.get("min", value_range(parameter)[0]), body.get("max", value_range(parameter)[1])]
    low, high = (
        _in_range(parameter, _quantity(parameter, end, (kind, key)), end, (kind, key))
        for key, end in zip(("min", "max"), raw, strict=True)
    )
    _check_order(low, high, raw[0], raw[1], (kind, "min" if "min" in body else "max"))
    return low, high


def _normal(parameter: Parameter, body: Any) -> Normal:
    body = _arguments("normal", body, ("mean", "sd"))
    mean = _quantity(parameter, body["mean"], ("normal", "mean"))
    sd = _quantity(parameter, body["sd"], ("normal", "sd"))
    if sd <= 0:
        raise fault(f"sd {show(body['sd'])} is not above 0; for one value, write the value alone", "normal", "sd")
    low, high = _bounds(parameter, "normal", body)
    if normal_mass(mean, sd, low, high) < _LEAST_MASS:
        raise fault(
            f"impossible range: mean {mean:.10g} with sd {sd:.10g} never falls within {low:.10g} to {high:.10g};"
            " move the mean or widen sd",
            "normal",
            "mean",
        )
    return Normal(mean, sd, low, high)


def _beta(parameter: Parameter, body: Any) -> Beta:
    body = _arguments("beta", body, ("a", "b"))
    shape = [number(body[key], "beta", key) for key in ("a", "b")]
    for key, value in zip(("a", "b"), shape, strict=True):
        if not BETA_SHAPE[0] <= value <= BETA_SHAPE[1]:
            raise fault(f"{key} is {show(body[key])}; it must be {BETA_SHAPE[0]:g} to {BETA_SHAPE[1]:g}", "beta", key)
    return Beta(shape[0], shape[1], *_bounds(parameter, "beta", body))


_PARSERS: Final[dict[str, Callable[[Parameter, Any], Setting]]] = {
    "choose": _choose,
    "uniform": _uniform,
    "normal": _normal,
    "beta": _beta,
    "integers": _integers,
}
