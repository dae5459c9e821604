"""What hair costs, in seconds of one core's time: `python tests/bench/groom_bench.py`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import bpy

from farm.double.body import Look, build_double
from farm.double.groom.comb import comb_guides
from farm.double.groom.interpolate import build_scalp_object
from farm.double.groom.nodes import Attribute, add_asset
from farm.double.groom.strands import build_groom, grow_strands, remove_groom
from farm.double.groom.style import load_hairstyle
from farm.double.groom.texture import textured
from farm.double.groom.wearer import read_wearer
from farm.recipe.parameters import Hair

__all__ = ["GroomCost", "measure_groom"]

SHOWN = Hair(style="shoulder_straight", type="1B", strands=20_000, seed=4)
OTHER = Hair(style="bob", type="2A", strands=20_000, seed=4)
HAIR_POINTS = 16


class GroomCost(NamedTuple):
    """Seconds of CPU time; `ratio` is `grow` over a bare Generate Hair Curves of as many strands.

    solve   guides of a new style on a new head
    grow    20,000 strands from solved guides
    change  another hairstyle, solved before, on a warm scene, until it is evaluated
    """

    solve: float
    grow: float
    change: float
    ratio: float


def measure_groom() -> GroomCost:
    """Build grooms on a double in an empty scene, each once to warm up."""
    os.environ["DIGIDOUBLE_CACHE"] = ""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    collection = bpy.data.collections.new("double")
    bpy.context.scene.collection.children.link(collection)
    double = build_double(Look(), collection)
    style = textured(load_hairstyle(SHOWN.style), SHOWN)

    def solve() -> Any:
        return comb_guides(*read_wearer(double), style, frizz=SHOWN.frizz, seed=SHOWN.seed)

    def grow() -> Any:
        return grow_strands(double, guides, style, SHOWN, collection=collection)

    def change() -> Any:
        groom = build_groom(double, OTHER, collection=collection)
        groom.curves.evaluated_get(bpy.context.evaluated_depsgraph_get())
        return groom

    seconds, guides = _timed(solve)
    remove_groom(grow())
    grown, groom = _timed(grow)
    remove_groom(groom)
    scalp = build_scalp_object(guides.scalp, collection)
    bare = min(_timed(lambda: _generate(scalp, guides.scalp, SHOWN.strands))[0] for _ in range(3))
    remove_groom(change())
    changed, groom = _timed(change)
    remove_groom(groom)
    return GroomCost(solve=seconds, grow=grown, change=changed, ratio=grown / bare)


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
        Control_Points=HAIR_POINTS,
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
    cost = measure_groom()
    print(f"solving the guides of a new style on a new head   {cost.solve:6.2f} s")  # noqa: T201
    print(f"growing {SHOWN.strands:,} strands from solved guides     {cost.grow:6.2f} s")  # noqa: T201
    print(f"another hairstyle on a warm scene                  {cost.change:6.2f} s")  # noqa: T201
    print(f"growing, against a bare Generate Hair Curves       {cost.ratio:6.1f} ×")  # noqa: T201
