"""A dataset's copy on this machine: what is committed, compared with its records' hashes on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from farm.dataset import layout
from farm.dataset.assets import assets_there, bring_asset
from farm.dataset.files import read_bytes, replace_bytes, sha256_of, size_of
from farm.dataset.folder import Dataset, open_dataset
from farm.dataset.place import open_place
from farm.dataset.record import read_record
from farm.errors import DatasetError

__all__ = ["Fetched", "fetch_dataset", "fetch_previews"]

AT_ONCE: Final = 8
"""Pairs that are copied at the same time."""
AFTER: Final = (layout.INDEX_FILE, layout.REPORT_FILE, layout.CONTACT_SHEET_FILE, layout.CARD_FILE)
"""Made from the pairs, and copied after them; `dataset.json`, which has their hashes, comes last."""


@dataclass
class Fetched:
    """What a copy came to: pairs that were copied now and that were there, and those that are damaged at the source."""

    copied: int = 0
    there: int = 0
    damaged: list[str] = field(default_factory=list)


def fetch_dataset(
    source: str | Path, to: Path, progress: Callable[[int, int], None] = lambda done, total: None
) -> Fetched:
    """Copy a dataset into the folder `to`; go on where an earlier copy stopped, also while the source still grows.

    A pair's record comes last, so that a copy is a dataset at any time. A pair with an image whose SHA-256 is not its
    record's is left out and told in `Fetched.damaged`.

    Raises DatasetError where `source` is no dataset or `to` holds something else, StorageError where `to` cannot be
    written.
    """
    dataset = open_dataset(source)
    _check_target(dataset, to)
    replace_bytes(to / layout.RECIPE_FILE, read_bytes(dataset.root / layout.RECIPE_FILE))
    for asset in assets_there(dataset.root):
        values = layout.ASSET_NAME.parse(asset.name)
        if values is not None:
            bring_asset(dataset.root, str(values["sha256"]), to / layout.ASSETS_FOLDER)
    records = list(dataset.committed().values())
    found = Fetched()
    progress(0, len(records))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done, (place, state) in enumerate(pool.map(lambda record: _fetch_pair(record, to), records), 1):
            if state == "copied":
                found.copied += 1
            elif state == "there":
                found.there += 1
            else:
                found.damaged.append(f"{place}: {state}")
            progress(done, len(records))
    for name in AFTER:
        if size_of(dataset.root / name) is not None:
            replace_bytes(to / name, read_bytes(dataset.root / name))
    replace_bytes(to / layout.DATASET_FILE, read_bytes(dataset.root / layout.DATASET_FILE))
    return found


def fetch_previews(source: str | Path, to: Path) -> list[str]:
    """Copy what is for the eye alone, the contact sheet and the report, into the folder `to`; their names.

    It is no dataset, and may be done before there is one: what is not written yet is left out. Raises as
    `fetch_dataset` does.
    """
    root = open_place(source)
    found = [name for name in (layout.CONTACT_SHEET_FILE, layout.REPORT_FILE) if size_of(root / name) is not None]
    for name in found:
        replace_bytes(to / name, read_bytes(root / name))
    return found


def _check_target(dataset: Dataset, to: Path) -> None:
    """Only nothing, an empty folder or an earlier copy may take a copy."""
    if not to.exists():
        return
    if isinstance(dataset.root, Path) and to.samefile(dataset.root):
        raise DatasetError(f"{to} is the dataset itself; give another folder")
    if not to.is_dir():
        raise DatasetError(f"{to} is a file, not a folder; give another folder")
    if any(to.iterdir()):
        recipe = to / layout.RECIPE_FILE
        if not recipe.is_file() or read_bytes(recipe) != read_bytes(dataset.root / layout.RECIPE_FILE):
            raise DatasetError(f"{to} is not empty and no earlier copy of {dataset.root}; give a new or empty folder")


def _fetch_pair(source: Any, to: Path) -> tuple[str, str]:
    """Copy the pair of a record's place; its key, and `copied`, `there` or what is wrong with it."""
    record = read_record(source)
    folder = record.folder(to)
    text = read_bytes(source)
    whole = all(size_of(folder.path / name) == image.bytes for name, image in record.files.items())
    if whole and size_of(folder.record) == len(text) and read_bytes(folder.record) == text:
        return folder.key, "there"
    for name, image in record.files.items():
        target = folder.path / name
        if size_of(target) == image.bytes and sha256_of(target) == image.sha256:
            continue
        data = read_bytes(source.parent / name)
        if hashlib.sha256(data).hexdigest() != image.sha256:
            return folder.key, f"{name} is not what its record says"
        replace_bytes(target, data)
    replace_bytes(folder.record, text)
    return folder.key, "copied"
