"""How a run on a cluster stands, from the end of its log: the latest `status` that `farm.cluster.lines` wrote."""

from __future__ import annotations

import json
from typing import Any, Final

from farm.cluster.jobs.client import JobsClient

__all__ = ["last_status", "run_status"]

LINES: Final = (100, 2000)
"""Lines at a log's end that are looked at, the second only where the first hold no status."""


def run_status(client: JobsClient, id_: str) -> dict[str, Any]:
    """The latest status of a run, all of `farm.cluster.status.RunStatus`; empty before the first."""
    for lines in LINES:
        text = client.tail(id_, lines)
        found = last_status(text)
        if found or text.count("\n") < lines:
            return found
    return {}


def last_status(log: str) -> dict[str, Any]:
    """The latest `status` in a run's log; empty where there is none."""
    for line in reversed(log.splitlines()):
        if line.startswith('{"event": "status"'):
            try:
                event: dict[str, Any] = json.loads(line)
            except ValueError:  # the line is still being written
                continue
            return event
    return {}
