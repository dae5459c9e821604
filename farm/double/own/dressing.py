"""A hairstyle on an artist's double, as hair curves in the opened file."""

from __future__ import annotations

from typing import Any

import bpy

from farm.double.groom.strands import Groom, build_groom
from farm.double.own.reading import OwnDouble
from farm.recipe.parameters import Hair

__all__ = ["groom_double"]


def groom_double(double: OwnDouble, hair: Hair) -> Groom:
    """Comb `hair` on the double as it is posed now; its curves follow the head's bone.

    The groom is made in metres and scaled as an object where the file's unit is another.
    """
    groom = build_groom(double, hair, collection=_collection(double))
    for thing in filter(None, (groom.scalp, groom.curves, groom.bands)):
        thing.scale = (1 / double.metres[0],) * 3
    bpy.context.view_layer.update()
    return groom


def _collection(double: OwnDouble) -> Any:
    """A collection of the file's own in the scene, beside the armature where that one is not linked."""
    collection = double.collection
    return bpy.context.scene.collection if collection.library else collection
