"""The recipe's JSON Schema, made from the models, for editors and other tools.

`python -m farm.recipe.schema` writes it to docs/recipe.schema.json of a checkout. It cannot say everything: the names
of templates, and what values mean together, are left to `load_recipe`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema

from farm.recipe.axes import PARAMETER_MARK
from farm.recipe.distributions import Setting
from farm.recipe.parameters import PARAMETERS
from farm.recipe.recipe import Recipe
from farm.recipe.setting_schema import QUANTITIES, setting_schema

__all__ = ["SCHEMA_FILE", "json_schema", "schema_text"]

SCHEMA_FILE: Final = Path(__file__).resolve().parents[2] / "docs" / "recipe.schema.json"


class _Generator(GenerateJsonSchema):
    """Writes a default setting as recipes do, and no titles that repeat the keys."""

    def encode_default(self, dft: Any) -> Any:
        return dft.plain() if isinstance(dft, Setting) else super().encode_default(dft)

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a recipe file."""
    schema = Recipe.model_json_schema(mode="validation", schema_generator=_Generator)
    definitions = {**schema.pop("$defs"), **QUANTITIES}
    for definition in definitions.values():
        for field in definition.get("properties", {}).values():
            if PARAMETER_MARK in field:
                field.update(setting_schema(PARAMETERS[field.pop(PARAMETER_MARK)]))
    return {"$schema": _Generator.schema_dialect, **schema, "$defs": definitions}


def schema_text() -> str:
    """The schema as it stands in its file."""
    return json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.parent.mkdir(exist_ok=True)
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
