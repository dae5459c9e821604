"""Which of a capture's joints is which: by a table in templates/rigs, detected or given, by a file of one's own, or by
what their names say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from farm.double.own.detect import Match, detect_rig, match_table
from farm.double.own.guess import guess_bones, table_text
from farm.double.rig_table import CANONICAL, REQUIRED, Many, RigTable, read_table
from farm.errors import BadInput, TemplateError
from farm.motion.mocap.capture import Capture
from farm.motion.rig import Link, read_links
from farm.recipe import templates

__all__ = ["GUESSED", "Naming", "name_joints", "propose_table"]

GUESSED: Final = "guessed"
NAMED: Final = 4
"""How many missing bones a message names."""


@dataclass(frozen=True)
class Naming:
    """What a capture's joints are called, and how surely.

    table   the table's name, or its file; GUESSED where the bones' names had to speak for themselves
    score   0..1, as farm.double.own.detect.Match has it, of the nearest table
    """

    table: str
    description: str
    score: float
    links: tuple[Link, ...]


def name_joints(capture: Capture, place: str, table: str | None = None) -> Naming:
    """Find the canonical bones by the names of a capture's joints; BadInput where no table fits.

    table  a name in templates/rigs or a YAML file; by default the tables are tried, and the best is taken. Where none
           names every bone that a performer needs, those are guessed, and taken if none is missing
    """
    match = _given(capture.names, table) if table else _best(capture.names)
    if not table and (match.lacking or not match.recognised):
        guessed = guess_bones(capture.names, capture.parents.tolist())
        if set(REQUIRED) <= set(guessed):
            return _guessed(guessed, match)
    if match.lacking and (table or match.recognised):
        some = ", ".join(match.lacking[:NAMED]) + (" …" if len(match.lacking) > NAMED else "")
        raise BadInput(
            f"{place}: by the table '{match.table}' (score {match.score:.2f}) its skeleton has no bone for {some}; "
            f"a performer needs hips, spine, head, arms and legs: --propose FILE.yaml writes a table to edit, "
            f"--table FILE.yaml reads it"
        )
    if not match.recognised and not table:
        raise BadInput(
            f"{place}: no rig table knows its bone names; the nearest is '{match.table}' with a score of "
            f"{match.score:.2f}: --propose FILE.yaml writes a table to edit, --table FILE.yaml reads it"
        )
    entries = _entries(match, _table(table or match.table))
    if not table:
        entries |= {bone: name for bone, name in _besides(match, capture).items() if bone in match.missing}
    found = RigTable(description=match.description, bones=entries)
    return Naming(match.table, match.description, match.score, tuple(read_links(found, match.table)))


def _best(names: Sequence[str]) -> Match:
    """The best of the tables that are recognised and lack nothing, or else the best."""
    matches = detect_rig(names)
    return next((match for match in matches if match.recognised and not match.lacking), matches[0])


def _guessed(bones: Mapping[str, str], nearest: Match) -> Naming:
    description = f"no known rig, {len(bones)} bones guessed by their names"
    table = RigTable(description=description, bones={bone: bones[bone] for bone in CANONICAL if bone in bones})
    return Naming(GUESSED, description, nearest.score, tuple(read_links(table, GUESSED)))


def _given(names: Sequence[str], table: str) -> Match:
    return match_table(names, _table(table), table)


def _table(name: str) -> RigTable:
    """A table by its name in templates/rigs, or from a file."""
    path = Path(name)
    if path.suffix.lower() not in (".yaml", ".yml"):
        return read_table(name)
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput(f"{path} does not exist") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from None
    except yaml.YAMLError as error:
        raise TemplateError(f"{path}: not valid YAML: {error}".replace("\n", " ")) from None
    if not isinstance(data, dict):
        raise TemplateError(f"{path}: expected a mapping with description and bones, found {type(data).__name__}")
    table = templates.validate(RigTable, data, source=name)
    for bone in table.bones:
        if bone not in CANONICAL:
            raise TemplateError(f"{path}: unknown canonical bone '{bone}'{templates.nearest(bone, list(CANONICAL))}")
    return table


def _entries(match: Match, table: RigTable) -> dict[str, str | Many]:
    """The table's entries in the capture's own names, without the bones that it lacks."""
    entries: dict[str, str | Many] = {}
    for bone, names in match.bones.items():
        entry = table.bones[bone]
        if isinstance(entry, str) or len(names) == 1:
            entries[bone] = names[0]
        elif entry.together:
            entries[bone] = Many(together=list(names))
        else:
            shares = {
                match.renamed.get(name, name): share for name, share in (entry.share or entry.twist or {}).items()
            }
            whole = sum(shares[name] for name in names)
            kept = {name: shares[name] / whole for name in names}
            entries[bone] = Many(share=kept) if entry.share else Many(twist=kept)
    return entries


def propose_table(capture: Capture, place: str) -> str:
    """A table of a capture's joints for a person to edit: the nearest one's bones, and guesses by name for the rest."""
    match = _best(capture.names)
    own = {bone: names[0] for bone, names in match.bones.items()} if match.recognised else {}
    return table_text(f"As in {Path(place).name}", {**_besides(match, capture), **own}, CANONICAL)


def _besides(match: Match, capture: Capture) -> dict[str, str]:
    """What the names of joints say that no bone of a recognised match stands for."""
    taken = {name for names in match.bones.values() for name in names} if match.recognised else set()
    guessed = guess_bones(capture.names, capture.parents.tolist())
    return {bone: name for bone, name in guessed.items() if name not in taken}
