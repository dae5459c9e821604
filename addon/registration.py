"""What the add-on adds to Blender, in order, and its removal in the reverse order."""

from __future__ import annotations

from typing import Final

import bpy

from . import (
    assets,
    building,
    denoiser,
    ops_double,
    ops_farm,
    ops_jobs,
    ops_motion,
    ops_presets,
    ops_recipe,
    ops_rules,
    ops_vary,
    own,
    own_recipe,
    panel_farm,
    panel_rules,
    panels,
    preferences,
    preview,
    problems,
    properties,
    rule_dialog,
    side_by_side,
    thumbnails,
    translations,
    watch,
)

__all__ = ["CLASSES", "register", "unregister"]

CLASSES: Final = (
    *preferences.CLASSES,
    *properties.CLASSES,
    *building.CLASSES,
    *ops_double.CLASSES,
    *ops_recipe.CLASSES,
    *ops_farm.CLASSES,
    *ops_jobs.CLASSES,
    *ops_vary.CLASSES,
    *rule_dialog.CLASSES,
    *ops_rules.CLASSES,
    *ops_motion.CLASSES,
    *ops_presets.CLASSES,
    *assets.CLASSES,
    *side_by_side.CLASSES,
    *problems.CLASSES,
    *panels.CLASSES,
    *panel_rules.CLASSES,
    *panel_farm.CLASSES,
    *own.CLASSES,
    *own_recipe.CLASSES,
    *denoiser.CLASSES,
)


PARTS: Final = (ops_farm, ops_motion, ops_presets, assets, side_by_side, translations)
"""What adds to Blender more than classes."""


def register() -> None:
    """Register every class, the scene's property and the handlers."""
    thumbnails.register()
    for each in CLASSES:
        bpy.utils.register_class(each)
    bpy.types.Scene.digidouble = bpy.props.PointerProperty(type=properties.DIGIDOUBLE_PG_scene)
    preview.register()
    building.register()
    denoiser.register()
    watch.register()
    for each in PARTS:
        each.register()


def unregister() -> None:
    """Take all of it back."""
    for each in reversed(PARTS):
        each.unregister()
    watch.unregister()
    denoiser.unregister()
    building.unregister()
    preview.unregister()
    del bpy.types.Scene.digidouble
    for each in reversed(CLASSES):
        bpy.utils.unregister_class(each)
    thumbnails.unregister()
