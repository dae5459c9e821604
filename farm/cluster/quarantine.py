"""Pairs that are given up: what their tries logged is kept in the dataset, beside the pairs."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from farm.cluster.listener import Listener
from farm.cluster.plan import Task
from farm.cluster.status import Cause, FailedTask
from farm.dataset import Dataset
from farm.dataset.files import remove, replace_bytes, size_of
from farm.dataset.layout import LOGS_FOLDER, Name, pair_key
from farm.dataset.place import below
from farm.errors import StorageError

__all__ = ["Quarantine", "drop_logs"]

LOG_NAME: Final = Name("{variant:16x}-f{frame:04d}.log")


def drop_logs(dataset: Dataset) -> None:
    """Remove the logs of pairs that an earlier run gave up and that have been committed since."""
    folder = dataset.root / LOGS_FOLDER
    if not folder.is_dir():
        return
    for log in below(folder):
        named = LOG_NAME.parse(log.name)
        if named is not None and size_of(dataset.pair(str(named["variant"]), int(named["frame"])).record) is not None:
            remove(log)


class Quarantine:
    """The logs of a run's failed tries, until a pair is committed after all or given up."""

    def __init__(self, dataset: Dataset | None, listener: Listener) -> None:
        self._dataset, self._listener = dataset, listener
        self._logs: defaultdict[str, list[str]] = defaultdict(list)

    def log(self, task: Task, text: str) -> None:
        """A try of a task failed and logged this."""
        self._logs[task.key].append(text)

    def release(self, task: Task) -> None:
        """A task's pair is committed after all."""
        self._logs.pop(task.key, None)

    def keep(self, task: Task) -> str:
        """Put what the tries of a task logged into the dataset; returns the place, empty where that failed."""
        text = "\n".join(self._logs.pop(task.key, []))
        if self._dataset is None:
            return ""
        name = LOG_NAME.format(variant=task.variant.id, frame=task.view.frame)
        try:
            replace_bytes(self._dataset.root / LOGS_FOLDER / name, f"{task.name}\n{text}\n".encode())
        except StorageError as error:
            self._listener.noticed(str(error))
            return ""
        return f"{LOGS_FOLDER}/{name}"

    def give_up(self, task: Task, cause: Cause, tries: int, reason: str) -> FailedTask:
        """A task is not tried again in this run."""
        pair = pair_key(task.variant.id, task.view.frame)
        return FailedTask(task=task.name, pair=pair, cause=cause, tries=tries, reason=reason, log=self.keep(task))
