"""The packed doubles of artists in a dataset, `assets/<SHA-256>.blend`: with them it can be rendered on anywhere."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from farm.dataset import layout
from farm.dataset.files import is_partial, read_bytes, replacing, sha256_of, size_of
from farm.dataset.place import Place, below
from farm.errors import DatasetError, StorageError
from farm.recipe import Recipe

__all__ = ["asset_names", "asset_place", "assets_there", "bring_asset", "holds_asset", "put_asset"]


def asset_names(recipe: Recipe) -> list[str]:
    """The SHA-256 of each packed file that a recipe needs."""
    double = recipe.double
    return [] if double is None or double.sha256 is None else [double.sha256]


def asset_place(root: Place, sha256: str) -> Place:
    """Where the file of this content lies in a dataset."""
    return root / layout.ASSETS_FOLDER / layout.asset_name(sha256)


def assets_there(root: Place) -> Iterator[Place]:
    """What lies in a dataset's folder of assets, half-written files left out."""
    folder = root / layout.ASSETS_FOLDER
    yield from (path for path in (below(folder) if folder.is_dir() else []) if not is_partial(path))


def holds_asset(root: Place, sha256: str) -> bool:
    """Whether a dataset has a file under this name; its bytes are not read."""
    return size_of(asset_place(root, sha256)) is not None


def put_asset(root: Place, sha256: str, file: Path | None) -> None:
    """Let a dataset hold the file of this content, which is copied from `file` where it is not there as it should be.

    DatasetError where it is not there and no `file` is given, StorageError where it cannot be written.
    """
    place = asset_place(root, sha256)
    there = size_of(place) is not None
    if there and sha256_of(place) == sha256:
        return
    if file is None:
        problem = "is damaged: its SHA-256 is another than its name says" if there else "is missing"
        raise DatasetError(f"{place} {problem}; render the recipe with your own .blend again to write it anew")
    with replacing(place) as partial:
        shutil.copyfile(file, partial)
        if sha256_of(partial) != sha256:
            raise StorageError(f"{file} changed while it was copied; run the same command again")


def bring_asset(root: Place, sha256: str, folder: Path) -> Path:
    """A copy of a dataset's file in a local folder, which is made; DatasetError where its bytes are others."""
    copy = folder / layout.asset_name(sha256)
    if not copy.is_file():
        place = asset_place(root, sha256)
        data = read_bytes(place)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise DatasetError(f"{place} is damaged: its SHA-256 is another than its name says")
        with replacing(copy) as partial:
            partial.write_bytes(data)
    return copy
