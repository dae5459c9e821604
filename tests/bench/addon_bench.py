"""How soon the add-on answers, in seconds by the clock: `python tests/bench/addon_bench.py`.

switch  from a change of the recipe or of the variant shown until the whole scene is evaluated, at preview detail
draw    one panel drawn into a layout that asks for every property, as Blender does

What was seen before is told from what was not: of that, bodies, hung clothes and guides of hair are kept. Looked at
means that the add-on has had the moment in which it calculates what the neighbours need.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final
from unittest.mock import patch

import bpy
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[2]))

import addon
from addon import ahead, document, preview, registration
from addon.state import change
from farm.double import body
from farm.double.groom.cache import forget_guides
from farm.places import CACHE

__all__ = ["addon_tables", "measure_addon_apart"]

Times = dict[str, list[float]]

MET: Final = 8
"""Variants shown before it is measured: of each outfit one."""
NEXT: Final = 21
SEEN: Final = 6
STYLES: Final = ("bob", "pixie", "long_straight", "short", "afro", "ponytail", "long_curly")
POSES: Final = ("walking", "crouching", "standing", "running", "sitting")
LIGHTS: Final = ("sunset", "studio", "sunset", "studio")
DRAWS: Final = 30


def measure_switches() -> Times:
    """Step through the variants of the recipe that a new double begins with, and change one thing at a time."""
    made: Times = {"new double": [_timed(bpy.ops.digidouble.new_double)]}
    scene = bpy.context.window.scene
    for _ in range(MET):
        bpy.ops.digidouble.step_variant(by=1)
    for what, looked in (("next variant, never shown, at once", False), ("the same, after looking at each", True)):
        _begin_anew(scene)
        times = made[what] = []
        for _ in range(NEXT):
            for _ in ahead.foresee(scene) if looked else ():
                pass
            times.append(_switched(lambda: bpy.ops.digidouble.step_variant(by=1)))
    made["previous variant, shown before"] = [
        _switched(lambda: bpy.ops.digidouble.step_variant(by=-1)) for _ in range(SEEN)
    ]
    for what, path, names in (
        ("another hairstyle", "hair.style", STYLES),
        ("another pose", "pose.name", POSES),
        ("another light", "light.preset", LIGHTS),
    ):
        made[what] = [_switched(lambda path=path, name=name: _fix(scene, path, name)) for name in names]
    return made


def _begin_anew(scene: Any) -> None:
    """Show the variant before the first one that is measured, and forget what is kept of all others."""
    scene.digidouble.index = MET
    preview.update(scene)
    forget_guides()
    body._person.cache_clear()
    body._hung.cache_clear()
    os.environ[CACHE] = tempfile.mkdtemp(dir=os.environ.get(CACHE) or None)


def _fix(scene: Any, path: str, name: str) -> None:
    change(scene, lambda text: document.write(text, ("axes", *path.split(".")), name))
    preview.update(scene)


def _switched(work: Callable[[], Any]) -> float:
    """Seconds of a change, until all that it touched is evaluated."""

    def whole() -> None:
        work()
        bpy.context.evaluated_depsgraph_get()

    return _timed(whole)


def _timed(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


class Layout:
    """A layout that draws nothing: it reads what it is given to show, and is every part of itself."""

    def __init__(self) -> None:
        """An empty one."""
        self.__dict__["asked"] = 0

    def __getattr__(self, _: str) -> Any:
        return lambda *_, **__: self

    def __setattr__(self, _: str, __: Any) -> None:
        """Settings of the layout say nothing here."""

    def prop(self, group: Any, name: str, **_: Any) -> Layout:
        """Read a property, by the add-on's own function where it has one."""
        self.__dict__["asked"] += 1
        getattr(group, name)
        return self

    def operator(self, *_: Any, **__: Any) -> Any:
        """The properties of an operator's button, which can be set."""
        return SimpleNamespace()


def measure_draws() -> Times:
    """Draw each panel of the tab, with no job in its list."""
    return {panel.bl_label: [_timed(lambda panel=panel: _draw(panel)) for _ in range(DRAWS)] for panel in _panels()}


def _panels() -> Iterable[type]:
    return [each for each in registration.CLASSES if issubclass(each, bpy.types.Panel)]


def _draw(panel: Any) -> None:
    context = bpy.context
    poll = getattr(panel, "poll", None)
    if poll is not None and not poll(context):
        return
    members = {
        name: member
        for kind in reversed(panel.__mro__)
        if kind.__module__.partition(".")[0] == "addon"
        for name, member in vars(kind).items()
        if not name.startswith("__")
    }
    shown = type("Shown", (), {**members, "layout": Layout()})()
    for draw in ("draw_header", "draw_header_preset", "draw"):
        if hasattr(shown, draw):
            getattr(shown, draw)(context)


def measure_addon() -> dict[str, Times]:
    """All of it, in a fresh file."""
    bpy.ops.wm.read_factory_settings()
    addon.register()
    with tempfile.TemporaryDirectory() as own, patch.object(bpy.utils, "extension_path_user", lambda *_, **__: own):
        return {"switch": measure_switches(), "draw": measure_draws()}


def measure_addon_apart() -> dict[str, Times]:
    """`measure_addon` in a process of its own, whose cache is empty."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, __file__, "--json"],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, CACHE: folder},
        )
    found: dict[str, Times] = json.loads(done.stdout.splitlines()[-1])
    return found


def addon_tables(found: dict[str, Times]) -> list[Table]:
    """Medians and worst cases."""
    titles = {
        "switch": ("the add-on shows a change, in seconds", 1.0, ".2f"),
        "draw": ("a panel drawn, in ms", 1e3, ".2f"),
    }
    tables = []
    for kind, (title, scale, form) in titles.items():
        table = Table("what", title=title)
        for name in ("times", "median", "worst"):
            table.add_column(name, justify="right")
        for what, times in found[kind].items():
            figures = [scale * statistics.median(times), scale * max(times)]
            table.add_row(what, str(len(times)), *(f"{figure:{form}}" for figure in figures))
        tables.append(table)
    return tables


if __name__ == "__main__":
    if sys.argv[1:2] == ["--json"]:
        print(json.dumps(measure_addon()))  # noqa: T201
    else:
        for each in addon_tables(measure_addon_apart()):
            Console().print(each)
