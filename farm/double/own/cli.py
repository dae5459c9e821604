"""`digidouble double …`: look at an artist's own double, find its scalp, comb its hair."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.text import Text

from farm.commands import load_renderer, write_text
from farm.errors import BadInput

__all__ = ["double"]

MARKS: Final = {"ok": ("ok  ", "green"), "note": ("note", "yellow"), "missing": ("miss", "red")}

FILE = click.argument("file", type=click.Path(path_type=Path))
ARMATURE = click.option("--armature", metavar="NAME", help="Which armature, where the file has several.")
OUT = click.option("--out", type=click.Path(path_type=Path), required=True, help="The new .blend file.")


@click.group()
def double() -> None:
    """Your own double: a .blend with an armature and a head mesh.

    \b
    Example:
      digidouble double inspect hero.blend
      digidouble double groom hero.blend --style afro --out hero_afro.blend
    """


@double.command()
@FILE
@ARMATURE
@click.option("--json", "as_json", is_flag=True, help="Print plain data for programs.")
@click.option("--table", type=click.Path(path_type=Path), help="Write a table of the rig for templates/rigs to edit.")
def inspect(file: Path, armature: str | None, as_json: bool, table: Path | None) -> int:
    """Say which rig a double has, what maps, what is missing, and where its hair grows.

    Nothing in the file runs, and the file is not changed. Exit code 0: usable; 1: something is missing; 2: bad input.

    \b
    Examples:
      digidouble double inspect hero.blend
      digidouble double inspect creature.blend --table creature.yaml
    """
    load_renderer()
    from farm.double.own.blend import open_blend
    from farm.double.own.inspection import inspect_double, propose_table
    from farm.double.own.reading import read_double

    opened = open_blend(file)
    if table is not None:
        write_text(table, propose_table(str(file), armature))
    found = inspect_double(opened, read_double(str(file), armature=armature))
    if as_json:
        click.echo(json.dumps(found.plain(), indent=2, ensure_ascii=False))
    else:
        _print(found.lines)
        if found.data["table"] is None and table is None:
            click.echo("\nproposed table (--table FILE writes it):\n" + found.table)
    return 0 if found.usable else 1


@double.command()
@FILE
@ARMATURE
@OUT
def scalp(file: Path, armature: str | None, out: Path) -> int:
    """Paint the scalp that is found by shape as a vertex group `scalp`, in a copy of the file, for you to correct.

    \b
    Example:
      digidouble double scalp hero.blend --out hero_scalp.blend
    """
    load_renderer()
    from farm.double.own.blend import check_target, open_blend, save_copy
    from farm.double.own.head import paint_scalp, read_head
    from farm.double.own.reading import read_double

    check_target(out, original=file)
    open_blend(file)
    found = read_double(str(file), armature=armature)
    head = read_head(found, group=False)
    count = paint_scalp(found, head)
    save_copy(out)
    click.echo(f"{out}: vertex group 'scalp' of '{found.head.name}': {count} vertices, {head.area * 1e4:.0f} cm²")
    return 0


@double.command()
@FILE
@ARMATURE
@OUT
@click.option("--style", required=True, help="Hairstyle of templates/hairstyles.")
@click.option("--type", "type_", help="Walker type, 1A to 4C.")
@click.option("--length", type=float, help="Length as a multiple of the style's own.")
@click.option("--melanin", type=float, help="Pigment: 0 is white, 1 black.")
@click.option("--redness", type=float, help="Pheomelanin share of the pigment.")
@click.option("--frizz", type=float, help="Stray strands: 0 is sleek, 1 wild.")
@click.option("--strands", type=int, help="Number of strands.")
@click.option("--seed", type=int, help="Equal seeds, equal strands.")
def groom(file: Path, armature: str | None, out: Path, type_: str | None, **given: Any) -> int:
    """Comb a hairstyle on a double, and save a copy of the file with the hair curves.

    \b
    Example:
      digidouble double groom hero.blend --style long_wavy --type 3B --out hero_wavy.blend
    """
    from farm.recipe import templates

    hair = _hair({**given, "type": type_})
    templates.path("hairstyles", hair.style)
    templates.path("hairtypes", hair.type)
    load_renderer()
    from farm.double.own.blend import check_target, open_blend, save_copy
    from farm.double.own.dressing import groom_double
    from farm.double.own.reading import read_double

    check_target(out, original=file)
    open_blend(file)
    found = read_double(str(file), armature=armature)
    made = groom_double(found, hair)
    save_copy(out)
    click.echo(f"{out}: {hair.style} of {made.strands} strands on '{found.head.name}', as '{made.curves.name}'")
    return 0


def _hair(given: dict[str, Any]) -> Any:
    """The hair axis from options; BadInput names the option that is out of its range."""
    from pydantic import ValidationError

    from farm.recipe.parameters import Hair

    try:
        return Hair(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        raise BadInput(f"--{first['loc'][0]} {first['input']}: {first['msg']}") from None


def _print(lines: list[Any]) -> None:
    console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
    for line in lines:
        mark, colour = MARKS[line.state]
        console.print(Text(mark, colour) + Text(f" {line.name:<10} {line.text}"))
        if line.remedy:
            console.print(Text(f"     {'':<10} → {line.remedy}"))
