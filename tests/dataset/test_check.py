"""The check finds whatever is wrong, names the file, and never breaks itself."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from farm.dataset import (
    CheckReport,
    Dataset,
    EngineBuild,
    Record,
    build_index,
    check,
    check_dataset,
    create_dataset,
    examination,
    exr,
    read_image,
    read_record,
    write_image,
    write_report,
)
from farm.dataset.check import _chance_repeats
from farm.dataset.exr import decode_image
from farm.dataset.folder import pair_folders
from farm.dataset.formats import NewerFormatError, write_json
from farm.dataset.index import encode_index
from farm.dataset.info import read_info, seal
from farm.errors import DatasetError
from farm.recipe import Recipe

Copied = Callable[[], Dataset]
Change = Callable[[dict[str, Any]], Any]


def problems(report: CheckReport) -> list[str]:
    return [str(defect) for defect in report.defects]


def first_record(dataset: Dataset) -> Path:
    return next(iter(dataset.committed().values()))


def rewrite(dataset: Dataset, change: Change, path: Path | None = None) -> str:
    """Changes one record and seals everything again, as a faulty renderer would; gives the pair's folder."""
    path = path or first_record(dataset)
    data = json.loads(path.read_text())
    change(data)
    write_json(path, Record.model_validate(data))
    build_index(dataset)
    write_report(dataset)
    return path.parent.relative_to(dataset.root).as_posix()


def repaint(dataset: Dataset, name: str, change: Callable[[dict[str, np.ndarray]], None]) -> str:
    """Changes one image's pixels and its entry in the record, as a faulty renderer would."""
    record = first_record(dataset)
    file = record.parent / name
    channels = read_image(file)
    change(channels)
    stamp = write_image(file, channels, {})
    entry = {"sha256": stamp.sha256, "bytes": stamp.bytes}
    return rewrite(dataset, lambda data: data["files"][name].update(entry), record)


def test_a_good_dataset_is_good(finished: Dataset) -> None:
    told: list[tuple[int, int]] = []
    report = check_dataset(finished.root, progress=lambda done, total: told.append((done, total)))
    assert problems(report) == []
    assert report.ok
    assert (report.pairs, report.planned, report.images) == (6, 6, 30)
    assert report.bytes == sum(path.stat().st_size for path in finished.root.rglob("*.exr"))
    assert report.summary() == f"6 of 6 pairs, 30 images, {report.bytes / 1e6:.1f} MB verified: no defects"
    assert told == [(done, 6) for done in range(1, 7)]


def test_several_processes_find_the_same(copied: Copied) -> None:
    root = copied().root
    next(root.glob("pairs/*/*/reference.exr")).write_bytes(b"broken")
    assert check_dataset(root, workers=2) == check_dataset(root, workers=1)


def test_each_image_is_decoded_once_also_where_motion_asks_for_the_frame_before(
    finished: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[Path] = []

    def decode(data: bytes, path: Path) -> dict[str, np.ndarray]:
        decoded.append(path)
        return decode_image(data, path)

    monkeypatch.setattr(exr, "decode_image", decode)
    monkeypatch.setattr(examination, "decode_image", decode)
    assert check_dataset(finished.root, workers=1).ok
    assert sorted(decoded) == sorted(finished.root.glob("pairs/*/*/*.exr"))


def test_a_frame_alone_reads_the_depth_of_the_frame_before(finished: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the first of a process's run does: what is found does not depend on how pairs are shared out."""

    def found(frame: object, camera: object, before: dict[str, np.ndarray], camera_before: object) -> list[str]:
        return [f"was {before['depth.Z'].mean()} away"]

    monkeypatch.setattr(examination, "inspect_motion", found)
    places = list(pair_folders(finished.root))
    together = list(examination.examine_pairs(places, None))
    apart = [findings for place in places for findings in examination.examine_pairs([place], None)]
    assert together == apart
    assert [len(findings.defects) for findings in together] == [0, 1] * 3


def test_processes_are_started_where_they_have_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "_cores", lambda: 8)
    plan = examination.PairPlan("", (256, 256), frozenset(map(str, range(5))), False, (), None)
    assert [check._workers(pairs, plan) for pairs in (0, 6, 60, 100_000)] == [1, 1, 2, 8]
    assert check._workers(100_000, None) == 1


def one_of_each_file(root: Path) -> list[str]:
    """The dataset's own files, and those of one pair."""
    files = [*root.glob("*.*"), *next(root.glob("pairs/*/*")).iterdir()]
    return sorted(path.relative_to(root).as_posix() for path in files)


def test_every_file_that_is_deleted_is_missed(finished: Dataset) -> None:
    for name in one_of_each_file(finished.root):
        shutil.move(finished.root / name, finished.root.parent / "kept")
        try:
            found = problems(check_dataset(finished.root))
        finally:
            shutil.move(finished.root.parent / "kept", finished.root / name)
        assert any(problem.startswith(f"{name}: ") for problem in found), (name, found)
    assert check_dataset(finished.root).ok


def _flip(data: bytes, rng: np.random.Generator) -> bytes:
    place = int(rng.integers(len(data)))
    return data[:place] + bytes([data[place] ^ (1 << int(rng.integers(8)))]) + data[place + 1 :]


def _overwrite(data: bytes, rng: np.random.Generator) -> bytes:
    place = int(rng.integers(len(data)))
    return data[:place] + rng.bytes(20) + data[place + 20 :]


def _truncate(data: bytes, rng: np.random.Generator) -> bytes:
    return data[: int(rng.integers(len(data)))]


def _extend(data: bytes, rng: np.random.Generator) -> bytes:
    return data + rng.bytes(3)


@pytest.mark.parametrize("harm", [_flip, _overwrite, _truncate, _extend])
def test_every_file_that_is_harmed_is_named(copied: Copied, harm: Callable[..., bytes]) -> None:
    root = copied().root
    rng = np.random.Generator(np.random.PCG64(17))
    for name in one_of_each_file(root):
        file = root / name
        kept = file.read_bytes()
        for _ in range(4 if name.endswith((".json", ".parquet")) else 1):
            file.write_bytes(harm(kept, rng))
            try:
                found = problems(check_dataset(root))
            except NewerFormatError:
                continue
            assert any(problem.startswith(f"{name}: ") for problem in found), (name, found)
            assert all("\n" not in problem for problem in found)
        file.write_bytes(kept)
    assert check_dataset(root).ok


def _stray_top(root: Path, pair: Path) -> str:
    (root / "notes.txt").write_text("mine")
    return "notes.txt: has no place in a dataset"


def _stray_folder(root: Path, pair: Path) -> str:
    (root / "pairs" / "old").mkdir()
    return "pairs/old: has no place in a dataset"


def _stray_frame(root: Path, pair: Path) -> str:
    (pair.parent / "f1").mkdir()
    return f"{pair.parent.relative_to(root).as_posix()}/f1: has no place in a dataset"


def _stray_image(root: Path, pair: Path) -> str:
    shutil.copy(pair / "reference.exr", pair / "noisy_0064spp_r00.exr")
    return f"{pair.relative_to(root).as_posix()}/noisy_0064spp_r00.exr: is not in the pair's record"


def _half_written(root: Path, pair: Path) -> str:
    (pair / ".reference.exr.host-1.partial").write_bytes(b"half")
    return f"{pair.relative_to(root).as_posix()}/.reference.exr.host-1.partial: was left half-written"


def _half_written_top(root: Path, pair: Path) -> str:
    (root / ".index.parquet.host-1.partial").write_bytes(b"half")
    return ".index.parquet.host-1.partial: was left half-written"


def _missing_pair(root: Path, pair: Path) -> str:
    shutil.rmtree(pair)
    return f"{pair.relative_to(root).as_posix()}: is missing (variant"


def _uncommitted_pair(root: Path, pair: Path) -> str:
    (pair / "record.json").unlink()
    return f"{pair.relative_to(root).as_posix()}/record.json: is missing: the pair was never committed"


def _moved_pair(root: Path, pair: Path) -> str:
    shutil.move(pair, pair.with_name("f0009"))
    return f"{pair.parent.relative_to(root).as_posix()}/f0009: is no pair of the recipe"


def _folder_for_a_file(root: Path, pair: Path) -> str:
    (pair / "reference.exr").unlink()
    (pair / "reference.exr").mkdir()
    return f"{pair.relative_to(root).as_posix()}/reference.exr: "


def _swapped_images(root: Path, pair: Path) -> str:
    shutil.copy(pair / "noisy_0001spp_r00.exr", pair / "noisy_0001spp_r01.exr")
    return f"{pair.relative_to(root).as_posix()}/noisy_0001spp_r01.exr: "


@pytest.mark.parametrize(
    "harm",
    [
        _stray_top,
        _stray_folder,
        _stray_frame,
        _stray_image,
        _half_written,
        _half_written_top,
        _missing_pair,
        _uncommitted_pair,
        _moved_pair,
        _folder_for_a_file,
        _swapped_images,
    ],
)
def test_what_does_not_belong_and_what_lacks_is_named(copied: Copied, harm: Callable[[Path, Path], str]) -> None:
    root = copied().root
    words = harm(root, next(root.glob("pairs/*/*")))
    report = check_dataset(root)
    assert any(problem.startswith(words) for problem in problems(report)), problems(report)
    assert not report.ok
    assert "defect" in report.summary()


def _change(*keys: str, value: Any) -> Change:
    def change(data: dict[str, Any]) -> None:
        for key in keys[:-1]:
            data = data[key]
        data[keys[-1]] = value

    return change


NOISY = "noisy_0004spp_r00.exr"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_change("residual", "relmse", value=1e-5), "record.json: residual.relmse is recorded as 1e-05, the pixels"),
        (_change("residual", "best_noisy_relmse", value=0.5), "record.json: residual.best_noisy_relmse is recorded"),
        (_change("residual", "ratio", value=0.5), "record.json: residual.ratio is recorded as 0.5"),
        (_change("residual", "converged", value=False), "record.json: residual.converged is False at a ratio of"),
        (_change("files", NOISY, "samples", value=8), f"record.json: {NOISY} has 8 samples, expected 4"),
        (_change("files", NOISY, "seeds", value=[7, 7]), "record.json: seed 7 is used 2 times"),
        (_change("view", "resolution", value=[32, 48]), "record.json: its resolution is (32, 48)"),
        (_change("engine", "build_hash", value="other"),
         "record.json: was rendered by cycles of Blender 5.2.3 (other) on cpu with"),
        (_change("camera", "matrix_world", value=[[2, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]),
         "record.json: camera.matrix_world is scaled or sheared"),
        (lambda data: data["files"].pop(NOISY), f"record.json: lists no {NOISY}, which the recipe asks for"),
    ],
)  # fmt: skip
def test_a_record_that_says_what_is_not_so_is_named(copied: Copied, change: Change, words: str) -> None:
    dataset = copied()
    pair = rewrite(dataset, change)
    found = problems(check_dataset(dataset.root))
    assert any(problem.startswith(f"{pair}/{words}") for problem in found), found


def test_unfit_pixels_are_found_whatever_the_record_says(copied: Copied) -> None:
    dataset = copied()

    def burn(channels: dict[str, np.ndarray]) -> None:
        channels["albedo.R"][3, 2] = np.nan

    pair = repaint(dataset, NOISY, burn)
    assert problems(check_dataset(dataset.root)) == [
        f"{pair}/{NOISY}: albedo.R is NaN at 1 pixel (first: column 2, row 3)"
    ]


def test_a_brighter_noisy_image_is_found(copied: Copied) -> None:
    dataset = copied()

    def brighten(channels: dict[str, np.ndarray]) -> None:
        for colour in "RGB":
            channels[colour] *= np.float32(1.2)

    pair = repaint(dataset, NOISY, brighten)
    found = problems(check_dataset(dataset.root))
    assert len(found) == 1
    assert found[0].startswith(f"{pair}/{NOISY}: its mean")


def test_one_picture_in_two_pairs_is_found(copied: Copied) -> None:
    dataset = copied()
    first, second = sorted(dataset.root.glob("pairs/*/*"))[:2]
    shutil.copy(first / NOISY, second / NOISY)
    entry = read_record(first / "record.json").files[NOISY].model_dump()
    data = json.loads((second / "record.json").read_text())
    data["files"][NOISY] = entry
    write_json(second / "record.json", Record.model_validate(data))
    found = problems(check_dataset(dataset.root))
    places = [path.relative_to(dataset.root).as_posix() for path in (first, second)]
    assert f"{places[1]}/{NOISY}: has the same pixels as {places[0]}/{NOISY}" in found
    assert any(problem.startswith(f"{places[1]}/{NOISY}: seed {entry['seeds'][0]} is also used") for problem in found)


def test_few_seeds_never_repeat_and_many_do() -> None:
    wanted = {0: 0, 1: 0, 2: 0, 66: 0, 67: 1, 1_000: 1, 10_000: 3, 200_000: 27, 2_000_000: 1080}
    assert {count: _chance_repeats(count) for count in wanted} == wanted
    rng = np.random.Generator(np.random.PCG64(2))
    for count in (1_000, 10_000, 200_000):
        seeds = rng.integers(2**31, size=count)
        assert count - len(np.unique(seeds)) <= _chance_repeats(count)


def test_a_record_that_changed_after_the_index_is_named(copied: Copied) -> None:
    dataset = copied()
    path = first_record(dataset)
    record = read_record(path)
    write_json(path, record.model_copy(update={"timings": {"noisy": 99.0}}))
    pair = path.parent.relative_to(dataset.root).as_posix()
    assert problems(check_dataset(dataset.root)) == [
        f"{pair}/record.json: is not the one that index.parquet was made from (SHA-256 differs): either was changed"
    ]


def rows_changed(dataset: Dataset, change: Callable[[list[dict[str, Any]]], Any]) -> list[str]:
    """Writes an index with other rows, sealed as if it were right, and gives what the check says."""
    file = dataset.root / "index.parquet"
    rows = pq.read_table(file).to_pylist()
    change(rows)
    file.write_bytes(encode_index(rows))
    seal(dataset.root, read_info(dataset.root), "index.parquet")
    return problems(check_dataset(dataset.root))


def test_a_missing_row_is_named(copied: Copied) -> None:
    found = rows_changed(copied(), lambda rows: rows.pop())
    assert len(found) == 1
    assert found[0].startswith("index.parquet: has no row for pairs/")


def test_a_row_too_many_is_named(copied: Copied) -> None:
    found = rows_changed(copied(), lambda rows: rows.append({**rows[0], "pair": "pairs/" + "0" * 16 + "/f0001"}))
    assert found == [f"index.parquet: has a row for pairs/{'0' * 16}/f0001, which is not committed"]


def test_a_leak_between_splits_is_named(copied: Copied) -> None:
    found = rows_changed(copied(), lambda rows: rows[0].update(split="test"))
    assert any("splits leak: the identity of pairs/" in problem for problem in found)
    assert any("splits leak: the groom of pairs/" in problem for problem in found)
    assert any(": split is not what the record says" in problem for problem in found)


def test_an_unfinished_dataset_names_what_is_missing(
    tmp_path: Path, recipe: Recipe, build: EngineBuild, render: Callable[..., Record]
) -> None:
    dataset = create_dataset(tmp_path / "out", recipe, engine=build)
    render(dataset, recipe, recipe.variant(1), 1)
    report = check_dataset(dataset.root)
    assert {defect.file for defect in report.defects} == {
        "README.md",
        "contact_sheet.png",
        "index.parquet",
        "report.html",
        *(
            f"pairs/{variant.id}/f{frame:04d}"
            for variant in recipe.draw()
            for frame in (1, 2)
            if (variant.index, frame) != (1, 1)
        ),
    }
    assert (report.pairs, report.planned) == (1, 6)


def test_another_recipe_is_named(copied: Copied, other_recipe: Recipe) -> None:
    root = copied().root
    (root / "recipe.yaml").write_text(other_recipe.to_yaml())
    found = problems(check_dataset(root))
    assert any(problem.startswith("recipe.yaml: is 'cubes'") for problem in found)
    assert any("is of recipe" in problem for problem in found)


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda root: None, "has no dataset.json"),
        (lambda root: (root / "dataset.json").write_text('{"format": "digidouble-dataset/2"}'), "is newer than"),
    ],
)
def test_what_is_no_dataset_is_refused(tmp_path: Path, prepare: Callable[[Path], Any], words: str) -> None:
    prepare(tmp_path)
    with pytest.raises(DatasetError, match=words):
        check_dataset(tmp_path)
    with pytest.raises(DatasetError, match="is not a folder"):
        check_dataset(tmp_path / "none")
