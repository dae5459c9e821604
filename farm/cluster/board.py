"""Signs of life: each worker says how far it has advanced, and the driver reads how long ago that was."""

from __future__ import annotations

import threading
import time
from typing import Any, Final

__all__ = ["Board", "Pulse"]

PERIOD: Final = 2.0
"""Seconds between two signs of one worker."""


class Board:
    """An actor that keeps, for each worker, when it last advanced. Its clock alone is used."""

    def __init__(self) -> None:
        self._seen: dict[str, float] = {}

    def advanced(self, worker: str) -> None:
        """A worker has advanced since it last said so."""
        self._seen[worker] = time.monotonic()

    def forget(self, worker: str) -> None:
        """A worker is gone."""
        self._seen.pop(worker, None)

    def silence(self) -> dict[str, float]:
        """Seconds since each worker last advanced."""
        now = time.monotonic()
        return {worker: now - seen for worker, seen in self._seen.items()}


class Pulse:
    """A worker's side: it counts what `tick` is told, and a thread of its own tells the board while the count rises.

    The thread says nothing while the renderer stands still, nor while a call into it keeps Python from running: both
    are what a hang looks like.
    """

    def __init__(self, board: Any, worker: str, *, period: float = PERIOD) -> None:
        self._board, self._worker, self._period = board, worker, period
        self._ticks = 0
        self._told = -1
        threading.Thread(target=self._tell, name="pulse", daemon=True).start()

    def tick(self, *_: object) -> None:
        """The work has advanced; cheap enough for every sample."""
        self._ticks += 1

    def _tell(self) -> None:
        while True:
            if self._ticks != self._told:
                self._told = self._ticks
                self._board.advanced.remote(self._worker)
            time.sleep(self._period)
