"""Files that are either whole or not there, on a local disk or in an object store.

A local file is written beside its place, flushed to disk, then renamed; an object is made on the local disk and put
into its store whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import stat
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from farm.dataset.layout import PARTIAL_NAME
from farm.dataset.place import Place, StorePath
from farm.errors import DatasetError, StorageError

__all__ = [
    "is_partial",
    "local_file",
    "partial_name",
    "read_bytes",
    "read_many",
    "remove",
    "replace_bytes",
    "replacing",
    "sha256_of",
    "size_of",
]


_BATCH: Final = 1024
"""Objects of a store that are held at once."""


def is_partial(path: Place) -> bool:
    """Whether a file's name says that it was being written."""
    return PARTIAL_NAME.fullmatch(path.name) is not None


def partial_name(name: str) -> str:
    """What a file is called while this process writes it."""
    return f".{name}.{socket.gethostname()}-{os.getpid()}.partial"


@contextlib.contextmanager
def replacing(path: Place) -> Iterator[Path]:
    """Gives a temporary local path; when the block ends well, it takes `path`'s place at once.

    It lies beside a local `path`, and in the folder for temporary files where `path` is in a store.
    Raises StorageError when the folder or the file cannot be written. On any failure `path` stays as it was.
    """
    if isinstance(path, StorePath):
        with _writing(path), tempfile.TemporaryDirectory(prefix="digidouble-") as folder:
            partial = Path(folder, path.name)
            yield partial
            path.store.put(path.key, partial.read_bytes())
        return
    partial = path.with_name(partial_name(path.name))
    try:
        with _writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield partial
            _flush(partial)
            partial.replace(path)
            if os.name == "posix":
                _flush(path.parent)
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def replace_bytes(path: Place, data: bytes) -> None:
    """Writes a whole file at once."""
    if isinstance(path, StorePath):
        path.store.put(path.key, data)
        return
    with replacing(path) as partial:
        partial.write_bytes(data)


def read_bytes(path: Place) -> bytes:
    """A whole file; DatasetError where it is missing or unreadable."""
    if isinstance(path, StorePath):
        return path.store.read(path.key)
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError) as error:
        raise DatasetError(f"{path} is missing") from error
    except OSError as error:
        raise DatasetError(f"cannot read {path}: {error.strerror or error}") from error


def read_many(paths: Sequence[Place]) -> Iterator[tuple[Place, bytes]]:
    """Small files in their order, those of a store many at once; objects that are gone are left out."""
    for start in range(0, len(paths), _BATCH):
        batch = paths[start : start + _BATCH]
        stored = [path for path in batch if isinstance(path, StorePath)]
        found = stored[0].store.read_all([path.key for path in stored]) if stored else {}
        for path in batch:
            if not isinstance(path, StorePath):
                yield path, read_bytes(path)
            elif path.key in found:
                yield path, found[path.key]


@contextlib.contextmanager
def local_file(path: Place) -> Iterator[Path]:
    """A file on the local disk: the file itself, or a copy of the object that is gone when the block ends.

    DatasetError where there is no such object.
    """
    if not isinstance(path, StorePath):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="digidouble-") as folder:
        copy = Path(folder, path.name)
        with _writing(copy):
            copy.write_bytes(read_bytes(path))
        yield copy


def sha256_of(path: Place) -> str:
    """Hex digest of a file's bytes."""
    return hashlib.sha256(read_bytes(path)).hexdigest()


def size_of(path: Place) -> int | None:
    """Length of a file in bytes, None where there is no file; DatasetError where that cannot be told."""
    if isinstance(path, StorePath):
        return path.store.size(path.key)
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise DatasetError(f"cannot read {path}: {error.strerror or error}") from error
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def remove(path: Place) -> None:
    """Removes a file; one that is gone already is well. StorageError where that fails."""
    if isinstance(path, StorePath):
        path.store.delete(path.key)
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"cannot remove {path}: {error.strerror or error}") from error


@contextlib.contextmanager
def _writing(path: Place) -> Iterator[None]:
    """Turns what the system says against a file that is written into StorageError."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror or error}") from error


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
