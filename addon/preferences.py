"""The add-on's preferences."""

from __future__ import annotations

from typing import Any, Final

import bpy

__all__ = ["CLASSES", "command_of"]


class DIGIDOUBLE_AP_preferences(bpy.types.AddonPreferences):  # noqa: N801 - Blender's own form
    """What holds for all files."""

    bl_idname = __package__ or "addon"
    command: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Render Command",
        description="The command 'digidouble' of an installation that can render; left empty, it is looked for",
        subtype="FILE_PATH",
    )

    def draw(self, _: Any) -> None:
        """The command."""
        self.layout.prop(self, "command")


def command_of(context: Any) -> str:
    """The command that the preferences name; '' where they name none."""
    addon = context.preferences.addons.get(DIGIDOUBLE_AP_preferences.bl_idname)
    return str(addon.preferences.command) if addon is not None and addon.preferences is not None else ""


CLASSES: Final = (DIGIDOUBLE_AP_preferences,)
