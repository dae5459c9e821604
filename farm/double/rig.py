"""The double's armature: one of the base mesh's rigs, fitted to a shaped body, and the skinning of meshes to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix

from farm.double.alone import alone
from farm.double.base_mesh import Bone, rig_weights
from farm.double.rig_table import named_bones, read_table
from farm.errors import BadInput
from farm.recipe import templates

__all__ = ["bone_for", "bone_of", "build_armature", "built_rig", "follow_bone", "place_bones", "skin_mixed"]
__all__ += ["skin_to_rig"]

MODIFIER: Final = "Armature"


def build_armature(name: str, bones: list[Bone], collection: Any) -> Any:
    """An armature object in `collection` (which must be in the scene), in its rest pose, with one bone per `Bone`.

    Edit mode is Blender's only way to place bones; the active object is put back afterwards.
    """
    data = bpy.data.armatures.new(name)
    armature = bpy.data.objects.new(name, data)
    collection.objects.link(armature)
    place_bones(armature, bones)
    for pose_bone in armature.pose.bones:
        pose_bone.rotation_mode = "QUATERNION"
    for bone in bones:
        _hold(armature, bone)
    return armature


def place_bones(armature: Any, bones: list[Bone]) -> None:
    """Put the bones of an armature where `bones` say, which names them all; one without bones gets them."""
    if armature.data.bones:
        with alone(armature), _edited(armature) as placed:
            named = {bone.name: bone for bone in bones}
            ordered = [named[bone.name] for bone in placed]
            placed.foreach_set("head", np.concatenate([bone.head for bone in ordered]))
            placed.foreach_set("tail", np.concatenate([bone.tail for bone in ordered]))
            placed.foreach_set("roll", np.array([bone.roll for bone in ordered]))
        return
    with _edited(armature) as placed:
        for bone in bones:
            edit = placed.new(bone.name)
            edit.head, edit.tail, edit.roll = bone.head, bone.tail, bone.roll
            edit.parent = placed[bone.parent] if bone.parent else None


@contextmanager
def _edited(armature: Any) -> Iterator[Any]:
    """The edit bones of an armature of the scene, meanwhile in edit mode; the active object is put back afterwards."""
    layer = bpy.context.view_layer
    active = layer.objects.active
    layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    try:
        yield armature.data.edit_bones
    finally:
        bpy.ops.object.mode_set(mode="OBJECT")
        layer.objects.active = active


def _hold(armature: Any, bone: Bone) -> None:
    """Add the constraints by which other bones move this one."""
    constraints = armature.pose.bones[bone.name].constraints
    if bone.held:
        held = constraints.new("ARMATURE")
        held.use_deform_preserve_volume = True
        for name, share in bone.held.items():
            target = held.targets.new()
            target.target, target.subtarget, target.weight = armature, name, share
    if bone.copied:
        copied = constraints.new("COPY_TRANSFORMS")
        copied.target, copied.subtarget, copied.influence = armature, *bone.copied
        copied.target_space, copied.owner_space = "LOCAL_OWNER_ORIENT", "LOCAL"


def built_rig(rig: str) -> str:
    """The rig of the base mesh's data that the table `rig` of templates/rigs is of."""
    built = read_table(rig).builds
    if built is None:
        raise BadInput(f"the double is not built on the rig '{rig}': {templates.place('rigs', rig)} has no 'builds'")
    return built


def bone_for(rig: str, canonical: str) -> str:
    """The rig's bone that ends the chain of a canonical bone, as `head`, by the table in templates/rigs."""
    bones = read_table(rig).bones
    if canonical not in bones:
        raise BadInput(f"{templates.place('rigs', rig)} gives no bone for {canonical}")
    return named_bones(bones[canonical])[-1]


def skin_to_rig(mesh: Any, armature: Any, *, rig: str, sources: NDArray[np.int32]) -> None:
    """Weight a mesh object to an armature as the base mesh is: its vertex i moves like base vertex `sources[i]`."""
    followers: dict[int, list[int]] = {}
    for follower, source in enumerate(sources.tolist()):
        followers.setdefault(source, []).append(follower)
    for bone, (vertices, weights) in rig_weights(built_rig(rig)).items():
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


def skin_mixed(mesh: Any, armature: Any, *, rig: str, mix: csr_matrix) -> None:
    """Weight a mesh object to an armature: its vertex i moves as the mean of base vertices that row i of `mix` says."""
    table = rig_weights(built_rig(rig))
    columns = np.concatenate([np.full(len(vertices), at) for at, (vertices, _) in enumerate(table.values())])
    rows = np.concatenate([vertices for vertices, _ in table.values()])
    values = np.concatenate([weights for _, weights in table.values()])
    mixed = (mix @ coo_matrix((values, (rows, columns)), shape=(mix.shape[1], len(table))).tocsr()).tocsc()
    for at, bone in enumerate(table):
        span = slice(mixed.indptr[at], mixed.indptr[at + 1])
        chosen, weights = mixed.indices[span], mixed.data[span]
        if not len(chosen):
            continue
        group = mesh.vertex_groups.new(name=bone)
        for vertex, weight in zip(chosen.tolist(), weights.tolist(), strict=True):
            group.add([vertex], weight, "REPLACE")
    modifier = mesh.modifiers.new(MODIFIER, "ARMATURE")
    modifier.object = armature
    mesh.parent = armature


def bone_of(rig: str, vertex: int) -> str:
    """The bone that moves a base vertex most."""
    table = rig_weights(built_rig(rig))
    shares = {bone: float(weights[vertices == vertex].sum()) for bone, (vertices, weights) in table.items()}
    return max(shares, key=lambda bone: shares[bone])


def follow_bone(thing: Any, armature: Any, bone: str) -> None:
    """Parent an object rigidly to a bone, keeping it where it is with the armature at rest."""
    rest = armature.data.bones[bone]
    thing.parent, thing.parent_type, thing.parent_bone = armature, "BONE", bone
    tail = armature.matrix_world @ rest.matrix_local @ Matrix.Translation((0.0, rest.length, 0.0))
    thing.matrix_parent_inverse = tail.inverted()
