"""Datasets made, reopened, refused and cleared."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from farm.dataset import (
    Dataset,
    EngineBuild,
    Record,
    clean_uncommitted,
    commit_record,
    create_dataset,
    open_dataset,
    read_image,
    read_record,
    write_image,
)
from farm.dataset.folder import pair_folders
from farm.errors import DatasetError, RenderError
from farm.recipe import Recipe, load_recipe

Copied = Callable[[], Dataset]


def snapshot(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_new_dataset_holds_its_recipe_and_description(tmp_path: Path, recipe: Recipe, build: EngineBuild) -> None:
    dataset = create_dataset(tmp_path / "deep" / "out", recipe, engine=build)
    assert set(snapshot(dataset.root)) == {"dataset.json", "recipe.yaml"}
    assert load_recipe(dataset.root / "recipe.yaml").digest == recipe.digest
    info = open_dataset(dataset.root).info
    assert info == dataset.info
    assert info.recipe.name == "balls"
    assert info.engine == build
    assert {layer.name for layer in info.layers} >= {"beauty", "alpha", "albedo", "normal", "depth", "half_difference"}


def test_equal_recipes_make_equal_bytes(tmp_path: Path, recipe: Recipe) -> None:
    roots = [create_dataset(tmp_path / name, recipe).root for name in "ab"]
    assert snapshot(roots[0]) == snapshot(roots[1])


def test_a_dataset_is_reopened_as_it_is(copied: Copied, recipe: Recipe) -> None:
    root = copied().root
    before = snapshot(root)
    dataset = create_dataset(root, recipe)
    assert len(dataset.committed()) == 6
    assert snapshot(root) == before


def test_a_dataset_that_lost_its_description_goes_on(copied: Copied, recipe: Recipe) -> None:
    root = copied().root
    (root / "dataset.json").unlink()
    assert len(create_dataset(root, recipe).committed()) == 6


def test_an_empty_folder_becomes_a_dataset(tmp_path: Path, recipe: Recipe) -> None:
    assert create_dataset(tmp_path, recipe).committed() == {}


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
    tmp_path: Path, recipe: Recipe, prepare: Callable[[Path], None], words: str
) -> None:
    root = tmp_path / "within" / "out"
    root.parent.mkdir()
    prepare(root)
    before = snapshot(tmp_path)
    with pytest.raises(DatasetError, match=words) as caught:
        create_dataset(root, recipe)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    assert snapshot(tmp_path) == before


def test_another_recipes_dataset_is_refused_and_left_alone(
    copied: Copied, recipe: Recipe, other_recipe: Recipe
) -> None:
    root = copied().root
    before = snapshot(root)
    words = f"recipe 'balls' .{recipe.digest}., not of 'cubes' .{other_recipe.digest}.; give another folder"
    with pytest.raises(DatasetError, match=words):
        create_dataset(root, other_recipe)
    assert snapshot(root) == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not bind root")
def test_a_folder_without_permission_is_refused(tmp_path: Path, recipe: Recipe) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(DatasetError, match="no permission"):
        create_dataset(tmp_path / "out", recipe)


def test_a_place_that_cannot_hold_files_is_refused(recipe: Recipe) -> None:
    if not Path("/proc/self").is_dir():
        pytest.skip("needs a file system that takes no files (/proc)")
    with pytest.raises(DatasetError, match="cannot write /proc/"):
        create_dataset("/proc/digidouble", recipe)


def test_another_build_is_refused(tmp_path: Path, recipe: Recipe, build: EngineBuild) -> None:
    create_dataset(tmp_path / "out", recipe, engine=build)
    create_dataset(tmp_path / "out", recipe, engine=build)
    with pytest.raises(DatasetError, match=r"rendered by cycles of Blender 5\.2\.3 .*, this is cycles of Blender 5\.3"):
        create_dataset(tmp_path / "out", recipe, engine=EngineBuild(blender="5.3.0", build_hash="f"))


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
