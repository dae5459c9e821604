"""Cores that are lent: once no pair is left to begin, those of workers that are done go to those that still render.

A worker reads how many threads it may use from a note in its folder, before each render of a pair. Only a Ray of the
run's own lends, and only CPUs: on a cluster Ray gives the cores of workers that ended to other runs. Pixels do not
depend on the number of threads.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from farm.dataset.files import replace_bytes

__all__ = ["borrowed", "divide", "lend", "places_lent"]

NOTE: Final = "threads"


def divide(cores: int, workers: int) -> list[int]:
    """The threads of each of some workers that share all cores."""
    each, more = divmod(cores, workers)
    return [each + (number < more) for number in range(workers)]


def places_lent(threads: list[int], share: int) -> int:
    """How many workers of `share` cores each find no room, because others use more `threads` than their share."""
    return -(-sum(max(0, each - share) for each in threads) // share)


def lend(folder: Path, threads: int) -> None:
    """Let the worker whose folder this is use so many threads from its next render on."""
    replace_bytes(folder / NOTE, b"%d" % threads)


def borrowed(folder: Path, own: int) -> int:
    """How many threads the worker of a folder may use; its own where none were lent to it."""
    try:
        return int((folder / NOTE).read_bytes())
    except FileNotFoundError:
        return own
