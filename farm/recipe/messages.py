"""Says what pydantic found wrong with a recipe or a template, in words for people."""

from __future__ import annotations

from collections.abc import Mapping
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from farm.recipe.faults import FAULT, Place, show

__all__ = ["fault_place", "keys_at", "message", "written"]

_MESSAGES: Final[Mapping[str, str]] = {
    "greater_than_equal": "must be at least {ge}, found {found}",
    "greater_than": "must be above {gt}, found {found}",
    "less_than_equal": "must be at most {le}, found {found}",
    "less_than": "must be below {lt}, found {found}",
    "finite_number": "expected a finite number, found {found}",
    "float_type": "expected a number, found {found}",
    "float_parsing": "expected a number, found {found}",
    "int_type": "expected a whole number, found {found}",
    "int_parsing": "expected a whole number, found {found}",
    "int_from_float": "expected a whole number, found {found}",
    "bool_type": "expected true or false, found {found}",
    "bool_parsing": "expected true or false, found {found}",
    "literal_error": "expected {expected}, found {found}",
    "string_type": "expected text, found {found}; put it in quotes",
    "string_pattern_mismatch": "{found} may hold only letters, digits, - and _, and starts with a letter or digit",
    "string_too_long": "{found} is longer than {max_length} characters",
    "model_type": "expected a mapping of keys to values, found {found}",
    "dict_type": "expected a mapping of keys to values, found {found}",
    "list_type": "expected a list, found {found}",
    "tuple_type": "expected a list such as [1, 4], found {found}",
    "too_short": "expected at least {min_length} value(s), found {actual_length}",
    "too_long": "expected at most {max_length} values, found more",
    "value_error": "{error}",
}


def message(detail: ErrorDetails) -> str:
    """What is wrong with a value, and what was found."""
    context = dict(detail.get("ctx", {}))
    if detail["type"] == FAULT:
        return str(context["message"])
    found = show(detail["input"])
    if detail["type"] not in _MESSAGES:
        return f"{detail['msg'][:1].lower()}{detail['msg'][1:]}, found {found}"
    shown = {key: show(value) if isinstance(value, float) else value for key, value in context.items()}
    return _MESSAGES[detail["type"]].format(found=found, **shown)


def fault_place(detail: ErrorDetails) -> Place:
    """Where an error is: the field's place, and what a `fault` adds to it."""
    return (*detail["loc"], *detail.get("ctx", {}).get("place", ()))


def written(data: Any, path: Place) -> Place:
    """The steps of a path that the data have: pydantic also counts a union's branch, a short form and a default."""
    found: list[str | int] = []
    for step in path:
        if _holds(data, step):
            data = data[step]
            found.append(step)
    return tuple(found)


def _holds(data: Any, step: str | int) -> bool:
    if isinstance(data, list):
        return isinstance(step, int) and step < len(data)
    return isinstance(data, dict) and step in data


def keys_at(model: type[BaseModel], path: Place) -> list[str]:
    """The keys that may stand at `path` into a model, through mappings, lists and unions."""
    reached: list[Any] = [model]
    for step in path:
        reached = [below for each in reached for below in _below(each, step)]
    return [key for each in reached if _is_model(each) for key in _fields(each)]


def _below(annotation: Any, step: str | int) -> list[Any]:
    if _is_model(annotation):
        return _branches(_fields(annotation).get(str(step)))
    return [branch for part in get_args(annotation) for branch in _branches(part)]


def _branches(annotation: Any) -> list[Any]:
    """What a union may be, or the annotation itself."""
    if get_origin(annotation) in (Union, UnionType):
        return [branch for part in get_args(annotation) for branch in _branches(part)]
    return [annotation]


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    """The types of a model's fields by the keys that are written for them."""
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
