"""`status.json`: how a run stands, for the status page and for programs. Written anew every few seconds.

It is no part of a dataset's content: nothing is decided by it, and a run begins without it.
"""

from __future__ import annotations

import json
from typing import Final, Literal

from pydantic import Field

from farm.dataset.files import replace_bytes
from farm.dataset.formats import Table, read_json
from farm.dataset.layout import STATUS_FILE
from farm.dataset.place import Place

__all__ = [
    "STATUS_FORMAT",
    "Cause",
    "FailedTask",
    "NodeStatus",
    "RunStatus",
    "State",
    "WorkerStatus",
    "read_status",
    "write_status",
]

STATUS_FORMAT: Final = "digidouble-status/1"

State = Literal["starting", "running", "paused", "waiting", "finishing", "complete", "incomplete", "stopped", "failed"]
"""`waiting`: for the store, or for workers; `incomplete`: ended with failed pairs; `stopped`: interrupted."""

Cause = Literal["scene", "crash", "memory", "hang", "lost", "store"]
"""Why a try failed: an error of the pair's own; a process that died; one killed for its memory; no progress; a node
that went away; a store that could not be written."""


class WorkerStatus(Table):
    """One worker process."""

    name: str = Field(description="w1, w2 …; a process that takes another's place has a new name.")
    node: str = Field(default="", description="The node's host name; empty until the worker is placed.")
    device: str = Field(default="", description="What it renders on.")
    state: Literal["placing", "opening", "idle", "rendering", "leaving"]
    task: str = Field(default="", description="The pair that it renders.")
    seconds: float = Field(default=0, ge=0, description="How long it has been in this state.")
    since_progress: float = Field(default=0, ge=0, description="Seconds since it was last seen to advance.")
    pairs: int = Field(default=0, ge=0, description="Pairs that it has committed.")
    memory: int = Field(default=0, ge=0, description="Bytes resident after its last pair.")


class NodeStatus(Table):
    """One node of the cluster that has, or had, workers of this run."""

    name: str
    workers: int = Field(ge=0)
    failures_in_a_row: int = Field(default=0, ge=0)
    avoided: bool = False


class FailedTask(Table):
    """A pair that was given up; it is tried again by the next run."""

    task: str
    pair: str = Field(description="Its place in the dataset: pairs/<variant>/f<frame>.")
    cause: Cause
    tries: int = Field(ge=1)
    reason: str
    log: str = Field(default="", description="Its log, relative to the dataset; empty where there is none.")


class RunStatus(Table):
    """How a run stands. Times are seconds since 1970 or seconds of duration."""

    format: Literal["digidouble-status/1"] = STATUS_FORMAT
    run: str = Field(description="Name of the run, for logs and metrics.")
    recipe: str = Field(description="The recipe's name.")
    state: State
    message: str = Field(default="", description="Why it waits, is paused or failed.")
    started: float
    updated: float
    total: int = Field(ge=0, description="Pairs of the recipe.")
    done: int = Field(ge=0, description="Pairs that are in the dataset.")
    rendered: int = Field(ge=0, description="Those of them that this run has rendered.")
    waiting: int = Field(ge=0, description="Pairs that no worker has begun.")
    running: int = Field(ge=0, description="Pairs that are being rendered.")
    failed: int = Field(ge=0, description="Pairs that were given up.")
    rate: float = Field(ge=0, description="Pairs an hour, over the last minutes.")
    eta: float | None = Field(default=None, description="Seconds left at that rate; None where that cannot be said.")
    priority: int = Field(default=0, description="Runs of a higher one get workers first.")
    retries: dict[Cause, int] = Field(default_factory=dict, description="Tries that failed and were repeated.")
    failures: dict[Cause, int] = Field(default_factory=dict, description="Pairs that were given up.")
    given_up: tuple[FailedTask, ...] = Field(default=(), description="The latest of them, at most 100.")
    phases: dict[str, float] = Field(default_factory=dict, description="Seconds by step, over this run's pairs.")
    workers: tuple[WorkerStatus, ...] = ()
    nodes: tuple[NodeStatus, ...] = ()
    previews: tuple[str, ...] = Field(
        default=(), description="References of the last pairs, newest first, relative to the dataset: at most 12 EXRs."
    )


def write_status(root: Place, status: RunStatus) -> None:
    """Put a run's status into its dataset, whole; StorageError where it cannot be written."""
    replace_bytes(root / STATUS_FILE, (json.dumps(status.model_dump(mode="json")) + "\n").encode())


def read_status(root: Place) -> RunStatus:
    """The status of the last run into a dataset; DatasetError where there is none, or it is not readable."""
    return read_json(root / STATUS_FILE, RunStatus, STATUS_FORMAT)
