"""Which of a capture's joints is which: by a table in templates/rigs, detected or given, or by a file of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from farm.double.own.detect import Match, detect_rig, match_table
from farm.double.own.guess import guess_bones, table_text
from farm.double.rig_table import CANONICAL, Many, RigTable, read_table
from farm.errors import BadInput, TemplateError
from farm.motion.mocap.capture import Capture
from farm.motion.rig import Link, read_links
from farm.recipe import templates

__all__ = ["Naming", "name_joints", "propose_table"]

NAMED: Final = 4
"""How many missing bones a message names."""


@dataclass(frozen=True)
class Naming:
    """What a capture's joints are called, and how surely.

    table   the table's name, or its file
    score   0..1, as farm.double.own.detect.Match has it
    """

    table: str
    description: str
    score: float
    links: tuple[Link, ...]


def name_joints(capture: Capture, place: str, table: str | None = None) -> Naming:
    """Find the canonical bones by the names of a capture's joints; BadInput where no table fits.

    table  a name in templates/rigs or a YAML file; by default the tables are tried, and the best is taken
    """
    match = _given(capture.names, table) if table else detect_rig(capture.names)[0]
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
    found = RigTable(description=match.description, bones=_entries(match, _table(table or match.table)))
    return Naming(match.table, match.description, match.score, tuple(read_links(found, match.table)))


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
    match = detect_rig(capture.names)[0]
    guessed = guess_bones(capture.names, capture.parents.tolist())
    if match.recognised:
        own = {bone: names[0] for bone, names in match.bones.items()}
        taken = set(own.values())
        guessed = {**{bone: name for bone, name in guessed.items() if name not in taken}, **own}
    return table_text(f"As in {Path(place).name}", guessed, CANONICAL)
