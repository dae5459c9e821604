"""Which of a rig's bones stands for which canonical one: the tables in templates/rigs (pure Python).

The canonical bones are those of VRM 1.0's humanoid (https://vrm.dev/en/univrm/humanoid/humanoid_overview).
A table names a rig's bones for them. Some rigs have several:

    hips: root                                             one bone
    spine: {share: {spine05: 0.5, spine04: 0.5}}           a chain that shares the rotation
    leftUpperArm: {twist: {upperarm01.L: 0.4, …: 0.6}}     a chain whose first bone swings, and that shares the twist
    leftToes: {together: [toe1-1.L, toe2-1.L]}             bones side by side that all rotate

Where constraints move those bones, as Rigify's deform bones, a motion is written on the rig's controls instead:

    controls:
      root: torso                       moves the whole, and turns with the hips
      bones: {hips: spine_fk, …}        the control that turns each canonical bone, in its parent's or `copies`' frame
      copies: {DEF-hand.L: hand_fk.L}   a bone that takes its place from a control, where others hang on it
      still: [hips, chest]              controls that are put to rest, for they would add to the motion
      switches: {torso: {head_follow: 1.0}}   custom properties that are set while the motion is on, and put back after
"""

from __future__ import annotations

from typing import Final

from pydantic import Field

from farm.errors import TemplateError
from farm.recipe import templates
from farm.recipe.templates import Part, nearest

__all__ = ["CANONICAL", "PARENTS", "REQUIRED", "Controls", "Many", "RigTable", "named_bones", "read_table"]

KIND: Final = "rigs"


def _limb(side: str) -> dict[str, str]:
    chains = {
        "UpperLeg": ("hips", "UpperLeg", "LowerLeg", "Foot", "Toes"),
        "Shoulder": ("upperChest", "Shoulder", "UpperArm", "LowerArm", "Hand"),
        "Thumb": ("Hand", "ThumbMetacarpal", "ThumbProximal", "ThumbDistal"),
    }
    for finger in ("Index", "Middle", "Ring", "Little"):
        chains[finger] = ("Hand", f"{finger}Proximal", f"{finger}Intermediate", f"{finger}Distal")
    parents = {}
    for root, *bones in chains.values():
        parent = root if root[0].islower() else side + root
        for bone in bones:
            parents[side + bone] = parent
            parent = side + bone
    return parents


PARENTS: Final[dict[str, str | None]] = {
    "hips": None,
    "spine": "hips",
    "chest": "spine",
    "upperChest": "chest",
    "neck": "upperChest",
    "head": "neck",
    "jaw": "head",
    "leftEye": "head",
    "rightEye": "head",
    **_limb("left"),
    **_limb("right"),
}
"""Every bone of VRM 1.0's humanoid and its parent, parents first."""

CANONICAL: Final = tuple(PARENTS)

REQUIRED: Final = (
    "hips",
    "spine",
    "head",
    *(f"{side}{part}" for side in ("left", "right")
      for part in ("UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot")),
)  # fmt: skip
"""The bones that VRM 1.0 asks of every humanoid; the others may be missing."""


class Many(Part):
    """Several bones for one canonical bone, by one of three ways."""

    share: dict[str, float] | None = None
    twist: dict[str, float] | None = None
    together: list[str] | None = None


class Controls(Part):
    """The controls of a rig whose bones are moved by constraints; the head of this file says what each part is."""

    root: str
    bones: dict[str, str]
    copies: dict[str, str] = Field(default_factory=dict)
    still: list[str] = Field(default_factory=list)
    switches: dict[str, dict[str, float]] = Field(default_factory=dict)


class RigTable(Part):
    """One file of templates/rigs.

    `builds` names the rig of the base mesh's data that the table is of, where the double can be built on it.
    """

    description: str
    builds: str | None = None
    bones: dict[str, str | Many]
    controls: Controls | None = None


def read_table(name: str) -> RigTable:
    """A table of templates/rigs by its name; TemplateError where it is missing or wrong."""
    table, place = templates.read(RigTable, KIND, name), templates.place(KIND, name)
    for bone in (*table.bones, *(table.controls.bones if table.controls else ())):
        if bone not in PARENTS:
            raise TemplateError(f"{place}: unknown canonical bone '{bone}'{nearest(bone, list(CANONICAL))}")
    return table


def named_bones(entry: str | Many) -> tuple[str, ...]:
    """The rig's bones that an entry of a table names, in its order."""
    if isinstance(entry, str):
        return (entry,)
    return tuple(entry.share or entry.twist or entry.together or ())
