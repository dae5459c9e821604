"""Why a try failed, told from what Ray raised."""

from __future__ import annotations

import os
from typing import Any, Final

import ray
from ray.exceptions import (
    ActorDiedError,
    LocalRayletDiedError,
    NodeDiedError,
    OutOfMemoryError,
    RayError,
    RayTaskError,
)

from farm.cluster.status import Cause
from farm.errors import DigidoubleError, FarmError, StorageError

__all__ = ["TRACEBACK", "cause_of", "reason_of", "result"]

TRACEBACK: Final = "DIGIDOUBLE_TRACEBACK"
"""Set in the environment, it lets a worker's whole traceback be the reason of a failure."""

WORDS: Final[dict[Cause, str]] = {
    "crash": "its process died",
    "memory": "its process was killed for the memory that it took",
    "hang": "it made no progress",
    "lost": "its node went away",
}


def result(future: Any) -> Any:
    """A future's value. Our own errors come as they were raised, others as FarmError with their last line."""
    try:
        return ray.get(future)
    except RayTaskError as error:
        if isinstance(error.cause, DigidoubleError):
            raise error.cause from None
        shown = str(error) if os.environ.get(TRACEBACK) else f"{type(error.cause).__name__}: {error.cause}"
        raise FarmError(shown) from error


def cause_of(error: BaseException, *, hung: bool, node_lives: bool) -> Cause:
    """Why a try failed: `hung` where the driver has ended the process for its silence."""
    if isinstance(error, StorageError):
        return "store"
    if isinstance(error, DigidoubleError):
        return "scene"
    if hung:
        return "hang"
    if isinstance(error, OutOfMemoryError):
        return "memory"
    gone = isinstance(error, NodeDiedError | LocalRayletDiedError) or not node_lives
    return "lost" if gone or (isinstance(error, ActorDiedError) and error.preempted) else "crash"


def reason_of(error: BaseException, cause: Cause, tries: int) -> str:
    """One line for people."""
    if not isinstance(error, RayError):
        return str(error)
    return f"{WORDS[cause]}, in the last of {tries} tries" if tries > 1 else WORDS[cause]
