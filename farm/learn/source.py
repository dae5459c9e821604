"""Where a dataset is read from: a folder, or an object store through fsspec (`s3://…`, `gs://…`, `memory://…`)."""

from __future__ import annotations

import contextlib
import posixpath
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec

from farm.dataset import DatasetInfo, open_dataset, read_index
from farm.dataset.layout import DATASET_FILE, INDEX_FILE
from farm.errors import DatasetError

__all__ = ["Source"]


@dataclass(frozen=True)
class Source:
    """A dataset's place, `url`. It holds no connection, so that any process may use a copy."""

    url: str

    def place(self, path: str) -> str:
        """A file's full name, for messages."""
        return posixpath.join(self.url, path)

    def read(self, path: str, start: int | None = None, end: int | None = None) -> bytes:
        """A file's bytes, or a range of them; DatasetError where it cannot be read."""
        with _readable(self.place(path)):
            system, root = self._system()
            data: bytes = system.cat_file(posixpath.join(root, path), start=start, end=end)
        return data

    def description(self) -> tuple[DatasetInfo, list[dict[str, Any]]]:
        """What `dataset.json` says, and the rows of the index.

        Raises DatasetError where there is no dataset, or one of another version.
        """
        if "://" not in self.url:
            return open_dataset(self.url).info, read_index(Path(self.url))
        with tempfile.TemporaryDirectory() as folder:
            for name in (DATASET_FILE, INDEX_FILE):
                Path(folder, name).write_bytes(self.read(name))
            try:
                return open_dataset(folder).info, read_index(Path(folder))
            except DatasetError as error:
                raise DatasetError(str(error).replace(folder, self.url)) from error

    def _system(self) -> tuple[Any, str]:
        """The file system of fsspec, which it keeps one of for each process, and the place's name in it."""
        system, root = fsspec.core.url_to_fs(self.url)
        return system, str(root)


@contextlib.contextmanager
def _readable(place: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise DatasetError(f"{place} is missing") from error
    except (OSError, ValueError, ImportError) as error:
        raise DatasetError(f"cannot read {place}: {str(error) or type(error).__name__}") from error
