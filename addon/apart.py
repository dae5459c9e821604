"""Work in a Blender of its own, so that this one goes on meanwhile and no open file is touched.

This file is also what that Blender runs: it calls a function of `farm` and prints how far it is and what came of it.
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, Final

__all__ = ["Apart", "ApartOperator", "Progress"]

MARK: Final = "digidouble "
SETTINGS: Final = "BLENDER_USER_RESOURCES"
"""Where Blender looks for settings and extensions. One that starts with none installed removes their packages."""
EVERY: Final = 0.1
"""Seconds between two looks at the work."""


class Apart:
    """A function, `package.module:name`, called with plain data in a Blender of its own; `progress` is added to it."""

    def __init__(self, function: str, given: dict[str, Any]) -> None:
        import bpy

        told = [json.dumps(sys.path), function, json.dumps(given)]
        if bpy.app.binary_path:
            command = [bpy.app.binary_path, "--background", "--factory-startup", "--python", __file__, "--", *told]
        else:
            command = [sys.executable, __file__, "--", *told]
        self._settings = tempfile.TemporaryDirectory(prefix="digidouble-apart-", ignore_cleanup_errors=True)
        self._child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, SETTINGS: self._settings.name},
        )  # fmt: skip
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.done, self.total = 0, 0
        self.result: Any = None
        self.trouble = ""

    def _read(self) -> None:
        for line in self._child.stdout or ():
            self._lines.put(line)

    @property
    def running(self) -> bool:
        """Whether it is at work; takes in what it has said meanwhile."""
        alive = self._child.poll() is None
        if not alive:
            self._reader.join()
            self._settings.cleanup()
        while not self._lines.empty():
            self._hear(self._lines.get())
        if not alive and self.result is None and not self.trouble:
            self.trouble = "It ended before it was done"
        return alive

    def _hear(self, line: str) -> None:
        if line.startswith(MARK):
            kind, _, text = line.removeprefix(MARK).partition(" ")
            if kind == "progress":
                self.done, self.total = json.loads(text)
            elif kind == "result":
                self.result = json.loads(text)
            else:
                self.trouble = json.loads(text)

    def wait(self) -> None:
        """Stay until it is done."""
        self._child.wait()
        _ = self.running

    def stop(self) -> None:
        """End it."""
        self._child.kill()
        self.wait()


class Progress:
    """How far the work of an operator is, for panels to show."""

    shown: Final[dict[str, float]] = {}

    @classmethod
    def draw(cls, layout: Any, operator: str) -> bool:
        """Show how far an operator's work is; False where it is not at work."""
        if operator not in cls.shown:
            return False
        layout.progress(factor=cls.shown[operator], text="Esc stops it")
        return True


class ApartOperator:
    """An operator whose work is done in a Blender of its own: Esc stops it, panels show how far it is."""

    def begin(self, context: Any, function: str, given: dict[str, Any]) -> set[str]:
        """Start the work; without a window, stay until it is done."""
        import bpy

        self._work = Apart(function, given)
        if bpy.app.background:
            self._work.wait()
            return self._end(context)
        self._show(0.0)
        self._timer = context.window_manager.event_timer_add(EVERY, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: Any, event: Any) -> set[str]:
        """Follow the work."""
        if event.type == "ESC" and event.value == "PRESS":
            self._work.stop()
            self._let_go(context)
            self.report({"WARNING"}, "Stopped")  # type: ignore[attr-defined]
            return {"CANCELLED"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        if self._work.running:
            self._show(self._work.done / max(self._work.total, 1))
            return {"PASS_THROUGH"}
        self._let_go(context)
        return self._end(context)

    def cancel(self, context: Any) -> None:
        """What Blender calls where it ends the operator itself: no file was chosen, or another one is opened."""
        if hasattr(self, "_timer"):
            self._work.stop()
            self._let_go(context)

    def _let_go(self, context: Any) -> None:
        context.window_manager.event_timer_remove(self._timer)
        self._show(None)

    def _show(self, done: float | None) -> None:
        """Show how far the work is, 0..1, or that it is over."""
        from .windows import redraw  # not at the top: a Blender of its own runs this file alone

        name: str = type(self).bl_idname  # type: ignore[attr-defined]  # an instance's own is spelled otherwise
        if done is None:
            Progress.shown.pop(name, None)
        else:
            Progress.shown[name] = done
        redraw()

    def _end(self, context: Any) -> set[str]:
        if self._work.trouble:
            self.failed(context, self._work.trouble)
            self.report({"ERROR"}, self._work.trouble)  # type: ignore[attr-defined]
            return {"CANCELLED"}
        return self.finished(context, self._work.result)

    def finished(self, context: Any, result: Any) -> set[str]:
        """Use what came of the work."""
        raise NotImplementedError

    def failed(self, context: Any, trouble: str) -> None:
        """Say in a panel what went wrong."""


def _tell(kind: str, what: Any) -> None:
    print(f"\n{MARK}{kind} {json.dumps(what)}", flush=True)  # noqa: T201 - how it is heard


def _work(paths: list[str], function: str, given: dict[str, Any]) -> int:
    """Call the function, and tell how far it is and what came of it."""
    sys.path.extend(each for each in paths if each not in sys.path)
    module, _, name = function.partition(":")
    try:
        from farm.errors import DigidoubleError
    except ImportError as error:
        _tell("trouble", f"Digidouble is not found: {error}")
        return 1
    try:
        made = getattr(importlib.import_module(module), name)
        _tell("result", made(**given, progress=lambda done, total: _tell("progress", [done, total])))
    except DigidoubleError as error:
        _tell("trouble", str(error).splitlines()[0])
        return 1
    return 0


if __name__ == "__main__":
    sys.path[:] = [each for each in sys.path if Path(each or ".").resolve() != Path(__file__).resolve().parent]
    told = sys.argv[sys.argv.index("--") + 1 :]
    sys.exit(_work(json.loads(told[0]), told[1], json.loads(told[2])))
