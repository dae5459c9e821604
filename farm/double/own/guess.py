"""What an unknown rig's bones may be, from their names and who hangs on whom (pure Python).

It proposes; a person looks it over. The words are those that rigging tools use.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import yaml

__all__ = ["guess_bones", "table_text"]

LIMBS: Final = {
    "Hand": ("wrist", "hand"),
    "LowerArm": ("lowerarm", "forearm", "lowarm", "armlower", "forearmbend", "farm", "elbow", "radius"),
    "UpperArm": ("upperarm", "uparm", "armupper", "uarm", "shldrbend", "shldr", "bicep", "humerus", "arm", "shoulder"),
    "Shoulder": ("clavicle", "collar", "collarbone", "shoulder"),
    "UpperLeg": ("upperleg", "upleg", "thigh", "thighbend", "legupper", "femur", "hip"),
    "LowerLeg": ("lowerleg", "lowleg", "calf", "shin", "shinbend", "leglower", "knee", "tibia", "leg"),
    "Foot": ("ankle", "foot"),
    "Toes": ("toes", "toebase", "toe", "ball", "foot"),
    "Eye": ("eye", "eyeball"),
}
"""Words for each part, the surest first; a bone that one part took is gone for the next."""
FINGERS: Final = {
    "Thumb": ("thumb",),
    "Index": ("index", "findex", "pointer"),
    "Middle": ("middle", "mid", "fmiddle"),
    "Ring": ("ring", "fring"),
    "Little": ("pinky", "little", "fpinky"),
}
SAID: Final = frozenset(word for words in (LIMBS, FINGERS) for choices in words.values() for word in choices)
JOINTS: Final = ("Proximal", "Intermediate", "Distal")
THUMB_JOINTS: Final = ("Metacarpal", "Proximal", "Distal")
MIDDLE: Final = {"head": ("head",), "jaw": ("jaw", "jawroot", "lowerjaw"), "hips": ("hips", "hip", "pelvis")}
SIDES: Final = {"left": ("l", "left", "lft"), "right": ("r", "right", "rt", "rgt")}
CENTRE: Final = frozenset(("c", "m", "ctr", "center", "centre"))
COMMON: Final = 0.25
"""Share of names that a word stands in when it says nothing."""
HELPERS: Final = frozenset(
    ("twist", "roll", "ik", "pole", "target", "ctrl", "control", "share", "helper", "mch", "org", "tweak", "end", "nub",
     "meta", "metacarpal")
)  # fmt: skip
"""Bones with one of these words are not the limb itself."""


def _words(name: str) -> list[str]:
    """A name's words in lower case: `Bip01_L_UpLeg2` gives bip, l, up, leg, `LUArm` and `lfemur` begin with l."""
    parts = re.sub(r"([a-z])([A-Z])|([A-Z])(?=[A-Z][a-z])|^([LR])(?=[A-Z]{2})", r"\1\3\4 \2", name)
    words = [word.casefold() for word in re.findall(r"[A-Za-z]+", parts)]
    if len(words) == 1 and words[0][0] in "lr" and words[0] not in SAID and words[0][1:] in SAID:
        return [words[0][0], words[0][1:]]
    return words


def _side(words: list[str]) -> str:
    for side, marks in SIDES.items():
        if any(mark in words for mark in marks):
            return side
    return ""


def _common(names: Sequence[str]) -> set[str]:
    """Words that stand in many names and are none of a body's: `bip`, `rig`, `def`."""
    counts: dict[str, int] = {}
    for name in names:
        for word in set(_words(name)):
            counts[word] = counts.get(word, 0) + 1
    said = (
        {mark for marks in SIDES.values() for mark in marks}
        | HELPERS
        | {"spine", "neck", "up", "upper", "low", "lower"}
    )
    said |= {word for words in (MIDDLE, LIMBS, FINGERS) for choices in words.values() for word in choices}
    return {word for word, count in counts.items() if count > COMMON * len(names) and word not in said}


def guess_bones(names: Sequence[str], parents: Sequence[int]) -> dict[str, str]:
    """A rig's bone for each canonical one that its names suggest; `parents` are indices, −1 for none."""
    noise = _common(names) | {"def"}
    told = [[word for word in _words(name) if word not in noise] for name in names]
    sides = [_side(words) for words in told]
    marks = {mark for marks in SIDES.values() for mark in marks} | CENTRE
    plain = ["".join(word for word in words if word not in marks) for words in told]
    open_ = [not HELPERS & set(words) for words in told]
    taken: dict[str, str] = {}
    used: set[int] = set()

    def take(bone: str, side: str, choices: Sequence[str]) -> None:
        for word in choices:
            for index, said in enumerate(plain):
                if said == word and sides[index] == side and open_[index] and index not in used:
                    taken[bone] = names[index]
                    used.add(index)
                    return

    for bone, choices in MIDDLE.items():
        take(bone, "", choices)
    for side in SIDES:
        for part, choices in LIMBS.items():
            take(side + part, side, choices)
        for finger, choices in FINGERS.items():
            found = [
                index
                for index, said in enumerate(plain)
                if sides[index] == side and open_[index] and said.removeprefix("hand") in choices
            ]
            found.sort(key=lambda index: (_depth(index, parents), names[index]))
            joints = THUMB_JOINTS if finger == "Thumb" else JOINTS
            taken |= {f"{side}{finger}{joint}": names[index] for joint, index in zip(joints, found, strict=False)}
    return {**taken, **_trunk(names, parents, plain, taken)}


def _depth(index: int, parents: Sequence[int]) -> int:
    depth = 0
    while parents[index] >= 0:
        index, depth = parents[index], depth + 1
    return depth


def _trunk(names: Sequence[str], parents: Sequence[int], plain: list[str], taken: dict[str, str]) -> dict[str, str]:
    """Spine, chest, upper chest and neck: the chain between hips and head, and the hips where they have no name."""
    if "head" not in taken:
        return {}
    chain: list[int] = []
    index = parents[names.index(taken["head"])]
    while index >= 0:
        chain.insert(0, index)
        index = parents[index]
    legs = [names.index(taken[bone]) for bone in ("leftUpperLeg", "rightUpperLeg") if bone in taken]
    found: dict[str, str] = {}
    if "hips" in taken and names.index(taken["hips"]) in chain:
        chain = chain[chain.index(names.index(taken["hips"])) + 1 :]
    elif "hips" not in taken:
        above = {parents[leg] for leg in legs}
        start = next((place for place, each in enumerate(chain) if each in above), 0)
        if chain:
            found["hips"] = names[chain[start]]
            chain = chain[start + 1 :]
    necks = [each for each in chain if "neck" in plain[each]] or chain[-1:] * (len(chain) > 2)
    spine = [each for each in chain if each not in necks]
    if necks:
        found["neck"] = names[necks[0]]
    if spine:
        places = {"spine": 0, "chest": len(spine) // 2, "upperChest": len(spine) - 1}
        wanted = ("spine", "chest", "upperChest")[: min(3, len(spine))]
        found |= {bone: names[spine[places[bone] if len(spine) > 2 else order]] for order, bone in enumerate(wanted)}
    return found


def table_text(description: str, bones: dict[str, str], canonical: Sequence[str]) -> str:
    """A table for templates/rigs to look over: what is missing stands in it as a comment."""
    lines = [
        "# Proposed from the bones' names: look it over, then save it in templates/rigs under a name of your own.",
        "# Several bones for one are written as in the other tables there: share, twist or together.",
        f"description: {_scalar(description)}",
        "bones:",
    ]
    for bone in canonical:
        lines.append(f"  {bone}: {_scalar(bones[bone])}" if bone in bones else f"  # {bone}:")
    return "\n".join(lines) + "\n"


def _scalar(text: str) -> str:
    return yaml.safe_dump(text, width=1000, allow_unicode=True).removesuffix("...\n").strip()
