"""How much grooms differ: a thousand of templates/recipes/hairstyles.yaml, measured and plotted. `make spread`.

All are combed on one double, so that only hair differs. Fails where two grooms measure alike.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import bpy
import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot
from matplotlib.ticker import LogLocator, NullFormatter
from rich.console import Console
from rich.progress import track

from farm.double.body import Look, build_double
from farm.double.groom.statistics import GroomStatistics, measure_strands
from farm.double.groom.strands import build_groom, remove_groom, strand_points
from farm.double.groom.style import load_hairstyle
from farm.recipe import load_recipe, templates
from farm.recipe.parameters import Hair

GROUPS = {"straight": "1", "wavy": "2", "curly": "3", "coily": "4"}


def drawn_grooms(count: int) -> list[Hair]:
    """The hair of the recipe's first variants, without bald ones, which are alike by nature."""
    recipe = load_recipe(templates.path("recipes", "hairstyles"))
    hair = [recipe.variant(index).hair for index in range(recipe.count)]
    return [each for each in hair if not load_hairstyle(each.style).bald][:count]


def measure_grooms(grooms: list[Hair]) -> list[GroomStatistics]:
    """Comb each groom, in preview detail, on the double of default looks."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    collection = bpy.data.collections.new("spread")
    bpy.context.scene.collection.children.link(collection)
    double = build_double(Look(), collection)
    found = []
    for hair in track(grooms, "grooms", disable=not sys.stderr.isatty()):
        groom = build_groom(double, hair, collection=collection, detail="preview")
        found.append(measure_strands(*strand_points(groom)))
        remove_groom(groom)
    return found


def alike(found: list[GroomStatistics]) -> list[tuple[int, int]]:
    """Pairs of grooms whose measures are all equal to a millionth."""
    order = sorted(range(len(found)), key=lambda place: found[place].length)
    pairs = []
    for rank, one in enumerate(order):
        for other in order[rank + 1 :]:
            if found[other].length > found[one].length * (1 + 2e-6):
                break
            if not found[one].differs(found[other]):
                pairs.append((one, other))
    return pairs


def plot(grooms: list[Hair], found: list[GroomStatistics], file: Path) -> None:
    """Length against curl and against volume, a colour for each group of Walker types."""
    figure, axes = pyplot.subplots(1, 2, figsize=(11, 4.6), constrained_layout=True)
    for name, first in GROUPS.items():
        chosen = [each for hair, each in zip(grooms, found, strict=True) if hair.type[0] == first]
        lengths = [100 * each.length for each in chosen]
        for axis, values in zip(axes, ([each.curl for each in chosen], [each.volume for each in chosen]), strict=True):
            axis.scatter(lengths, values, s=9, alpha=0.7, label=f"{name} ({first}A–{first}C)", linewidths=0)
    for axis, label in zip(axes, ("curl: mean curvature in 1/m", "volume in litres"), strict=True):
        axis.set(xlabel="mean length of a strand in cm", ylabel=label, xscale="log", yscale="log")
        axis.grid(alpha=0.25)
        for side in (axis.xaxis, axis.yaxis):
            side.set_major_locator(LogLocator(subs=(1, 2, 5)))
            side.set_major_formatter("{x:g}")
            side.set_minor_formatter(NullFormatter())
    axes[1].legend(frameon=False, fontsize=9)
    figure.suptitle(f"{len(found)} grooms of {len({hair.style for hair in grooms})} hairstyles on one head")
    figure.savefig(file, dpi=100)


def main() -> int:
    """Measure, plot and compare; exit 1 where two grooms are alike."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=Path("docs/images/hair-spread.png"))
    options = parser.parse_args()
    grooms = drawn_grooms(options.count)
    found = measure_grooms(grooms)
    plot(grooms, found, options.out)
    pairs, console = alike(found), Console(soft_wrap=True)
    for one, other in pairs:
        console.print(f"alike: {grooms[one]} and {grooms[other]}")
    console.print(f"{len(found)} grooms, {len(pairs)} pairs alike; plot: {options.out}")
    return 1 if pairs else 0


if __name__ == "__main__":
    sys.exit(main())
