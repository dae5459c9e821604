"""What hair costs, in seconds of one core's time, style by style: `python tests/bench/groom_bench.py [STYLE …]`."""

from __future__ import annotations

import os

os.environ |= {"DIGIDOUBLE_CACHE": "", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import bpy
from rich.console import Console
from rich.table import Table

from farm.double.body import Double
from farm.double.groom.comb import comb_guides
from farm.double.groom.interpolate import build_scalp_object
from farm.double.groom.nodes import Attribute, add_asset
from farm.double.groom.strands import grow_strands, remove_groom
from farm.double.groom.style import load_hairstyle
from farm.double.groom.texture import textured
from farm.double.groom.wearer import read_wearer
from farm.recipe import Variant
from farm.recipe.parameters import Hair
from farm.stage.apply import Stage

__all__ = ["STYLES", "GroomCost", "groom_table", "measure_apart", "measure_grooms"]

STYLES = (
    *("shoulder_straight", "long_curly", "afro", "crew"),
    *("ponytail", "bun", "braid", "cornrows", "locs", "box_braids"),
)
"""Loose styles of straight, curly, coily and short hair, and each way of tying."""
STRANDS = 20_000
SEED = 4
TRIES = 3
FRAMES = range(1, 2)


class GroomCost(NamedTuple):
    """Seconds of CPU time of a style, each the least of some tries but `solve`.

    solve   its guides on a new head
    grow    20,000 strands of solved guides
    change  the style put on a warm scene that wore another, its guides solved before, until all is evaluated
    bare    Generate Hair Curves alone of as many strands
    """

    solve: float
    grow: float
    change: float
    bare: float


def measure_grooms(styles: tuple[str, ...]) -> dict[str, GroomCost]:
    """Build grooms on a double in an empty scene."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    stage = Stage(bpy.context.scene, resolution=(256, 256))
    stage.apply(_variant("bald"), frames=FRAMES)
    return {style: _measure(stage, style) for style in styles}


def measure_apart(styles: tuple[str, ...] = STYLES) -> dict[str, GroomCost]:
    """`measure_grooms` in a process of its own, with Blender to itself."""
    done = subprocess.run([sys.executable, __file__, "--json", *styles], check=True, capture_output=True, text=True)
    return {style: GroomCost(*cost) for style, cost in json.loads(done.stdout.splitlines()[-1]).items()}


def groom_table(costs: dict[str, GroomCost]) -> Table:
    """The figures as a table, with growing as a ratio to bare Generate Hair Curves."""
    table = Table(title=f"hair of {STRANDS:,} strands, in seconds of CPU time")
    table.add_column("style")
    for name in ("solve a new head", "grow strands", "change on a warm scene", "bare Generate", "grow to bare"):
        table.add_column(name, justify="right")
    for style, cost in costs.items():
        table.add_row(style, *(f"{value:.2f}" for value in cost), f"{cost.grow / cost.bare:.1f} ×")
    return table


def _variant(style: str) -> Variant:
    hair = _hair(style).model_dump()
    return Variant.model_validate({
        "index": 0,
        **{axis: {} for axis in ("body", "skin", "pose", "stunt", "light", "camera")},
        "hair": hair,
    })  # fmt: skip


def _hair(style: str) -> Hair:
    """Hair of the type that the style is made for."""
    return Hair(style=style, type=load_hairstyle(style).texture.like, strands=STRANDS, seed=SEED)


def _measure(stage: Stage, name: str) -> GroomCost:
    double: Double = stage._double
    hair, collection = _hair(name), double.collection
    style = textured(load_hairstyle(name), hair)
    head, shells = read_wearer(double)
    solve, guides = _timed(lambda: comb_guides(head, shells, style, length=hair.length, frizz=hair.frizz, seed=SEED))
    scalp = build_scalp_object(guides.scalp, collection)
    bare = min(_timed(lambda: _generate(scalp, guides.scalp, STRANDS))[0] for _ in range(TRIES))
    bpy.data.objects.remove(scalp)
    grow, change = [], []
    for _ in range(TRIES):
        seconds, groom = _timed(lambda: grow_strands(double, guides, style, hair, collection=collection, shells=shells))
        remove_groom(groom)
        grow.append(seconds)
        change.append(_timed(lambda: stage.apply(_variant(name), frames=FRAMES))[0])
        stage.apply(_variant("bald"), frames=FRAMES)
    return GroomCost(solve=solve, grow=min(grow), change=min(change), bare=bare)


def _generate(scalp: Any, surface: Any, strands: int) -> None:
    """A bare Generate Hair Curves on the scalp."""
    curves = bpy.data.hair_curves.new("bare")
    curves.surface, curves.surface_uv_map = scalp, "UVMap"
    thing = bpy.data.objects.new("bare", curves)
    scalp.users_collection[0].objects.link(thing)
    density = strands / float((surface.areas() * surface.density[surface.triangles].mean(axis=1)).sum())
    add_asset(
        thing,
        "Generate Hair Curves",
        Surface=scalp,
        Surface_UV_Map=Attribute("UVMap"),
        Resting_Surface=False,
        Hair_Length=0.2,
        Control_Points=16,
        Density=density,
        Density_Mask=Attribute("density"),
    )
    thing.evaluated_get(bpy.context.evaluated_depsgraph_get())
    bpy.data.objects.remove(thing)
    bpy.data.hair_curves.remove(curves)


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


if __name__ == "__main__":
    if sys.argv[1:2] == ["--json"]:
        print(json.dumps(measure_grooms(tuple(sys.argv[2:]))))  # noqa: T201
    else:
        Console().print(groom_table(measure_grooms(tuple(sys.argv[1:]) or STYLES)))
