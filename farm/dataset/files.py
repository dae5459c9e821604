"""Files that are either whole or not there: written beside their place, flushed to disk, then renamed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

from farm.dataset.layout import PARTIAL_NAME
from farm.errors import DatasetError, StorageError

__all__ = ["is_partial", "read_bytes", "replace_bytes", "replacing", "sha256_of", "size_of"]


def is_partial(path: Path) -> bool:
    """Whether a file's name says that it was being written."""
    return PARTIAL_NAME.fullmatch(path.name) is not None


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Gives a temporary path beside `path`; when the block ends well, it takes `path`'s place at once.

    Raises StorageError when the folder or the file cannot be written. On any failure `path` stays as it was.
    """
    partial = path.with_name(f".{path.name}.{socket.gethostname()}-{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        _flush(partial)
        partial.replace(path)
        if os.name == "posix":
            _flush(path.parent)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def replace_bytes(path: Path, data: bytes) -> None:
    """Writes a whole file at once."""
    with replacing(path) as partial:
        partial.write_bytes(data)


def read_bytes(path: Path) -> bytes:
    """A whole file; DatasetError where it is missing or unreadable."""
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise DatasetError(f"{path} is missing") from error
    except OSError as error:
        raise DatasetError(f"cannot read {path}: {error.strerror or error}") from error


def sha256_of(path: Path) -> str:
    """Hex digest of a file's bytes."""
    return hashlib.sha256(read_bytes(path)).hexdigest()


def size_of(path: Path) -> int | None:
    """Length of a file in bytes, None where there is no file; DatasetError where that cannot be told."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise DatasetError(f"cannot read {path}: {error.strerror or error}") from error
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
