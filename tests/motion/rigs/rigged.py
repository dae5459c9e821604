"""Armatures of every kind on one body, in Blender: the double's own, Rigify's, and others by their bones' names."""

from __future__ import annotations

import contextlib
import io

import bpy
import numpy as np

from farm.double.base_mesh import Bone, rig_bones
from farm.double.rig import build_armature
from farm.double.rig_table import PARENTS, named_bones, read_table
from farm.double.shape import shape_vertices
from farm.motion.apply import read_rest
from farm.motion.rig import fit_rig
from farm.motion.skeleton import INDEX
from farm.recipe.parameters import Body

BUILT = {"default": "default", "rigify": "human_toes", "mixamo": "mixamo", "game_engine": "game_engine",
         "cmu_mb": "cmu_mb"}  # fmt: skip
"""The tables of rigs that the double is built on, and their names in the base mesh's data."""
NAMED = ("character_creator", "cmu_max", "smplx", "unreal", "vrm", "vroid")
"""Tables of rigs that are known by their names only."""
RIGS = (*BUILT, *NAMED, "rigify_metarig", "rigify_generated")
COMPARED = ("head", *(side + part for side in ("left", "right") for part in ("Hand", "LowerArm", "LowerLeg", "Foot")))
TIP = 0.03


def built(table, body):
    """An armature that the double is built on."""
    return build_armature(table, rig_bones(BUILT[table], shape_vertices(body)), bpy.context.scene.collection)


def named(table, body):
    """An armature with a table's names: the default rig's joints, and bones between for chains of several."""
    joints, tails = default_joints(body)
    bones, made = [], {}
    for bone, entry in read_table(table).bones.items():
        names = named_bones(entry)
        steps = np.linspace(joints[bone], tails[bone], len(names) + 1)
        parent = PARENTS[bone]
        while parent is not None and parent not in made:
            parent = PARENTS[parent]
        above = made[parent] if parent else ""
        for number, name in enumerate(names):
            bones.append(Bone(name, above, steps[number], steps[number + 1], 0.1 * len(bones)))
            above = name
        made[bone] = above
    return build_armature(table, bones, bpy.context.scene.collection)


def default_joints(body):
    """Where the canonical bones begin and end on the default rig at rest, by name."""
    bones = {bone.name: bone for bone in rig_bones("default", shape_vertices(body))}
    entries = {bone: named_bones(entry) for bone, entry in read_table("default").bones.items()}
    joints = {bone: bones[names[0]].head for bone, names in entries.items()}
    joints["hips"] = 0.5 * (joints["leftUpperLeg"] + joints["rightUpperLeg"]) + [0, 0, 0.03]
    tails = {bone: bones[names[-1]].tail for bone, names in entries.items()}
    tails["hips"] = joints["spine"]
    return joints, tails


def metarig(body):
    """Rigify's human metarig with its joints moved to the body's."""
    enable_rigify()
    bpy.ops.object.armature_human_metarig_add()
    armature = bpy.context.object
    joints, tails = default_joints(body)
    bones = {bone: named_bones(entry) for bone, entry in read_table("rigify_metarig").bones.items()}
    bpy.ops.object.mode_set(mode="EDIT")
    edit = armature.data.edit_bones
    whole = joints["head"][2] / edit["spine.006"].head.z
    for bone in edit:
        bone.head, bone.tail = bone.head * whole, bone.tail * whole
    for bone, names in bones.items():
        if bone.endswith("Eye") or bone == "jaw":
            continue
        steps = np.linspace(joints[bone], tails[bone], len(names) + 1)
        for number, name in enumerate(names):
            edit[name].head, edit[name].tail = steps[number], steps[number + 1]
    for side in "LR":
        edit[f"shin.{side}"].tail = edit[f"foot.{side}"].head
        edit[f"foot.{side}"].tail = edit[f"toe.{side}"].head
    bpy.ops.object.mode_set(mode="OBJECT")
    return armature


def generated(body):
    """The rig that Rigify generates from `metarig`."""
    meta = metarig(body)
    bpy.context.view_layer.objects.active = meta
    with contextlib.redirect_stdout(io.StringIO()):
        bpy.ops.pose.rigify_generate()
    return bpy.context.object


def enable_rigify():
    """Enable Rigify, but not its handler of files read: that outlives the add-on, and then fails at every file."""
    import addon_utils

    handlers = bpy.app.handlers.load_post
    others = list(handlers)
    with contextlib.redirect_stdout(io.StringIO()):
        addon_utils.enable("rigify", default_set=True)
    handlers[:] = others


def armature_of(table, body):
    """An armature for a table of templates/rigs, on a body."""
    if table in BUILT:
        return built(table, body)
    if table == "rigify_metarig":
        return metarig(body)
    if table == "rigify_generated":
        return generated(body)
    return named(table, body)


def evaluated_joints(armature, fit):
    """The canonical joints (B, 3) on the evaluated armature."""
    posed = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    joints = np.zeros((len(INDEX), 3))
    for link in fit.links:
        joints[INDEX[link.bone]] += link.weight * np.array(posed.matrix_world @ posed.pose.bones[link.name].head)
    return joints


def fitted(armature, table):
    """The table fitted to the armature."""
    return fit_rig(table, read_rest(armature))


def new_scene():
    """An empty scene."""
    bpy.ops.wm.read_factory_settings(use_empty=True)


BODY = Body()
