"""What Rigify makes of MPFB's metarig that skinning needs: its deforming bones and what holds them (pure Python).

The base mesh's data carries the metarig `human_toes`, whose weights name the bones that *Generate Rig* makes of it.
The double is built on the metarig's own bones with these added, so that it bends as a generated rig does without its
controls: the second halves of the limbs, the lids' master bones, and the helpers at joints with their constraints.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["complete"]

HALF: Final = ".001"
HALVED: Final = ("upper_arm", "forearm", "thigh", "shin")
EYE: Final = "eye"
MASTER: Final = "DEF-eye_master"
HEAD_PARTS: Final = ("lip.T.",)
"""Chains that hang on the jaw in the metarig, and that the generated rig holds still as the jaw opens."""


def complete(metarig: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The bones of the metarig's data with those that its weights name besides; parents may come after children."""
    bones = {name: dict(bone) for name, bone in metarig.items()}
    for side in ".L", ".R":
        for limb in HALVED:
            whole = bones[limb + side]
            middle = {"strategy": "MIDDLE", "ends": [whole["head"], whole["tail"]]}
            bones[f"DEF-{limb}{side}{HALF}"] = {**whole, "parent": limb + side, "head": middle, "constraints": []}
        bones[MASTER + side] = {**bones[EYE + side], "constraints": []}
        for name in [name for name, bone in bones.items() if bone["parent"] == EYE + side]:
            bones[name]["parent"] = MASTER + side
    for name, bone in bones.items():
        if name.startswith(HEAD_PARTS) and bone["parent"] == "jaw_master":
            bone["parent"] = "face"
    return bones
