"""The thin edge to Blender: a variant's motion baked into the slotted action of an armature."""

from __future__ import annotations

from typing import Any, Final

import bpy
import numpy as np
from bpy_extras.anim_utils import action_ensure_channelbag_for_slot
from numpy.typing import NDArray

from farm.motion.perform import FPS, perform
from farm.motion.rig import RigClip, RigRest, fit_rig, retarget
from farm.recipe.parameters import Pose, Stunt

__all__ = ["apply_motion", "bake_clip", "clear_motion", "hips_way", "read_rest"]

MARK: Final = "digidouble_motion"
QUATERNION_AT_REST: Final = (1.0, 0.0, 0.0, 0.0)


def apply_motion(
    armature: Any, pose: Pose, stunt: Stunt, *, rig: str, frames: range, fps: float = FPS, before: int = 1
) -> None:
    """Bake a stunt, or the pose where there is none, into an armature's action.

    The double stands on z = 0, at the origin. `frames.start` shows the stunt at its `phase`; time then runs at `fps`
    frames a second. One frame more is baked at the end, for motion vectors and blur, and `before` at the beginning. A
    motion applied before is replaced; other actions are left alone. Raises BadInput where the armature lacks a bone
    that the rig's table names.
    """
    rest = read_rest(armature)
    fit = fit_rig(rig, rest)
    baked = np.arange(frames[0] - before, frames[-1] + 2)
    clip = perform(pose, stunt, fit.skeleton, (baked - frames[0]) / fps)
    clear_motion(armature)
    bake_clip(armature, retarget(clip, fit, rest), baked)


def hips_way(armature: Any, pose: Pose, stunt: Stunt, *, rig: str, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where `apply_motion` takes the hips (N, 3), at times (N,) in seconds since `frames.start`."""
    return perform(pose, stunt, fit_rig(rig, read_rest(armature)).skeleton, times).hips


def clear_motion(armature: Any) -> None:
    """Remove what `apply_motion` baked, and put every bone back to rest."""
    animation = armature.animation_data
    if animation and animation.action and animation.action.get(MARK):
        bpy.data.actions.remove(animation.action)
    for bone in armature.pose.bones:
        bone.rotation_mode = "QUATERNION"
        bone.location, bone.rotation_quaternion, bone.scale = (0, 0, 0), QUATERNION_AT_REST, (1, 1, 1)


def read_rest(armature: Any) -> RigRest:
    """An armature's rest pose in world space."""
    bones = _parents_first(armature)
    names = tuple(bone.name for bone in bones)
    parents = [names.index(bone.parent.name) if bone.parent else -1 for bone in bones]
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


def bake_clip(armature: Any, clip: RigClip, frames: NDArray[np.int_]) -> None:
    """Key a clip at frames (N,) in a new slotted action, which becomes the armature's."""
    action = bpy.data.actions.new(f"{armature.name} motion")
    action[MARK] = True
    slot = action.slots.new(id_type="OBJECT", name=armature.name)
    bag = action_ensure_channelbag_for_slot(action, slot)
    scale = float(np.linalg.norm(np.array(armature.matrix_world)[:3, 0]))
    for index, name in enumerate(clip.names):
        path = armature.pose.bones[name].path_from_id("rotation_quaternion")
        _write(bag, path, name, frames, clip.quaternions[:, index])
    root = clip.names[clip.root]
    _write(bag, armature.pose.bones[root].path_from_id("location"), root, frames, clip.location / scale)
    animation = armature.animation_data or armature.animation_data_create()
    animation.action = action
    animation.action_slot = slot


def _write(bag: Any, path: str, group: str, frames: NDArray[np.int_], values: NDArray[np.float64]) -> None:
    """Key values (N, C) of a property's channels, linear between frames."""
    linear = bpy.types.Keyframe.bl_rna.properties["interpolation"].enum_items["LINEAR"].value
    for channel in range(values.shape[1]):
        curve = bag.fcurves.ensure(path, index=channel, group_name=group)
        points = curve.keyframe_points
        points.add(len(frames))
        points.foreach_set("co", np.column_stack([frames, values[:, channel]]).astype(np.float32).ravel())
        points.foreach_set("interpolation", np.full(len(frames), linear, dtype=np.int32))
        curve.update()
