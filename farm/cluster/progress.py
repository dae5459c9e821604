"""A run as people watch it: a bar with pairs done, rate and time left, or a line a pair where there is no terminal."""

from __future__ import annotations

import time
from collections.abc import Mapping

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from farm.cluster.listener import Listener
from farm.cluster.machine import Pool
from farm.cluster.plan import Task
from farm.cluster.status import FailedTask
from farm.dataset import Engine

__all__ = ["ProgressReport", "time_left"]


def time_left(remaining: int, rendered: int, elapsed: float) -> float | None:
    """Seconds left at the rate so far; None before the first pair is done."""
    return remaining * elapsed / rendered if rendered else None


def _clock(seconds: float | None) -> str:
    if seconds is None:
        return "–:––"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


class ProgressReport(Listener):
    """Prints a run to a console."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]} left"),
            console=console,
        )
        self._line = self._bar.add_task("pairs", total=None, start=False, rate="", left="–:––")
        self._began = 0.0
        self._rendered = 0
        self._left = 0

    def starting(self, pool: Pool) -> None:
        """Say how many workers there will be."""
        count = f"{pool.workers} worker{'s' if pool.workers > 1 else ''}"
        threads = f"{pool.threads} thread{'s' if pool.threads > 1 else ''} each"
        gpus = f" and {pool.gpus} GPU{'s' if pool.gpus > 1 else ''}" if pool.gpus else ""
        self._console.print(f"Starting {count} with {threads}{gpus} …")

    def began(self, *, total: int, done: int, engine: Engine) -> None:
        """Show the bar."""
        self._console.print(f"Blender {engine.blender}, Cycles on {engine.device_name}")
        if done:
            self._console.print(f"{done} of {total} pairs are there already")
        self._began = time.monotonic()
        self._left = total - done
        self._bar.update(self._line, total=total, completed=done)
        self._bar.start_task(self._line)
        if self._console.is_terminal:
            self._bar.start()

    def tick(self, running: int) -> None:
        """Keep the description in step with what is being rendered."""
        self._bar.update(self._line, description=f"pairs ({running} rendering)")

    def committed(self, task: Task, seconds: float, phases: Mapping[str, float]) -> None:
        """Count a pair."""
        del phases
        self._rendered += 1
        self._left -= 1
        elapsed = time.monotonic() - self._began
        rate = f"{60 * self._rendered / elapsed:.1f} pairs/min"
        left = _clock(time_left(self._left, self._rendered, elapsed))
        self._bar.update(self._line, advance=1, rate=rate, left=left)
        if not self._console.is_terminal:
            count = self._bar.tasks[0]
            self._console.print(
                f"{count.completed:.0f}/{count.total:.0f} pairs, {rate}, {left} left: {task.name} in {seconds:.0f} s"
            )

    def failed(self, task: Task, failure: FailedTask) -> None:
        """Say what went wrong, at once."""
        self._left -= 1
        self._say(f"failed: {task.name}: {failure.reason}", "red")

    def noticed(self, message: str) -> None:
        """Say it."""
        self._say(message, "yellow")

    def _say(self, text: str, style: str) -> None:
        self._console.print(text, style=style, markup=False, soft_wrap=True)

    def close(self) -> None:
        """Take the bar down."""
        if self._console.is_terminal:
            self._bar.stop()
