"""What a .blend holds of a double and what it lacks: `digidouble double inspect`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np

from farm.double.own.blend import BlendFile, open_blend
from farm.double.own.detect import detect_rig
from farm.double.own.guess import guess_bones, table_text
from farm.double.own.head import OwnHead, read_head
from farm.double.own.reading import OwnDouble, armatures, choose_armature, read_double, uvs_of
from farm.double.own.uv import overlaps
from farm.double.rig_table import CANONICAL, REQUIRED
from farm.errors import BadInput
from farm.recipe.templates import nearest

__all__ = ["Inspection", "Line", "inspect_double", "inspect_file", "propose_table"]

OK: Final = "ok"
NOTE: Final = "note"
MISSING: Final = "missing"


@dataclass(frozen=True)
class Line:
    """One thing that was looked at: `state` is ok, note or missing; `remedy` says what to do about what is missing."""

    name: str
    state: str
    text: str
    remedy: str = ""


@dataclass(frozen=True)
class Inspection:
    """What was found. `data` holds the same as plain figures; `table` is the rig's table, proposed where unknown."""

    file: str
    lines: list[Line]
    data: dict[str, Any]
    table: str = field(repr=False, default="")

    @property
    def usable(self) -> bool:
        """Whether nothing is missing that a groom on this double needs."""
        return not any(line.state == MISSING for line in self.lines)

    def plain(self) -> dict[str, Any]:
        """The inspection as plain data for JSON."""
        return {"file": self.file, "usable": self.usable, **self.data, "lines": [asdict(line) for line in self.lines]}


def inspect_file(path: Path, *, armature: str | None = None) -> Inspection:
    """Open a .blend without running what is in it, and look at its double; BadInput where there is none."""
    file = open_blend(path)
    return inspect_double(file, read_double(str(path), armature=armature))


def inspect_double(file: BlendFile, double: OwnDouble) -> Inspection:
    """Look at a double of the opened file."""
    lines = [Line("file", OK, f"{file.path}, written by Blender {file.version}"), *_rig(double), *_stance(double)]
    data: dict[str, Any] = {
        "blender": file.version,
        "armature": double.armature.name,
        "armatures": [thing.name for thing in armatures()],
        "table": double.match.table if double.match.recognised else None,
        "score": round(double.match.score, 4),
        "bones": {bone: list(own) for bone, own in double.guessed.items()},
        "lacking": [bone for bone in REQUIRED if bone not in double.guessed],
        "height": double.height,
        "metres_per_unit": double.metres[0],
        "pose": double.stance.pose,
        "head": double.head.name if double.head else None,
        "hidden": list(double.hidden),
        "scripts": list(file.scripts),
        "missing_files": list(file.missing),
    }
    lines += _head(double, data)
    if double.hidden:
        lines.append(Line("hidden", NOTE, f"not looked at, as the viewport hides them: {_hidden(double)}"))
    lines += _hair(double, data)
    lines += _file(file)
    return Inspection(str(file.path), lines, data, _table(double.armature))


def _rig(double: OwnDouble) -> list[Line]:
    match, bones = double.match, double.armature.data.bones
    found = armatures()
    others = [f"'{thing.name}'" for thing in found if thing is not double.armature]
    beside = f"; beside it: {', '.join(others)}" if others else ""
    lines = [Line("armature", OK, f"'{double.armature.name}', {len(bones)} bones{beside}")]
    if match.recognised:
        renamed = f"; {len(match.renamed)} bones under other prefixes" if match.renamed else ""
        lines.append(Line("rig", OK, f"{match.table} ({match.description}), score {match.score:.2f}{renamed}"))
    else:
        lines.append(
            Line(
                "rig", MISSING, f"unknown; nearest is {match.table} with score {match.score:.2f}",
                "write the proposed table with --table FILE, look it over, save it in templates/rigs",
            )
        )  # fmt: skip
    there = [bone for bone in REQUIRED if bone in double.guessed]
    optional = [bone for bone in CANONICAL if bone not in REQUIRED]
    have = sum(bone in double.guessed for bone in optional)
    lacking = [bone for bone in REQUIRED if bone not in double.guessed]
    word = "mapped" if match.recognised else "guessed"
    text = f"{len(there)}/{len(REQUIRED)} required, {have}/{len(optional)} optional {word}"
    lines.append(Line("bones", OK if not lacking else MISSING, text, "" if not lacking else _lack(double, lacking)))
    absent = [bone for bone in optional if bone not in double.guessed]
    if absent:
        lines.append(Line("optional", NOTE, f"without {_listed(absent)}: they stay as their parents are"))
    return lines


def _listed(names: list[str], most: int = 8) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _lack(double: OwnDouble, lacking: list[str]) -> str:
    """What each missing bone would be called, and which of the rig's bones comes nearest."""
    names = [bone.name for bone in double.armature.data.bones]
    used = {bone for own in double.guessed.values() for bone in own}
    free = [name for name in names if name not in used]
    guesses = guess_bones(names, double.parents)
    told = []
    for bone in lacking:
        asked = " + ".join(double.match.missing.get(bone, ()))
        guess = guesses.get(bone)
        hint = f"; did you mean '{guess}'?" if guess in free else _near(asked or bone, free)
        told.append(f"{bone} (named '{asked}'{hint})" if asked else f"{bone}{hint}")
    return "no bone for " + ", ".join(told)


def _near(name: str, free: list[str]) -> str:
    hint = nearest(name, free)
    return hint if "did you mean" in hint else ""


def _stance(double: OwnDouble) -> list[Line]:
    stance, (metres, unit) = double.stance, double.metres
    scale = np.linalg.norm(np.array(double.armature.matrix_world)[:3, :3], axis=0)
    text = f"{double.height * metres:.2f} m"
    scaled = (
        "" if np.allclose(scale, 1, atol=1e-3) else f"; the armature is scaled {'×'.join(f'{s:.4g}' for s in scale)}"
    )
    if metres != 1.0:
        text = f"{double.height:.4g} units tall, {1 / metres:.4g}× a person's metres: the unit seems to be {unit}"
    lines = [Line("height", OK if metres == 1.0 else NOTE, text + scaled)]
    if not np.allclose(scale, scale[0], rtol=1e-3):
        lines.append(Line("scale", NOTE, "the armature's scale differs by axis; apply it, or limbs shear as they turn"))
    lines.append(Line("rest pose", OK, f"{stance.pose}, upper arms {stance.arm_angle:.0f}° below the horizon"))
    facing = "faces " + _direction(-stance.axes[1])
    if stance.swapped:
        lines.append(Line("sides", NOTE, f"{facing}; by the feet, left and right bones are exchanged"))
    elif stance.crooked:
        lines.append(Line("sides", NOTE, f"{facing}; left and right differ at rest: {_listed(list(stance.crooked))}"))
    else:
        lines.append(Line("sides", OK, f"{facing}; left and right mirror each other"))
    return lines


def _direction(vector: Any) -> str:
    axis = int(np.argmax(np.abs(vector)))
    exact = abs(vector[axis]) > 0.999
    return ("" if exact else "about ") + ("−" if vector[axis] < 0 else "+") + "XYZ"[axis]


def _head(double: OwnDouble, data: dict[str, Any]) -> list[Line]:
    if double.head is None:
        meshes = ", ".join(f"'{thing.name}'" for thing in double.others) or "none"
        unseen = "" if not double.hidden else f", or show it in the viewport if it is {_hidden(double)}"
        return [
            Line("head", MISSING, f"no mesh closes around the head (bound to the armature: {meshes})",
                 f"bind the head's skin to the armature, weighted to '{double.head_bone}'{unseen}")
        ]  # fmt: skip
    mesh = double.head.data
    met = f"it meets {double.covered:.0%} of the directions from the middle of what '{double.head_bone}' moves"
    lines = [Line("head", OK, f"mesh '{double.head.name}', {len(mesh.vertices)} vertices: {met}")]
    try:
        own = read_head(double)
    except BadInput as error:
        return [*lines, Line("scalp", MISSING, "none", str(error))]
    data |= {"scalp_group": own.group, "scalp_area": own.area, "head_scale": own.fit.scale}
    return [*lines, _scalp(own), _uv(double, own)]


def _hidden(double: OwnDouble) -> str:
    return _listed([f"'{name}'" for name in double.hidden])


def _scalp(own: OwnHead) -> Line:
    area = f"{own.area * 1e4:.0f} cm²"
    if own.group:
        return Line("scalp", OK, f"vertex group '{own.group}', {area}")
    text = (
        f"proposed, {area}: the common head's hairline, laid onto this head by its shape "
        f"({own.fit.residual * 1000:.1f} mm off, {own.fit.scale:.2f}× the common size); "
        f"`digidouble double scalp` paints it for you to correct"
    )
    return Line("scalp", OK, text)


def _uv(double: OwnDouble, own: OwnHead) -> Line:
    uvs = uvs_of(double.head)
    if uvs is None:
        return Line("UV map", NOTE, "none: the scalp gets coordinates of its own")
    name = double.head.data.uv_layers.active.name
    bearing = (own.density[own.surface.triangles] > 0).any(axis=1)
    if overlaps(own.surface, bearing, uvs):
        return Line("UV map", NOTE, f"'{name}' overlaps itself on the scalp, which gets coordinates of its own")
    return Line("UV map", OK, f"'{name}'")


def _hair(double: OwnDouble, data: dict[str, Any]) -> list[Line]:
    told = []
    for thing in sorted(bpy.context.scene.objects, key=lambda each: each.name):
        if thing.type == "CURVES":
            surface = thing.data.surface
            on = "on no surface" if surface is None else f"on '{surface.name}'"
            off = "" if surface in (None, double.head) else ", not the head"
            told.append(f"'{thing.name}' ({len(thing.data.curves)} strands, {on}{off})")
        for system in getattr(thing, "particle_systems", ()):
            if system.settings.type == "HAIR":
                told.append(f"particles '{system.name}' of '{thing.name}' ({len(system.particles)} strands)")
    data["hair"] = told
    return [Line("hair", OK if told else NOTE, ", ".join(told) or "none yet: `digidouble double groom` combs some")]


def _file(file: BlendFile) -> list[Line]:
    lines = []
    if file.scripts:
        lines.append(Line("scripts", NOTE, f"not run: {_listed(list(file.scripts))}"))
    if file.libraries:
        lines.append(Line("libraries", NOTE, f"linked: {_listed(list(file.libraries))}"))
    if file.missing:
        lines.append(Line("files", NOTE, f"not found: {_listed(list(file.missing))}"))
    return lines


def propose_table(source: str, armature: str | None) -> str:
    """A table for the opened file's rig as YAML, to look over: what is known or guessed of it."""
    return _table(choose_armature(source, armature))


def _table(armature: Any) -> str:
    names = [bone.name for bone in armature.data.bones]
    parents = [names.index(bone.parent.name) if bone.parent else -1 for bone in armature.data.bones]
    match = detect_rig(names)[0]
    known = {bone: own[-1] for bone, own in match.bones.items()} if match.recognised else {}
    return table_text(f"rig of {armature.name}", {**guess_bones(names, parents), **known}, CANONICAL)
