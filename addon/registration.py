"""What the add-on adds to Blender, in order, and its removal in the reverse order."""

from __future__ import annotations

from typing import Final

import bpy

from . import (
    building,
    ops_double,
    ops_recipe,
    ops_render,
    own,
    own_recipe,
    panel_render,
    panels,
    preferences,
    preview,
    properties,
    thumbnails,
)

__all__ = ["CLASSES", "register", "unregister"]

CLASSES: Final = (
    *preferences.CLASSES,
    *properties.CLASSES,
    *building.CLASSES,
    *ops_double.CLASSES,
    *ops_recipe.CLASSES,
    *ops_render.CLASSES,
    *panels.CLASSES,
    *panel_render.CLASSES,
    *own.CLASSES,
    *own_recipe.CLASSES,
)


def register() -> None:
    """Register every class, the scene's property and the handlers."""
    thumbnails.register()
    for each in CLASSES:
        bpy.utils.register_class(each)
    bpy.types.Scene.digidouble = bpy.props.PointerProperty(type=properties.DIGIDOUBLE_PG_scene)
    preview.register()
    building.register()
    ops_render.register()


def unregister() -> None:
    """Take all of it back."""
    ops_render.unregister()
    building.unregister()
    preview.unregister()
    del bpy.types.Scene.digidouble
    for each in reversed(CLASSES):
        bpy.utils.unregister_class(each)
    thumbnails.unregister()
