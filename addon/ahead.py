"""What the next and the previous variant will need, calculated while the artist looks at this one.

Only what is calculated without Blender, and kept by what it is of: so a variant is the same whether it was foreseen or
not, and a change of the recipe makes nothing of it wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

import bpy

from farm.errors import DigidoubleError

from . import document
from .state import state_of

__all__ = ["begin", "foresee", "stop"]

QUIET: Final = 0.3
"""Seconds in which nothing was built before anything is foreseen."""
PAUSE: Final = 0.1
"""Seconds between two pieces, each of which takes less than a tenth of one."""

_going: dict[str, Iterator[None]] = {}


def foresee(scene: Any) -> Iterator[None]:
    """Calculate for the variants beside the one that a scene shows, piece by piece."""
    from farm.double.body import Look, foresee_double

    state = state_of(scene)
    count = document.read(state.document).count
    for index in (state.index + 1, state.index - 1):
        variant = document.draw(state.document, state.held, index % count)
        yield
        if variant.double is None:
            yield from foresee_double(Look.of(variant))


def begin(scene: Any) -> None:
    """Foresee what is beside the variant of a scene from now on, where there is a window."""
    stop()
    if not bpy.app.background:
        _going["pieces"] = foresee(scene)
        bpy.app.timers.register(_next, first_interval=QUIET)


def stop() -> None:
    """Foresee nothing more."""
    _going.clear()
    if bpy.app.timers.is_registered(_next):
        bpy.app.timers.unregister(_next)


def _next() -> float | None:
    with suppress(DigidoubleError, ReferenceError, StopIteration):  # what is wrong is said once it is to be shown
        if "pieces" in _going:
            next(_going["pieces"])
            return PAUSE
    _going.clear()
    return None
