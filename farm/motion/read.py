"""Templates of poses, stunts and rigs, checked against what they may say."""

from __future__ import annotations

from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from farm.errors import TemplateError
from farm.recipe import templates

__all__ = ["Part", "read_template"]

Model = TypeVar("Model", bound=BaseModel)


class Part(BaseModel):
    """A part of a template: frozen plain data; unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def read_template(model: type[Model], kind: str, name: str) -> tuple[Model, str]:
    """One template as `model`, and its file for further messages; TemplateError names the place and the remedy."""
    data = templates.load(kind, name)
    place = f"templates/{kind}/{name}.yaml"
    try:
        return model.model_validate(data), place
    except ValidationError as error:
        first = error.errors()[0]
        raise TemplateError(f"{place}: {_explain(model, first)}") from error


def _explain(model: type[BaseModel], error: Any) -> str:
    """One line: where in the file, what is wrong, and the nearest name where one is unknown."""
    path = [str(part) for part in error["loc"]]
    where = ".".join(path)
    if error["type"] == "extra_forbidden":
        known = _fields(model, path[:-1])
        return f"unknown key '{where}'{templates.nearest(path[-1], known)}"
    if error["type"] == "missing":
        return f"'{where}' is missing"
    return f"{where} is {error['input']!r}: {error['msg'][0].lower()}{error['msg'][1:]}"


def _fields(model: type[BaseModel], path: list[str]) -> list[str]:
    """The names that may stand at a path into a model."""
    inside: Any = model
    for part in path:
        if part in getattr(inside, "model_fields", {}):
            inside = inside.model_fields[part].annotation
        elif get_args(inside):
            inside = get_args(inside)[-1]
    return list(inside.model_fields)
