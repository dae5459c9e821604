"""Reads recipes from files; whatever is wrong becomes one line with file, line, column, key, value and remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from farm.errors import RecipeError
from farm.recipe.document import Document, read_document
from farm.recipe.faults import Key, Place, show, spell
from farm.recipe.messages import fault_place, keys_at, message, written
from farm.recipe.parameters import PARAMETERS
from farm.recipe.recipe import RECIPE_FORMAT, Recipe
from farm.recipe.templates import nearest

__all__ = ["load_recipe", "parse_recipe"]

_SIZE_LIMIT: Final = 1_000_000

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
    return _from_its_folder(parse_recipe(text, source=str(file)), file.parent)


def _from_its_folder(recipe: Recipe, folder: Path) -> Recipe:
    """The recipe with the whole path of its double's file, which begins at the recipe's folder."""
    double = recipe.double
    if double is None:
        return recipe
    whole = str((folder / Path(double.file).expanduser()).absolute())
    return recipe.model_copy(update={"double": double.model_copy(update={"file": whole})})


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
    """One error as its place, to sort by, and its text."""
    path = fault_place(detail)
    if detail["type"] == "missing":
        mark = (*path[:-2], *map(_as_key, path[-2:-1]))
    elif detail["type"] == "extra_forbidden":
        mark = (*path[:-1], _as_key(path[-1]))
    else:
        mark = path = written(document.data, path)
    text = f"{document.where(mark)}: {spell(path)}: {_message(detail, path)}"
    return document.locate(mark), " ".join(text.split())


def _as_key(step: str | int) -> str | int:
    return Key(step) if isinstance(step, str) else step


def _message(detail: ErrorDetails, path: Place) -> str:
    if detail["type"] == "missing":
        return _missing(path)
    return _unknown(path) if detail["type"] == "extra_forbidden" else message(detail)


def _missing(path: Place) -> str:
    if isinstance(path[-1], int):
        return f"value {path[-1] + 1} of the list is missing"
    return f"the key is missing; add `{path[-1]}: …`"


def _unknown(path: Place) -> str:
    """What an unknown key may have meant: one of its neighbours, or a parameter or key that stands elsewhere."""
    word = str(path[-1])
    elsewhere = _elsewhere(word, path)
    remedy = f"; it belongs at {elsewhere}" if elsewhere else nearest(word, keys_at(Recipe, path[:-1]))
    return f"unknown key {show(word)}{remedy}"


def _elsewhere(word: str, path: Place) -> str:
    if len(path) == 1 and word in Recipe.model_fields["axes"].annotation.model_fields:  # type: ignore[union-attr]
        return f"axes.{word}"
    owners = [parameter.axis for parameter in PARAMETERS.values() if parameter.name == word]
    return f"axes.{owners[0]}.{word}" if path[0] == "axes" and len(owners) == 1 else ""
