"""What an armature was like before a motion was put on it, kept with it so that it can be put back, also after saving.

It stands in a custom property of the armature object: text for the bones, switches and settings, and pointers to the
artist's action and to those that were made.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

import bpy

__all__ = ["keep", "made_actions", "note_made", "put_back", "put_to_rest"]

KEPT: Final = "digidouble_motion"
STATE, PREVIOUS, MADE = "state", "previous", "made"
CHANNELS: Final = ("location", "rotation_quaternion", "rotation_euler", "rotation_axis_angle", "scale")
SETTINGS: Final = ("action_blend_type", "action_influence", "action_extrapolation")


def keep(armature: Any, bones: Iterable[str], switches: Iterable[tuple[str, str]]) -> None:
    """Note an armature's action and how some bones and their properties, as (bone, property), stand."""
    poses = armature.pose.bones
    animation = armature.animation_data
    state = {
        "bones": {name: _pose(poses[name]) for name in bones},
        "switches": [[bone, name, poses[bone][name]] for bone, name in switches],
        "animated": animation is not None,
        "slot": animation.action_slot.identifier if animation and animation.action_slot else "",
        "settings": {name: getattr(animation, name) for name in SETTINGS} if animation else {},
    }
    armature[KEPT] = {STATE: json.dumps(state)}
    if animation and animation.action:
        armature[KEPT][PREVIOUS] = animation.action


def _pose(bone: Any) -> dict[str, Any]:
    return {"mode": bone.rotation_mode} | {name: list(getattr(bone, name)) for name in CHANNELS}


def note_made(armature: Any, actions: Sequence[Any]) -> None:
    """Note the actions that were made for the motion."""
    armature[KEPT][MADE] = {str(number): action for number, action in enumerate(actions)}


def made_actions(armature: Any) -> list[Any]:
    """The actions of the motion that is on an armature; those that were deleted since are left out."""
    kept = armature.get(KEPT)
    return [action for action in kept.get(MADE, {}).values() if action is not None] if kept else []


def put_to_rest(armature: Any, bones: Iterable[str]) -> None:
    """Put bones to their rest, to be turned by quaternions."""
    for name in bones:
        bone = armature.pose.bones[name]
        bone.rotation_mode = "QUATERNION"
        bone.location, bone.rotation_quaternion, bone.scale = (0, 0, 0), (1, 0, 0, 0), (1, 1, 1)


def put_back(armature: Any) -> None:
    """Put back what `keep` noted; does nothing where there is none. What was removed since is left out."""
    kept = armature.get(KEPT)
    if kept is None:
        return
    state, previous = json.loads(kept[STATE]), kept.get(PREVIOUS)
    for name, pose in state["bones"].items():
        bone = armature.pose.bones.get(name)
        if bone is not None:
            bone.rotation_mode = pose["mode"]
            for channel in CHANNELS:
                setattr(bone, channel, pose[channel])
    for name, switch, value in state["switches"]:
        if name in armature.pose.bones:
            armature.pose.bones[name][switch] = value
    _put_back_action(armature, state, previous)
    del armature[KEPT]
    armature.update_tag()


def _put_back_action(armature: Any, state: dict[str, Any], previous: Any) -> None:
    animation = armature.animation_data
    if animation is None:
        return
    if previous is not None and previous.name in bpy.data.actions:
        animation.action = previous
        animation.action_slot = next((slot for slot in previous.slots if slot.identifier == state["slot"]), None)
    for name, value in state["settings"].items():
        setattr(animation, name, value)
    empty = animation.action is None and not animation.nla_tracks and not animation.drivers
    if not state["animated"] and empty:
        armature.animation_data_clear()
