"""A dataset's folder: made, opened again, resumed, and cleared of what was never committed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from farm.dataset import layout
from farm.dataset.files import is_partial, replace_bytes
from farm.dataset.info import DatasetInfo, RecipeStamp, read_info, seal
from farm.dataset.layout import PairFolder
from farm.dataset.record import EngineBuild, Record, read_record, write_record
from farm.errors import DatasetError
from farm.recipe import Recipe

__all__ = [
    "Dataset",
    "clean_uncommitted",
    "commit_record",
    "committed",
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
        """Task keys of the pairs that are there, with their records: see `committed`."""
        return committed(self)


def check_place(path: Path | str, recipe: Recipe, *, engine: EngineBuild | None = None) -> Dataset | None:
    """The recipe's dataset at `path`, or None where one may be made; writes nothing.

    Raises DatasetError for a folder that holds something else, another recipe's dataset, or one from another build
    of the engine, and for a place that cannot be written.
    """
    root = Path(path)
    if not (root / layout.DATASET_FILE).exists():
        _refuse_foreign(root, recipe.to_yaml())
        _refuse_unwritable(root)
        return None
    dataset = open_dataset(root)
    _refuse_another(dataset, RecipeStamp(name=recipe.name, digest=recipe.digest), engine)
    _refuse_unwritable(root)
    return dataset


def create_dataset(path: Path | str, recipe: Recipe, *, engine: EngineBuild | None = None) -> Dataset:
    """Makes a dataset for a recipe, or opens the one that is there so that rendering goes on.

    Raises DatasetError, with nothing written, as `check_place` does.
    """
    root = Path(path)
    there = check_place(root, recipe, engine=engine)
    if there is not None:
        return there
    info = DatasetInfo(recipe=RecipeStamp(name=recipe.name, digest=recipe.digest), engine=engine)
    replace_bytes(root / layout.RECIPE_FILE, recipe.to_yaml().encode("utf-8"))
    return Dataset(root, seal(root, info, layout.RECIPE_FILE))


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
    if record.recipe != dataset.info.recipe.digest:
        raise DatasetError(
            f"{record.folder(dataset.root).record}: recipe {record.recipe} is not the dataset's "
            f"'{dataset.info.recipe.name}' {dataset.info.recipe.digest}"
        )
    return write_record(dataset.root, record)


def committed(dataset: Dataset) -> dict[str, Path]:
    """Task keys of the pairs that need no rendering, with the paths of their records.

    A record that cannot be read, is another recipe's, or whose images are missing or of another length counts as
    absent. Pixels are not read: `check_dataset` does that.
    """
    records = (_intact_record(dataset, folder) for folder in pair_folders(dataset.root))
    return {record.task: record.folder(dataset.root).record for record in records if record is not None}


def clean_uncommitted(dataset: Dataset) -> list[Path]:
    """Removes half-written files and the images of pairs that were never committed; gives what was removed.

    Only names of this format are touched. Not to be called while another process renders into the dataset.
    """
    removed = [path for path in sorted(dataset.root.iterdir()) if is_partial(path)]
    for folder in pair_folders(dataset.root):
        whole = _intact_record(dataset, folder) is not None
        removed += [path for path in sorted(folder.path.iterdir()) if is_partial(path) or (not whole and _ours(path))]
    for path in removed:
        path.unlink()
    for emptied in {path.parent for path in removed} - {dataset.root}:
        _remove_empty(emptied)
        _remove_empty(emptied.parent)
    return removed


def _ours(path: Path) -> bool:
    return path.name in (layout.REFERENCE_NAME, layout.RECORD_NAME) or layout.parse_noisy(path.name) is not None


def _remove_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _intact_record(dataset: Dataset, folder: PairFolder) -> Record | None:
    if not folder.record.is_file():
        return None
    try:
        record = read_record(folder.record)
    except DatasetError:
        return None
    sizes = {name: entry.bytes for name, entry in record.files.items()}
    found = {name: (folder.path / name).stat().st_size for name in sizes if (folder.path / name).is_file()}
    return record if record.recipe == dataset.info.recipe.digest and sizes == found else None


def _refuse_another(dataset: Dataset, stamp: RecipeStamp, engine: EngineBuild | None) -> None:
    there = dataset.info
    if there.recipe.digest != stamp.digest:
        raise DatasetError(
            f"{dataset.root} holds the dataset of recipe '{there.recipe.name}' ({there.recipe.digest}), "
            f"not of '{stamp.name}' ({stamp.digest}); give another folder, or remove that dataset first"
        )
    if there.engine is not None and engine is not None and there.engine != engine:
        raise DatasetError(
            f"{dataset.root} was rendered by {_spelt(there.engine)}, this is {_spelt(engine)}; "
            "give another folder, or go on with that build"
        )


def _spelt(build: EngineBuild) -> str:
    return f"{build.renderer} of Blender {build.blender} ({build.build_hash})"


def _refuse_foreign(root: Path, recipe_text: str) -> None:
    """Only nothing, an empty folder, or this recipe's dataset that lost its `dataset.json` may become a dataset."""
    if not os.path.lexists(root):
        return
    if not root.is_dir():
        raise DatasetError(f"{root} is a file, not a folder; give another folder")
    entries = sorted(entry for entry in root.iterdir() if not is_partial(entry))
    recipe = root / layout.RECIPE_FILE
    known = layout.TOP_FILES | {layout.PAIRS_FOLDER} if recipe.is_file() and _same_text(recipe, recipe_text) else set()
    foreign = next((entry.name for entry in entries if entry.name not in known), None)
    if foreign is not None:
        raise DatasetError(f"{root} is not empty and not a dataset (it holds '{foreign}'); give a new or empty folder")


def _same_text(path: Path, text: str) -> bool:
    return path.read_bytes() == text.encode("utf-8")


def _refuse_unwritable(root: Path) -> None:
    place = root.absolute()
    while not os.path.lexists(place):
        place = place.parent
    if not place.is_dir():
        raise DatasetError(f"cannot write {root}: {place} is not a folder; give another folder")
    if not os.access(place, os.W_OK | os.X_OK):
        raise DatasetError(f"cannot write {root}: no permission in {place}; give another folder")
