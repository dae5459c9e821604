"""Hairstyles, poses and stunts as an asset library, for Blender's asset browser.

Poses are actions of one frame and stunts actions of as many as they take, for a rig that the double is built on.
Hairstyles are hair curves, combed on the default double in preview detail, about the middle of its head.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np

from farm.double.body import Look, build_double
from farm.double.groom.strands import build_groom, remove_groom
from farm.motion.apply import read_rest
from farm.motion.asset_file import mark_asset, write_assets
from farm.motion.keys import make_action
from farm.motion.perform import FPS, play
from farm.motion.pose_asset import build_bare, export_poses
from farm.motion.rig import fit_rig, retarget
from farm.motion.stunt import plan_stunt
from farm.recipe import templates
from farm.recipe.parameters import Hair, Stunt

__all__ = ["build_library", "export_hairstyles", "export_stunts"]

SHELVES: Final = ("poses", "stunts", "hairstyles")
"""Kinds of templates that become assets, in the order in which they are made."""

Progress = Callable[[int, int], None]


def build_library(
    folder: str, *, rig: str = "default", pictures: str = "", only: str = "", progress: Progress
) -> list[str]:
    """Write a library of all templates of SHELVES, or those called `only`, into a folder; returns its .blend files.

    rig       that the double is built on
    pictures  folder with an image `KIND/NAME.png` of each template that has one; '' for none
    progress  is called with how many assets are made, of how many

    The file that is open is lost. Raises StorageError where the folder cannot be written, BadInput for a rig that the
    double is not built on.
    """
    names = {kind: [name for name in templates.names(kind) if only in ("", name)] for kind in SHELVES}
    total = sum(map(len, names.values()))
    shown = {kind: Path(pictures) / kind if pictures else None for kind in SHELVES}
    home = Path(folder)
    progress(0, total)
    done = len(names["poses"])
    written = [export_poses(names["poses"], rig, home, pictures=shown["poses"])] if done else []
    for kind, export in (("stunts", export_stunts), ("hairstyles", export_hairstyles)):
        if names[kind]:
            told = functools.partial(_tell, progress, done, total)
            written.append(export(names[kind], rig, home, pictures=shown[kind], progress=told))
        done += len(names[kind])
    progress(total, total)
    return [str(file) for file in written]


def _tell(progress: Progress, before: int, total: int, made: int) -> None:
    progress(before + made, total)


def export_stunts(
    names: list[str], rig: str, folder: Path, *, pictures: Path | None, progress: Callable[[int], None]
) -> Path:
    """Write stunts as actions, which a rig plays at the usual rate from frame 1 on; `progress` is told how many."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    armature = build_bare(rig)
    rest = read_rest(armature)
    fit = fit_rig(rig, rest)
    actions = []
    for number, name in enumerate(names):
        progress(number)
        stunt = Stunt(name=name, phase=0.0)
        planned = plan_stunt(stunt, fit.skeleton)
        frames = np.arange(1 + round(planned.duration * FPS))
        clip = retarget(play(planned, stunt, frames / FPS), fit, rest)
        action, _ = make_action(name, armature, clip, frames + 1, switches=fit.drive.switches, sparse=True)
        actions.append(_marked(action, "stunt", "stunts", name, pictures))
    return write_assets(actions, "stunt", folder / f"digidouble_stunts_{rig}.blend")


def export_hairstyles(
    names: list[str], rig: str, folder: Path, *, pictures: Path | None, progress: Callable[[int], None]
) -> Path:
    """Write hairstyles as hair curves; `progress` is told how many. They are the same for every `rig`."""
    del rig
    bpy.ops.wm.read_factory_settings(use_empty=True)
    collection = bpy.context.scene.collection
    double = build_double(Look(), collection)
    combed = []
    for number, name in enumerate(names):
        progress(number)
        groom = build_groom(double, Hair(style=name), collection=collection, detail="preview")
        combed.append(_marked(_alone(groom, name), "hairstyle", "hairstyles", name, pictures))
        remove_groom(groom)
    return write_assets(combed, "hairstyle", folder / "digidouble_hairstyles.blend")


def _alone(groom: Any, name: str) -> Any:
    """A groom's hair without the head that it grows on."""
    curves = groom.curves.data.copy()
    curves.name, curves.surface = name, None
    middle = groom.guides.scalp.posed.mean(axis=0)
    points = np.asarray(groom.points, dtype=np.float32) - middle.astype(np.float32)
    if points.size:
        curves.position_data.foreach_set("vector", points.ravel())
    return bpy.data.objects.new(name, curves)


def _marked(block: Any, kind: str, shelf: str, name: str, pictures: Path | None) -> Any:
    picture = pictures / f"{name}.png" if pictures is not None else None
    return mark_asset(block, kind, description=templates.description(shelf, name), picture=picture)
