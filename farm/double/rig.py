"""The double's armature: one of the base mesh's rigs, fitted to a shaped body, and the skinning of meshes to it."""

from __future__ import annotations

from typing import Any, Final

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from farm.double.base_mesh import Bone, rig_weights

__all__ = ["bone_of", "build_armature", "follow_bone", "skin_to_rig"]

MODIFIER: Final = "Armature"


def build_armature(name: str, bones: list[Bone], collection: Any) -> Any:
    """An armature object in `collection` (which must be in the scene), in its rest pose, with one bone per `Bone`.

    Edit mode is Blender's only way to place bones; the active object is put back afterwards.
    """
    data = bpy.data.armatures.new(name)
    armature = bpy.data.objects.new(name, data)
    collection.objects.link(armature)
    active = bpy.context.view_layer.objects.active
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    for bone in bones:
        edit = data.edit_bones.new(bone.name)
        edit.head, edit.tail, edit.roll = bone.head, bone.tail, bone.roll
        edit.parent = data.edit_bones[bone.parent] if bone.parent else None
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.context.view_layer.objects.active = active
    for pose_bone in armature.pose.bones:
        pose_bone.rotation_mode = "QUATERNION"
    return armature


def skin_to_rig(mesh: Any, armature: Any, *, rig: str, sources: NDArray[np.int32]) -> None:
    """Weight a mesh object to an armature as the base mesh is: its vertex i moves like base vertex `sources[i]`."""
    followers: dict[int, list[int]] = {}
    for follower, source in enumerate(sources.tolist()):
        followers.setdefault(source, []).append(follower)
    for bone, (vertices, weights) in rig_weights(rig).items():
        rows = [
            (vertex, weight)
            for vertex, weight in zip(vertices.tolist(), weights.tolist(), strict=True)
            if vertex in followers
        ]
        if not rows:
            continue
        group = mesh.vertex_groups.new(name=bone)
        for vertex, weight in rows:
            group.add(followers[vertex], weight, "REPLACE")
    modifier = mesh.modifiers.new(MODIFIER, "ARMATURE")
    modifier.object = armature
    mesh.parent = armature


def bone_of(rig: str, vertex: int) -> str:
    """The bone that moves a base vertex most."""
    shares = {bone: float(weights[vertices == vertex].sum()) for bone, (vertices, weights) in rig_weights(rig).items()}
    return max(shares, key=lambda bone: shares[bone])


def follow_bone(thing: Any, armature: Any, bone: str) -> None:
    """Parent an object rigidly to a bone, keeping it where it is with the armature at rest."""
    rest = armature.data.bones[bone]
    thing.parent, thing.parent_type, thing.parent_bone = armature, "BONE", bone
    tail = armature.matrix_world @ rest.matrix_local @ Matrix.Translation((0.0, rest.length, 0.0))
    thing.matrix_parent_inverse = tail.inverted()
