"""The table of the index's columns in docs/index.md, made from the schema. `python -m farm.dataset.docs` renews it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from farm.dataset.columns import columns
from farm.recipe.markdown import markdown_table, renew_table

__all__ = ["PAGE", "column_table", "refresh"]

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "index.md"


def column_table() -> str:
    """A Markdown table of every column of `index.parquet`: name, type, unit, meaning."""
    rows = [(f"`{each.name}`", f"`{each.type}`", each.unit, each.description) for each in columns()]
    return "\n".join(markdown_table(("column", "type", "unit", "what it holds"), rows))


def refresh(page: str) -> str:
    """The page with the table between `<!-- columns: … -->` and `<!-- end -->` made anew."""
    return renew_table(page, "columns", f"\n{column_table()}\n\n", called="of columns")


if __name__ == "__main__":
    PAGE.write_text(refresh(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
