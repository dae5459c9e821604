"""What the add-on adds to Blender, in order, and its removal in the reverse order."""

from __future__ import annotations

from typing import Final

import bpy

from . import ops_double, ops_recipe, panels, preview, properties

__all__ = ["CLASSES", "register", "unregister"]

CLASSES: Final = (*properties.CLASSES, *ops_double.CLASSES, *ops_recipe.CLASSES, *panels.CLASSES)


def register() -> None:
    """Register every class, the scene's property and the handlers."""
    for each in CLASSES:
        bpy.utils.register_class(each)
    bpy.types.Scene.digidouble = bpy.props.PointerProperty(type=properties.DIGIDOUBLE_PG_scene)
    preview.register()


def unregister() -> None:
    """Take all of it back."""
    preview.unregister()
    del bpy.types.Scene.digidouble
    for each in reversed(CLASSES):
        bpy.utils.unregister_class(each)
