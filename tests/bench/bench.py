"""Where the time goes, as ratios within one run: `make bench`, or `bench.py PART …` for some of it.

pairs   the farm against a process for each image, and for each pair
cost    what noisy images, data and the farm add to the reference; how fast `check` is
motion  what stunts cost
hair    what grooms cost
addon   how soon the add-on shows a change, and draws its panels

Seconds depend on the machine; the ratios hold. Each part runs in a process of its own, so that Blender begins anew.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

from addon_bench import addon_tables, measure_addon_apart
from cost_bench import check_table, cost_table, measure_cost_apart
from frame_bench import frame_table
from groom_bench import groom_table, measure_apart
from motion_bench import measure_motion_apart, motion_table
from rich.console import Console
from rich.table import Table


def cost_tables() -> list[Table]:
    """What a pair costs, and its check."""
    costs = measure_cost_apart()
    return [cost_table(costs), check_table(costs)]


PARTS: Final[dict[str, Callable[[], list[Table]]]] = {
    "pairs": lambda: [frame_table()],
    "cost": cost_tables,
    "motion": lambda: [motion_table(measure_motion_apart())],
    "hair": lambda: [groom_table(measure_apart())],
    "addon": lambda: addon_tables(measure_addon_apart()),
}


def main(parts: list[str]) -> int:
    """Measure and print, part by part."""
    if unknown := set(parts) - set(PARTS):
        Console(stderr=True).print(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
        return 2
    for part in parts or PARTS:
        for table in PARTS[part]():
            Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
