"""The command line: `digidouble …`.

Exit codes: 0 done; 1 the work or a check failed, or was interrupted; 2 bad input.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from farm import __version__
from farm.cluster.jobs.cli import COMMANDS
from farm.commands import load_renderer
from farm.doctor import examine, require_renderer
from farm.double.own.cli import double
from farm.double.own.sealing import seal_double
from farm.errors import BadInput, DigidoubleError, TemplateError
from farm.learn.cli import denoise, evaluate, onnx, train
from farm.motion.cli import motion
from farm.motion.pose_cli import pose
from farm.recipe import load_recipe, templates
from farm.recipe.sheet import load_sheet
from farm.render.kinds import DEVICES

__all__ = ["cli", "main"]

INTERRUPTED: Final = 1
TRACEBACK: Final = "DIGIDOUBLE_TRACEBACK"
LAYOUTS: Final = ("oidn", "webdataset", "noisebase", "nerf", "colmap", "gbuffer")
"""As `farm.dataset.export.KINDS` has them, which is imported once it is needed."""


class _Group(click.Group):
    """A group whose commands come in the order of work."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(self.commands)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="digidouble")
def cli() -> None:
    """Vary the hair, pose and stunt of a digi-double; render paired datasets for denoisers.

    \b
    A first dataset:
      digidouble doctor
      digidouble plan templates/recipes/demo.yaml
      digidouble render templates/recipes/demo.yaml --out out/demo
      digidouble check out/demo
    """


def _console() -> Console:
    return Console(highlight=False, soft_wrap=not sys.stdout.isatty())


RECIPE = click.argument("recipe", type=click.Path(path_type=Path))
DATASET = click.argument("dataset")


@cli.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("out"), help="Where datasets will go.")
def doctor(out: Path) -> int:
    """Look at this machine: can it render, and with how many workers?

    \b
    Example:
      digidouble doctor
    """
    console = _console()
    well = True
    for finding in examine(out):
        well &= finding.ok
        mark = Text("ok  ", "green") if finding.ok else Text("fix ", "red")
        console.print(mark + f" {finding.name:<10} {finding.state}")
        if not finding.ok:
            console.print(Text(f"     {'':<10} → {finding.remedy}"))
    return 0 if well else 1


@cli.command()
@RECIPE
@click.option("--json", "as_json", is_flag=True, help="Print plain data for programs.")
@click.option("--out", help="A dataset of the recipe, whose pairs tell the time.  [default: out/NAME, if there]")
@click.option("--calibrate", is_flag=True, help="Render one or two pairs now to tell the time.")
@click.option("--device", type=click.Choice(DEVICES), default="cpu", show_default=True,
              help="What --calibrate renders on.")  # fmt: skip
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="How many will render.")
@click.option("--price", type=click.FloatRange(0), help="Of a worker's hour, to tell the cost.")
def plan(recipe: Path, as_json: bool, **estimate: Any) -> int:
    """Print the variants that a recipe draws, and what rendering them will take, without doing it.

    \b
    Examples:
      digidouble plan templates/recipes/demo.yaml
      digidouble plan templates/recipes/demo.yaml --json | jq '.variants[0]'
      digidouble plan night.yaml --calibrate --workers 64 --price 0.35
    """
    from farm.cluster.plan_cli import estimates
    from farm.recipe.table import plan_json, render_table

    loaded = load_recipe(recipe)
    if estimate["calibrate"] or loaded.double is not None:
        require_renderer()
    loaded, double = seal_double(loaded)
    data, lines = estimates(loaded, **estimate, double=double)
    if as_json:
        click.echo(json.dumps(plan_json(loaded) | ({"estimate": data} if data else {}), indent=2))
    else:
        render_table(loaded, Console(highlight=False))
        click.echo("\n".join(lines))
    return 0


@cli.command()
@RECIPE
@click.option("--out", help="The dataset's folder, or s3://… and the like.  [default: out/NAME]")
@click.option("--device", type=click.Choice(DEVICES), default="auto", show_default=True,
              help="What renders; a GPU that is asked for and absent is an error.")  # fmt: skip
@click.option("--workers", type=click.IntRange(1), help="Worker processes.  [default: as many as fit]")
@click.option("--address", metavar="ADDRESS",
              help="The Ray cluster this node is of: auto, HOST:PORT.  [default: a Ray of this machine]")  # fmt: skip
@click.option("--threads", type=click.IntRange(1), help="CPUs of each worker on a cluster.  [default: at most 4]")
@click.option("--priority", type=int, default=0, show_default=True,
              help="Among runs on one cluster, higher ones get workers first.")  # fmt: skip
@click.option("--progress", type=click.Choice(["terminal", "jsonl"]), default="terminal", show_default=True,
              help="How to tell of it: for people, or a JSON object a line for programs.")  # fmt: skip
def render(recipe: Path, out: str | None, progress: str, **farm: Any) -> int:
    """Render a recipe's pairs into a dataset; run it again to go on where it stopped.

    \b
    Examples:
      digidouble render templates/recipes/demo.yaml --out out/demo
      digidouble render night.yaml --out /data/night --device optix
      digidouble render night.yaml --out s3://studio/night --address auto --progress jsonl
    """
    loaded = load_recipe(recipe)
    require_renderer()
    from farm.cluster.run_cli import render_dataset
    from farm.dataset.place import open_place

    root = open_place(out) if out is not None else Path("out") / loaded.name
    loaded, packed = seal_double(loaded)
    return render_dataset(loaded, root, jsonl=progress == "jsonl", farm=farm, double=packed)


@cli.command()
@DATASET
def pause(dataset: str) -> int:
    """Let a run finish the pairs that it is at, and begin no more; its workers are given back.

    \b
    Example:
      digidouble pause out/demo
    """
    from farm.cluster.control import pause
    from farm.dataset import open_dataset

    pause(open_dataset(dataset))
    click.echo(f"no more pairs are begun in {dataset}; go on with `digidouble resume`")
    return 0


@cli.command()
@DATASET
def resume(dataset: str) -> int:
    """Let a run that was paused go on.

    \b
    Example:
      digidouble resume out/demo
    """
    from farm.cluster.control import resume
    from farm.dataset import open_dataset

    resume(open_dataset(dataset))
    click.echo(f"going on with {dataset}")
    return 0


@cli.command()
@DATASET
@click.option("--jobs", type=click.IntRange(1), help="Processes.  [default: as many as there are cores]")
def check(dataset: str, jobs: int | None) -> int:
    """Verify every file of a dataset from its pixels; name each defect.

    \b
    Examples:
      digidouble check out/demo
      digidouble check /data/night --jobs 4
    """
    from farm.dataset import check_dataset

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        line = bar.add_task("pairs", total=None)
        report = check_dataset(
            dataset, workers=jobs, progress=lambda done, total: bar.update(line, completed=done, total=total)
        )
    for defect in report.defects:
        click.echo(str(defect))
    click.echo(report.summary())
    return 0 if report.ok else 1


@cli.command()
@DATASET
def report(dataset: str) -> int:
    """Write a dataset's report.html and contact_sheet.png anew.

    \b
    Example:
      digidouble report out/demo
    """
    from farm.dataset import open_dataset, write_report

    click.echo(write_report(open_dataset(dataset)))
    return 0


@cli.command(name="index")
@DATASET
def write_index(dataset: str) -> int:
    """Write a dataset's index.parquet anew from what is committed.

    \b
    Example:
      digidouble index out/demo
    """
    from farm.dataset import build_index, open_dataset

    click.echo(build_index(open_dataset(dataset)))
    return 0


@cli.command()
@DATASET
@click.option("--license", "license_", required=True, help="SPDX name or URL, such as CC-BY-4.0.")
def card(dataset: str, license_: str) -> int:
    """State a dataset's licence: in dataset.json, and in its card README.md.

    \b
    Example:
      digidouble card out/demo --license CC-BY-4.0
    """
    from farm.dataset import open_dataset
    from farm.dataset.report import state_license

    click.echo(state_license(open_dataset(dataset), license_))
    return 0


@cli.command()
@DATASET
@click.option("--as", "kind", type=click.Choice(LAYOUTS), required=True, help="The layout to write.")
@click.option("--to", required=True, help="A new or empty folder.")
@click.option("--writers", type=click.IntRange(1), default=1, show_default=True, help="Processes that write at once.")
def export(dataset: str, kind: str, to: str, writers: int) -> int:
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

    with _bar() as bar:
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


def _bar() -> Progress:
    """Progress of what is counted, with the time that is left."""
    parts = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*parts, console=Console(stderr=True))


@cli.command(name="templates")
@click.argument("kind", required=False)
@click.argument("name", required=False)
@click.option("--sheet", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.png",
              help="Render the kind's templates, or the one that is named, on a few people.")  # fmt: skip
def list_templates(kind: str | None, name: str | None, sheet: Path | None) -> int:
    """List what ships ready to use: the kinds, a kind's names, or one template's file.

    \b
    Examples:
      digidouble templates
      digidouble templates hairstyles
      digidouble templates recipes demo > mine.yaml
      digidouble templates hairstyles --sheet hairstyles.png
    """
    if kind is not None and kind not in templates.kinds():
        raise TemplateError(f"no kind of template '{kind}'{templates.nearest(kind, templates.kinds())}")
    if sheet is not None:
        return _render_sheet(kind, name, sheet)
    if kind is not None and name is not None:
        click.echo(templates.path(kind, name).read_text(encoding="utf-8"), nl=False)
    elif kind is not None:
        for each in templates.names(kind):
            click.echo(f"{each:<20} {templates.description(kind, each)}".rstrip())
    else:
        for each in templates.kinds():
            click.echo(f"{each:<12} {', '.join(templates.names(each))}")
    return 0


def _render_sheet(kind: str | None, name: str | None, file: Path) -> int:
    """Render a kind's sheet, or one row of it, into a PNG file."""
    if kind is None:
        raise BadInput("--sheet needs a kind of template: digidouble templates hairstyles --sheet hairstyles.png")
    if file.suffix.lower() != ".png":
        raise BadInput(f"{file}: a sheet is a PNG; give it the ending .png")
    if not file.resolve().parent.is_dir():
        raise BadInput(f"{file}: the folder {file.parent} is missing; make it first")
    load_sheet(kind)
    names = templates.names(kind) if name is None else [templates.path(kind, name).stem]
    load_renderer()
    from farm.render.sheet import render_sheet

    with _bar() as bar:
        line = bar.add_task("pictures", total=None)
        picture = render_sheet(kind, names, lambda done, total: bar.update(line, completed=done, total=total))
    picture.save(file, optimize=True)
    click.echo(file)
    return 0


cli.add_command(double)
cli.add_command(motion)
cli.add_command(pose)
for command in (*COMMANDS, train, evaluate, denoise, onnx):
    cli.add_command(command)


def main() -> None:
    """Run the command line; every failure is one message and an exit code, never a traceback."""
    try:
        code = cli(standalone_mode=False)
    except click.exceptions.Abort:
        code = INTERRUPTED
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except KeyboardInterrupt:
        click.echo("stopped", err=True)
        code = INTERRUPTED
    except DigidoubleError as error:
        click.echo(f"error: {error}", err=True)
        code = error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        place = f"{type(error).__name__}: {error}".splitlines()[0]
        click.echo(f"error: {place}\nThis is a fault of Digidouble's; {TRACEBACK}=1 shows where.", err=True)
        code = 1
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
