"""Presets of the capture and of the stage: Blender's own, which a preset button in a panel's header lists.

A preset keeps a part of the recipe whole, distributions included. Those that ship are in `presets/` beside this file;
what an artist adds lies where Blender keeps presets.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import bpy
from bl_operators.presets import AddPresetBase
from bl_ui.utils import PresetPanel

from .state import settle

__all__ = ["CLASSES", "register", "unregister"]

FOLDER: Final = str(Path(__file__).parent)
DEFINES: Final = ["stage = bpy.context.scene.digidouble"]


class _PresetPanel(PresetPanel):
    """The list of presets, which applies the chosen one."""

    bl_space_type, bl_region_type = "VIEW_3D", "HEADER"
    preset_operator = "digidouble.apply_preset"


class DIGIDOUBLE_PT_capture_presets(_PresetPanel, bpy.types.Panel):  # noqa: N801 - Blender's own form
    """What is captured, as kept"""

    bl_label = "Capture Presets"
    preset_subdir = "digidouble_capture"
    preset_add_operator = "digidouble.add_capture_preset"


class DIGIDOUBLE_PT_stage_presets(_PresetPanel, bpy.types.Panel):  # noqa: N801
    """Light and camera, as kept"""

    bl_label = "Stage Presets"
    preset_subdir = "digidouble_stage"
    preset_add_operator = "digidouble.add_stage_preset"


class DIGIDOUBLE_OT_apply_preset(bpy.types.Operator):  # noqa: N801
    """Take over this preset"""

    bl_idname = "digidouble.apply_preset"
    bl_label = "Apply Preset"
    bl_options: Final = {"REGISTER", "UNDO"}
    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})  # type: ignore[valid-type]
    menu_idname: bpy.props.StringProperty(name="Menu", options={"SKIP_SAVE"})  # type: ignore[valid-type]

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only where the scene has a double."""
        return bool(context.scene.digidouble.document)

    def execute(self, context: Any) -> set[str]:
        """Let Blender run it; what cannot be is refused, and said in the panel."""
        if not self.filepath.endswith(".py") or not Path(self.filepath).is_file():
            self.report({"ERROR"}, f"'{self.filepath}' is no preset")
            return {"CANCELLED"}
        state = context.scene.digidouble
        settle(context.scene)
        bpy.utils.execfile(self.filepath)
        if state.problem:
            self.report({"ERROR"}, state.problem)
            return {"CANCELLED"}
        return {"FINISHED"}


class DIGIDOUBLE_OT_add_capture_preset(AddPresetBase, bpy.types.Operator):  # noqa: N801
    """Keep what is captured now as a preset, or remove the chosen one"""

    bl_idname = "digidouble.add_capture_preset"
    bl_label = "Add Capture Preset"
    preset_menu = "DIGIDOUBLE_PT_capture_presets"
    preset_subdir = "digidouble_capture"
    preset_defines: Final = DEFINES
    preset_values: Final = ["stage.capture_preset"]


class DIGIDOUBLE_OT_add_stage_preset(AddPresetBase, bpy.types.Operator):  # noqa: N801
    """Keep light and camera as they are now as a preset, or remove the chosen one"""

    bl_idname = "digidouble.add_stage_preset"
    bl_label = "Add Stage Preset"
    preset_menu = "DIGIDOUBLE_PT_stage_presets"
    preset_subdir = "digidouble_stage"
    preset_defines: Final = DEFINES
    preset_values: Final = ["stage.stage_preset"]


def register() -> None:
    """Let Blender find the presets that ship."""
    bpy.utils.register_preset_path(FOLDER)


def unregister() -> None:
    """Let it find them no more."""
    bpy.utils.unregister_preset_path(FOLDER)


CLASSES: Final = (
    DIGIDOUBLE_PT_capture_presets,
    DIGIDOUBLE_PT_stage_presets,
    DIGIDOUBLE_OT_apply_preset,
    DIGIDOUBLE_OT_add_capture_preset,
    DIGIDOUBLE_OT_add_stage_preset,
)
