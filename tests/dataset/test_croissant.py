"""`dataset.json` for readers of Croissant, and the card for people."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from pathlib import Path

import mlcroissant
import pytest

from farm.dataset import Dataset, check_dataset, open_dataset, read_index
from farm.dataset.croissant import KEYS
from farm.dataset.report import state_license


@pytest.fixture(scope="module")
def description(finished: Dataset) -> mlcroissant.Dataset:
    return mlcroissant.Dataset(jsonld=str(finished.root / "dataset.json"))


def test_mlcroissant_validates_it(description: mlcroissant.Dataset, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        issues = description.metadata.issues
    assert not issues.errors
    assert [warning for warning in issues.warnings if "datePublished" not in warning] == []
    assert description.metadata.name == "balls"


def test_mlcroissant_reads_the_pairs(finished: Dataset, description: mlcroissant.Dataset) -> None:
    records = list(description.records("pairs"))
    rows = read_index(finished.root)
    assert len(records) == len(rows) == 6
    for record, row in zip(records, rows, strict=True):
        for column in ("pair", "split", "variant"):
            assert record[f"pairs/{column}"].decode() == row[column]
        assert record["pairs/frame"] == row["frame"]
        assert record["pairs/body.age"] == pytest.approx(row["body.age"])
        assert record["pairs/residual.converged"] == row["residual.converged"]


def test_it_lists_files_by_digest_and_images_by_pattern(finished: Dataset) -> None:
    data = json.loads((finished.root / "dataset.json").read_text())
    assert set(data) >= KEYS
    entries = {entry["@id"]: entry for entry in data["distribution"]}
    assert {name: entries[name]["sha256"] for name in data["files"]} == data["files"]
    assert len(list(finished.root.glob(entries["noisy"]["includes"]))) == 24
    assert len(list(finished.root.glob(entries["reference"]["includes"]))) == 6
    assert len(list(finished.root.glob(entries["records"]["includes"]))) == 6
    assert "data" not in entries


def test_a_broken_description_is_noticed(copied: Callable[[], Dataset]) -> None:
    file = copied().root / "dataset.json"
    data = json.loads(file.read_text())
    data["recordSet"][0]["field"][0]["source"]["fileObject"]["@id"] = "nowhere"
    file.write_text(json.dumps(data))
    with pytest.raises(mlcroissant.ValidationError):
        mlcroissant.Dataset(jsonld=str(file))


def test_a_licence_is_stated_and_stays(copied: Callable[[], Dataset]) -> None:
    from farm.dataset import build_index, write_report

    dataset = copied()
    assert "**Licence:** not stated" in (dataset.root / "README.md").read_text()
    state_license(dataset, "CC-BY-4.0")
    build_index(dataset)
    write_report(dataset)
    assert open_dataset(dataset.root).info.license == "CC-BY-4.0"
    assert (dataset.root / "README.md").read_text().startswith("---\nlicense: cc-by-4.0\n")
    assert mlcroissant.Dataset(jsonld=str(dataset.root / "dataset.json")).metadata.license == ["CC-BY-4.0"]
    assert check_dataset(dataset.root, workers=1).ok


def test_the_card_counts_and_shows(finished: Dataset) -> None:
    text = (finished.root / "README.md").read_text()
    assert "| train | 4 | 2 | 2 | 2 | 20 |" in text
    assert "| all | 6 | 3 | 3 | 3 | 30 |" in text
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert (finished.root / target).is_file()
    assert "| albedo | albedo.R, albedo.G, albedo.B |" in text
    assert Path(finished.root / "contact_sheet.png").stat().st_size > 0
