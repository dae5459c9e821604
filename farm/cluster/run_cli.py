"""`digidouble render` behind its options: who is told of the run, and what is said at its end."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from farm.cluster.driver import Farm, run
from farm.cluster.journal import Summary
from farm.cluster.lines import JsonLines
from farm.cluster.progress import ProgressReport
from farm.commands import note
from farm.dataset.layout import LOGS_FOLDER, REPORT_FILE
from farm.dataset.place import Place
from farm.recipe import Recipe
from farm.recipe.telling import tell_unmet

__all__ = ["render_dataset"]


def render_dataset(
    recipe: Recipe, root: Place, *, jsonl: bool, farm: Mapping[str, Any], double: Path | None = None
) -> int:
    """Render what is missing of a dataset; the exit code. `farm` has the fields of `Farm` that were said.

    `double` is the packed file of an artist's own double, where the recipe has one and it is here.
    """
    unmet = tell_unmet(recipe)
    if jsonl:
        lines = JsonLines(sys.stdout)
        for line in unmet:
            lines.noticed(line)
        summary = run(recipe, root, lines, Farm(**farm), double=double)
        lines.write(
            "ended",
            complete=summary.complete,
            interrupted=summary.interrupted,
            total=summary.total,
            done=summary.done + summary.rendered,
            failed=len(summary.given_up),
        )
    else:
        note(unmet)
        progress = ProgressReport(Console(highlight=False, soft_wrap=not sys.stdout.isatty()))
        try:
            summary = run(recipe, root, progress, Farm(**farm), double=double)
        finally:
            progress.close()
        _summarise(summary, root)
    for name, reason in summary.failures.items():
        click.echo(f"error: {name}: {reason}", err=True)
    return 0 if summary.complete else 1


def _summarise(summary: Summary, root: Place) -> None:
    there = summary.done + summary.rendered
    click.echo(f"{there} of {summary.total} pairs in {root}")
    if there:
        click.echo(f"report: {root / REPORT_FILE}")
    if summary.given_up:
        count = len(summary.given_up)
        click.echo(f"{count} pair{'s' if count > 1 else ''} given up; logs: {root / LOGS_FOLDER}")
    if summary.interrupted:
        click.echo("stopped; nothing that was finished is lost: run the same command again to go on")
