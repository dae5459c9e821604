"""Reads recipes from files; whatever is wrong becomes one line with file, line, column, key, value and remedy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from farm.errors import RecipeError
from farm.recipe.document import Document, read_document
from farm.recipe.faults import FAULT, show
from farm.recipe.parameters import PARAMETERS
from farm.recipe.recipe import RECIPE_FORMAT, Recipe
from farm.recipe.templates import nearest

__all__ = ["load_recipe", "parse_recipe"]

Path_ = tuple[str | int, ...]

_SIZE_LIMIT: Final = 1_000_000
_PLAIN_KEY: Final = re.compile(r"[\w. -]{1,40}")

_MESSAGES: Final[Mapping[str, str]] = {
    "greater_than_equal": "must be at least {ge}, found {found}",
    "greater_than": "must be above {gt}, found {found}",
    "less_than_equal": "must be at most {le}, found {found}",
    "string_type": "expected text, found {found}; put it in quotes",
    "string_pattern_mismatch": "{found} may hold only letters, digits, - and _, and starts with a letter or digit",
    "string_too_long": "{found} is longer than {max_length} characters",
    "model_type": "expected a mapping of keys to values, found {found}",
    "dict_type": "expected a mapping of keys to values, found {found}",
    "tuple_type": "expected a list, found {found}",
    "too_short": "expected at least {min_length} value(s), found {actual_length}",
    "too_long": "expected at most {max_length} values, found more",
    "value_error": "{error}",
}
_FOLLOW_UPS: Final = ("default_factory_not_called",)


def load_recipe(path: str | Path) -> Recipe:
    """The recipe in a YAML file.

    Raises:
        RecipeError: the file cannot be read or is no recipe; one line for each thing wrong.
    """
    file = Path(path)
    try:
        if file.stat().st_size > _SIZE_LIMIT:
            raise RecipeError(f"{file}: too large for a recipe ({file.stat().st_size} bytes)")
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecipeError(f"{file}: not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise RecipeError(f"{file}: cannot read the recipe: {reason}") from None
    return parse_recipe(text, source=str(file))


def parse_recipe(text: str, *, source: str = "recipe") -> Recipe:
    """The recipe in a YAML text; `source` is what errors call it.

    Raises:
        RecipeError: it is no recipe; one line for each thing wrong.
    """
    document = read_document(text, source)
    if not isinstance(document.data, dict):
        raise RecipeError(f"{document.where(())}: expected a mapping of keys to values, found {show(document.data)}")
    if "digidouble" not in document.data:
        raise RecipeError(
            f"{document.where(())}: digidouble: the version key is missing; write `digidouble: {RECIPE_FORMAT}` first"
        )
    try:
        return Recipe.model_validate(document.data)
    except ValidationError as error:
        details = [detail for detail in error.errors(include_url=False) if detail["type"] not in _FOLLOW_UPS]
        of_format = [detail for detail in details if detail["loc"][:1] == ("digidouble",)]
        lines = [_line(document, detail) for detail in of_format or details]
    raise RecipeError("\n".join(text for _, text in sorted(lines))) from None


def _line(document: Document, detail: ErrorDetails) -> tuple[tuple[int, int], str]:
    """One error as its place and its text."""
    context = detail.get("ctx", {})
    path = (*detail["loc"], *context.get("place", ())) if detail["type"] == FAULT else detail["loc"]
    at_key = detail["type"] == "extra_forbidden" or not _exists(document.data, path)
    place = document.locate(path, key=at_key)
    text = f"{document.where(path, key=at_key)}: {_spell(path)}: {_message(detail, path)}"
    return place, " ".join(text.split())


def _exists(data: Any, path: Path_) -> bool:
    for step in path:
        if isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        elif isinstance(data, dict) and str(step) in data:
            data = data[str(step)]
        else:
            return False
    return True


def _spell(path: Path_) -> str:
    """`axes.hair.melanin.uniform[1]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + (step if _PLAIN_KEY.fullmatch(step) else show(step))
    return text


def _message(detail: ErrorDetails, path: Path_) -> str:
    context = dict(detail.get("ctx", {}))
    kind = detail["type"]
    if kind == FAULT:
        return str(context["message"])
    if kind == "missing":
        return _missing(path)
    if kind == "extra_forbidden":
        return _unknown(path)
    form = _MESSAGES.get(kind)
    found = show(detail["input"])
    return form.format(found=found, **context) if form else f"{detail['msg']}, found {found}"


def _missing(path: Path_) -> str:
    if isinstance(path[-1], int):
        return f"value {path[-1] + 1} of the list is missing"
    return f"the key is missing; add `{path[-1]}: …`"


def _unknown(path: Path_) -> str:
    """What an unknown key may have meant: one of its neighbours, or a parameter or key that stands elsewhere."""
    word = str(path[-1])
    known = list(_model(path[:-1]).model_fields)
    message = f"unknown key {show(word)}"
    elsewhere = _elsewhere(word, path)
    return f"{message}; it belongs at {elsewhere}" if elsewhere else f"{message}{nearest(word, known)}"


def _elsewhere(word: str, path: Path_) -> str:
    if len(path) == 1 and word in Recipe.model_fields["axes"].annotation.model_fields:  # type: ignore[union-attr]
        return f"axes.{word}"
    owners = [parameter.axis for parameter in PARAMETERS.values() if parameter.name == word]
    return f"axes.{owners[0]}.{word}" if path[0] == "axes" and len(owners) == 1 else ""


def _model(path: Path_) -> type[BaseModel]:
    """The model of the mapping at `path`."""
    model: type[BaseModel] = Recipe
    for step in path:
        annotation = model.model_fields[str(step)].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            raise TypeError(f"{_spell(path)} is no mapping of the recipe")
        model = annotation
    return model
