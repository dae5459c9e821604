"""A run as programs read it: JSON lines on a stream, one object an event.

| `event`     | its other names                                                                              |
|-------------|----------------------------------------------------------------------------------------------|
| `starting`  | `workers`, `threads` of each, `gpus`                                                         |
| `began`     | `total`, `done`, `blender`, `device`, `device_name`                                          |
| `committed` | `pair` (its place in the dataset), `task`, `seconds`, `phases` (those by step), `preview`     |
|             | (its reference)                                                                              |
| `failed`    | `pair`, `task`, `cause`, `tries`, `reason`, `log`: a pair that was given up                  |
| `notice`    | `message`: a rule that no variant can suit, before all else; a try that failed and is        |
|             | repeated, a node that is not used any more, a pause                                          |
| `status`    | every few seconds and at the end, all of `farm.cluster.status.RunStatus`: state, counts,     |
|             | `rate` in pairs an hour, `eta` in seconds, `workers`, `nodes`, `retries` and `failures` by   |
|             | cause, `previews`                                                                            |
| `ended`     | `complete`, `interrupted`, `total`, `done`, `failed`                                         |

Each has `time`, seconds since 1970.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, TextIO

from farm.cluster.listener import Listener
from farm.cluster.machine import Pool
from farm.cluster.plan import Task
from farm.cluster.status import FailedTask, RunStatus
from farm.dataset import Engine
from farm.dataset.layout import REFERENCE_NAME, pair_key

__all__ = ["JsonLines"]


class JsonLines(Listener):
    """Writes events to a stream as they come."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, event: str, **said: Any) -> None:
        """One line, at once."""
        self._stream.write(json.dumps({"event": event, "time": round(time.time(), 3), **said}) + "\n")
        self._stream.flush()

    def starting(self, pool: Pool) -> None:
        """Workers are being started."""
        self.write("starting", workers=pool.workers, threads=pool.threads, gpus=pool.gpus)

    def began(self, *, total: int, done: int, engine: Engine) -> None:
        """The first worker is ready."""
        names = {"blender": engine.blender, "device": engine.device, "device_name": engine.device_name}
        self.write("began", total=total, done=done, **names)

    def committed(self, task: Task, seconds: float, phases: Mapping[str, float]) -> None:
        """A pair is in the dataset."""
        pair = pair_key(task.variant.id, task.view.frame)
        preview = f"{pair}/{REFERENCE_NAME}"
        said = {"pair": pair, "task": task.name, "preview": preview, "phases": dict(phases)}
        self.write("committed", seconds=round(seconds, 3), **said)

    def failed(self, task: Task, failure: FailedTask) -> None:
        """A pair was given up."""
        self.write("failed", **failure.model_dump(mode="json"))

    def noticed(self, message: str) -> None:
        """Something that people may want to know."""
        self.write("notice", message=message)

    def status(self, status: RunStatus) -> None:
        """How the run stands."""
        self.write("status", **status.model_dump(mode="json", exclude={"format"}))
