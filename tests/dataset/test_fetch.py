"""A fetched dataset is the dataset: whole, compared with its hashes, resumed, and nothing else is touched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from farm.dataset import Dataset, check_dataset, fetch
from farm.dataset.fetch import fetch_dataset
from farm.dataset.store import Store
from farm.errors import DatasetError


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_copy_is_the_dataset(finished: Dataset, tmp_path: Path) -> None:
    found = fetch_dataset(str(finished.root), tmp_path / "fetched")
    assert (found.copied, found.there, found.damaged) == (6, 0, [])
    assert contents(tmp_path / "fetched") == contents(Path(str(finished.root)))
    assert check_dataset(tmp_path / "fetched").ok


def test_a_copy_goes_on_where_it_stopped(copied: Callable[[], Dataset], tmp_path: Path) -> None:
    source, to = Path(str(copied().root)), tmp_path / "fetched"
    fetch_dataset(source, to)
    image = next(to.rglob("reference.exr"))
    (image.parent / "record.json").unlink()
    image.write_bytes(b"torn")
    other = next(path for path in to.rglob("reference.exr") if path != image)
    before = other.stat().st_mtime_ns
    found = fetch_dataset(source, to)
    assert (found.copied, found.there, found.damaged) == (1, 5, [])
    assert contents(to) == contents(source)
    assert other.stat().st_mtime_ns == before


def test_previews_are_the_sheet_and_the_report_alone(finished: Dataset, tmp_path: Path) -> None:
    names = fetch.fetch_previews(str(finished.root), tmp_path / "few")
    assert sorted(contents(tmp_path / "few")) == sorted(names) == ["contact_sheet.png", "report.html"]
    assert fetch.fetch_previews(tmp_path / "nowhere", tmp_path / "none") == []


def test_a_damaged_pair_is_told_and_left_out(copied: Callable[[], Dataset], tmp_path: Path) -> None:
    source, to = Path(str(copied().root)), tmp_path / "fetched"
    image = sorted(source.rglob("reference.exr"))[0]
    data = bytearray(image.read_bytes())
    data[-1] ^= 1
    image.write_bytes(data)
    found = fetch_dataset(source, to)
    assert (found.copied, len(found.damaged)) == (5, 1)
    pair = image.parent.relative_to(source)
    assert found.damaged == [f"{pair.as_posix()}: reference.exr is not what its record says"]
    assert not (to / pair / "record.json").exists()


def test_a_source_that_grows_is_copied_as_far_as_it_is(copied: Callable[[], Dataset], tmp_path: Path) -> None:
    source, to = Path(str(copied().root)), tmp_path / "fetched"
    records = sorted(source.rglob("record.json"))
    kept = [record.read_bytes() for record in records[3:]]
    for record in records[3:]:
        record.unlink()
    assert fetch_dataset(source, to).copied == 3
    for record, text in zip(records[3:], kept, strict=True):
        record.write_bytes(text)
    found = fetch_dataset(source, to)
    assert (found.copied, found.there) == (3, 3)
    assert contents(to) == contents(source)


def test_a_folder_of_other_things_is_left_alone(finished: Dataset, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(DatasetError, match="not empty and no earlier copy"):
        fetch_dataset(str(finished.root), tmp_path)
    assert contents(tmp_path) == {"mine.txt": b"mine"}
    with pytest.raises(DatasetError, match="the dataset itself"):
        fetch_dataset(str(finished.root), Path(str(finished.root)))


def test_what_is_no_dataset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="not a dataset"):
        fetch_dataset(tmp_path, tmp_path / "fetched")
    assert not (tmp_path / "fetched").exists()


def test_the_record_comes_last(copied: Callable[[], Dataset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Path] = []
    replace = fetch.replace_bytes
    monkeypatch.setattr(fetch, "replace_bytes", lambda path, data: (written.append(path), replace(path, data)))
    fetch_dataset(str(copied().root), tmp_path / "fetched")
    assert written[-1].name == "dataset.json"
    for folder in {path.parent for path in written if path.suffix == ".exr"}:
        assert [path.name for path in written if path.parent == folder][-1] == "record.json"


def test_a_copy_comes_from_an_object_store(finished: Dataset, s3: Any, tmp_path: Path) -> None:
    store = Store(s3.url("fetched"))
    for name, data in contents(Path(str(finished.root))).items():
        store.put(name, data)
    damaged = next(name for name in contents(Path(str(finished.root))) if name.endswith("reference.exr"))
    data = store.read(damaged)
    store.put(damaged, data[:-1] + bytes([data[-1] ^ 1]))
    found = fetch_dataset(store.url, tmp_path / "copy")
    assert (found.copied, len(found.damaged)) == (5, 1)
    store.put(damaged, data)
    found = fetch_dataset(store.url, tmp_path / "copy")
    assert (found.copied, found.there, found.damaged) == (1, 5, [])
    assert contents(tmp_path / "copy") == contents(Path(str(finished.root)))
