"""Which rig an armature is: its bones' names against every table in templates/rigs (pure Python).

Names are compared as they are first, then without regard to case and to what stands before all of them: a namespace
(`Armature:Hips`), or the table's own prefix (`mixamorig:Hips` for `mixamorig7:Hips` or plain `Hips`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from farm.double.rig_table import CANONICAL, REQUIRED, Many, RigTable, named_bones, read_table
from farm.recipe import templates

__all__ = ["RECOGNISED", "Match", "detect_rig", "match_table"]

RECOGNISED: Final = 0.5
"""The least score at which a table is taken for the rig's."""
REQUIRED_WEIGHT: Final = 3.0
"""How much more a bone counts that every humanoid has."""
RENAMED: Final = 0.98
"""Factor on the score of names that only agree without their prefix or case."""


@dataclass(frozen=True)
class Match:
    """How a rig answers to a table.

    table     name of the table in templates/rigs
    score     0..1: share of the table's bones that the rig has, those that every humanoid has counting threefold
    bones     the rig's own bones of each canonical bone that was found, in the table's order
    missing   the names that the table gives for each canonical bone that was not found
    renamed   the rig's own name of each name in the table, where they differ
    """

    table: str
    description: str
    score: float
    bones: dict[str, tuple[str, ...]]
    missing: dict[str, tuple[str, ...]]
    renamed: dict[str, str]

    @property
    def lacking(self) -> tuple[str, ...]:
        """Canonical bones that every humanoid has and this rig lacks."""
        return tuple(bone for bone in REQUIRED if bone not in self.bones)

    @property
    def recognised(self) -> bool:
        """Whether the rig is one of the table's kind."""
        return self.score >= RECOGNISED


def detect_rig(names: Sequence[str]) -> list[Match]:
    """Every table's match with a rig's bone names, the best first."""
    matches = [match_table(names, read_table(table), table) for table in templates.names("rigs")]
    return sorted(matches, key=lambda match: (-match.score, -_named(match), match.table))


def _named(match: Match) -> int:
    return sum(len(bones) for bones in match.bones.values())


def match_table(names: Sequence[str], table: RigTable, name: str = "") -> Match:
    """Hold a rig's bone names against one table."""
    wanted = [bone for entry in table.bones.values() for bone in named_bones(entry)]
    own = {bone: bone for bone in wanted if bone in set(names)}
    renamed = _without_prefix(names, wanted)
    exact = len(own) >= len(renamed)
    found = own if exact else renamed
    bones, missing, reached, most = {}, {}, 0.0, 0.0
    for canonical in CANONICAL:
        entry: str | Many | None = table.bones.get(canonical)
        weight = REQUIRED_WEIGHT if canonical in REQUIRED else 1.0
        if entry is None:
            continue
        most += weight
        asked = named_bones(entry)
        there = tuple(found[bone] for bone in asked if bone in found)
        reached += weight * len(there) / len(asked)
        if there:
            bones[canonical] = there
        else:
            missing[canonical] = asked
    return Match(
        table=name,
        description=table.description,
        score=reached / most * (1.0 if exact else RENAMED) if most else 0.0,
        bones=bones,
        missing=missing,
        renamed={asked: real for asked, real in found.items() if asked != real},
    )


def _without_prefix(names: Sequence[str], wanted: list[str]) -> dict[str, str]:
    """The rig's name of each wanted one, under the prefix that most of them share."""
    first, last = min(wanted), max(wanted)
    common = next((place for place, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), 0)
    stems = {bone: bone[common:].casefold() for bone in wanted}
    folded = {name.casefold(): name for name in names}
    anchors = sorted(set(stems.values()), key=lambda stem: (-len(stem), stem))[:6] + [
        stems[bone] for bone in wanted[:3]
    ]
    prefixes = {""} | {name[: -len(stem)] for name in folded for stem in anchors if stem and name.endswith(stem)}
    best: dict[str, str] = {}
    for prefix in sorted(prefixes):
        found = {bone: folded[prefix + stem] for bone, stem in stems.items() if stem and prefix + stem in folded}
        if len(found) > len(best):
            best = found
    return best
