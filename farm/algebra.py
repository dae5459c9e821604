"""Linear algebra on one thread: sums in one order, whatever number of cores a worker has.

The BLAS behind numpy and scipy shares large products among threads, and how it cuts them changes the last bits.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from threadpoolctl import threadpool_limits

__all__ = ["on_one_thread"]

P = ParamSpec("P")
R = TypeVar("R")


_within = threading.local()


def on_one_thread(work: Callable[P, R]) -> Callable[P, R]:
    """Let a function's linear algebra run on one thread, so that its results do not depend on the machine's cores.

    Within another such function it only runs: finding the libraries that have threads takes milliseconds.
    """

    @functools.wraps(work)
    def worked(*args: P.args, **kwargs: P.kwargs) -> R:
        if getattr(_within, "limited", False):
            return work(*args, **kwargs)
        _within.limited = True
        try:
            with threadpool_limits(limits=1, user_api="blas"):
                return work(*args, **kwargs)
        finally:
            _within.limited = False

    return worked
