"""`digidouble motion …`: other people's motion as stunt templates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from farm.commands import load_renderer, write_text

__all__ = ["motion"]


@click.group()
def motion() -> None:
    """Motion capture as stunts: .bvh, .fbx and .glb of any naming, unit and frame rate.

    \b
    Example:
      digidouble motion import walk.bvh
    """


@motion.command(name="import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--to", type=click.Path(path_type=Path), metavar="NAME",
              help="The template, with or without .yaml.  [default: your own, called after the file]")  # fmt: skip
@click.option("--table", metavar="TABLE", help="Rig table of the file's bones: a name in templates/rigs or a file.")
@click.option("--propose", type=click.Path(path_type=Path), metavar="FILE.yaml",
              help="Write a rig table of the file's bones to edit, and import nothing.")  # fmt: skip
@click.option("--take", metavar="NAME", help="Which action, where an .fbx or .glb has several.  [default: the longest]")
@click.option("--from", "start", type=float, default=0.0, show_default=True, help="Begin at this second of the file.")
@click.option("--until", type=float, help="End at this second of the file.  [default: its end]")
@click.option("--mirror", is_flag=True, help="Swap left and right.")
@click.option("--loop", is_flag=True, help="Blend the ends, so that the last frame leads into the first.")
@click.option("--speed", type=click.FloatRange(0.1, 10), default=1.0, show_default=True, help="Times as fast.")
@click.option("--fps", type=click.FloatRange(1, 1000), help="Frames a second to store.  [default: the file's]")
@click.option("--no-clean", is_flag=True, help="Leave sliding feet as they are.")
def import_(file: Path, to: Path | None, table: str | None, propose: Path | None, take: str | None, **how: Any) -> int:
    """Import a motion file as a stunt template: NAME.yaml, and its motion beside it as NAME.npz.

    Unit, axes, frame rate and rig are found and stated; the floor is levelled and feet that slide are held. Files of
    unknown bones: write a table with --propose, edit it, and give it to --table.

    \b
    Examples:
      digidouble motion import walk.bvh
      digidouble motion import walk.bvh --to templates/stunts/walk
      digidouble motion import fight.fbx --from 2.5 --until 6 --mirror --to templates/stunts/fight
      digidouble motion import run.glb --loop --fps 30 --to templates/stunts/run
      digidouble motion import odd.bvh --propose odd.yaml
      digidouble motion import odd.bvh --table odd.yaml --to templates/stunts/odd
    """
    from farm.motion.mocap.importing import (
        Changes,
        import_motion,
        own_target,
        read_capture,
        target_of,
        write_recording,
    )
    from farm.motion.mocap.naming import propose_table

    if file.suffix.lower() in (".fbx", ".glb", ".gltf"):  # which Blender alone reads
        load_renderer()
    if propose is not None:
        text = propose_table(read_capture(file, take), str(file))
        write_text(propose, text)
        click.echo(f"{propose}: look it over, then give it to --table")
        return 0
    target = own_target(file.stem) if to is None else target_of(to)
    changes = Changes(clean=not how.pop("no_clean"), **how)
    capture = read_capture(file, take)
    imported = import_motion(capture, str(file), changes, table=table)
    written = write_recording(target, file, imported, changes)
    click.echo(_summary(imported))
    click.echo(
        f"{target}: {written.duration:.2f} s at {written.fps:g} fps, {target.with_suffix('.npz').name} beside it"
    )
    return 0


def _summary(imported: Any) -> str:
    """What was found and done, a line each."""
    performer, naming, floor = imported.performer, imported.naming, imported.floor
    seconds = (imported.frames - 1) / performer.fps
    rest = "the skeleton without rotation" if performer.rest == "zero" else f"{performer.rest}, the nearest to a T-pose"
    lines = [
        ("rig", _rig(naming)),
        ("rest", rest),
        ("unit", f"{performer.unit} (legs of {performer.fit.skeleton.leg:.2f} m)"),
        ("axes", f"{performer.up} up, facing {performer.facing}"),
        ("frames", f"{imported.frames} at {performer.fps:g} fps, {seconds:.2f} s"),
        ("span", f"{imported.span[0]:.2f} s to {imported.span[1]:.2f} s"),
        ("floor", f"moved by {-floor.height * 100:.1f} cm, tilted by {floor.slope * 57.29578:.1f}°"),
        ("feet", _feet(imported)),
    ]
    return "\n".join(f"{name:<7} {text}" for name, text in lines)


def _rig(naming: Any) -> str:
    from farm.motion.mocap.naming import GUESSED

    if naming.table == GUESSED:
        return f"{naming.description}; --propose FILE.yaml writes them down to look over"
    return f"{naming.description} ('{naming.table}', score {naming.score:.2f})"


def _feet(imported: Any) -> str:
    if not len(imported.before):
        return "planted nowhere"
    before, after = (f"{100 * slid.max():.1f} cm" for slid in (imported.before, imported.after))
    return f"planted {len(imported.before)} times, sliding up to {before} before, {after} after"
