"""Hairstyles, poses and stunts as an asset library, for Blender's asset browser.

Poses are actions of one frame and stunts actions of as many as they take, for a rig that the double is built on.
Hairstyles are hair curves, combed on the default double in preview detail, about the middle of its head.

Each asset is a .blend of its own, `KIND/NAME.blend`, for poses and stunts `KIND/RIG/NAME.blend`. What each is made of
is noted in `made.json` as soon as it is there: a build that was stopped goes on, and what has not changed is left.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import bpy
import numpy as np

from farm import __version__
from farm.double.body import Look, build_double
from farm.double.groom.strands import build_groom, remove_groom
from farm.errors import StorageError
from farm.motion.apply import read_rest
from farm.motion.asset_file import mark_asset, write_assets
from farm.motion.keys import make_action
from farm.motion.perform import FPS, play
from farm.motion.pose_asset import build_bare, pose_action
from farm.motion.rig import fit_rig, retarget
from farm.motion.sample import sample_pose
from farm.motion.stunt import plan_stunt
from farm.recipe import templates
from farm.recipe.parameters import Hair, Pose, Stunt
from farm.recipe.variant import content_hash

__all__ = ["NOTE", "SHELVES", "build_library"]

SHELVES: Final = {"poses": "pose", "stunts": "stunt", "hairstyles": "hairstyle"}
"""Kinds of templates that become assets, in the order in which they are made -> what one is called."""
NOTE: Final = "made.json"

Progress = Callable[[int, int], None]
Make = Callable[[str], Any]


class Wanted(NamedTuple):
    """An asset of the library."""

    shelf: str
    name: str
    file: str
    """In the library's folder."""
    picture: Path | None
    content: str
    """Digest of what it is made of."""


def build_library(
    folder: str, *, rig: str = "default", pictures: str = "", only: str = "", progress: Progress
) -> list[str]:
    """Bring a library of templates of SHELVES up to date; returns the files written.

    rig       that the double is built on
    pictures  folder with an image `KIND/NAME.png` of each template that has one; '' for none
    only      names of templates, between spaces; '' for all
    progress  is called with how many assets are there, of how many

    Assets whose template is gone go too, where all were asked for. The file that is open is lost. Raises StorageError
    where the folder cannot be written, BadInput for a rig that the double is not built on.
    """
    home = Path(folder)
    wanted = list(_wanted(rig, Path(pictures) if pictures else None, only))
    made = _read_note(home)
    if not only:
        _drop(home, made, {each.file for each in wanted}, rig)
    missing = [each for each in wanted if made.get(each.file) != each.content or not (home / each.file).is_file()]
    done = len(wanted) - len(missing)
    progress(done, len(wanted))
    for shelf, kind in SHELVES.items():
        chosen = [each for each in missing if each.shelf == shelf]
        if not chosen:
            continue
        make = MAKERS[shelf](rig)
        for each in chosen:
            block = mark_asset(
                make(each.name),
                kind,
                description=templates.description(shelf, each.name),
                picture=each.picture,
                title=each.name.replace("_", " ").title(),
            )
            write_assets([block], kind, home / each.file, library=home)
            made[each.file] = each.content
            _write_note(home, made)
            done += 1
            progress(done, len(wanted))
    return [str(home / each.file) for each in missing]


def _wanted(rig: str, pictures: Path | None, only: str) -> Sequence[Wanted]:
    rigged = hashlib.sha256(templates.path("rigs", rig).read_bytes()).hexdigest()
    found = []
    for shelf in SHELVES:
        for name in templates.names(shelf):
            if not only or name in only.split():
                picture = pictures / shelf / f"{name}.png" if pictures is not None else None
                seen = picture.read_bytes() if picture is not None and picture.is_file() else b""
                parts = [templates.path(shelf, name).read_bytes(), seen]
                content = [__version__, *(hashlib.sha256(part).hexdigest() for part in parts)]
                alike = shelf == "hairstyles"  # for every rig
                file = f"{shelf}/{name}.blend" if alike else f"{shelf}/{rig}/{name}.blend"
                found.append(Wanted(shelf, name, file, picture, content_hash(content if alike else [*content, rigged])))
    return found


def _drop(home: Path, made: dict[str, str], wanted: set[str], rig: str) -> None:
    """Remove assets of a rig, and hairstyles, that have no template any more."""
    ours = ("hairstyles", *(f"{shelf}/{rig}" for shelf in SHELVES))
    for file in [each for each in made if each.rpartition("/")[0] in ours and each not in wanted]:
        try:
            (home / file).unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"{home / file} cannot be removed: {error.strerror}") from None
        del made[file]
        _write_note(home, made)


def _read_note(home: Path) -> dict[str, str]:
    """What the assets that are there are made of; nothing where that cannot be told."""
    try:
        found = json.loads((home / NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write_note(home: Path, made: dict[str, str]) -> None:
    partial = home / f"{NOTE}.partial"
    try:
        partial.write_text(json.dumps(made, indent=1, sort_keys=True), encoding="utf-8")
        partial.replace(home / NOTE)
    except OSError as error:
        raise StorageError(f"{home / NOTE} cannot be written: {error.strerror}") from None


def _poses(rig: str) -> Make:
    """Makes poses as actions of one frame."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    rest = read_rest(build_bare(rig))
    fit = fit_rig(rig, rest)
    return lambda name: pose_action(name, retarget(sample_pose(Pose(name=name), fit.skeleton), fit, rest), fit)


def _stunts(rig: str) -> Make:
    """Makes stunts as actions, which a rig plays at the usual rate from frame 1 on."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    armature = build_bare(rig)
    rest = read_rest(armature)
    fit = fit_rig(rig, rest)

    def make(name: str) -> Any:
        stunt = Stunt(name=name, phase=0.0)
        planned = plan_stunt(stunt, fit.skeleton)
        frames = np.arange(1 + round(planned.duration * FPS))
        clip = retarget(play(planned, stunt, frames / FPS), fit, rest)
        return make_action(name, armature, clip, frames + 1, switches=fit.drive.switches, sparse=True)[0]

    return make


def _hairstyles(rig: str) -> Make:
    """Makes hairstyles as hair curves. They are the same for every `rig`."""
    del rig
    bpy.ops.wm.read_factory_settings(use_empty=True)
    collection = bpy.context.scene.collection
    double = build_double(Look(), collection)

    def make(name: str) -> Any:
        groom = build_groom(double, Hair(style=name), collection=collection, detail="preview")
        alone = _alone(groom, name)
        remove_groom(groom)
        return alone

    return make


def _alone(groom: Any, name: str) -> Any:
    """A groom's hair without the head that it grows on."""
    curves = groom.curves.data.copy()
    curves.name, curves.surface = name, None
    middle = groom.guides.scalp.posed.mean(axis=0)
    points = np.asarray(groom.points, dtype=np.float32) - middle.astype(np.float32)
    if points.size:
        curves.position_data.foreach_set("vector", points.ravel())
    return bpy.data.objects.new(name, curves)


MAKERS: Final[dict[str, Callable[[str], Make]]] = {"poses": _poses, "stunts": _stunts, "hairstyles": _hairstyles}
"""A kind of templates -> what, given a rig, makes a data-block of one by its name. What is open is lost."""
