"""Cores that are lent: once no pair is left to begin, those of workers that are done go to those that still render.

A worker reads how many threads it may use from a note in its folder, before each render of a pair. Only a Ray of the
run's own lends, and only CPUs: on a cluster Ray gives the cores of workers that ended to other runs. Pixels do not
depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from farm.dataset.files import replace_bytes

__all__ = ["borrowed", "lend", "places_lent", "raised"]

NOTE: Final = "threads"


def raised(threads: Sequence[int], cores: int) -> list[int]:
    """The threads of each worker that still renders, from those that it has, where all of them share `cores`.

    Cycles takes the scene in anew for another number, for some seconds: it is raised to twice as many at the least, or
    to all cores for the last worker. Never are there more threads than cores, and no worker gets fewer than it has.
    """
    new = list(threads)
    order = sorted(range(len(new)), key=lambda place: -new[place])
    for others, place in zip(range(len(new), 0, -1), order, strict=True):
        share = -(-cores // others)
        if share >= (2 * new[place] if len(new) > 1 else new[place]):
            new[place] = share
        cores -= new[place]
    return new


def places_lent(threads: Sequence[int], share: int) -> int:
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
