"""What on an armature keeps a motion from being written, or would undo it: named before anything is changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from farm.errors import BadInput

__all__ = ["check_bones", "check_writable"]

HARMLESS: Final = frozenset(
    ("LIMIT_LOCATION", "LIMIT_ROTATION", "LIMIT_SCALE", "LIMIT_DISTANCE", "MAINTAIN_VOLUME", "COPY_SCALE")
)
"""Constraints that leave a bone where it is keyed, but for the bounds that an artist gave it."""
CHAINS: Final = ("IK", "SPLINE_IK")
CHANNELS: Final = ("location", "rotation_quaternion", "rotation_euler", "rotation_axis_angle", "scale")
NAMED: Final = 3


def check_writable(armature: Any) -> None:
    """BadInput where keys cannot be written to an armature now."""
    name = armature.name
    if armature.type != "ARMATURE":
        raise BadInput(f"'{name}' is a {armature.type.lower()}, not an armature: choose the double's armature")
    if armature.library is not None:
        raise BadInput(
            f"armature '{name}' is linked from {armature.library.filepath} and cannot be keyed: "
            f"make a library override of it, or append it"
        )
    if armature.mode == "EDIT":
        raise BadInput(f"armature '{name}' is in edit mode: leave it, then apply the motion")
    if armature.animation_data and armature.animation_data.use_tweak_mode:
        raise BadInput(f"armature '{name}' has an NLA strip in tweak mode: leave it, then apply the motion")


def check_bones(armature: Any, bones: Iterable[str], place: str) -> None:
    """BadInput where constraints or drivers would override keys on some bones; `place` names the rig's table."""
    found = list(_overrides(armature, frozenset(bones)))
    if found:
        others = f", and {len(found) - NAMED} more" if len(found) > NAMED else ""
        raise BadInput(
            f"armature '{armature.name}': keys would be overridden: {'; '.join(found[:NAMED])}{others}: "
            f"mute them, or name the rig's controls in {place}"
        )


def _overrides(armature: Any, bones: frozenset[str]) -> Iterator[str]:
    for bone in armature.pose.bones:
        for constraint in bone.constraints:
            if constraint.mute or constraint.influence == 0.0 or constraint.type in HARMLESS:
                continue
            for name in _moved(bone, constraint):
                if name in bones:
                    on = "" if name == bone.name else f" of '{bone.name}'"
                    yield f"bone '{name}' by the constraint '{constraint.name}'{on}"
        if bone.name in bones and not bone.bone.use_inherit_rotation and bone.parent:
            yield f"bone '{bone.name}' by not inheriting its parent's rotation"
    for driver in armature.animation_data.drivers if armature.animation_data else ():
        for name in bones:
            if driver.data_path.startswith(tuple(f'pose.bones["{name}"].{channel}' for channel in CHANNELS)):
                yield f"bone '{name}' by a driver of its {driver.data_path.rpartition('.')[2]}"


def _moved(bone: Any, constraint: Any) -> list[str]:
    """The bones that a constraint of `bone` moves: its own, and its parents in a chain of inverse kinematics."""
    if constraint.type not in CHAINS:
        return [bone.name]
    chain = [bone, *bone.parent_recursive]
    if constraint.type == "IK" and not constraint.use_tail:
        chain = chain[1:]
    return [link.name for link in chain[: constraint.chain_count or None]]
