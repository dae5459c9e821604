"""A piece of an export: the files it makes, all or none of which a stopped export may have left."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from farm.dataset.files import read_bytes, replace_bytes, replacing
from farm.dataset.formats import encode_json
from farm.dataset.place import Place, StorePath

__all__ = ["Item", "Plan", "json_item", "link_item", "text_item"]


@dataclass(frozen=True)
class Item:
    """Files of an export, relative to its folder with forward slashes, and what writes them into that folder.

    `make` is called with the folder, in whatever process; each file is either whole or not there.
    """

    outputs: tuple[str, ...]
    make: Callable[[Path], None]


@dataclass(frozen=True)
class Plan:
    """What an export holds, and what its reader should know."""

    items: tuple[Item, ...]
    notes: tuple[str, ...] = ()


def link_item(source: Place, output: str) -> Item:
    """A file of the dataset as it is: a hard link, or a copy where there can be none."""
    return Item((output,), partial(_link, source, output))


def text_item(output: str, lines: Iterable[str]) -> Item:
    """A text file of these lines."""
    text = "".join(f"{line}\n" for line in lines)
    return Item((output,), partial(_write, text.encode("utf-8"), output))


def json_item(output: str, data: Any) -> Item:
    """A JSON file: equal data, equal bytes."""
    return Item((output,), partial(_write, encode_json(data), output))


def _link(source: Place, output: str, folder: Path) -> None:
    if isinstance(source, StorePath):
        replace_bytes(folder / output, read_bytes(source))
        return
    with replacing(folder / output) as partial_file:
        try:
            os.link(source, partial_file)
        except OSError:  # another device, no such links there, or too many of them
            shutil.copyfile(source, partial_file)


def _write(data: bytes, output: str, folder: Path) -> None:
    replace_bytes(folder / output, data)
