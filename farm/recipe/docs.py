"""The tables in docs/recipes.md, made from the models. `python -m farm.recipe.docs` brings the page in step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from farm.recipe.capture import AllowBias, Capture, Frames, Partners, Reference, Split
from farm.recipe.character import CharacterFile
from farm.recipe.markdown import markdown_table, renew_table
from farm.recipe.parameters import AXES, NO_STUNT, PARAMETERS, Parameter
from farm.recipe.rules import Rule
from farm.recipe.units import accepted_units

__all__ = ["PAGE", "capture_tables", "parameter_tables", "refresh"]

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "recipes.md"


def parameter_tables() -> str:
    """A Markdown table per axis, of every parameter with its values, unit, default and meaning."""
    return "\n".join(
        _table(
            f"`{axis}`: {_summary(model)}",
            ["parameter", "values", "unit", "left out", "what it is"],
            [_parameter_row(parameter) for parameter in PARAMETERS.values() if parameter.axis == axis],
        )
        for axis, model in AXES.items()
    )


def capture_tables() -> str:
    """A Markdown table per part of a recipe other than its axes."""
    parts: dict[str, type[BaseModel]] = {
        "double": CharacterFile,
        "rules": Rule,
        "capture": Capture,
        "capture.reference": Reference,
        "capture.frames": Frames,
        "capture.partners": Partners,
        "capture.allow_bias": AllowBias,
        "split": Split,
    }
    return "\n".join(
        _table(f"`{name}`: {_summary(model)}", ["key", "left out", "what it is"], _field_rows(model))
        for name, model in parts.items()
    )


def _summary(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").splitlines()[0]


def _parameter_row(parameter: Parameter) -> list[str]:
    units = [unit for unit in accepted_units(parameter.unit) if unit != parameter.unit]
    unit = parameter.unit + (f" ({', '.join(units)})" if units else "")
    default = "drawn" if parameter.drawn else f"`{_plain(parameter.default)}`"
    return [f"`{parameter.name}`", _values(parameter), unit, default, parameter.description]


def _values(parameter: Parameter) -> str:
    if parameter.type is bool:
        return "`true`, `false`"
    if parameter.type is str:
        name = f" or `{NO_STUNT}`" if parameter.default == NO_STUNT else ""
        return f"a name in `templates/{parameter.template}/`{name}"
    kind = "whole, " if parameter.type is int else ""
    return f"{kind}{parameter.low:.10g} to {parameter.high:.10g}"


def _field_rows(model: type[BaseModel]) -> list[list[str]]:
    rows = []
    for name, field in model.model_fields.items():
        if field.is_required():
            default = "is an error"
        elif name == "chunk":
            default = "see right"
        else:
            default = f"`{_plain(field.get_default(call_default_factory=True, validated_data={}))}`"
        rows.append([f"`{name}`", default, field.description or ""])
    return rows


def _plain(value: Any) -> str:
    """A default as a recipe spells it; a part by its most important value, which is its short form."""
    if isinstance(value, Reference):
        return str(value.samples)
    if isinstance(value, AllowBias | Partners):
        return "{}"
    if isinstance(value, Frames):
        return str(value.count)
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "none"
    return str(list(value)) if isinstance(value, tuple) else f"{value:g}" if isinstance(value, float) else str(value)


def _table(title: str, heads: list[str], rows: list[list[str]]) -> str:
    return "\n".join([f"**{title}**", "", *markdown_table(heads, rows), ""])


_TABLES: Final[dict[str, Callable[[], str]]] = {"parameters": parameter_tables, "capture": capture_tables}


def refresh(page: str) -> str:
    """The page with each table between `<!-- NAME: … -->` and `<!-- end -->` made anew."""
    for name, make in _TABLES.items():
        page = renew_table(page, name, f"\n{make()}\n", called=f"'{name}'")
    return page


if __name__ == "__main__":
    PAGE.write_text(refresh(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
