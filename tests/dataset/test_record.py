"""Commit records."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from farm.dataset import Dataset, read_record, task_key
from farm.dataset.record import write_record
from farm.errors import DatasetError

Copied = Callable[[], Dataset]


@pytest.fixture
def path(copied: Copied) -> Path:
    return next(iter(copied().committed().values()))


def test_records_go_round_in_equal_bytes(path: Path) -> None:
    before = path.read_bytes()
    assert write_record(path.parents[3], read_record(path)) == path
    assert path.read_bytes() == before


def test_a_record_alone_rebuilds_its_variant(path: Path) -> None:
    record = read_record(path)
    assert record.variant.id == record.variant_id == path.parents[1].name
    assert record.folder(path.parents[3]).record == path


def test_equal_work_has_equal_keys_and_other_work_others(path: Path) -> None:
    record = read_record(path)
    variant, view, build = record.variant, record.view, record.engine.build
    key = task_key(variant, view, {"samples": [1, 4]}, build)
    assert key == task_key(variant.model_copy(update={"index": 9}), view, {"samples": [1, 4]}, build)
    others = {
        key,
        task_key(variant, view.model_copy(update={"frame": 9}), {"samples": [1, 4]}, build),
        task_key(variant, view, {"samples": [1, 8]}, build),
        *(
            task_key(variant, view, {"samples": [1, 4]}, build.model_copy(update={field: "other"}))
            for field in ("build_hash", "device", "digidouble")
        ),
    }
    assert len(others) == 6


def _put(*keys: str, value: Any) -> Callable[[dict[str, Any]], Any]:
    def change(data: dict[str, Any]) -> None:
        for key in keys[:-1]:
            data = data[key]
        data[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_put("format", value="digidouble-record/2"), "'digidouble-record/2' is newer than 'digidouble-record/1'"),
        (_put("format", value="something"), "format is 'something', expected 'digidouble-record/1'"),
        (_put("variant", "body", "age", value=200.0), "variant.body.age: .*80"),
        (_put("variant", "body", "age", value=50.0), "variant_id is .* but its variant's content is"),
        (_put("extra", value=1), "extra: Extra inputs are not permitted"),
        (_put("files", "reference.exr", "sha256", value="xyz"), "files.reference.exr.sha256"),
        (_put("files", "reference.exr", "seeds", value=[2**31]), "files.reference.exr.seeds.0"),
        (_put("files", "../../evil.exr", value=None), "files"),
        (_put("files", value={}), "a pair needs reference.exr and a noisy image"),
        (_put("residual", "ratio", value=float("nan")), "residual.ratio"),
        (lambda data: data.pop("camera"), "camera: Field required"),
    ],
)
def test_a_wrong_record_is_one_line(path: Path, change: Callable[[dict[str, Any]], Any], words: str) -> None:
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))
    with pytest.raises(DatasetError, match=words) as caught:
        read_record(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_images_with_names_of_other_places_are_refused(path: Path) -> None:
    data = json.loads(path.read_text())
    data["files"]["../x.exr"] = data["files"]["reference.exr"]
    path.write_text(json.dumps(data))
    with pytest.raises(DatasetError, match=r"'\.\./x\.exr' is no image of a pair"):
        read_record(path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', "\x00", "[" * 100_000])
def test_what_is_no_record_is_one_line(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(DatasetError, match=r"record\.json: "):
        read_record(path)


def test_a_record_of_another_place_is_refused(copied: Copied) -> None:
    first, second = list(copied().committed().values())[:2]
    second.write_bytes(first.read_bytes())
    with pytest.raises(DatasetError, match=r"belongs to pairs/.*/f0001"):
        read_record(second)
