"""Where a dataset and its files lie: a path of a local folder, or an object in a store that is spoken of like one."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from farm.dataset.store import Store

__all__ = ["Place", "StorePath", "below", "open_place", "relative"]


@dataclass(frozen=True, order=True)
class StorePath:
    """A place in a store, with as much of pathlib's `Path` as datasets need.

    A store has no folders: a place is one while anything lies below it.
    """

    store: Store
    key: str = ""

    def __str__(self) -> str:
        return self.store.place(self.key)

    def __truediv__(self, name: str) -> StorePath:
        return StorePath(self.store, posixpath.join(self.key, name))

    @property
    def name(self) -> str:
        """The last part."""
        return posixpath.basename(self.key or self.store.url)

    @property
    def parent(self) -> StorePath:
        """The place above; a store's own is its own parent."""
        return StorePath(self.store, posixpath.dirname(self.key))

    def is_file(self) -> bool:
        """Whether there is an object of this name."""
        return self.store.size(self.key) is not None

    def is_dir(self) -> bool:
        """Whether anything lies below."""
        return bool(self.store.children(self.key))

    def exists(self) -> bool:
        """Whether it is either."""
        return self.is_file() or self.is_dir()

    def iterdir(self) -> Iterator[StorePath]:
        """The places directly below."""
        for name in self.store.children(self.key):
            yield self / name


Place = Path | StorePath
"""A local path, or a place in a store: `/`, `name`, `parent`, `is_file` and the like are the same for both."""


def below(folder: Place) -> list[Place]:
    """What lies directly in a folder, by name."""
    places: Iterator[Place] = iter(folder.iterdir())
    return sorted(places, key=lambda place: place.name)


def relative(path: Place, root: Place) -> str:
    """The way from a place down to another, with forward slashes; ValueError where that is not below it."""
    if isinstance(path, StorePath) and isinstance(root, StorePath):
        return PurePosixPath(path.key).relative_to(root.key).as_posix()
    return Path(str(path)).relative_to(str(root)).as_posix()


def open_place(path: Place | str) -> Place:
    """The place that a path or URL names: `out/hair`, `file:///data/hair`, `s3://bucket/hair`."""
    if not isinstance(path, str):
        return path
    scheme, mark, rest = path.partition("://")
    if not mark:
        return Path(path)
    if scheme in ("file", "local"):
        return Path(rest)
    return StorePath(Store(path.rstrip("/")))
