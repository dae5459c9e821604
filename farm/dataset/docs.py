"""The table of the index's columns in docs/index.md, made from the schema. `python -m farm.dataset.docs` renews it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from farm.dataset.columns import columns

__all__ = ["PAGE", "column_table", "refresh"]

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "index.md"

_PLACE: Final = re.compile(r"(<!-- columns: [^>]*-->\n).*?(<!-- end -->)", re.DOTALL)


def column_table() -> str:
    """A Markdown table of every column of `index.parquet`: name, type, unit, meaning."""
    rows = [(f"`{each.name}`", f"`{each.type}`", each.unit, each.description) for each in columns()]
    lines = [("column", "type", "unit", "what it holds"), ("---",) * 4, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def refresh(page: str) -> str:
    """The page with the table between `<!-- columns: … -->` and `<!-- end -->` made anew."""
    if not _PLACE.search(page):
        raise ValueError("the page has no place for the table of columns")
    return _PLACE.sub(lambda match: f"{match[1]}\n{column_table()}\n\n{match[2]}", page)


if __name__ == "__main__":
    PAGE.write_text(refresh(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
