"""Tables in Markdown, and pages whose tables are made from the code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

__all__ = ["markdown_table", "renew_table"]


def markdown_table(heads: Sequence[object], rows: Iterable[Sequence[object]]) -> list[str]:
    """The lines of a table."""
    return [f"| {' | '.join(map(str, row))} |" for row in (heads, ("---",) * len(heads), *rows)]


def renew_table(page: str, mark: str, text: str, *, called: str) -> str:
    """A page with what stands between `<!-- MARK: … -->` and `<!-- end -->` made anew.

    ValueError, which names the table as it is `called`, where the page has no such place.
    """
    place = re.compile(rf"(<!-- {mark}: [^>]*-->\n).*?(<!-- end -->)", re.DOTALL)
    if not place.search(page):
        raise ValueError(f"the page has no place for the table {called}")
    return place.sub(lambda match: match[1] + text + match[2], page)
