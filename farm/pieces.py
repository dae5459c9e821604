"""Long work in pieces, between which a person sees how far it is and may stop it."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

__all__ = ["Pieces", "share_of"]

R = TypeVar("R")

Pieces = Generator[float, None, R]
"""Work that says how much of it is done, 0..1, before each piece, and returns what it made."""


def share_of(pieces: Pieces[R], start: float, end: float) -> Pieces[R]:
    """The same work as the part of a longer one from `start` to `end`, 0..1."""
    while True:
        try:
            done = next(pieces)
        except StopIteration as ended:
            made: R = ended.value
            return made
        yield start + (end - start) * done
