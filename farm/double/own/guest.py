"""An artist's character on a stage: appended from its packed file, and removed again with all that came with it.

It offers what the built-in double does (`farm.double.body.Double`), so that a stage need not know which one it has.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from farm.double.groom.nodes import MARK
from farm.double.own.character import ARMATURE, CHARACTER, HEAD_HAIR
from farm.double.own.head import OwnHead, read_head
from farm.double.own.reading import OwnDouble, at_rest, evaluated, meshes_around, read_double, vertices_of
from farm.errors import BadInput

__all__ = ["Guest", "invite"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Guest(OwnDouble):
    """An artist's character as it stands in a stage's scene, in metres and facing −Y.

    made  all of Blender's data that came with it, by their session's ids
    """

    made: frozenset[int] = frozenset()

    @property
    def rig(self) -> str:
        """The name of its rig in templates/rigs."""
        return self.match.table

    @property
    def body(self) -> Any:
        """The mesh of its head's skin, which often is that of the whole body."""
        return self.head

    @functools.cached_property
    def garments(self) -> tuple[Any, ...]:
        """The other meshes that hair lies on."""
        return tuple(meshes_around(self))

    @functools.cached_property
    def measured(self) -> OwnHead:
        """Its head at rest, and where hair grows on it."""
        return read_head(self)

    @functools.cached_property
    def rest_skin(self) -> Array:
        """(V, 3) places of what is seen of it, its own hair among it, at rest and upright in metres."""
        with at_rest(self.armature):
            return self._seen()

    def posed_skin(self, chosen: NDArray[np.int64]) -> Array:
        """World places (N, 3) of some of `rest_skin` now."""
        return self._seen()[chosen]

    def remove(self) -> None:
        """Remove all that came with it."""
        for scene in bpy.data.scenes:
            if scene.session_uid in self.made:  # a driver of the character's names it
                bpy.data.scenes.remove(scene)
        bpy.data.batch_remove([each for each in bpy.data.all_ids if each.session_uid in self.made])

    def _seen(self) -> Array:
        meshes = [thing for thing in (self.head, *self.others) if not thing.hide_render]
        hair = [thing for thing in self.collection.objects if thing.get(HEAD_HAIR) and thing.type == "CURVES"]
        return np.concatenate([*map(vertices_of, meshes), *map(_strands, hair)])


def invite(path: Path, collection: Any, *, keep_hair: bool) -> Guest:
    """Append the character of a packed file into `collection`, which must be linked to the scene.

    What grows on its scalp stays where `keep_hair` says so. Nothing in the file runs. BadInput where the file is none
    that Digidouble packed.
    """
    if not path.is_file():
        raise BadInput(f"the packed double {path} is not there")
    before = {each.session_uid for each in bpy.data.all_ids}
    try:
        with bpy.data.libraries.load(str(path), link=False) as (there, wanted):
            wanted.collections = [CHARACTER] if CHARACTER in there.collections else []
    except OSError as error:
        raise BadInput(f"{path} is damaged: {' '.join(str(error).split())}") from None
    if not wanted.collections:
        raise BadInput(f"{path} holds no character that Digidouble packed")
    made = [each for each in bpy.data.all_ids if each.session_uid not in before]
    for each in made:
        each.use_fake_user = False
        if MARK in each:  # its own hair's nodes are its own, whatever Blender's are by now
            del each[MARK]
    packed = wanted.collections[0]
    armature = packed[ARMATURE]
    for thing in list(packed.objects):
        collection.objects.link(thing)
    bpy.data.collections.remove(packed)
    if not keep_hair:
        _shave(list(collection.objects))
    for library in [each for each in bpy.data.libraries if each.session_uid not in before and not each.users_id]:
        bpy.data.libraries.remove(library)
    while left := [each for each in bpy.data.all_ids if each.session_uid not in before and each.users == 0]:
        bpy.data.batch_remove(left)
    bpy.context.view_layer.update()
    double = read_double(path.name, armature=armature.name)
    found = {field.name: getattr(double, field.name) for field in fields(OwnDouble)}
    ids = frozenset(each.session_uid for each in bpy.data.all_ids) - before
    guest = Guest(**{**found, "collection": collection}, made=ids)
    _ = guest.measured, guest.rest_skin
    return guest


def _shave(things: list[Any]) -> None:
    """Take the hair off a character's scalp."""
    for thing in things:
        mark = thing.get(HEAD_HAIR)
        if mark is None:
            continue
        if thing.type == "CURVES":
            bpy.data.objects.remove(thing)
            continue
        for name in mark:
            thing.modifiers.remove(thing.modifiers[name])


def _strands(thing: Any) -> Array:
    """World places (N, 3) of the points of a hair object now."""
    curves, matrix = evaluated(thing)
    flat = np.empty(len(curves.points) * 3, dtype=np.float32)
    if len(flat):
        curves.position_data.foreach_get("vector", flat)
    points: Array = flat.reshape(-1, 3).astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
    return points
