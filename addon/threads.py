"""Work beside Blender: what takes long runs in a thread, and its result comes back on the main thread.

Work must not touch bpy. Threads are daemons: Blender ends without waiting for a network. Long work says how far it is,
and is ended there when the add-on is switched off or Blender ends.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import traceback
from collections.abc import Callable
from typing import Any, Final

import bpy

from farm.errors import DigidoubleError

from .windows import redraw

__all__ = ["Say", "busy", "end", "ending", "pump", "said", "start", "stop"]

EVERY: Final = 0.2
"""Seconds between two looks at what came back."""

Say = Callable[[str], None]
"""How work says how far it is; raises where it is to end."""

_results: queue.SimpleQueue[tuple[threading.Event, Any, Callable[[], None]]] = queue.SimpleQueue()
_running: Final[dict[Any, tuple[threading.Event, list[str]]]] = {}
_told: Final[list[str]] = []
"""What work said when panels were drawn last."""


class EndedError(DigidoubleError):
    """Work was ended before it was done; nobody needs to be told."""


def start(key: Any, work: Callable[[Say], Any], then: Callable[[Any], None], failed: Callable[[str], None]) -> bool:
    """Do `work` in a thread, then on the main thread `then` with its result, or `failed` with its error's message.

    False, and nothing is done, while work of the same key goes on.
    """
    if key in _running:
        return False
    ended, words = _running[key] = threading.Event(), [""]

    def say(text: str) -> None:
        if ended.is_set():
            raise EndedError("stopped")
        words[0] = text

    def run() -> None:
        after: Callable[[], None]
        try:
            result = work(say)
        except EndedError:
            after = _call(lambda _: None, None)
        except DigidoubleError as error:
            after = _call(failed, str(error))
        except Exception as error:
            traceback.print_exc()
            after = _call(failed, f"unexpected {type(error).__name__}: {error}")
        else:
            after = _call(then, result)
        _results.put((ended, key, after))

    threading.Thread(target=run, name=f"digidouble {key}", daemon=True).start()
    if not bpy.app.background and not bpy.app.timers.is_registered(pump):
        bpy.app.timers.register(pump, first_interval=EVERY, persistent=True)
    return True


def _call(what: Callable[[Any], None], value: Any) -> Callable[[], None]:
    return lambda: what(value)


def busy(key: Any) -> bool:
    """Whether work of a key goes on."""
    return key in _running


def said(key: Any) -> str:
    """What work that goes on says of itself."""
    return _running[key][1][0] if key in _running else ""


def end(key: Any) -> None:
    """Let work end when it next says something; until then it says that it is being cancelled."""
    if key in _running:
        ended, words = _running[key]
        ended.set()
        words[0] = "Cancelling"


def ending(key: Any) -> bool:
    """Whether work that goes on was told to end."""
    return key in _running and _running[key][0].is_set()


def pump() -> float | None:
    """Take what came back; again soon, while work goes on. Panels are drawn anew where something is new."""
    new = False
    with contextlib.suppress(queue.Empty):
        while True:
            ended, key, after = _results.get_nowait()
            if key in _running and _running[key][0] is ended:
                del _running[key]
                after()
                new = True
    told = [words[0] for _, words in _running.values()]
    if new or told != _told:
        _told[:] = told
        redraw()
    return EVERY if _running else None


def stop() -> None:
    """End all that goes on, and drop its results."""
    for ended, _ in _running.values():
        ended.set()
    _running.clear()
    if bpy.app.timers.is_registered(pump):
        bpy.app.timers.unregister(pump)
