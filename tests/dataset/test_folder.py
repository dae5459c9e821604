"""Datasets made, reopened, refused and cleared."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from farm.dataset import (
    Dataset,
    EngineBuild,
    Record,
    check_dataset,
    clean_uncommitted,
    commit_record,
    create_dataset,
    open_dataset,
    read_image,
    read_record,
    write_image,
)
from farm.dataset.folder import check_place, pair_folders
from farm.errors import DatasetError, RenderError, StorageError
from farm.recipe import Recipe, load_recipe

Copied = Callable[[], Dataset]


def snapshot(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def refuse(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    """A method of Path that has no permission for paths of this name."""

    def refusing(path: Path, *args: Any, **options: Any) -> Any:
        if path.name == name:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return call(path, *args, **options)

    return refusing


def test_a_new_dataset_holds_its_recipe_and_description(tmp_path: Path, recipe: Recipe, build: EngineBuild) -> None:
    dataset = create_dataset(tmp_path / "deep" / "out", recipe, engine=build)
    assert set(snapshot(dataset.root)) == {"dataset.json", "recipe.yaml"}
    assert load_recipe(dataset.root / "recipe.yaml").digest == recipe.digest
    info = open_dataset(dataset.root).info
    assert info == dataset.info
    assert info.recipe.name == "balls"
    assert info.engine == build
    assert {layer.name for layer in info.layers} >= {"beauty", "alpha", "albedo", "normal", "depth", "half_difference"}


def test_equal_recipes_make_equal_bytes(tmp_path: Path, recipe: Recipe, build: EngineBuild) -> None:
    roots = [create_dataset(tmp_path / name, recipe, engine=build).root for name in "ab"]
    assert snapshot(roots[0]) == snapshot(roots[1])


def test_a_dataset_is_reopened_as_it_is(copied: Copied, recipe: Recipe, build: EngineBuild) -> None:
    root = copied().root
    before = snapshot(root)
    dataset = create_dataset(root, recipe, engine=build)
    assert len(dataset.committed()) == 6
    assert snapshot(root) == before


def test_a_dataset_that_lost_its_description_goes_on(copied: Copied, recipe: Recipe, build: EngineBuild) -> None:
    root = copied().root
    (root / "dataset.json").unlink()
    assert len(create_dataset(root, recipe, engine=build).committed()) == 6


@pytest.mark.parametrize(
    "harm", [Path.unlink, lambda file: file.write_text("# mine\n"), lambda file: file.write_bytes(b"")]
)
def test_a_dataset_that_lost_its_recipe_gets_it_back(
    copied: Copied, recipe: Recipe, build: EngineBuild, harm: Callable[[Path], object]
) -> None:
    root = copied().root
    before = snapshot(root)
    harm(root / "recipe.yaml")
    assert not check_dataset(root).ok
    create_dataset(root, recipe, engine=build)
    assert snapshot(root) == before
    assert check_dataset(root).ok


def test_an_empty_folder_becomes_a_dataset(tmp_path: Path, recipe: Recipe, build: EngineBuild) -> None:
    assert create_dataset(tmp_path, recipe, engine=build).committed() == {}


def _foreign(root: Path) -> None:
    root.mkdir()
    (root / "thesis.tex").write_text("mine")


def _foreign_recipe(root: Path) -> None:
    root.mkdir()
    (root / "recipe.yaml").write_text("# mine\n")


def _newer(root: Path) -> None:
    root.mkdir()
    (root / "dataset.json").write_text('{"format": "digidouble-dataset/2", "recipe": {}}')


def _not_json(root: Path) -> None:
    root.mkdir()
    (root / "dataset.json").write_text("{")


def _file(root: Path) -> None:
    root.write_text("in the way")


def _under_a_file(root: Path) -> None:
    root.parent.rmdir()
    root.parent.write_text("in the way")


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (_foreign, "not empty and not a dataset .it holds 'thesis.tex'.; give"),
        (_foreign_recipe, "not empty and not a dataset .it holds 'recipe.yaml'.; give"),
        (_newer, "'digidouble-dataset/2' is newer than 'digidouble-dataset/1'.*update"),
        (_not_json, "dataset.json: not valid JSON"),
        (_file, "is a file, not a folder; give"),
        (_under_a_file, "cannot write .*is not a folder; give"),
    ],
)
def test_what_cannot_become_the_dataset_is_refused_and_left_alone(
    tmp_path: Path, recipe: Recipe, build: EngineBuild, prepare: Callable[[Path], None], words: str
) -> None:
    root = tmp_path / "within" / "out"
    root.parent.mkdir()
    prepare(root)
    before = snapshot(tmp_path)
    with pytest.raises(DatasetError, match=words) as caught:
        create_dataset(root, recipe, engine=build)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    assert snapshot(tmp_path) == before


def test_another_recipes_dataset_is_refused_and_left_alone(
    copied: Copied, recipe: Recipe, other_recipe: Recipe, build: EngineBuild
) -> None:
    root = copied().root
    before = snapshot(root)
    words = f"recipe 'balls' .{recipe.digest}., not of 'cubes' .{other_recipe.digest}.; give another folder"
    with pytest.raises(DatasetError, match=words):
        create_dataset(root, other_recipe, engine=build)
    assert snapshot(root) == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not bind root")
@pytest.mark.parametrize("mode", [0o500, 0o300, 0o000])
def test_a_folder_without_permission_is_refused(tmp_path: Path, recipe: Recipe, mode: int) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out").chmod(mode)
    with pytest.raises(DatasetError, match=r"out: Permission denied; give another folder|cannot read .*Permission"):
        check_place(tmp_path / "out", recipe)


@pytest.mark.parametrize("call", ["iterdir", "stat"])
def test_a_folder_that_the_system_does_not_show_is_refused(
    tmp_path: Path, recipe: Recipe, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    monkeypatch.setattr(Path, call, refuse("out", getattr(Path, call)))
    (tmp_path / "out").mkdir()
    with pytest.raises(DatasetError, match=r"cannot (use|read) .*out.*: Permission denied") as caught:
        check_place(tmp_path / "out", recipe)
    assert caught.value.exit_code == 2


def test_a_place_that_cannot_hold_files_is_refused(recipe: Recipe) -> None:
    if not Path("/proc/self").is_dir():
        pytest.skip("needs a file system that takes no files (/proc)")
    with pytest.raises(DatasetError, match="cannot use /proc/digidouble: .*; give another folder"):
        check_place("/proc/digidouble", recipe)


def test_asking_for_a_place_touches_nothing(tmp_path: Path, recipe: Recipe) -> None:
    (tmp_path / "out").mkdir()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path, tmp_path / "out")}
    assert check_place(tmp_path / "out", recipe) is None
    assert check_place(tmp_path / "new" / "out", recipe) is None
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert [*tmp_path.iterdir(), *(tmp_path / "out").iterdir()] == [tmp_path / "out"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"blender": "5.3.0"},
            r"begun with .*5\.2\.3 .*, this is .*5\.3\.0 .*; give another folder, or go on with that",
        ),
        ({"device": "optix"}, "on cpu .*, this is .* on optix .*; give another folder, or go on with --device cpu$"),
        (
            {"digidouble": "f" * 16},
            "with templates and base mesh 0{16}, this is .* with templates and base mesh f{16}; give another folder$",
        ),
    ],
)
def test_another_engine_is_refused(
    tmp_path: Path, recipe: Recipe, build: EngineBuild, change: dict[str, str], words: str
) -> None:
    create_dataset(tmp_path / "out", recipe, engine=build)
    create_dataset(tmp_path / "out", recipe, engine=build)
    before = snapshot(tmp_path)
    with pytest.raises(DatasetError, match=words):
        create_dataset(tmp_path / "out", recipe, engine=build.model_copy(update=change))
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize(("name", "words"), [("none", "not a folder"), (".", "has no dataset.json")])
def test_what_is_no_dataset_is_not_opened(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(DatasetError, match=words):
        open_dataset(tmp_path / name)


def test_committed_pairs_are_those_with_a_record_and_its_files(copied: Copied) -> None:
    dataset = copied()
    tasks = dataset.committed()
    records = list(tasks.values())
    assert len(records) == 6
    assert all(read_record(path).task == task for task, path in tasks.items())
    records[0].unlink()
    records[1].write_text("{")
    (records[2].parent / "reference.exr").unlink()
    with (records[3].parent / "noisy_0001spp_r00.exr").open("ab") as file:
        file.write(b"more")
    assert set(dataset.committed()) == set(list(tasks)[4:])


def test_cleaning_removes_what_was_never_committed_and_only_that(copied: Copied) -> None:
    dataset = copied()
    pairs = list(pair_folders(dataset.root))
    pairs[0].record.unlink()
    (pairs[1].path / ".reference.exr.host-1.partial").write_bytes(b"half")
    (dataset.root / ".index.parquet.host-1.partial").write_bytes(b"half")
    pairs[2].record.unlink()
    (pairs[2].path / "notes.txt").write_text("mine")
    removed = clean_uncommitted(dataset)
    assert len(removed) == 5 + 1 + 1 + 5
    assert not pairs[0].path.exists()
    assert [path.name for path in pairs[2].path.iterdir()] == ["notes.txt"]
    assert len(dataset.committed()) == 4
    assert clean_uncommitted(dataset) == []


def _unreadable(record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_bytes", refuse("record.json", Path.read_bytes))


def _unlistable(record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = os.scandir

    def refusing(folder: str) -> Any:
        if folder == str(record.parent):
            raise PermissionError(errno.EACCES, "Permission denied", folder)
        return scan(folder)

    monkeypatch.setattr(os, "scandir", refusing)


def _says(field: str, value: str) -> Callable[[Path, pytest.MonkeyPatch], None]:
    def change(record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        del monkeypatch
        record.write_text(json.dumps(json.loads(record.read_text()) | {field: value}))

    return change


def _moved(record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del monkeypatch
    record.parent.rename(record.parent.with_name("f0009"))


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (_unreadable, r"cannot read .*record\.json: Permission denied"),
        (_unlistable, r"cannot read .*f\d+: Permission denied"),
        (_says("format", "digidouble-record/2"), "'digidouble-record/2' is newer than .*; update digidouble"),
        (_says("format", "digidouble-record/0"), "format is 'digidouble-record/0', expected"),
        (_says("recipe", "f00d"), "recipe f00d is not the dataset's 'balls' .*; move the pair"),
        (_moved, "record.json: belongs to pairs/"),
    ],
)
def test_a_pair_that_cannot_be_judged_ends_the_run_and_is_kept(
    copied: Copied,
    monkeypatch: pytest.MonkeyPatch,
    harm: Callable[[Path, pytest.MonkeyPatch], None],
    words: str,
) -> None:
    dataset = copied()
    record = next(iter(dataset.committed().values()))
    harm(record, monkeypatch)
    for ask in (clean_uncommitted, Dataset.committed):
        with pytest.raises(DatasetError, match=words):
            ask(dataset)
    monkeypatch.undo()
    assert len(list(dataset.root.rglob("*.exr"))) == 30
    assert len(list(dataset.root.rglob("record.json"))) == 6


@pytest.mark.parametrize("text", ["", "{", '{"format": "digidouble-record/1"}'])
def test_a_broken_record_is_uncommitted(copied: Copied, text: str) -> None:
    dataset = copied()
    record = next(iter(dataset.committed().values()))
    record.write_text(text)
    assert len(clean_uncommitted(dataset)) == 6
    assert not record.parent.exists()


def test_cleaning_goes_on_where_another_cleans_too(copied: Copied, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = copied()
    record = next(iter(dataset.committed().values()))
    record.unlink()
    unlink = Path.unlink

    def twice(path: Path, missing_ok: bool = False) -> None:
        unlink(path)
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", twice)
    monkeypatch.setattr(Path, "rmdir", refuse(record.parent.name, Path.rmdir))
    assert len(clean_uncommitted(dataset)) == 5
    assert list(record.parent.iterdir()) == []


def test_what_cannot_be_removed_is_named(copied: Copied, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = copied()
    next(iter(dataset.committed().values())).unlink()
    monkeypatch.setattr(Path, "unlink", refuse("reference.exr", Path.unlink))
    with pytest.raises(StorageError, match=r"cannot remove .*reference\.exr: Permission denied"):
        clean_uncommitted(dataset)


def test_cleaning_a_finished_dataset_changes_nothing(finished: Dataset) -> None:
    before = snapshot(finished.root)
    assert clean_uncommitted(finished) == []
    assert snapshot(finished.root) == before


def test_a_pair_whose_images_are_not_in_place_is_not_committed(copied: Copied) -> None:
    dataset = copied()
    path = next(iter(dataset.committed().values()))
    record = read_record(path)
    path.unlink()
    (path.parent / "reference.exr").write_bytes(b"short")
    with pytest.raises(RenderError, match=r"reference\.exr holds 5 bytes.*not committed"):
        commit_record(dataset, record)
    (path.parent / "reference.exr").unlink()
    with pytest.raises(RenderError, match=r"reference\.exr is missing: the pair is not committed"):
        commit_record(dataset, record)
    assert not path.exists()


def test_another_recipes_record_is_not_committed(copied: Copied) -> None:
    dataset = copied()
    record = read_record(next(iter(dataset.committed().values())))
    with pytest.raises(DatasetError, match="recipe f00d is not the dataset's 'balls'"):
        commit_record(dataset, record.model_copy(update={"recipe": "f00d"}))


def test_rendering_again_over_leftovers_gives_the_same_images(
    copied: Copied, recipe: Recipe, render: Callable[..., Record]
) -> None:
    dataset = copied()
    variant = recipe.draw()[1]
    pair = dataset.pair(variant.id, 2)
    before = snapshot(pair.path)
    pair.record.unlink()
    pair.noisy(4, 1).unlink()
    write_image(pair.reference, read_image(pair.noisy(1, 0)), {})
    record = render(dataset, recipe, variant, 2, seconds=7.0)
    after = snapshot(pair.path)
    assert {name for name in before if before[name] != after[name]} == {"record.json"}
    assert json.loads(before["record.json"])["files"] == record.model_dump(mode="json")["files"]


def test_a_copied_dataset_is_the_same_dataset(copied: Copied, tmp_path: Path) -> None:
    moved = shutil.move(copied().root, tmp_path / "moved")
    assert len(open_dataset(moved).committed()) == 6
