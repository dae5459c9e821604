"""`digidouble pose …`: poses from Blender into templates, and templates into an asset library."""

from __future__ import annotations

from pathlib import Path

import click

from farm.commands import load_renderer, note, write_text
from farm.errors import BadInput
from farm.recipe import templates

__all__ = ["pose"]


@click.group()
def pose() -> None:
    """Poses: from a .blend into a template, and into an asset library.

    \b
    Example:
      digidouble pose import hero.blend --asset "Big Wave" --to big_wave.yaml
      digidouble pose export --rig default --to ~/assets/poses
    """


@pose.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--asset", metavar="NAME", help="A pose asset of the file; without it, the pose that the armature is in.")
@click.option("--armature", metavar="NAME", help="Which armature, where the file has several.")
@click.option("--to", "target", type=click.Path(path_type=Path), required=True, help="The new template, NAME.yaml.")
def import_(file: Path, asset: str | None, armature: str | None, target: Path) -> int:
    """Read a pose asset, or the pose that an armature is in, as a pose template.

    Nothing in the file runs, and the file is not changed. Put the template into templates/poses to use it.

    \b
    Examples:
      digidouble pose import hero.blend --to waiting.yaml
      digidouble pose import library.blend --asset "Big Wave" --to templates/poses/big_wave.yaml
    """
    if asset is not None and armature is not None:
        raise BadInput("give --asset or --armature, not both: an asset is read on the armature that has its bones")
    _check_target(target)
    load_renderer()
    from farm.motion.pose_asset import import_asset, import_current

    found = import_asset(file, asset) if asset is not None else import_current(file, armature=armature)
    write_text(target, found.text)
    if found.clipped:
        note([f"brought within the limits of joints: {', '.join(found.clipped)}"])
    click.echo(target)
    return 0


@pose.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--rig", default="default", show_default=True, help="Rig that the double is built on.")
@click.option("--to", "folder", type=click.Path(path_type=Path), required=True, help="The asset library's folder.")
def export(names: tuple[str, ...], rig: str, folder: Path) -> int:
    """Write poses, all where none is named, as pose assets of a rig into an asset library.

    \b
    Examples:
      digidouble pose export --to ~/assets/poses
      digidouble pose export running kicking --rig mixamo --to ~/assets/poses
    """
    from farm.double.rig_table import read_table
    from farm.motion.pose import load_pose

    chosen = list(names) or templates.names("poses")
    for name in chosen:
        load_pose(name)
    if read_table(rig).builds is None:
        built = [each for each in templates.names("rigs") if read_table(each).builds]
        raise BadInput(f"--rig {rig}: the double is not built on that rig; choose one of {', '.join(built)}")
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder} is a file; give the folder of an asset library")
    load_renderer()
    from farm.motion.pose_asset import export_poses

    click.echo(f"{export_poses(chosen, rig, folder)}: {len(chosen)} pose{'s' if len(chosen) > 1 else ''}")
    return 0


def _check_target(target: Path) -> None:
    if target.suffix != ".yaml":
        raise BadInput(f"{target} must end in .yaml")
    if target.exists():
        raise BadInput(f"{target} exists; give --to another name")
    if not target.parent.is_dir():
        raise BadInput(f"the folder {target.parent} does not exist; make it first")
