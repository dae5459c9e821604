"""What a run is told while it goes on: to pause, and to resume. A file in the dataset: who reaches that may tell it."""

from __future__ import annotations

import time
from typing import Final, Literal

from farm.dataset import Dataset
from farm.dataset.files import replace_bytes, size_of
from farm.dataset.formats import MalformedError, Table, encode_json, read_json
from farm.dataset.layout import CONTROL_FILE
from farm.errors import DatasetError

__all__ = ["Control", "is_paused", "pause", "resume"]

CONTROL_FORMAT: Final = "digidouble-control/1"
POLL: Final = 2.0
"""Seconds between two looks at the file."""


class _Order(Table):
    format: Literal["digidouble-control/1"] = CONTROL_FORMAT
    paused: bool


def pause(dataset: Dataset) -> None:
    """Let a run begin no more pairs until it is told to go on. It finishes those that it is at."""
    _write(dataset, paused=True)


def resume(dataset: Dataset) -> None:
    """Let a run go on."""
    _write(dataset, paused=False)


def is_paused(dataset: Dataset) -> bool:
    """What a run was told last; it goes on where the file is broken."""
    file = dataset.root / CONTROL_FILE
    if size_of(file) is None:
        return False
    try:
        return read_json(file, _Order, CONTROL_FORMAT).paused
    except MalformedError:
        return False


def _write(dataset: Dataset, *, paused: bool) -> None:
    replace_bytes(dataset.root / CONTROL_FILE, encode_json(_Order(paused=paused).model_dump(mode="json")))


class Control:
    """A run's side: the order as it stands, looked at every few seconds."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._looked = 0.0
        self._paused = False

    @property
    def paused(self) -> bool:
        """Whether the run is to pause; as before where the file cannot be read now."""
        if time.monotonic() - self._looked > POLL:
            try:
                self._paused = is_paused(self._dataset)
            except DatasetError:
                return self._paused
            finally:
                self._looked = time.monotonic()
        return self._paused
