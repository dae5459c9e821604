"""Motion capture from a file as a stunt of the artist's own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import bpy
from bpy_extras.io_utils import ImportHelper

from farm.places import TEMPLATES
from farm.recipe.distributions import Fixed

from . import document, parameters
from .apart import ApartOperator, Progress
from .ops_double import StageOperator
from .state import change, refuse, state_of

__all__ = ["CLASSES", "draw_import", "register", "unregister"]

ENDINGS: Final = "*.bvh;*.fbx;*.glb;*.gltf"
_given: dict[str, str] = {}


class DIGIDOUBLE_OT_import_motion(ApartOperator, StageOperator, ImportHelper, bpy.types.Operator):  # noqa: N801 - Blender's own form
    """Import motion capture (BVH, FBX, glTF) as a stunt of your own; unit, axes and bones are found by themselves"""

    bl_idname = "digidouble.import_motion"
    bl_label = "Import Motion"
    bl_options: Final = {"REGISTER"}
    filename_ext = ".bvh"
    filter_glob: bpy.props.StringProperty(default=ENDINGS, options={"HIDDEN"})  # type: ignore[valid-type]
    start: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="From", description="Begin at this time of the file", min=0, unit="TIME_ABSOLUTE"
    )
    until: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Until", description="End at this time of the file; 0 is its end", min=0, unit="TIME_ABSOLUTE"
    )
    speed: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Speed", description="Times as fast as it was performed", default=1, min=0.1, max=10
    )
    mirror: bpy.props.BoolProperty(name="Mirror", description="Swap left and right")  # type: ignore[valid-type]
    loop: bpy.props.BoolProperty(  # type: ignore[valid-type]
        name="Loop", description="Blend the ends, so that the last frame leads into the first"
    )
    clean: bpy.props.BoolProperty(  # type: ignore[valid-type]
        name="Hold Feet", description="Keep planted feet from sliding", default=True
    )

    def draw(self, _: Any) -> None:
        """How it is imported, beside the files."""
        layout = self.layout
        layout.use_property_split, layout.use_property_decorate = True, False
        span = layout.column(align=True)
        span.prop(self, "start")
        span.prop(self, "until")
        for name in ("speed", "mirror", "loop", "clean"):
            layout.prop(self, name)

    def execute(self, context: Any) -> set[str]:
        """Read the file in a Blender of its own."""
        wanted = {name: getattr(self, name) for name in ("start", "speed", "mirror", "loop", "clean")}
        wanted["until"] = self.until or None
        return self.begin(context, "farm.motion.mocap.importing:import_own", {"path": self.filepath, "changes": wanted})

    def finished(self, context: Any, result: Any) -> set[str]:
        """Do the new stunt in all variants."""
        parameters.forget_names()
        self.report({"INFO"}, f"Imported as the stunt '{result}'")
        if not state_of(context.scene).document:  # another scene is looked at meanwhile
            return {"FINISHED"}
        change(context.scene, lambda text: document.write_setting(text, "stunt.name", Fixed(result)))
        done = self.show(context)
        bpy.ops.ed.undo_push(message=self.bl_label)
        return done

    def failed(self, context: Any, trouble: str) -> None:
        """Say it in the panel, where the file's name will do."""
        refuse(context.scene, trouble.replace(self.filepath, Path(self.filepath).name), "stunt")


def draw_import(layout: Any) -> None:
    """The button, or how far the import is."""
    if not Progress.draw(layout, DIGIDOUBLE_OT_import_motion.bl_idname):
        layout.operator(DIGIDOUBLE_OT_import_motion.bl_idname, icon="IMPORT")


def register() -> None:
    """Let the artist's own templates be where extensions may write; renders started from here look there too."""
    if TEMPLATES not in os.environ and (__package__ or "").startswith("bl_ext."):
        _given[TEMPLATES] = bpy.utils.extension_path_user(__package__, path="templates")
        os.environ.update(_given)


def unregister() -> None:
    """Take that back."""
    for name in _given:
        os.environ.pop(name, None)
    _given.clear()


CLASSES: Final = (DIGIDOUBLE_OT_import_motion,)
