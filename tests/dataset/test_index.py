"""The Parquet index: made from records alone, equal bytes for equal records, read by what people use."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from farm.dataset import INDEX_FORMAT, Dataset, build_index, read_index, read_record
from farm.dataset.columns import columns, schema
from farm.dataset.leaks import refuse_leaks
from farm.errors import DatasetError
from farm.recipe import PARAMETERS, Recipe

Copied = Callable[[], Dataset]


def test_a_row_a_pair_in_the_recipes_order(finished: Dataset, recipe: Recipe) -> None:
    rows = read_index(finished.root)
    variants = recipe.draw()
    splits = recipe.splits(variants)
    wanted = [(variant.id, frame, splits[variant.id]) for variant in variants for frame in (1, 2)]
    assert [(row["variant"], row["frame"], row["split"]) for row in rows] == wanted
    assert {row["split"] for row in rows} == {"train", "valid"}


def test_a_row_holds_what_the_record_says(finished: Dataset) -> None:
    for row in read_index(finished.root):
        record = read_record(finished.root / row["pair"] / "record.json")
        assert {path: row[path] for path in PARAMETERS} == record.variant.flat()
        assert row["residual.ratio"] == record.residual.ratio
        assert row["view.matrix_world"] == [value for line in record.camera.matrix_world for value in line]
        assert dict(row["timings"]) == record.timings
        assert {file["name"]: file["sha256"] for file in row["files"]} == {
            name: entry.sha256 for name, entry in record.files.items()
        }
        assert {file["kind"] for file in row["files"]} == {"noisy", "reference"}


def test_equal_records_give_equal_bytes(copied: Copied) -> None:
    dataset = copied()
    before = (dataset.root / "index.parquet").read_bytes()
    build_index(dataset)
    assert (dataset.root / "index.parquet").read_bytes() == before


def test_uncommitted_pairs_have_no_row(copied: Copied) -> None:
    dataset = copied()
    next(iter(dataset.committed().values())).unlink()
    build_index(dataset)
    assert len(read_index(dataset.root)) == 5


def test_an_empty_dataset_has_an_empty_index(copied: Copied) -> None:
    dataset = copied()
    for path in dataset.committed().values():
        path.unlink()
    build_index(dataset)
    assert read_index(dataset.root) == []


def test_the_schema_carries_every_parameter_with_unit_and_description() -> None:
    assert set(PARAMETERS) <= {column.name for column in columns()}
    for path, parameter in PARAMETERS.items():
        metadata = schema().field(path).metadata
        assert metadata[b"description"].decode() == parameter.description
        assert metadata[b"unit"].decode() == parameter.unit
    assert schema().metadata[b"format"].decode() == INDEX_FORMAT
    assert len({column.name for column in columns()}) == len(columns())


def test_duckdb_reads_it(finished: Dataset) -> None:
    file = (finished.root / "index.parquet").as_posix()
    found = duckdb.sql(
        f"""select split, count(*), min("body.age"), sum(len(files)) from '{file}' group by split order by split"""
    ).fetchall()
    assert [(split, pairs, images) for split, pairs, _, images in found] == [("train", 4, 20), ("valid", 2, 10)]


def test_pandas_reads_it(finished: Dataset) -> None:
    frame = pandas.read_parquet(finished.root / "index.parquet")
    rows = read_index(finished.root)
    assert list(frame.columns) == [column.name for column in columns()]
    assert frame["body.age"].tolist() == [row["body.age"] for row in rows]
    assert dict(frame["settings"][0]) == {"cycles.samples": "256", "cycles.use_denoising": "false"}


def test_polars_reads_it(finished: Dataset) -> None:
    frame = polars.read_parquet(finished.root / "index.parquet")
    images = frame.explode("files").unnest("files").filter(polars.col("kind") == "noisy")
    assert (frame.height, images.height) == (6, 24)
    assert images["sha256"].n_unique() == 24
    assert sorted(images["spp"].unique()) == [1, 4]


def test_settings_are_what_ran(finished: Dataset) -> None:
    for row in read_index(finished.root):
        record = read_record(finished.root / row["pair"] / "record.json")
        assert {name: json.loads(value) for name, value in row["settings"]} == record.settings
        assert row["view.focal_length"] == record.camera.focal_length


def test_an_index_of_another_version_is_refused_with_its_remedy(copied: Copied) -> None:
    dataset = copied()
    file = dataset.root / "index.parquet"
    older = pq.read_table(file).replace_schema_metadata({"format": "digidouble-index/1"}).drop_columns(["settings"])
    pq.write_table(older, file)
    with pytest.raises(DatasetError, match=r"is 'digidouble-index/1', this digidouble reads .*: digidouble index"):
        read_index(dataset.root)
    build_index(dataset)
    assert len(read_index(dataset.root)) == 6


@pytest.mark.parametrize(
    ("trait", "columns_"),
    [("identity", ["body.identity"]), ("face", ["body.face"]), ("groom", ["hair.style", "hair.seed"])],
)
def test_a_leak_is_an_error_that_names_both_pairs(finished: Dataset, trait: str, columns_: list[str]) -> None:
    rows = read_index(finished.root)
    refuse_leaks(rows, finished.root)
    valid = next(row for row in rows if row["split"] == "valid")
    train = next(row for row in rows if row["split"] == "train")
    for column in columns_:
        valid[column] = train["body.identity"] if column == "body.face" else train[column]
    with pytest.raises(DatasetError, match=rf"splits leak: the {trait} of {valid['pair']} .*also in {train['pair']}"):
        refuse_leaks([train, valid], finished.root)


def test_an_index_is_not_written_over_a_leak(copied: Copied, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = copied()
    before = (dataset.root / "index.parquet").read_bytes()
    monkeypatch.setattr(Recipe, "splits", lambda self, variants: {
        variant.id: ("train", "valid")[place % 2] for place, variant in enumerate(variants)
    })  # fmt: skip
    monkeypatch.setattr("farm.dataset.leaks._traits", lambda row: [("groom", row["hair.style"])])
    with pytest.raises(DatasetError, match="splits leak"):
        build_index(dataset)
    assert (dataset.root / "index.parquet").read_bytes() == before


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1" + bytes(100) + b"PAR1"])
def test_a_broken_index_is_one_line(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "index.parquet").write_bytes(data)
    with pytest.raises(DatasetError, match="not a readable Parquet file") as caught:
        read_index(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_foreign_table_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "index.parquet")
    with pytest.raises(DatasetError, match="has other columns, this digidouble reads digidouble-index/3"):
        read_index(tmp_path)


def test_a_missing_index_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"index\.parquet is missing"):
        read_index(tmp_path)
