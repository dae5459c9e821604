"""The panel that renders, and shows what is being rendered."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, Final

import bpy

from farm.errors import BadInput

from .jobs import DONE, RUNNING, STOPPED, Job, find_command
from .ops_render import jobs, seen
from .panels import SPACE, StagePanel
from .preferences import command_of
from .state import state_of, wrapped

__all__ = ["CLASSES"]


class DIGIDOUBLE_PT_render(StagePanel, bpy.types.Panel):  # noqa: N801
    """Rendering all variants"""

    bl_label = "Render"
    bl_space_type, bl_region_type, bl_category = SPACE.values()

    def draw(self, context: Any) -> None:
        """Start; and what was started."""
        layout = self.layout
        column = layout.column()
        column.use_property_split, column.use_property_decorate = True, False
        column.prop(state_of(context.scene), "output")
        if _able(command_of(context)):
            layout.operator("digidouble.render_here", icon="RENDER_ANIMATION")
        else:
            box = layout.box().column(align=True)
            box.label(text="Digidouble's render", icon="INFO")
            box.label(text="command is not found.", icon="BLANK1")
            box.operator("digidouble.set_up")
        for job in jobs().jobs:
            _draw_job(layout, job)


@functools.lru_cache(maxsize=4)
def _able(command: str) -> bool:
    """Whether a command that renders is there."""
    try:
        find_command(command)
    except BadInput:
        return False
    return True


def _draw_job(layout: Any, job: Job) -> None:
    """A job's name, progress and buttons."""
    state, done, trouble = seen(job)
    box = layout.box().column(align=True)
    row = box.row()
    row.label(text=Path(job.folder).name)
    buttons = row.row(align=True)
    if state == RUNNING:
        buttons.operator("digidouble.cancel_job", text="", icon="CANCEL").folder = job.folder
    else:
        buttons.operator("digidouble.show_sheet", text="", icon="IMAGE_DATA").folder = job.folder
        buttons.operator("digidouble.open_report", text="", icon="URL").folder = job.folder
        buttons.operator("digidouble.forget_job", text="", icon="X").folder = job.folder
    told = {RUNNING: "", DONE: "done: ", STOPPED: "stopped: "}[state]
    box.progress(factor=done / job.total, text=f"{told}{done} of {job.total} pairs")
    for line in wrapped(trouble):
        box.label(text=line)


CLASSES: Final = (DIGIDOUBLE_PT_render,)
