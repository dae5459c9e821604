"""Publishes the recipe's JSON Schema: `python -m farm.recipe.schema` writes it to docs/ of a checkout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from farm.recipe.recipe_schema import json_schema

__all__ = ["SCHEMA_FILE", "schema_text"]

SCHEMA_FILE: Final = Path(__file__).resolve().parents[2] / "docs" / "recipe.schema.json"


def schema_text() -> str:
    """The schema as it stands in its file."""
    return json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.parent.mkdir(exist_ok=True)
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
