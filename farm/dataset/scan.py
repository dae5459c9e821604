"""A dataset's pairs as they lie there: found by listing names and lengths, judged by their records, pixels unread."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from farm.dataset import layout
from farm.dataset.files import read_bytes
from farm.dataset.formats import MalformedError
from farm.dataset.layout import PairFolder
from farm.dataset.place import Place, StorePath, relative
from farm.dataset.record import Commit, parse_commit
from farm.errors import DatasetError

__all__ = ["FoundPair", "find_commits", "find_pairs"]

_BATCH: Final = 1024
"""Pairs whose records are held at once."""


class FoundPair(NamedTuple):
    """A folder with a pair's name, the lengths in bytes of the files in it by name, and what its record says."""

    folder: PairFolder
    sizes: Mapping[str, int]
    commit: Commit | None = None

    @property
    def intact(self) -> bool:
        """Whether there is a sound record, and every image that it lists in its length."""
        files = {} if self.commit is None else self.commit.files
        return self.commit is not None and all(self.sizes.get(name) == entry.bytes for name, entry in files.items())


def find_pairs(root: Place) -> Iterator[FoundPair]:
    """Every pair by variant id and frame, its record unread; DatasetError where a folder cannot be read.

    A local folder is read once for each pair, a store once for a thousand files.
    """
    return (pair for pair, _ in _found(root))


def find_commits(root: Place) -> Iterator[FoundPair]:
    """Every pair with what its record says, which is None where that is absent or broken.

    DatasetError for a record that cannot be read, is of another format, or belongs elsewhere.
    """
    found = _found(root)
    while batch := list(itertools.islice(found, _BATCH)):
        records = [f"{where}/{layout.RECORD_NAME}" for pair, where in batch if layout.RECORD_NAME in pair.sizes]
        read = root.store.read_all(records) if isinstance(root, StorePath) else _read_local(records)
        for pair, where in batch:
            commit = _commit(pair.folder, read.get(f"{where}/{layout.RECORD_NAME}"))
            yield FoundPair(pair.folder, pair.sizes, commit)


def _found(root: Place) -> Iterator[tuple[FoundPair, str]]:
    """Every pair, and its folder as the system or the store calls it."""
    return _stored_pairs(root) if isinstance(root, StorePath) else _local_pairs(root)


def _read_local(paths: list[str]) -> dict[str, bytes]:
    return {path: read_bytes(Path(path)) for path in paths}


def _commit(folder: PairFolder, data: bytes | None) -> Commit | None:
    try:
        return None if data is None else parse_commit(folder, data)
    except MalformedError:
        return None


def _local_pairs(root: Path) -> Iterator[tuple[FoundPair, str]]:
    pairs = str(root / layout.PAIRS_FOLDER)
    for variant in _entries(pairs):
        for frame in _entries(variant.path):
            place = layout.parse_pair_path(f"{layout.PAIRS_FOLDER}/{variant.name}/{frame.name}")
            if place is not None and frame.is_dir():
                yield FoundPair(PairFolder(root, *place), _sizes(frame.path)), frame.path


def _entries(folder: str) -> list[os.DirEntry[str]]:
    """What lies in a folder, by name; nothing where it is none."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise DatasetError(f"cannot read {folder}: {error.strerror or error}") from error


def _sizes(folder: str) -> dict[str, int]:
    try:
        with os.scandir(folder) as entries:
            return {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}
    except OSError as error:
        raise DatasetError(f"cannot read {error.filename or folder}: {error.strerror or error}") from error


def _stored_pairs(root: StorePath) -> Iterator[tuple[FoundPair, str]]:
    """By the first digit of variants' ids, so that the list of a large dataset is never held whole."""
    pairs = root / layout.PAIRS_FOLDER
    for digit in "0123456789abcdef":
        files = root.store.sizes(pairs.key, digit).items()
        for folder, found in itertools.groupby(files, key=lambda item: item[0].rpartition("/")[0]):
            place = layout.parse_pair_path(relative(StorePath(root.store, folder), root))
            if place is not None:
                sizes = {key.rpartition("/")[2]: size for key, size in found}
                yield FoundPair(PairFolder(root, *place), sizes), folder
