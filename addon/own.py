"""An artist's own double: the selected armature, what was recognised, and operators that dress and move it.

It stays in its scene. What operators add is taken back by undo; a motion also by Put Back.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, Final

import bpy

from farm.double.own.detect import Match, detect_rig
from farm.double.rig_table import read_table
from farm.errors import DigidoubleError
from farm.recipe import PARAMETERS
from farm.recipe.parameters import NO_STUNT, Hair, Pose, Stunt

from .parameters import choice_property, number_property
from .state import CONTEXT, draw_lines, label, said, settle, state_of

__all__ = ["CLASSES", "OwnOperator", "chosen", "match_of", "read_own", "table_of"]

FIRST: Final = 1
LISTED: Final = 4
"""So many lacking bones are named."""
COMBED: Final = ("style", "type", "length", "frizz", "melanin", "redness", "strands")
"""What of the hair can be set where an own double's is combed."""


def chosen(context: Any) -> Any:
    """The active object where it is an armature of the artist's, else None."""
    thing = context.object
    return thing if thing is not None and thing.type == "ARMATURE" and not state_of(context.scene).document else None


@functools.lru_cache(maxsize=16)
def _match(names: tuple[str, ...]) -> Match:
    return detect_rig(names)[0]


def match_of(armature: Any) -> Match:
    """The rig table that an armature's bones answer to best."""
    return _match(tuple(bone.name for bone in armature.data.bones))


class OwnOperator:
    """What operators on an own double share: they need the armature, and report what goes wrong."""

    bl_options: Final = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only where an armature is selected."""
        if chosen(context) is not None and context.mode == "OBJECT":
            return True
        cls.poll_message_set("Select your double's armature, in Object Mode")  # type: ignore[attr-defined]
        return False

    def execute(self, context: Any) -> set[str]:
        """Do it, or report why not; the panel says it too, until something is done."""
        state = state_of(context.scene)
        try:
            told = self.work(context, chosen(context))
        except DigidoubleError as error:
            state.problem = str(error).splitlines()[0]
            self.report({"ERROR"}, state.problem)  # type: ignore[attr-defined]
            return {"CANCELLED"}
        settle(context.scene)
        self.report({"INFO"}, told)  # type: ignore[attr-defined]
        return {"FINISHED"}

    def work(self, context: Any, armature: Any) -> str:
        """Do it; returns what was done, for the status bar."""
        raise NotImplementedError


def read_own(armature: Any) -> Any:
    """The double of an armature of this file."""
    from farm.double.own.reading import read_double

    return read_double(Path(bpy.data.filepath).name or "this file", armature=armature.name)


def table_of(armature: Any) -> str:
    """The rig table of an armature; DigidoubleError where it is of no known rig."""
    match = match_of(armature)
    if not match.recognised:
        raise DigidoubleError(f"'{armature.name}' is of no known rig: its bones cannot be posed by Digidouble")
    return match.table


class DIGIDOUBLE_OT_paint_scalp(OwnOperator, bpy.types.Operator):  # noqa: N801 - Blender's own form
    """Find where hair grows by the head's shape, and paint it as the vertex group 'scalp' for you to correct"""

    bl_idname = "digidouble.paint_scalp"
    bl_label = "Paint Scalp"

    def work(self, context: Any, armature: Any) -> str:
        """Measure the head and paint."""
        from farm.double.own.head import paint_scalp, read_head

        double = read_own(armature)
        head = read_head(double, group=False)
        count = paint_scalp(double, head)
        return f"Painted {count} vertices of '{double.head.name}', {head.area * 1e4:.0f} cm²"


class DIGIDOUBLE_OT_comb_hair(OwnOperator, bpy.types.Operator):  # noqa: N801
    """Comb a hairstyle on your double, as hair curves that follow its head"""

    bl_idname = "digidouble.comb_hair"
    bl_label = "Comb Hair"
    __annotations__ = {
        "style": choice_property(PARAMETERS["hair.style"]),
        "type": choice_property(PARAMETERS["hair.type"]),
        **{
            name: number_property(PARAMETERS[f"hair.{name}"], default=PARAMETERS[f"hair.{name}"].default)
            for name in COMBED[2:]
        },
    }

    def work(self, context: Any, armature: Any) -> str:
        """Read the double and comb."""
        from farm.double.own.dressing import groom_double

        given = {name: getattr(self, name) for name in COMBED}
        rounded = {name: round(value, 5) if isinstance(value, float) else value for name, value in given.items()}
        double = read_own(armature)
        groom = groom_double(double, Hair(**rounded))
        return f"Combed {groom.strands} strands on '{double.head.name}'"


class DIGIDOUBLE_OT_strike_pose(OwnOperator, bpy.types.Operator):  # noqa: N801
    """Put your double into a pose; Put Back undoes it at any time"""

    bl_idname = "digidouble.strike_pose"
    bl_label = "Pose"
    __annotations__ = {"pose": choice_property(PARAMETERS["pose.name"])}

    def work(self, context: Any, armature: Any) -> str:
        """Key the pose."""
        from farm.motion.apply import apply_motion

        table = table_of(armature)
        apply_motion(armature, Pose(name=self.pose), Stunt(), rig=table, frames=range(FIRST, FIRST + 1))
        context.scene.frame_set(FIRST)
        return f"'{armature.name}': {label(self.pose)}"


class DIGIDOUBLE_OT_do_stunt(OwnOperator, bpy.types.Operator):  # noqa: N801
    """Let your double do a stunt, from frame 1 on; Put Back undoes it at any time"""

    bl_idname = "digidouble.do_stunt"
    bl_label = "Stunt"
    __annotations__ = {
        "stunt": choice_property(PARAMETERS["stunt.name"], without=NO_STUNT),
        "mirror": bpy.props.BoolProperty(name="Mirror", description=PARAMETERS["stunt.mirror"].description.rstrip(".")),
    }

    def work(self, context: Any, armature: Any) -> str:
        """Key the whole stunt, at the scene's frame rate."""
        from farm.motion.apply import apply_motion, plan_for

        table = table_of(armature)
        stunt = Stunt(name=self.stunt, mirror=self.mirror, phase=0.0)
        rate = context.scene.render.fps / context.scene.render.fps_base
        frames = range(FIRST, FIRST + 1 + round(plan_for(armature, stunt, rig=table).duration * rate))
        apply_motion(armature, Pose(), stunt, rig=table, frames=frames, fps=rate)
        context.scene.frame_set(FIRST)
        return f"'{armature.name}': {label(self.stunt)}, frames {frames[0]} to {frames[-1]}"


class DIGIDOUBLE_OT_put_back(OwnOperator, bpy.types.Operator):  # noqa: N801
    """Take Digidouble's poses and stunts off this armature, and put back what was there before"""

    bl_idname = "digidouble.put_back"
    bl_label = "Put Back"

    def work(self, context: Any, armature: Any) -> str:
        """Remove what was keyed."""
        from farm.motion.apply import clear_motion

        clear_motion(armature)
        return f"'{armature.name}' is as it was"


class DIGIDOUBLE_PT_own(bpy.types.Panel):  # noqa: N801
    """Your own double"""

    bl_label = "Your Double"
    bl_translation_context = CONTEXT
    bl_space_type, bl_region_type, bl_category = "VIEW_3D", "UI", "Digidouble"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only in your own scenes."""
        return not state_of(context.scene).document

    def draw(self, context: Any) -> None:
        """What was recognised, and what can be done with it."""
        layout, armature = self.layout, chosen(context)
        if armature is None:
            column = layout.column(align=True)
            column.active = False
            column.label(text="Select your double's armature")
            column.label(text="to dress and move it.")
            return
        match = match_of(armature)
        if state_of(context.scene).problem:
            box = layout.box().column(align=True)
            box.alert = True
            draw_lines(box, state_of(context.scene).problem)
        column = layout.column(align=True)
        if match.recognised:
            column.label(text=label(match.table), icon="CHECKMARK")
            wanted = len(read_table(match.table).bones)
            column.label(text=said("{} of {} bones are known", len(match.bones), wanted), icon="BLANK1")
            for bone in match.lacking[:LISTED]:
                column.label(text=said("No bone for {}", bone), icon="ERROR")
        else:
            column.label(text="Unknown rig", icon="ERROR")
            column.label(text="It can wear hair, but not move.", icon="BLANK1")
        stage = layout.column()
        stage.enabled = match.recognised and not match.lacking
        stage.operator("digidouble.vary_own", icon="MOD_NOISE")
        row = layout.row(align=True)
        row.operator("digidouble.paint_scalp", icon="BRUSH_DATA")
        row.operator("digidouble.comb_hair", icon="OUTLINER_OB_CURVES")
        moves = layout.column(align=True)
        moves.enabled = match.recognised
        moves.operator_menu_enum("digidouble.strike_pose", "pose", icon="POSE_HLT")
        moves.operator_menu_enum("digidouble.do_stunt", "stunt", icon="ACTION")
        moves.operator("digidouble.put_back", icon="LOOP_BACK")


CLASSES: Final = (
    DIGIDOUBLE_OT_paint_scalp,
    DIGIDOUBLE_OT_comb_hair,
    DIGIDOUBLE_OT_strike_pose,
    DIGIDOUBLE_OT_do_stunt,
    DIGIDOUBLE_OT_put_back,
    DIGIDOUBLE_PT_own,
)
