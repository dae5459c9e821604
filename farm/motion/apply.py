"""The thin edge to Blender: a variant's motion baked into the slotted action of an armature."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from farm.errors import BadInput
from farm.motion.before import keep, made_actions, note_made, put_back, put_to_rest
from farm.motion.fit import Drive
from farm.motion.flesh import outline_points
from farm.motion.hindrance import check_bones, check_writable
from farm.motion.keys import make_action
from farm.motion.perform import FPS, perform, play
from farm.motion.rig import Fit, RigClip, RigRest, fit_rig, retarget
from farm.motion.skeleton import BONES
from farm.motion.stunt import Performance, plan_stunt
from farm.recipe import templates
from farm.recipe.parameters import NO_STUNT, Pose, Stunt

__all__ = [
    "apply_motion",
    "bake_clip",
    "clear_motion",
    "fit_armature",
    "hips_way",
    "outline_way",
    "plan_for",
    "read_rest",
    "ready",
    "show_action",
]

Frames = NDArray[np.int_]


def apply_motion(
    armature: Any, pose: Pose, stunt: Stunt, *, rig: str, frames: range, fps: float = FPS, before: int = 1
) -> Performance | None:
    """Bake a stunt, or the pose where there is none, into an armature's action.

    The double stands on z = 0, at the origin. `frames.start` shows the stunt at its `phase`; time then runs at `fps`
    frames a second. One frame more is baked at the end, for motion vectors and blur, and `before` at the beginning. A
    motion applied before is replaced; other actions are left alone. Bones that the rig's table does not name, and those
    above the hips, by which an artist may have placed the double, are left as they are.

    Returns the stunt as it is planned for the armature, which knows its props; None where the pose is held.

    Raises BadInput where there are no frames, where the armature cannot be keyed now, where it lacks a bone that the
    rig's table names, and where constraints or drivers would override the keys.
    """
    if not len(frames):
        raise BadInput(f"no frames to move '{armature.name}' in: {frames} is empty; give at least one")
    if not fps > 0.0:
        raise BadInput(f"{fps} frames a second cannot be played: give more than 0")
    rest, fit = fit_armature(armature, rig)
    baked = np.arange(frames[0] - before, frames[-1] + 2)
    times = (baked - frames[0]) / fps
    planned = None if stunt.name == NO_STUNT else plan_stunt(stunt, fit.skeleton)
    clip = perform(pose, stunt, fit.skeleton, times) if planned is None else play(planned, stunt, times)
    bake_clip(armature, retarget(clip, fit, rest), baked, drive=fit.drive, rig=rig)
    return planned


def fit_armature(armature: Any, rig: str) -> tuple[RigRest, Fit]:
    """An armature's rest pose, and the table `rig` fitted to it; BadInput where it lacks a bone or cannot be keyed."""
    check_writable(armature)
    rest = read_rest(armature)
    return rest, fit_rig(rig, rest)


def bake_clip(armature: Any, clip: RigClip, frames: Frames, *, drive: Drive, rig: str) -> None:
    """Key a clip at frames (N,) in a new action, which becomes the armature's; what was baked before is removed."""
    ready(armature, drive, rig)
    action, slot = make_action(f"{armature.name} motion", armature, clip, frames, switches=drive.switches, sparse=False)
    note_made(armature, [action])
    show_action(armature, action, slot)


def ready(armature: Any, drive: Drive, rig: str) -> None:
    """Clear an armature, keep how it stands, set its switches and put to rest what a motion turns.

    Raises BadInput, with the armature as it was but cleared, where the motion would be overridden.
    """
    place = templates.place("rigs", rig)
    clear_motion(armature)
    names = [bone.name for bone in _parents_first(armature)]
    driven = [names[bone] for bone, _ in drive.driven]
    switches = [where for where, _ in drive.switches]
    for bone, name in switches:
        if bone not in armature.pose.bones or name not in armature.pose.bones[bone]:
            raise BadInput(f"the rig's bone '{bone}' has no property '{name}', which {place} sets as a switch")
    keep(armature, dict.fromkeys([*driven, *drive.still]), switches)
    try:
        for (bone, name), value in drive.switches:
            poser = armature.pose.bones[bone]
            poser[name] = type(poser[name])(value)
        put_to_rest(armature, dict.fromkeys([*driven, *drive.still]))
        if drive.switches:
            armature.update_tag()
            bpy.context.view_layer.update()
        check_bones(armature, driven if drive.switches else (*driven, *drive.still), place)
    except BadInput:
        put_back(armature)
        raise


def show_action(armature: Any, action: Any, slot: Any) -> None:
    """Make an action the armature's, at full influence."""
    animation = armature.animation_data or armature.animation_data_create()
    animation.action = action
    animation.action_slot = slot
    animation.action_blend_type, animation.action_influence = "REPLACE", 1.0
    animation.action_extrapolation = "HOLD"


def hips_way(armature: Any, pose: Pose, stunt: Stunt, *, rig: str, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where `apply_motion` takes the hips (N, 3), at times (N,) in seconds since `frames.start`."""
    return perform(pose, stunt, fit_rig(rig, read_rest(armature)).skeleton, times).hips


def outline_way(
    armature: Any, pose: Pose, stunt: Stunt, *, rig: str, times: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far the body reaches in the T-pose (P, 3), and as `apply_motion` moves it at times (N,): (N, P, 3)."""
    skeleton = fit_rig(rig, read_rest(armature)).skeleton
    upright = np.broadcast_to(np.eye(3), (len(BONES), 3, 3))
    clip = perform(pose, stunt, skeleton, times)
    turned, places = skeleton.pose(clip.rotations, clip.hips)
    return outline_points(skeleton, upright, skeleton.joints), outline_points(skeleton, turned, places)


def plan_for(armature: Any, stunt: Stunt, *, rig: str) -> Performance:
    """The stunt as `apply_motion` plans it for an armature."""
    return plan_stunt(stunt, fit_rig(rig, read_rest(armature)).skeleton)


def clear_motion(armature: Any) -> None:
    """Remove what was baked on an armature, its tracks included, and put back what was there before."""
    actions = made_actions(armature)
    animation = armature.animation_data
    for track in list(animation.nla_tracks) if animation else ():
        made = [strip for strip in track.strips if strip.action in actions]
        for strip in made:
            track.strips.remove(strip)
        if made and not track.strips:
            animation.nla_tracks.remove(track)
    for action in actions:
        bpy.data.actions.remove(action)
    put_back(armature)


def read_rest(armature: Any) -> RigRest:
    """An armature's rest pose in world space."""
    bones = _parents_first(armature)
    names = tuple(bone.name for bone in bones)
    index = {name: place for place, name in enumerate(names)}
    parents = [index[bone.parent.name] if bone.parent else -1 for bone in bones]
    world = np.array(armature.matrix_world)
    matrices = np.array([bone.matrix_local for bone in bones]).reshape(-1, 4, 4)
    tails = np.array([bone.tail_local for bone in bones]).reshape(-1, 3)
    axes = world[:3, :3] @ matrices[:, :3, :3]
    return RigRest(
        names=names,
        parents=np.array(parents, dtype=np.int32),
        heads=matrices[:, :3, 3] @ world[:3, :3].T + world[:3, 3],
        tails=tails @ world[:3, :3].T + world[:3, 3],
        rotations=axes / np.linalg.norm(axes, axis=-2, keepdims=True),
    )


def _parents_first(armature: Any) -> list[Any]:
    ordered = [bone for bone in armature.data.bones if bone.parent is None]
    for bone in ordered:
        ordered.extend(bone.children)
    return ordered
