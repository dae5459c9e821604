"""Poses in Blender's own terms (the edge to Blender): pose assets of a library, and the pose that an armature is in.

A pose asset is an action of one frame, marked as an asset; `farm.motion.asset_file` tells of libraries of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np
from bpy_extras.anim_utils import action_ensure_channelbag_for_slot

from farm.double.base_mesh import rig_bones
from farm.double.own.blend import open_blend, read_version
from farm.double.own.detect import detect_rig
from farm.double.own.reading import choose_armature
from farm.double.rig import build_armature, built_rig
from farm.double.rig_table import read_table
from farm.double.shape import shape_vertices
from farm.errors import BadInput
from farm.motion.apply import read_rest
from farm.motion.asset_file import mark_asset, write_assets
from farm.motion.canonical import read_canonical
from farm.motion.pose_file import PoseText, write_pose
from farm.motion.rig import Fit, RigClip, RigRest, fit_rig, retarget
from farm.motion.sample import sample_pose
from farm.quiet import silence
from farm.recipe import templates
from farm.recipe.parameters import Body, Pose
from farm.recipe.templates import nearest

__all__ = ["build_bare", "export_poses", "import_asset", "import_current", "pose_action", "read_pose"]

FRAME: Final = 1
BONE_PATH: Final = 'pose.bones["'


def export_poses(names: Sequence[str], rig: str, folder: Path, *, pictures: Path | None = None) -> Path:
    """Write poses as pose assets for a rig that the double is built on into an asset library; returns the .blend.

    pictures  folder with an image `NAME.png` of each pose that has one

    The catalogue is added to those that the folder has. BadInput for a rig that is not built on; TemplateError for a
    pose that is missing or wrong; StorageError where the folder cannot be written.
    """
    bpy.ops.wm.read_factory_settings(use_empty=True)
    armature = build_bare(rig)
    rest = read_rest(armature)
    fit = fit_rig(rig, rest)
    actions = []
    for name in names:
        clip = retarget(sample_pose(Pose(name=name), fit.skeleton), fit, rest)
        described = str(templates.load("poses", name)["description"])
        picture = pictures / f"{name}.png" if pictures is not None else None
        actions.append(mark_asset(pose_action(name, clip, fit), "pose", description=described, picture=picture))
    return write_assets(actions, "pose", folder / f"digidouble_poses_{rig}.blend")


def build_bare(rig: str) -> Any:
    """The armature of a rig that the double is built on, alone, as it fits the default body."""
    bones = rig_bones(built_rig(rig), shape_vertices(Body()))
    return build_armature(rig, bones, bpy.context.scene.collection)


def pose_action(name: str, clip: RigClip, fit: Fit) -> Any:
    """The first frame of a clip as an action: the bones of the rig's table, and the place of the hips' bone."""
    action = bpy.data.actions.new(name)
    slot = action.slots.new(id_type="OBJECT", name=name)
    bag = action_ensure_channelbag_for_slot(action, slot)
    keyed = [(int(index), "rotation_quaternion", clip.quaternions[0, index]) for index in fit.indices]
    for index, channel, values in [*keyed, (clip.root, "location", clip.location[0])]:
        bone = clip.names[index]
        for axis, value in enumerate(values.tolist()):
            curve = bag.fcurves.ensure(f'{BONE_PATH}{bone}"].{channel}', index=axis, group_name=bone)
            curve.keyframe_points.insert(FRAME, value)
    return action


def import_current(file: Path, *, armature: str | None) -> PoseText:
    """The pose that an armature of a .blend opens in; BadInput where the file has none or its rig is unknown."""
    open_blend(file)
    chosen = choose_armature(str(file), armature)
    return read_pose(chosen, str(file), description=f"Imported from {file.name}, armature {chosen.name}")


def import_asset(file: Path, name: str) -> PoseText:
    """A pose asset of a .blend, on the armature in it that has its bones or on the built rig that has.

    BadInput where there is no such asset, or no rig that it fits.
    """
    action, armatures = _append(file, name)
    bones = _bones_of(action)
    if not bones:
        raise BadInput(f"{file}: the action '{name}' poses no bones; name a pose asset")
    able = [thing for thing in armatures if bones <= {bone.name for bone in thing.data.bones}]
    armature = able[0] if able else build_bare(_rig_of(sorted(bones), f"{file}: asset '{name}'", built=True))
    _show(armature, action)
    return read_pose(armature, str(file), description=f"Imported from {file.name}, asset {name}")


def _append(file: Path, name: str) -> tuple[Any, list[Any]]:
    """An action asset of a file, and its armatures, in an empty scene; nothing of the file runs."""
    read_version(file)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.preferences.filepaths.use_scripts_auto_execute = False
    path = str(file.absolute())
    with silence():
        with bpy.data.libraries.load(path, assets_only=True) as (source, _):
            known = list(source.actions)
        if name in known:
            with bpy.data.libraries.load(path, link=False) as (source, wanted):
                wanted.actions = [name]
                wanted.objects = list(source.objects) if source.armatures else []
    if name not in known:
        raise BadInput(f"{file} has no pose asset '{name}'{nearest(name, known)}")
    things = [thing for thing in wanted.objects if thing is not None]
    for thing in things:
        bpy.context.scene.collection.objects.link(thing)
    return wanted.actions[0], [thing for thing in things if thing.type == "ARMATURE"]


def _bones_of(action: Any) -> set[str]:
    """The bones that an action's curves pose."""
    paths = [
        curve.data_path
        for layer in action.layers
        for strip in layer.strips
        for bag in strip.channelbags
        for curve in bag.fcurves
    ]
    return {path.removeprefix(BONE_PATH).split('"]')[0] for path in paths if path.startswith(BONE_PATH)}


def _show(armature: Any, action: Any) -> None:
    """Put an armature into an action's pose, and into nothing else."""
    for bone in armature.pose.bones:
        bone.matrix_basis.identity()
    animation = armature.animation_data or armature.animation_data_create()
    for track in animation.nla_tracks:
        track.mute = True
    animation.action = action
    animation.action_slot = action.slots[0]
    bpy.context.scene.frame_set(int(action.frame_range[0]))


def _rig_of(bones: Sequence[str], place: str, *, built: bool = False) -> str:
    """The table of templates/rigs that bones are named by, where asked for one that the double is built on."""
    matches = [match for match in detect_rig(bones) if not built or read_table(match.table).builds]
    best = matches[0]
    if best.recognised:
        return best.table
    nearest_rig = f"(nearest: {best.table}, {best.score:.2f} of 1)"
    if built:
        raise BadInput(
            f"{place}: no armature in the file has its bones, nor has a rig that the double is built on {nearest_rig}; "
            f"save its armature in the file"
        )
    raise BadInput(
        f"{place} has bones of no rig in templates/rigs {nearest_rig}; "
        f"write a table of it: digidouble double inspect FILE --table templates/rigs/NAME.yaml"
    )


def read_pose(armature: Any, source: str, *, description: str) -> PoseText:
    """The template of the pose that an armature is in; BadInput where its rig is not one of templates/rigs."""
    names = [bone.name for bone in armature.data.bones]
    table = _rig_of(names, f"{source}: '{armature.name}'")
    rest = read_rest(armature)
    fit = fit_rig(table, _as_in_table(rest, table))
    posed = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    world = np.array(posed.matrix_world)
    matrices = np.array([world @ np.array(posed.pose.bones[name].matrix) for name in rest.names])
    axes = matrices[:, :3, :3] / np.linalg.norm(matrices[:, :3, :3], axis=-2, keepdims=True)
    moved = axes @ np.swapaxes(rest.rotations, -1, -2)
    clip = read_canonical(moved[None], matrices[None, :, :3, 3], fit, leaning=True)
    hips, local = clip.hips[0], clip.rotations[0]
    return write_pose(fit.skeleton, hips, local, description=description)


def _as_in_table(rest: RigRest, table: str) -> RigRest:
    """A rig with its bones called as the table calls them: without the namespace or case that it has instead."""
    match = next(match for match in detect_rig(rest.names) if match.table == table)
    own = {real: asked for asked, real in match.renamed.items()}
    names = tuple(own.get(name, name) for name in rest.names)
    return RigRest(names, rest.parents, rest.heads, rest.tails, rest.rotations)
