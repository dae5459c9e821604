"""Operators on the recipe as a file: open, save, and begin from one that ships."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import bpy
from bpy_extras.io_utils import ExportHelper, ImportHelper

from farm.errors import DigidoubleError
from farm.recipe import Recipe, load_recipe, templates

from . import document
from .ops_double import StageOperator
from .own_recipe import adopt
from .state import label, settle, state_of

__all__ = ["CLASSES"]

ENDING: Final = ".yaml"


def put(scene: Any, recipe: Recipe) -> None:
    """Make a recipe the scene's: its first variant is shown, and nothing is held."""
    state = state_of(scene)
    state.document, state.held, state.index, state.rolls = document.of_recipe(recipe), "{}", 0, 0
    settle(scene)


class DIGIDOUBLE_OT_open_recipe(StageOperator, ImportHelper, bpy.types.Operator):  # noqa: N801 - Blender's own form
    """Open a recipe in place of this one; all of it is kept, also what no panel shows"""

    bl_idname = "digidouble.open_recipe"
    bl_label = "Open Recipe"
    filename_ext = ENDING
    filter_glob: bpy.props.StringProperty(default="*.yaml;*.yml", options={"HIDDEN"})  # type: ignore[valid-type]

    def execute(self, context: Any) -> set[str]:
        """Read the file and show its first variant."""
        try:
            recipe = adopt(load_recipe(self.filepath))
        except DigidoubleError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        put(context.scene, recipe)
        return self.show(context)


class DIGIDOUBLE_OT_save_recipe(StageOperator, ExportHelper, bpy.types.Operator):  # noqa: N801
    """Save the recipe as a YAML file, the same that the command line and the farm read. Locked values are in it"""

    bl_idname = "digidouble.save_recipe"
    bl_label = "Save Recipe"
    bl_options: Final = {"REGISTER"}
    filename_ext = ENDING
    filter_glob: bpy.props.StringProperty(default="*.yaml;*.yml", options={"HIDDEN"})  # type: ignore[valid-type]

    def invoke(self, context: Any, event: Any) -> set[str]:
        """Propose the recipe's name."""
        state = state_of(context.scene)
        self.filepath = f"{document.read(state.document).name}{ENDING}"
        return ExportHelper.invoke(self, context, event)  # type: ignore[no-any-return]

    def execute(self, context: Any) -> set[str]:
        """Write what would be rendered."""
        state = state_of(context.scene)
        try:
            Path(self.filepath).write_text(document.effective(state.document, state.held).to_yaml(), encoding="utf-8")
        except OSError as error:
            self.report({"ERROR"}, f"Cannot write {self.filepath}: {error.strerror}")
            return {"CANCELLED"}
        self.report({"INFO"}, f"Saved {self.filepath}")
        return {"FINISHED"}


class DIGIDOUBLE_OT_use_recipe(StageOperator, bpy.types.Operator):  # noqa: N801
    """Begin anew with a recipe that ships with Digidouble"""

    bl_idname = "digidouble.use_recipe"
    bl_label = "Use Recipe"
    name: bpy.props.StringProperty(name="Recipe", options={"HIDDEN"})  # type: ignore[valid-type]

    def execute(self, context: Any) -> set[str]:
        """Read the template and show its first variant."""
        try:
            recipe = load_recipe(templates.path("recipes", self.name))
        except DigidoubleError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        put(context.scene, recipe)
        return self.show(context)


class DIGIDOUBLE_MT_recipes(bpy.types.Menu):  # noqa: N801
    """The recipes that ship"""

    bl_idname = "DIGIDOUBLE_MT_recipes"
    bl_label = "Recipe Templates"

    def draw(self, _: Any) -> None:
        """One line a recipe."""
        for name in templates.names("recipes"):
            self.layout.operator(DIGIDOUBLE_OT_use_recipe.bl_idname, text=label(name.replace("-", " "))).name = name


CLASSES: Final = (
    DIGIDOUBLE_OT_open_recipe,
    DIGIDOUBLE_OT_save_recipe,
    DIGIDOUBLE_OT_use_recipe,
    DIGIDOUBLE_MT_recipes,
)
