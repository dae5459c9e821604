"""Operators of rendering: start, cancel, forget; look at the report and the contact sheet."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, Final

import bpy

from farm.errors import DigidoubleError

from . import document
from .jobs import RUNNING, STOPPED, Job, JobList
from .ops_double import StageOperator
from .preferences import command_of
from .state import state_of

__all__ = ["CLASSES", "jobs", "register", "unregister"]

EVERY: Final = 1.0
"""Seconds between two looks at jobs that run."""
_seen: dict[str, tuple[str, int, str]] = {}


def home() -> Path:
    """Where the add-on keeps its own files."""
    return Path(bpy.utils.extension_path_user(__package__, path="jobs"))


@functools.cache
def jobs() -> JobList:
    """The list of jobs."""
    return JobList(home())


def seen(job: Job) -> tuple[str, int, str]:
    """A job's state, pairs done and trouble, as they were at the last look."""
    if job.folder not in _seen:
        state = jobs().state(job)
        _seen[job.folder] = (state, job.done(), job.trouble() if state == STOPPED else "")
    return _seen[job.folder]


def look() -> float | None:
    """Look at all jobs; again soon, while one is running."""
    before = dict(_seen)
    _seen.clear()
    for job in jobs().jobs:
        seen(job)
    if _seen != before:
        for window in bpy.context.window_manager.windows:
            for area in window.screen.areas:
                if area.type == "VIEW_3D":
                    area.tag_redraw()
    return EVERY if any(state == RUNNING for state, *_ in _seen.values()) else None


def watch() -> None:
    """Look at the jobs as long as one is running."""
    if not bpy.app.background and not bpy.app.timers.is_registered(look):
        bpy.app.timers.register(look, first_interval=EVERY, persistent=True)


class DIGIDOUBLE_OT_render_here(StageOperator, bpy.types.Operator):  # noqa: N801 - Blender's own form
    """Render all variants on this machine, in the background; Blender may be closed meanwhile"""

    bl_idname = "digidouble.render_here"
    bl_label = "Render Here"
    bl_options: Final = {"REGISTER"}

    def execute(self, context: Any) -> set[str]:
        """Start a process that renders what the panels say."""
        state = state_of(context.scene)
        base = Path(bpy.path.abspath(state.output)) if state.output else home().parent / "datasets"
        try:
            recipe = document.effective(state.document, state.held)
            job = jobs().start(recipe, base, command_of(context))
        except DigidoubleError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        _seen.pop(job.folder, None)
        watch()
        self.report({"INFO"}, f"Rendering {job.total} pairs into {job.folder}")
        return {"FINISHED"}


class _JobOperator:
    """What operators on a job share: which one it is, by its folder."""

    bl_options: Final = {"REGISTER"}
    folder: bpy.props.StringProperty(options={"HIDDEN"})  # type: ignore[valid-type]

    def execute(self, context: Any) -> set[str]:
        """Find the job and do it."""
        job = next((each for each in jobs().jobs if each.folder == self.folder), None)
        if job is None:
            self.report({"ERROR"}, f"No job renders into '{self.folder}'")  # type: ignore[attr-defined]
            return {"CANCELLED"}
        trouble = self.work(context, job)
        _seen.pop(job.folder, None)
        if trouble:
            self.report({"ERROR"}, trouble)  # type: ignore[attr-defined]
            return {"CANCELLED"}
        return {"FINISHED"}

    def work(self, context: Any, job: Job) -> str:
        """Do it; returns what went wrong, '' where nothing did."""
        raise NotImplementedError


class DIGIDOUBLE_OT_cancel_job(_JobOperator, bpy.types.Operator):  # noqa: N801
    """Stop this render; finished pairs stay, and rendering the same recipe again goes on from there"""

    bl_idname = "digidouble.cancel_job"
    bl_label = "Cancel"

    def work(self, context: Any, job: Job) -> str:
        """End its process."""
        jobs().cancel(job)
        watch()
        return ""


class DIGIDOUBLE_OT_forget_job(_JobOperator, bpy.types.Operator):  # noqa: N801
    """Take this render off the list; its files stay"""

    bl_idname = "digidouble.forget_job"
    bl_label = "Remove From List"

    def work(self, context: Any, job: Job) -> str:
        """Forget it, unless it is running."""
        if jobs().state(job) == RUNNING:
            return "Cancel it first"
        jobs().forget(job)
        return ""


class DIGIDOUBLE_OT_open_report(_JobOperator, bpy.types.Operator):  # noqa: N801
    """Open this render's report in the browser"""

    bl_idname = "digidouble.open_report"
    bl_label = "Open Report"

    def work(self, context: Any, job: Job) -> str:
        """Let the browser open the file."""
        if not job.report.is_file():
            return "The report is written when the render ends"
        bpy.ops.wm.url_open(url=job.report.as_uri())
        return ""


class DIGIDOUBLE_OT_show_sheet(_JobOperator, bpy.types.Operator):  # noqa: N801
    """Show this render's pictures in an image editor"""

    bl_idname = "digidouble.show_sheet"
    bl_label = "Show Pictures"

    def work(self, context: Any, job: Job) -> str:
        """Load the contact sheet, and show it in an image editor; a new window has one where none is open."""
        if not job.sheet.is_file():
            return "The pictures are laid out when the render ends"
        image = bpy.data.images.load(str(job.sheet), check_existing=True)
        image.reload()
        area = next((each for each in context.screen.areas if each.type == "IMAGE_EDITOR"), None)
        if area is None and not bpy.app.background:
            bpy.ops.wm.window_new()
            area = context.window_manager.windows[-1].screen.areas[0]
            area.type = "IMAGE_EDITOR"
        if area is not None:
            area.spaces.active.image = image
        return ""


class DIGIDOUBLE_OT_set_up(bpy.types.Operator):  # noqa: N801
    """Open the preferences, to choose the command that renders"""

    bl_idname = "digidouble.set_up"
    bl_label = "Choose Command"

    def execute(self, _: Any) -> set[str]:
        """Show the add-on's preferences."""
        bpy.ops.preferences.addon_show(module=__package__)
        return {"FINISHED"}


def register() -> None:
    """Nothing is read before it is needed."""
    _seen.clear()


def unregister() -> None:
    """Look at jobs no more; they go on."""
    if bpy.app.timers.is_registered(look):
        bpy.app.timers.unregister(look)
    jobs.cache_clear()


CLASSES: Final = (
    DIGIDOUBLE_OT_render_here,
    DIGIDOUBLE_OT_cancel_job,
    DIGIDOUBLE_OT_forget_job,
    DIGIDOUBLE_OT_open_report,
    DIGIDOUBLE_OT_show_sheet,
    DIGIDOUBLE_OT_set_up,
)
