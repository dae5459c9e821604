"""`digidouble index`, `card` and `export`: a dataset's table, its licence, and the dataset in trainers' layouts."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

__all__ = ["LAYOUTS", "card", "export", "index"]

LAYOUTS = ("oidn", "webdataset", "noisebase", "nerf", "colmap", "gbuffer")
"""As `farm.dataset.export.KINDS` has them, which is imported once it is needed."""

DATASET = click.argument("dataset", type=click.Path(path_type=Path))


@click.command()
@DATASET
def index(dataset: Path) -> int:
    """Write a dataset's index.parquet anew from what is committed.

    \b
    Example:
      digidouble index out/demo
    """
    from farm.dataset import build_index, open_dataset

    click.echo(build_index(open_dataset(dataset)))
    return 0


@click.command()
@DATASET
@click.option("--license", "license_", required=True, help="SPDX name or URL, such as CC-BY-4.0.")
def card(dataset: Path, license_: str) -> int:
    """State a dataset's licence: in dataset.json, and in its card README.md.

    \b
    Example:
      digidouble card out/demo --license CC-BY-4.0
    """
    from farm.dataset import open_dataset
    from farm.dataset.report import state_license

    click.echo(state_license(open_dataset(dataset), license_))
    return 0


@click.command()
@DATASET
@click.option("--as", "kind", type=click.Choice(LAYOUTS), required=True, help="The layout to write.")
@click.option("--to", type=click.Path(path_type=Path), required=True, help="A new or empty folder.")
@click.option("--writers", type=click.IntRange(1), default=1, show_default=True, help="Processes that write at once.")
def export(dataset: Path, kind: str, to: Path, writers: int) -> int:
    """Write a dataset in the layout that a trainer reads; run it again to go on where it stopped.

    \b
    Layouts:
      oidn        Open Image Denoise's training toolkit
      webdataset  tar shards of about 1 GB
      noisebase   Zarr sequences with per-sample data
      nerf        transforms.json for nerfstudio, instant-ngp, Gaussian splatting
      colmap      COLMAP's text model, with points
      gbuffer     RGB-X: a file a channel

    \b
    Examples:
      digidouble export out/demo --as oidn --to data/oidn
      digidouble export out/demo --as webdataset --to data/shards --writers 4
    """
    from farm.dataset.export import export_dataset

    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console
    )
    with bar:
        line = bar.add_task(kind, total=None)
        summary = export_dataset(
            dataset,
            to,
            kind,
            writers=writers,
            progress=lambda done, total: bar.update(line, completed=done, total=total),
        )
        whole = summary.present + summary.written
        bar.update(line, completed=whole, total=whole)
    click.echo(f"{to}: {summary.written} pieces written, {summary.present} were there")
    for note in summary.notes:
        click.echo(note)
    return 0
