"""`README.md`: a dataset's card for people, with licence, counts, figures and pictures, as dataset hubs show it."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from farm.dataset.info import NOT_STATED, DatasetInfo
from farm.dataset.layout import CONTACT_SHEET_FILE, INDEX_FILE, RECIPE_FILE, REPORT_FILE
from farm.recipe import Recipe
from farm.recipe.capture import SPLITS
from farm.recipe.markdown import markdown_table

__all__ = ["compose_card"]

Row = Mapping[str, Any]


def compose_card(info: DatasetInfo, recipe: Recipe, rows: Sequence[Row]) -> str:
    """The card of a dataset with these rows in its index; equal datasets give equal text, whatever machine made them.

    Its front matter holds the licence where one is stated.
    """
    front = ["---", f"license: {info.license.lower()}", f"pretty_name: {recipe.name}", "---", ""]
    blocks = [
        *(front if info.license != NOT_STATED else []),
        f"# {recipe.name}",
        "",
        f"{len(rows)} pairs of noisy renders, feature layers and converged references of digi-doubles with hair, made"
        f" with {info.created_by} and {info.engine.renderer.capitalize()} of Blender {info.engine.blender}"
        f" ({info.engine.build_hash}, {info.engine.device}) from the recipe `{RECIPE_FILE}` ({info.recipe.digest}).",
        "",
        f"![One reference a variant]({CONTACT_SHEET_FILE})",
        "",
        f"**Licence:** {info.license}",
        "",
        "## Counts",
        "",
        *markdown_table(("split", "pairs", "doubles", "people", "grooms", "images", "MB"), _counts(rows)),
        "",
        "Neither a face nor a groom is in two splits.",
        "",
        "## Figures",
        "",
        *markdown_table(("figure", "value"), _figures(recipe, rows)),
        "",
        *markdown_table(("hairstyle", "doubles"), _shares(rows, "hair.style")),
        "",
        *markdown_table(("pose or stunt", "doubles"), _acts(rows)),
        "",
        "## Layers",
        "",
        *markdown_table(("layer", "channels", "unit"), ((x.name, ", ".join(x.channels), x.unit) for x in info.layers)),
        "",
        "Light is scene-linear Rec.709, float32; nothing clamps, denoises or otherwise biases it.",
        "",
        "## Reading it",
        "",
        f"`{INDEX_FILE}` is a table of all pairs, `{REPORT_FILE}` shows them; `dataset.json` is for Croissant.",
        "",
        "```python",
        "import pandas",
        "",
        f"pairs = pandas.read_parquet('{INDEX_FILE}')",
        "```",
    ]
    return "".join(f"{line}\n" for line in blocks)


def _counts(rows: Sequence[Row]) -> list[Sequence[object]]:
    there = [split for split in SPLITS if any(row["split"] == split for row in rows)]
    lines = [_count(split, [row for row in rows if row["split"] == split]) for split in there]
    return [*lines, _count("all", rows)]


def _count(name: str, rows: Sequence[Row]) -> Sequence[object]:
    files = [file for row in rows for file in row["files"]]
    people, grooms = {row["body.identity"] for row in rows}, {(row["hair.style"], row["hair.seed"]) for row in rows}
    size = sum(file["bytes"] for file in files) / 1e6
    doubles = {row["variant"] for row in rows}
    return name, len(rows), len(doubles), len(people), len(grooms), len(files), f"{size:.1f}"


def _figures(recipe: Recipe, rows: Sequence[Row]) -> list[Sequence[object]]:
    capture = recipe.capture
    ratios = [row["residual.ratio"] for row in rows]
    converged = sum(row["residual.converged"] for row in rows)
    return [
        ("resolution", "×".join(map(str, capture.resolution))),
        ("samples per pixel of noisy images", ", ".join(map(str, capture.samples))),
        ("replicas of each", capture.replicas),
        ("frames of each double", capture.frames.count),
        ("samples per pixel of references", _range([row["residual.samples"] for row in rows])),
        ("references under the residual asked for", f"{converged} of {len(rows)}"),
        ("residual noise, share of the best noisy image's (median)", f"{statistics.median(ratios):.2%}"),
        ("age", _range([row["body.age"] for row in rows])),
        ("skin tone, Monk scale", _range([row["skin.tone"] for row in rows])),
    ]


def _range(values: Sequence[float]) -> str:
    low, high = f"{min(values):g}", f"{max(values):g}"
    return low if low == high else f"{min(values):.5g} to {max(values):.5g}"


def _doubles(rows: Sequence[Row]) -> list[Row]:
    return list({row["variant"]: row for row in rows}.values())


def _shares(rows: Sequence[Row], column: str) -> list[tuple[str, int]]:
    return _ranked(row[column] for row in _doubles(rows))


def _acts(rows: Sequence[Row]) -> list[tuple[str, int]]:
    return _ranked(row["pose.name"] if row["stunt.name"] == "none" else row["stunt.name"] for row in _doubles(rows))


def _ranked(names: Iterable[str]) -> list[tuple[str, int]]:
    return sorted(Counter(names).items(), key=lambda item: (-item[1], item[0]))
