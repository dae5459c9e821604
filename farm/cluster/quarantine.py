"""Pairs that are given up: what their tries logged is kept in the dataset, beside the pairs."""

from __future__ import annotations

from collections import defaultdict

from farm.cluster.listener import Listener
from farm.cluster.plan import Task
from farm.cluster.status import Cause, FailedTask
from farm.dataset import Dataset
from farm.dataset.files import replace_bytes
from farm.dataset.layout import LOGS_FOLDER, pair_key
from farm.errors import StorageError

__all__ = ["Quarantine"]


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
        name = f"{task.variant.id}-f{task.view.frame:04d}.log"
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
