"""Where a dataset is read from: a folder, or an object store through fsspec (`s3://…`, `gs://…`, `memory://…`)."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from farm.dataset import DatasetInfo, open_dataset, read_index
from farm.dataset.files import read_bytes
from farm.dataset.place import open_place
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
        """A file's bytes, or a range of them; DatasetError where it cannot be read, StorageError as of `Store`."""
        file = open_place(self.url) / path
        if start is None and end is None:
            return read_bytes(file)
        if not isinstance(file, Path):
            return file.store.read(file.key, start, end)
        try:
            with file.open("rb") as opened:
                opened.seek(start or 0)
                return opened.read(-1 if end is None else end - (start or 0))
        except FileNotFoundError as error:
            raise DatasetError(f"{file} is missing") from error
        except OSError as error:
            raise DatasetError(f"cannot read {file}: {error.strerror or error}") from error

    def description(self) -> tuple[DatasetInfo, list[dict[str, Any]]]:
        """What `dataset.json` says, and the rows of the index.

        Raises DatasetError where there is no dataset, or one of another version.
        """
        dataset = open_dataset(self.url)
        return dataset.info, read_index(dataset.root)
