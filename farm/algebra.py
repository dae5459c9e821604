"""Linear algebra on one thread: sums in one order, whatever number of cores a worker has.

The BLAS behind numpy and scipy shares large products among threads, and how it cuts them changes the last bits.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, ParamSpec, TypeVar

from threadpoolctl import ThreadpoolController

__all__ = ["on_all_cores", "on_one_thread", "searchers"]

P = ParamSpec("P")
R = TypeVar("R")


MANY: Final = 10_000
"""For fewer points, starting a thread takes longer than it saves."""

_within = threading.local()
_search = [1]


@contextmanager
def on_all_cores() -> Iterator[None]:
    """Meanwhile searches for neighbours share the machine's cores: each is made by itself, so that none changes.

    For a person who waits; a farm's workers have the cores of their own that they were given.
    """
    _search.append(getattr(os, "process_cpu_count", os.cpu_count)() or 1)
    try:
        yield
    finally:
        _search.pop()


def searchers(count: int) -> int:
    """How many threads a search for the neighbours of `count` points may have, as scipy's `workers`."""
    return _search[-1] if count > MANY else 1


@functools.lru_cache(maxsize=1)
def _libraries(_: int) -> ThreadpoolController:
    """The libraries that have threads, of so many modules that are loaded: finding them takes milliseconds."""
    return ThreadpoolController()


def on_one_thread(work: Callable[P, R]) -> Callable[P, R]:
    """Let a function's linear algebra run on one thread, so that its results do not depend on the machine's cores.

    Within another such function it only runs.
    """

    @functools.wraps(work)
    def worked(*args: P.args, **kwargs: P.kwargs) -> R:
        if getattr(_within, "limited", False):
            return work(*args, **kwargs)
        _within.limited = True
        try:
            with _libraries(len(sys.modules)).limit(limits=1, user_api="blas"):
                return work(*args, **kwargs)
        finally:
            _within.limited = False

    return worked
