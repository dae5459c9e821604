"""A dataset's folder: made, opened again, resumed, and cleared of what was never committed."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from farm.dataset import layout
from farm.dataset.files import is_partial, partial_name, read_bytes, remove, replace_bytes, sha256_of, size_of
from farm.dataset.info import DatasetInfo, RecipeStamp, read_info, seal
from farm.dataset.layers import dataset_layers
from farm.dataset.layout import PairFolder
from farm.dataset.place import Place, StorePath, below, open_place
from farm.dataset.record import EngineBuild, Record, write_record
from farm.dataset.scan import FoundPair, find_commits, find_pairs
from farm.errors import DatasetError
from farm.recipe import Recipe

__all__ = [
    "Dataset",
    "check_place",
    "clean_uncommitted",
    "commit_record",
    "create_dataset",
    "open_dataset",
    "pair_folders",
]


@dataclass(frozen=True)
class Dataset:
    """An open dataset."""

    root: Place
    info: DatasetInfo

    def pair(self, variant_id: str, frame: int) -> PairFolder:
        """Where the pair of a variant and frame lies."""
        return PairFolder(self.root, variant_id, frame)

    def committed(self) -> dict[str, Place]:
        """Task keys of the pairs that need no rendering, with the places of their records.

        A record that is broken, or whose images are missing or of another length, counts as absent; DatasetError is
        raised for one that cannot be read, is of another format, or belongs elsewhere. Pixels are not read:
        `check_dataset` does that.
        """
        pairs = (pair for pair in _judged(self) if pair.intact)
        return {pair.commit.task: pair.folder.record for pair in pairs if pair.commit is not None}


def check_place(path: Place | str, recipe: Recipe, *, engine: EngineBuild | None = None) -> Dataset | None:
    """The recipe's dataset at `path`, or None where one may be made; writes nothing.

    Raises DatasetError for a folder that holds something else, another recipe's dataset, or one that was begun by
    another `engine`, and for a place that cannot be read or written.
    """
    root = open_place(path)
    with _usable(root):
        there = size_of(root / layout.DATASET_FILE) is not None
        if not there:
            _refuse_foreign(root, recipe.to_yaml())
        dataset = open_dataset(root) if there else None
        if dataset is not None:
            _refuse_another(dataset, RecipeStamp(name=recipe.name, digest=recipe.digest), engine)
        _refuse_unwritable(root)
    return dataset


def create_dataset(path: Place | str, recipe: Recipe, *, engine: EngineBuild) -> Dataset:
    """Makes a dataset for a recipe, or opens the one that is there so that rendering goes on.

    A `recipe.yaml` that was lost or changed is written again. Raises DatasetError, with nothing written, as
    `check_place` does, StorageError where writing fails.
    """
    root = open_place(path)
    there = check_place(root, recipe, engine=engine)
    if there is not None and _has_its_recipe(there):
        return there
    if isinstance(root, Path):
        with _usable(root):
            root.mkdir(parents=True, exist_ok=True)
    stamp = RecipeStamp(name=recipe.name, digest=recipe.digest)
    layers = dataset_layers(clip=recipe.capture.frames.clip, passes=recipe.capture.layers)
    fresh = DatasetInfo(recipe=stamp, layers=layers, engine=engine)
    replace_bytes(root / layout.RECIPE_FILE, recipe.to_yaml().encode("utf-8"))
    return Dataset(root, seal(root, fresh if there is None else there.info, layout.RECIPE_FILE))


def open_dataset(path: Place | str) -> Dataset:
    """Opens a dataset for reading; DatasetError where there is none, or one of a newer format."""
    root = open_place(path)
    if isinstance(root, Path) and not root.is_dir():
        raise DatasetError(f"{root} is not a folder; give the folder that `digidouble render` wrote")
    if size_of(root / layout.DATASET_FILE) is None:
        raise DatasetError(f"{root} is not a dataset: it has no {layout.DATASET_FILE}")
    return Dataset(root, read_info(root))


def pair_folders(root: Place) -> Iterator[PairFolder]:
    """Every folder with a pair's name, committed or not, by variant id and frame."""
    return (pair.folder for pair in find_pairs(root))


def commit_record(dataset: Dataset, record: Record) -> Place:
    """Commits a pair: to be called once all its images are written.

    Raises RenderError when an image is missing or has another length, DatasetError for another recipe's record.
    """
    _refuse_another_recipe(dataset, record.recipe, record.folder(dataset.root))
    return write_record(dataset.root, record)


def clean_uncommitted(dataset: Dataset) -> list[Place]:
    """Removes half-written files and the images of pairs that were never committed; gives what was removed.

    Only names of this format are touched. Not to be called while another process renders into the dataset: see
    `farm.dataset.lease`. Raises DatasetError, with nothing removed, as `Dataset.committed` does, StorageError where
    removing fails.
    """
    assets = dataset.root / layout.ASSETS_FOLDER
    entries = [*below(dataset.root), *(below(assets) if assets.is_dir() else [])]
    removed = [path for path in entries if is_partial(path)]
    for pair in _judged(dataset):
        leftover = layout.PARTIAL_NAME.fullmatch if pair.intact else _ours
        removed += [pair.folder.path / name for name in sorted(pair.sizes) if leftover(name)]
    for path in removed:
        remove(path)
    for emptied in {path.parent for path in removed if isinstance(path, Path)} - {dataset.root}:
        _remove_empty(emptied)
        _remove_empty(emptied.parent)
    return removed


def _ours(name: str) -> bool:
    image = layout.image_kind(name) is not None
    return image or name == layout.RECORD_NAME or layout.PARTIAL_NAME.fullmatch(name) is not None


def _remove_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):  # of a folder that is not empty, or gone
        folder.rmdir()


def _judged(dataset: Dataset) -> Iterator[FoundPair]:
    """Every pair with what its record says, once it is known to be of the dataset's recipe."""
    for pair in find_commits(dataset.root):
        if pair.commit is not None:
            _refuse_another_recipe(dataset, pair.commit.recipe, pair.folder)
        yield pair


def _refuse_another_recipe(dataset: Dataset, recipe: str, folder: PairFolder) -> None:
    if recipe != dataset.info.recipe.digest:
        raise DatasetError(
            f"{folder.record}: recipe {recipe} is not the dataset's "
            f"'{dataset.info.recipe.name}' {dataset.info.recipe.digest}; move the pair out of the dataset"
        )


def _has_its_recipe(dataset: Dataset) -> bool:
    file = dataset.root / layout.RECIPE_FILE
    return size_of(file) is not None and sha256_of(file) == dataset.info.files.get(layout.RECIPE_FILE)


@contextlib.contextmanager
def _usable(root: Place) -> Iterator[None]:
    """Turns what the system says against a dataset's place into DatasetError."""
    try:
        yield
    except OSError as error:
        raise DatasetError(f"cannot use {root}: {error.strerror or error}; give another folder") from error


def _refuse_another(dataset: Dataset, stamp: RecipeStamp, engine: EngineBuild | None) -> None:
    there = dataset.info
    if there.recipe.digest != stamp.digest:
        raise DatasetError(
            f"{dataset.root} holds the dataset of recipe '{there.recipe.name}' ({there.recipe.digest}), "
            f"not of '{stamp.name}' ({stamp.digest}); give another folder, or remove that dataset first"
        )
    if engine is not None and there.engine != engine:
        raise DatasetError(
            f"{dataset.root} was begun with {there.engine.label}, this is {engine.label}; give another folder"
            f"{_other_way(there.engine, engine)}"
        )


def _other_way(begun: EngineBuild, engine: EngineBuild) -> str:
    """What else than another folder helps where an engine is not the one that a dataset was begun with."""
    if begun.digidouble != engine.digidouble:
        return ""
    if begun.model_copy(update={"device": engine.device}) == engine:
        return f", or go on with --device {begun.device}"
    return ", or go on with that build"


def _refuse_foreign(root: Place, recipe_text: str) -> None:
    """Only nothing, an empty folder, or this recipe's dataset that lost its `dataset.json` may become a dataset."""
    if isinstance(root, Path):
        if not os.path.lexists(root):
            return
        if not root.is_dir():
            raise DatasetError(f"{root} is a file, not a folder; give another folder")
    entries = [entry for entry in below(root) if not is_partial(entry)]
    recipe = root / layout.RECIPE_FILE
    ours = recipe.is_file() and _same_text(recipe, recipe_text)
    known = layout.TOP_FILES | layout.RUN_NAMES | layout.TOP_FOLDERS if ours else set()
    names = [entry.name for entry in entries if layout.LEASE_NAME.parse(entry.name) is None]
    foreign = next((name for name in names if name not in known), None)
    if foreign is not None:
        raise DatasetError(f"{root} is not empty and not a dataset (it holds '{foreign}'); give a new or empty folder")


def _same_text(path: Place, text: str) -> bool:
    return read_bytes(path) == text.encode("utf-8")


def _refuse_unwritable(root: Place) -> None:
    if isinstance(root, StorePath):
        probe = root / partial_name("probe")
        replace_bytes(probe, b"may this be written?")
        remove(probe)
        return
    place = root.absolute()
    while not os.path.lexists(place):
        place = place.parent
    if not place.is_dir():
        raise DatasetError(f"cannot write {root}: {place} is not a folder; give another folder")
    with tempfile.TemporaryFile(dir=place):
        pass
