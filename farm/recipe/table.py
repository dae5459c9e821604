"""A recipe's plan: its variants as rows, as a table for people and as plain data for programs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from farm.recipe.capture import SPLITS
from farm.recipe.distributions import Fixed
from farm.recipe.parameters import AXES, PARAMETERS, Parameter, Value
from farm.recipe.recipe import Recipe
from farm.recipe.settings import value_range
from farm.recipe.telling import tell_never, tell_rule
from farm.recipe.variant import Variant
from farm.recipe.volume import pair_volume

__all__ = ["plan_json", "plan_rows", "render_table"]

PLAN_FORMAT: Final = "digidouble-plan/1"

_LEADING: Final = ("number", "id", "split")
_GAP: Final = 2


def plan_rows(recipe: Recipe) -> list[dict[str, Any]]:
    """A row per variant: `number`, `id`, `split` and every parameter that the recipe varies, as `axis.name`."""
    return _rows(recipe, recipe.draw())


def _rows(recipe: Recipe, variants: Sequence[Variant]) -> list[dict[str, Any]]:
    splits = recipe.splits(variants)
    varied = recipe.varied
    rows = []
    for variant in variants:
        values = variant.flat()
        head = {"number": variant.index, "id": variant.id, "split": splits[variant.id]}
        rows.append({**head, **{path: values[path] for path in varied}})
    return rows


def plan_json(recipe: Recipe) -> dict[str, Any]:
    """The plan as plain data: what the recipe is, every variant with all its values, and the totals."""
    variants, suiting = recipe.draw_suited()
    splits = recipe.splits(variants)
    rules = {"rules": _rules_json(recipe, suiting)} if recipe.rules else {}
    return {
        "format": PLAN_FORMAT,
        "recipe": recipe.name,
        "digest": recipe.digest,
        "seed": recipe.seed,
        "capture": recipe.capture.model_dump(mode="json"),
        "variants": [
            {
                "number": variant.index,
                "id": variant.id,
                "split": splits[variant.id],
                "values": variant.model_dump(mode="json", include=set(AXES)),
            }
            for variant in variants
        ],
        **rules,
        "totals": _totals(recipe, splits),
    }


def _rules_json(recipe: Recipe, suiting: Sequence[Sequence[int]]) -> list[dict[str, Any]]:
    """Each rule, the numbers of the variants that it suits, and a parameter that is never as it asks, or None."""
    never = recipe.never_met()
    return [
        {**rule.model_dump(mode="json"), "variants": list(suiting[number]), "never": never.get(number)}
        for number, rule in enumerate(recipe.rules)
    ]


def _totals(recipe: Recipe, splits: dict[str, str]) -> dict[str, Any]:
    """How much there is to render. `samples` are a pair's, a pixel; `bytes` are about what all images take on disk."""
    volume = pair_volume(recipe.capture)
    pairs = recipe.count * recipe.capture.frames.count
    counted = Counter(splits.values())
    return {
        "variants": recipe.count,
        "frames": recipe.capture.frames.count,
        "pairs": pairs,
        "noisy_images": pairs * volume.noisy,
        "references": pairs * volume.references,
        "data_images": pairs * volume.data,
        "partners": pairs * volume.partners,
        "single_samples": pairs * volume.single,
        "images": pairs * volume.images,
        "samples": {
            "noisy": volume.noisy_samples,
            "reference_at_most": volume.reference_samples,
            "data": volume.data_samples,
            "beside": volume.beside_samples,
        },
        "bytes": pairs * volume.bytes,
        "splits": {name: counted[name] for name in SPLITS},
        "empty_splits": [name for name, share in recipe.split.shares().items() if share > 0 and not counted[name]],
    }


def render_table(recipe: Recipe, console: Console) -> None:
    """Print the plan: what stays the same, the variants axis by axis in as many tables as the width asks, totals."""
    variants, suiting = recipe.draw_suited()
    rows = _rows(recipe, variants)
    capture = recipe.capture
    title = f"{recipe.name}  {_counted(recipe.count, 'variant')}, seed {recipe.seed}, digest {recipe.digest}"
    console.print(Text(title, style="bold"))
    console.print()
    _print_fixed(recipe, console)
    _print_rules(recipe, suiting, console)
    for columns in _sheets(_columns(recipe, rows), console.width):
        console.print(_sheet(columns))
        console.print()
    totals = _totals(recipe, {row["id"]: row["split"] for row in rows})
    shared = ", ".join(f"{name} {number}" for name, number in totals["splits"].items() if number)
    samples = ", ".join(map(str, capture.samples))
    replicas = f" × {capture.replicas} replicas" if capture.replicas > 1 else ""
    data = f" + {_counted(totals['data_images'], 'data image')}" if totals["data_images"] else ""
    width, height = capture.resolution
    smaller = ", ".join(f"1/{factor}" for factor in capture.partners.factors)
    beside = [
        f" + {_counted(totals['partners'], 'partner')} at {smaller}" if totals["partners"] else "",
        f" + {_counted(totals['single_samples'], 'single sample')}" if totals["single_samples"] else "",
    ]
    if totals["empty_splits"]:
        console.print(Text(_without(totals["empty_splits"], recipe), style="yellow"))
    for line in (
        f"{_counted(totals['pairs'], 'pair')} = {_counted(totals['variants'], 'variant')}"
        f" × {_counted(totals['frames'], 'frame')}  ({shared})",
        f"{totals['images']} images of {width}×{height} = {totals['noisy_images']} noisy"
        f" ({samples} samples{replicas}) + {_counted(totals['references'], 'reference')}"
        f" (at most {capture.reference.samples} samples){data}{''.join(beside)}, about {_size(totals['bytes'])}",
    ):
        console.print(Text(line))


def _without(empty: list[str], recipe: Recipe) -> str:
    """Why splits that have a share get nothing, and what would change that."""
    names = " and ".join(empty)
    if recipe.brought:
        return f"nothing for {names}: all variants show the recipe's double, and no face is in two splits"
    return f"nothing for {names}: too few variants differ in face and strands; raise count, or leave seeds out"


def _print_fixed(recipe: Recipe, console: Console) -> None:
    """What has no column: a line per axis of what stays the same, and the seeds that are drawn because left out."""
    same: dict[str, list[str]] = {}
    varied = set(recipe.varied)
    for path, setting in recipe.settings():
        parameter = PARAMETERS[path]
        if isinstance(setting, Fixed) and path not in varied:
            same.setdefault(parameter.axis, []).append(f"{parameter.name} {_exact(parameter, setting.value)}")
    grid = Table.grid(padding=(0, _GAP))
    if recipe.double is not None:
        hair = ", with its own hair" if recipe.double.keep_hair else ""
        packed = recipe.double.sha256
        grid.add_row(Text("double", style="cyan"), Text(f"{f'{packed[:12]}…' if packed else recipe.double.file}{hair}"))
    for axis, parts in same.items():
        grid.add_row(Text(axis, style="cyan"), Text(", ".join(parts)))
    console.print(Text("The same for all", style="italic"))
    console.print(Padding(grid, (0, 0, 0, _GAP)))
    drawn = [path for path, parameter in PARAMETERS.items() if _is_left_out(recipe, parameter)]
    if drawn:
        console.print(Text(f"Drawn for each: {', '.join(drawn)}", style="italic"))
    if recipe.population is not None:
        left = [path for path in PARAMETERS if path in recipe.left_to_population]
        console.print(Text(f"From the population '{recipe.population}': {', '.join(left)}", style="italic"))
    console.print()


def _print_rules(recipe: Recipe, suiting: Sequence[Sequence[int]], console: Console) -> None:
    """Each rule, how many variants it suits, and why it is there; one that can suit none says what never is."""
    if not recipe.rules:
        return
    never = recipe.never_met()
    grid = Table.grid(padding=(0, _GAP))
    grid.add_column(no_wrap=True)
    grid.add_column(justify="right", no_wrap=True)
    for number, (rule, suited) in enumerate(zip(recipe.rules, suiting, strict=True)):
        told = Text(tell_rule(rule))
        if rule.why:
            told.append(f"\n{rule.why}", style="italic")
        if number in never:
            told.append(f"\n{tell_never(rule, never[number])}", style="yellow")
        share = Text(f"{len(suited)} of {recipe.count}", style="" if suited else "yellow")
        grid.add_row(Text(f"rules[{number}]", style="cyan"), share, told)
    console.print(Text("Rules, and how many variants each suits", style="italic"))
    console.print(Padding(grid, (0, 0, 0, _GAP)))
    console.print()


def _is_left_out(recipe: Recipe, parameter: Parameter) -> bool:
    left_out = parameter.name not in getattr(recipe.axes, parameter.axis).model_fields_set
    by_rule = any(parameter.path in rule.set for rule in recipe.rules)
    if parameter.axis in recipe.brought or not (parameter.drawn and left_out) or by_rule:
        return False
    return not isinstance(dict(recipe.settings())[parameter.path], Fixed)


@dataclass(frozen=True)
class _Column:
    """A column of the table: its axis, heads and cells; names read from the left, numbers from the right."""

    axis: str
    name: str
    unit: str
    cells: tuple[str, ...]
    is_number: bool

    @property
    def width(self) -> int:
        return max(map(cell_len, (self.name, self.unit, *self.cells)))


def _columns(recipe: Recipe, rows: Sequence[dict[str, Any]]) -> list[_Column]:
    columns = [
        _Column("", "id" if key == "id" else "#" if key == "number" else key, "",
                tuple(str(row[key]) for row in rows), key == "number")
        for key in _LEADING
    ]  # fmt: skip
    for path in rows[0]:
        if path in _LEADING or _is_left_out(recipe, PARAMETERS[path]):
            continue
        parameter = PARAMETERS[path]
        cells = tuple(_brief(parameter, row[path]) for row in rows)
        columns.append(_Column(parameter.axis, parameter.name, parameter.unit, cells, parameter.type in (int, float)))
    return columns


def _brief(parameter: Parameter, value: Value) -> str:
    """A value with as many decimals as split the parameter's range into a hundred or more steps, at most two."""
    if isinstance(value, float):
        low, high = value_range(parameter)
        return f"{value:z.{min(max(2 - int(math.log10(high - low)), 0), 2)}f}"
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _exact(parameter: Parameter, value: Value) -> str:
    text = f"{value:g}" if isinstance(value, float) else _brief(parameter, value)
    return f"{text} {parameter.unit}".rstrip()


def _size(count: float) -> str:
    """Bytes with two digits in the largest unit that leaves a whole number, as disks are sold."""
    power = min(max(int(math.log10(count)) // 3, 1), 4)
    return f"{float(f'{count / 1000**power:.2g}'):g} {('kB', 'MB', 'GB', 'TB')[power - 1]}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _sheets(columns: Sequence[_Column], width: int) -> list[list[_Column]]:
    """Columns shared out to tables that fit the width, an axis kept whole where it can be; each starts with the number.

    The first table carries id and split as well, and is not left with these alone.
    """
    number = columns[0]
    sheets = [list(columns[: len(_LEADING)])]
    for axis in dict.fromkeys(column.axis for column in columns[len(_LEADING) :]):
        group = [column for column in columns if column.axis == axis]
        is_begun = bool(sheets[-1][-1].axis)
        if is_begun and not _fits([*sheets[-1], *group], width):
            sheets.append([number])
        for column in group:
            if not _fits([*sheets[-1], column], width):
                sheets.append([number])
            sheets[-1].append(column)
    return sheets


def _fits(columns: Sequence[_Column], width: int) -> bool:
    return sum(column.width + _GAP for column in columns) <= width + _GAP


def _sheet(columns: Sequence[_Column]) -> Table:
    """A table of three lines of heads, axis, name and unit, and a line per variant."""
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, show_edge=False)
    axis = ""
    for column in columns:
        head = Text(column.axis if column.axis != axis else "", style="bold cyan")
        head.append(f"\n{column.name}", style="bold white")
        if any(column.unit for column in columns):
            head.append(f"\n{column.unit}", style="dim")
        axis = column.axis
        table.add_column(head, justify="right" if column.is_number else "left", no_wrap=True)
    for cells in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*cells)
    return table
