"""A dataset's folder: made, opened again, resumed, and cleared of what was never committed."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from farm.dataset import layout
from farm.dataset.files import is_partial, read_bytes, replace_bytes, sha256_of, size_of
from farm.dataset.formats import MalformedError
from farm.dataset.info import DatasetInfo, RecipeStamp, read_info, seal
from farm.dataset.layers import dataset_layers
from farm.dataset.layout import PairFolder
from farm.dataset.record import EngineBuild, Record, read_record, write_record
from farm.errors import DatasetError, StorageError
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

    root: Path
    info: DatasetInfo

    def pair(self, variant_id: str, frame: int) -> PairFolder:
        """Where the pair of a variant and frame lies."""
        return PairFolder(self.root, variant_id, frame)

    def committed(self) -> dict[str, Path]:
        """Task keys of the pairs that need no rendering, with the paths of their records.

        A record that is broken, or whose images are missing or of another length, counts as absent; DatasetError is
        raised for one that cannot be read, is of another format, or belongs elsewhere. Pixels are not read:
        `check_dataset` does that.
        """
        records = (_intact_record(self, folder) for folder in pair_folders(self.root))
        return {record.task: record.folder(self.root).record for record in records if record is not None}


def check_place(path: Path | str, recipe: Recipe, *, engine: EngineBuild | None = None) -> Dataset | None:
    """The recipe's dataset at `path`, or None where one may be made; writes nothing.

    Raises DatasetError for a folder that holds something else, another recipe's dataset, or one that was begun by
    another `engine`, and for a place that cannot be read or written.
    """
    root = Path(path)
    with _usable(root):
        there = size_of(root / layout.DATASET_FILE) is not None
        if not there:
            _refuse_foreign(root, recipe.to_yaml())
        dataset = open_dataset(root) if there else None
        if dataset is not None:
            _refuse_another(dataset, RecipeStamp(name=recipe.name, digest=recipe.digest), engine)
        _refuse_unwritable(root)
    return dataset


def create_dataset(path: Path | str, recipe: Recipe, *, engine: EngineBuild) -> Dataset:
    """Makes a dataset for a recipe, or opens the one that is there so that rendering goes on.

    A `recipe.yaml` that was lost or changed is written again. Raises DatasetError, with nothing written, as
    `check_place` does, StorageError where writing fails.
    """
    root = Path(path)
    there = check_place(root, recipe, engine=engine)
    if there is not None and _has_its_recipe(there):
        return there
    with _usable(root):
        root.mkdir(parents=True, exist_ok=True)
    stamp = RecipeStamp(name=recipe.name, digest=recipe.digest)
    layers = dataset_layers(clip=recipe.capture.frames.clip, passes=recipe.capture.layers)
    fresh = DatasetInfo(recipe=stamp, layers=layers, engine=engine)
    replace_bytes(root / layout.RECIPE_FILE, recipe.to_yaml().encode("utf-8"))
    return Dataset(root, seal(root, fresh if there is None else there.info, layout.RECIPE_FILE))


def open_dataset(path: Path | str) -> Dataset:
    """Opens a dataset for reading; DatasetError where there is none, or one of a newer format."""
    root = Path(path)
    if not root.is_dir():
        raise DatasetError(f"{root} is not a folder; give the folder that `digidouble render` wrote")
    file = root / layout.DATASET_FILE
    if not file.is_file():
        raise DatasetError(f"{root} is not a dataset: it has no {layout.DATASET_FILE}")
    return Dataset(root, read_info(root))


def pair_folders(root: Path) -> Iterator[PairFolder]:
    """Every folder with a pair's name, committed or not, by variant id and frame."""
    for folder in sorted((root / layout.PAIRS_FOLDER).glob("*/*")):
        place = layout.parse_pair_path(folder.relative_to(root).as_posix())
        if place is not None and folder.is_dir():
            yield PairFolder(root, *place)


def commit_record(dataset: Dataset, record: Record) -> Path:
    """Commits a pair: to be called once all its images are written.

    Raises RenderError when an image is missing or has another length, DatasetError for another recipe's record.
    """
    _refuse_another_recipe(dataset, record)
    return write_record(dataset.root, record)


def clean_uncommitted(dataset: Dataset) -> list[Path]:
    """Removes half-written files and the images of pairs that were never committed; gives what was removed.

    Only names of this format are touched. Not to be called while another process renders into the dataset.
    Raises DatasetError, with nothing removed, as `Dataset.committed` does, StorageError where removing fails.
    """
    removed = [path for path in sorted(dataset.root.iterdir()) if is_partial(path)]
    for folder in pair_folders(dataset.root):
        whole = _intact_record(dataset, folder) is not None
        removed += [path for path in sorted(folder.path.iterdir()) if is_partial(path) or (not whole and _ours(path))]
    for path in removed:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"cannot remove {path}: {error.strerror or error}") from error
    for emptied in {path.parent for path in removed} - {dataset.root}:
        _remove_empty(emptied)
        _remove_empty(emptied.parent)
    return removed


def _ours(path: Path) -> bool:
    fixed = (layout.REFERENCE_NAME, layout.DATA_NAME, layout.RECORD_NAME)
    return path.name in fixed or layout.parse_noisy(path.name) is not None


def _remove_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):  # of a folder that is not empty, or gone
        folder.rmdir()


def _intact_record(dataset: Dataset, folder: PairFolder) -> Record | None:
    """The pair's record; None where it is absent or broken, or its images are not there in their length."""
    if size_of(folder.record) is None:
        return None
    try:
        record = read_record(folder.record)
    except MalformedError:
        return None
    _refuse_another_recipe(dataset, record)
    whole = all(size_of(folder.path / name) == entry.bytes for name, entry in record.files.items())
    return record if whole else None


def _refuse_another_recipe(dataset: Dataset, record: Record) -> None:
    if record.recipe != dataset.info.recipe.digest:
        raise DatasetError(
            f"{record.folder(dataset.root).record}: recipe {record.recipe} is not the dataset's "
            f"'{dataset.info.recipe.name}' {dataset.info.recipe.digest}; move the pair out of the dataset"
        )


def _has_its_recipe(dataset: Dataset) -> bool:
    file = dataset.root / layout.RECIPE_FILE
    return size_of(file) is not None and sha256_of(file) == dataset.info.files.get(layout.RECIPE_FILE)


@contextlib.contextmanager
def _usable(root: Path) -> Iterator[None]:
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


def _refuse_foreign(root: Path, recipe_text: str) -> None:
    """Only nothing, an empty folder, or this recipe's dataset that lost its `dataset.json` may become a dataset."""
    if not os.path.lexists(root):
        return
    if not root.is_dir():
        raise DatasetError(f"{root} is a file, not a folder; give another folder")
    entries = sorted(entry for entry in root.iterdir() if not is_partial(entry))
    recipe = root / layout.RECIPE_FILE
    ours = recipe.is_file() and _same_text(recipe, recipe_text)
    known = layout.TOP_FILES | layout.RUN_NAMES | {layout.PAIRS_FOLDER} if ours else set()
    foreign = next((entry.name for entry in entries if entry.name not in known), None)
    if foreign is not None:
        raise DatasetError(f"{root} is not empty and not a dataset (it holds '{foreign}'); give a new or empty folder")


def _same_text(path: Path, text: str) -> bool:
    return read_bytes(path) == text.encode("utf-8")


def _refuse_unwritable(root: Path) -> None:
    place = root.absolute()
    while not os.path.lexists(place):
        place = place.parent
    if not place.is_dir():
        raise DatasetError(f"cannot write {root}: {place} is not a folder; give another folder")
    with tempfile.TemporaryFile(dir=place):
        pass
