"""docs/dataset.md and the code say the same names."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from pathlib import Path

import pytest

import farm.dataset
from farm.dataset import DATASET_FORMAT, INDEX_FORMAT, LAYERS, RECORD_FORMAT, Record, noisy_name
from farm.dataset.columns import columns
from farm.dataset.docs import PAGE as INDEX_PAGE
from farm.dataset.docs import refresh
from farm.dataset.info import DatasetInfo
from farm.dataset.inspection import (
    BIAS_SHARE_MAX,
    BIAS_SIGMAS_MAX,
    BLOCK,
    BLOCK_QUANTILE,
    BLOCK_SIGMAS_MAX,
    FIREFLY_FEW,
    FIREFLY_RATIO,
    FIREFLY_SHARE_MAX,
)
from farm.dataset.layer_docs import refresh as refresh_layers
from farm.dataset.layout import TOP_FILES, pair_key
from farm.recipe.passes import PASSES

PAGE = Path(__file__).parents[2] / "docs" / "dataset.md"


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def table(page: str, header: str) -> list[list[str]]:
    """The cells of the table whose first line starts with `header`."""
    lines = page[page.index(header) :].splitlines()[2:]
    rows = itertools.takewhile(lambda line: line.startswith("|"), lines)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def ticked(cell: str) -> list[str]:
    return re.findall("`([^`]+)`", cell)


def test_layers_are_those_of_the_code(page: str) -> None:
    assert refresh_layers(page) == page, "run: python -m farm.dataset.layer_docs"
    stale = page.replace("from root to tip", "from tip to root")
    assert refresh_layers(stale) == page != stale
    with pytest.raises(ValueError, match="no place for the table of layers"):
        refresh_layers("# Reading a dataset")


def test_layers_and_passes_know_each_other() -> None:
    assert {layer.asked_as for layer in LAYERS} - {""} == set(PASSES)
    channels = [channel for layer in LAYERS for channel in layer.channels]
    assert len(set(channels)) == len(channels)
    for layer in LAYERS:
        assert layer.unit and layer.description and layer.images, layer.name


def test_record_fields_are_those_of_the_code(page: str) -> None:
    rows = table(page, "| field |")
    assert [ticked(row[0])[0] for row in rows] == list(Record.model_fields)
    described = {ticked(row[0])[0]: set(ticked(row[1])) for row in rows}
    for field in ("view", "residual", "camera", "engine"):
        annotation = Record.model_fields[field].annotation
        assert set(annotation.model_fields) <= described[field], field  # type: ignore[union-attr]


def test_the_table_of_columns_is_in_step() -> None:
    text = INDEX_PAGE.read_text(encoding="utf-8")
    assert refresh(text) == text, "run: python -m farm.dataset.docs"
    assert INDEX_FORMAT in text
    assert [ticked(row[0])[0] for row in table(text, "| column |")] == [column.name for column in columns()]


def test_a_stale_table_of_columns_is_noticed() -> None:
    text = INDEX_PAGE.read_text(encoding="utf-8")
    stale = text.replace("Width of every image.", "Width of some images.")
    assert stale != text
    assert refresh(stale) == text
    with pytest.raises(ValueError, match="no place for the table of columns"):
        refresh("# The index")


def test_names_and_formats_are_those_of_the_code(page: str) -> None:
    assert f"{pair_key('0123456789abcdef', 12)}/{noisy_name(4, 0)}" in page
    for name in [*TOP_FILES, DATASET_FORMAT, RECORD_FORMAT]:
        assert name in page
    section = page[page.index("## `dataset.json`") : page.index("## Checking")]
    assert set(DatasetInfo.model_fields) - {"format"} <= set(ticked(section))


def test_limits_are_those_of_the_code(page: str) -> None:
    for words in (
        f"more than {FIREFLY_SHARE_MAX * 100:g} % of the reference's pixels, and more than {FIREFLY_FEW}, are over"
        f" {FIREFLY_RATIO:g} ×",
        f"over {BIAS_SIGMAS_MAX:g} standard errors and over {BIAS_SHARE_MAX * 100:g} % away",
        f"over {(1 - BLOCK_QUANTILE) * 100:g} % of a noisy picture's {BLOCK}×{BLOCK} blocks are over"
        f" {BLOCK_SIGMAS_MAX:g} standard errors",
    ):
        assert words in page
    bounds = {layer.name: (layer.low, layer.high) for layer in LAYERS}
    assert (bounds["alpha"], bounds["albedo"], bounds["depth"]) == ((0, 1), (0, 16), (0, 1e10))


def test_the_example_runs(page: str, finished: farm.dataset.Dataset) -> None:
    example = page[page.index("```python\n") + 10 :].partition("```")[0]
    exec(example.replace("out/demo", finished.root.as_posix()), scope := {})
    assert scope["noisy"]["R"].shape == (32, 48)


def test_the_surface_is_what_all_says() -> None:
    for name in farm.dataset.__all__:
        assert getattr(farm.dataset, name) is not None
    assert len(set(farm.dataset.__all__)) == len(farm.dataset.__all__)


def test_the_package_is_pure() -> None:
    found = subprocess.run(
        [sys.executable, "-c", "import sys, farm.dataset; print(*{'bpy', 'ray', 'torch'} & set(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert found.split() == []
