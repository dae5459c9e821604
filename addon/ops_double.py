"""Operators of the double and its variants: new, remove, next, previous, dice, seed, choices, rehearsal."""

from __future__ import annotations

from typing import Any, Final

import bpy

from farm.errors import DigidoubleError
from farm.recipe import PARAMETERS
from farm.recipe.distributions import Choose, Fixed
from farm.recipe.parameters import SEED_MAX
from farm.recipe.settings import known_names
from farm.recipe.variant import stream

from . import document, preview
from .state import change, label, shown_variant, state_of

__all__ = ["CLASSES", "StageOperator"]


class StageOperator:
    """What operators on the scene's double share: they need one, and show what they changed."""

    bl_options: Final = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only where the scene has a double."""
        if state_of(context.scene).document:
            return True
        cls.poll_message_set("This scene has no double; make one first")  # type: ignore[attr-defined]
        return False

    def show(self, context: Any) -> set[str]:
        """Show the variant that the document now says; what goes wrong is reported."""
        try:
            preview.show(context.scene)
        except DigidoubleError as error:
            self.report({"ERROR"}, str(error).splitlines()[0])  # type: ignore[attr-defined]
            return {"CANCELLED"}
        return {"FINISHED"}


class DIGIDOUBLE_OT_new_double(StageOperator, bpy.types.Operator):  # noqa: N801 - Blender's own form
    """Make a double in a scene of its own; your own scene stays as it is"""

    bl_idname = "digidouble.new_double"
    bl_label = "New Double"
    identity: bpy.props.IntProperty(  # type: ignore[valid-type]
        name="Seed", description="Equal seeds, equal variants", min=0, max=SEED_MAX
    )

    @classmethod
    def poll(cls, context: Any) -> bool:
        """One double a file."""
        if preview.stage_scene() is None and context.window is not None:
            return True
        cls.poll_message_set("This file has a double already; look at it with Show Double")
        return False

    def execute(self, context: Any) -> set[str]:
        """Make the scene, look at it, and build the first variant."""
        scene = preview.make_scene()
        context.window.scene = scene
        change(scene, lambda text: document.write(text, ("seed",), self.identity))
        look_through_camera(context)
        return self.show(context)


class DIGIDOUBLE_OT_show_double(bpy.types.Operator):  # noqa: N801
    """Look at the scene with the double"""

    bl_idname = "digidouble.show_double"
    bl_label = "Show Double"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only from another scene."""
        scene = preview.stage_scene()
        return scene is not None and context.window is not None and context.scene != scene

    def execute(self, context: Any) -> set[str]:
        """Change the window's scene."""
        context.window.scene = preview.stage_scene()
        look_through_camera(context)
        return {"FINISHED"}


class DIGIDOUBLE_OT_remove_double(StageOperator, bpy.types.Operator):  # noqa: N801
    """Remove the double with its scene and recipe, and go back to your own scene"""

    bl_idname = "digidouble.remove_double"
    bl_label = "Remove Double"

    def execute(self, context: Any) -> set[str]:
        """Remove all that was made."""
        preview.remove(context.scene)
        return {"FINISHED"}


class DIGIDOUBLE_OT_step_variant(StageOperator, bpy.types.Operator):  # noqa: N801
    """Show another variant of the recipe; after the last comes the first"""

    bl_idname = "digidouble.step_variant"
    bl_label = "Next Variant"
    by: bpy.props.IntProperty(name="By", description="How many variants to go on; negative goes back", default=1)  # type: ignore[valid-type]

    @classmethod
    def description(cls, _: Any, properties: Any) -> str:
        """Which way it goes."""
        return "Show the next variant" if properties.by > 0 else "Show the previous variant"

    def execute(self, context: Any) -> set[str]:
        """Go on and show it."""
        state = state_of(context.scene)
        state.index = (state.index + self.by) % document.read(state.document).count
        return self.show(context)


class DIGIDOUBLE_OT_new_seed(StageOperator, bpy.types.Operator):  # noqa: N801
    """Draw all variants anew, with another seed; what is locked stays"""

    bl_idname = "digidouble.new_seed"
    bl_label = "New Seed"

    def execute(self, context: Any) -> set[str]:
        """Take the seed that follows from the one before, so that undo and redo agree."""
        seed = document.read(state_of(context.scene).document).seed
        another = int(stream(seed, "new seed").integers(SEED_MAX))
        change(context.scene, lambda text: document.write(text, ("seed",), another))
        return self.show(context)


class DIGIDOUBLE_OT_roll_axis(StageOperator, bpy.types.Operator):  # noqa: N801
    """Roll the dice for this part alone, and lock what comes; all else stays"""

    bl_idname = "digidouble.roll_axis"
    bl_label = "Roll the Dice"
    axis: bpy.props.StringProperty(name="Part", options={"HIDDEN"})  # type: ignore[valid-type]

    def execute(self, context: Any) -> set[str]:
        """Hold the axis as the recipe draws it for a number beyond its variants, its rules minding this one."""
        state = state_of(context.scene)
        number = document.read(state.document).count + state.rolls
        try:
            kept = document.roll(state.document, state.held, state.index, self.axis, number)
        except DigidoubleError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        state.rolls += 1
        state.held = kept
        return self.show(context)


class DIGIDOUBLE_PG_choice(bpy.types.PropertyGroup):  # noqa: N801
    """One name of a list, chosen or not. `name` is the template's."""

    used: bpy.props.BoolProperty(name="Used", description="May be drawn")  # type: ignore[valid-type]
    weight: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="How Often", description="Its share of the draws, against the others'; 0 leaves it as it is",
        min=0, max=1000, soft_max=10, precision=1,
    )  # fmt: skip


class DIGIDOUBLE_OT_choose(StageOperator, bpy.types.Operator):  # noqa: N801
    """Choose which of them may be drawn"""

    bl_idname = "digidouble.choose"
    bl_label = "Choose"
    path: bpy.props.StringProperty(options={"HIDDEN"})  # type: ignore[valid-type]
    choices: bpy.props.CollectionProperty(type=DIGIDOUBLE_PG_choice, options={"HIDDEN"})  # type: ignore[valid-type]
    weighted: bpy.props.BoolProperty(  # type: ignore[valid-type]
        name="Some More Often", description="Say for each how often it is drawn, against the others"
    )

    def invoke(self, context: Any, _: Any) -> set[str]:
        """List the names, those that may be drawn already being chosen."""
        chosen = document.choices(document.setting(state_of(context.scene).document, self.path))
        self.choices.clear()
        for name in known_names(PARAMETERS[self.path]):
            item = self.choices.add()
            item.name, item.used, item.weight = name, name in chosen, chosen.get(name, 1.0)
        self.weighted = len(set(chosen.values())) > 1
        title = f"{label(PARAMETERS[self.path].name)}: which may be drawn?"
        return context.window_manager.invoke_props_dialog(self, width=420, title=title)  # type: ignore[no-any-return]

    def draw(self, _: Any) -> None:
        """A grid of buttons."""
        grid = self.layout.grid_flow(row_major=True, columns=3, even_columns=True, align=True)
        for item in self.choices:
            grid.prop(item, "used", text=label(item.name), toggle=True, translate=False)
        self.layout.prop(self, "weighted")
        if self.weighted:
            column = self.layout.column(align=True)
            for item in self.choices:
                if item.used:
                    column.prop(item, "weight", text=label(item.name), translate=False)

    def execute(self, context: Any) -> set[str]:
        """Write the choice; weights of what was chosen before are kept."""
        weights = document.choices(document.setting(state_of(context.scene).document, self.path))
        names = [item.name for item in self.choices if item.used]
        if not names:
            self.report({"ERROR"}, "Choose at least one")
            return {"CANCELLED"}
        weights |= {item.name: round(item.weight, 3) for item in self.choices if item.weight}
        made = Choose(tuple((name, weights.get(name, 1.0)) for name in names)) if len(names) > 1 else Fixed(names[0])
        change(context.scene, lambda text: document.write_setting(text, self.path, made))
        return self.show(context)


class DIGIDOUBLE_OT_rehearse(StageOperator, bpy.types.Operator):  # noqa: N801
    """Play the whole stunt in the timeline; press again, or Esc, to stop"""

    bl_idname = "digidouble.rehearse"
    bl_label = "Play Stunt"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only where a stunt is done."""
        if super().poll(context) and shown_variant(context.scene).stunt.name != "none":
            return True
        cls.poll_message_set("Choose a stunt first")
        return False

    def execute(self, context: Any) -> set[str]:
        """Put the whole stunt on the stage, and start or stop playing."""
        playing = context.screen is not None and context.screen.is_animation_playing
        try:
            if playing:
                bpy.ops.screen.animation_cancel(restore_frame=False)
                preview.show(context.scene)
            else:
                preview.rehearse(context.scene)
        except DigidoubleError as error:
            self.report({"ERROR"}, str(error).splitlines()[0])
            return {"CANCELLED"}
        return {"FINISHED"}


def look_through_camera(context: Any) -> None:
    """Let the window's 3D views look through the scene's camera, without the outlines of lamps."""
    for area in context.window.screen.areas:
        if area.type == "VIEW_3D":
            area.spaces.active.region_3d.view_perspective = "CAMERA"
            area.spaces.active.overlay.show_extras = False


CLASSES: Final = (
    DIGIDOUBLE_PG_choice,
    DIGIDOUBLE_OT_new_double,
    DIGIDOUBLE_OT_show_double,
    DIGIDOUBLE_OT_remove_double,
    DIGIDOUBLE_OT_step_variant,
    DIGIDOUBLE_OT_new_seed,
    DIGIDOUBLE_OT_roll_axis,
    DIGIDOUBLE_OT_choose,
    DIGIDOUBLE_OT_rehearse,
)
