"""Linear algebra on one thread: sums in one order, whatever number of cores a worker has.

The BLAS behind numpy and scipy shares large products among threads, and how it cuts them changes the last bits.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from threadpoolctl import threadpool_limits

__all__ = ["on_one_thread"]

P = ParamSpec("P")
R = TypeVar("R")


def on_one_thread(work: Callable[P, R]) -> Callable[P, R]:
    """Let a function's linear algebra run on one thread, so that its results do not depend on the machine's cores."""

    @functools.wraps(work)
    def worked(*args: P.args, **kwargs: P.kwargs) -> R:
        with threadpool_limits(limits=1, user_api="blas"):
            return work(*args, **kwargs)

    return worked
