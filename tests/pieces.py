"""Work in pieces done at once."""

from collections.abc import Generator
from typing import TypeVar

R = TypeVar("R")


def whole(pieces: Generator[float, None, R]) -> R:
    """All of it; each share of it that is done is at least the one before, and within 0..1."""
    before = 0.0
    while True:
        try:
            share = next(pieces)
        except StopIteration as done:
            return done.value
        assert before <= share <= 1.0
        before = share
