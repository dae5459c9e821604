"""The panel Farm: where to render, what it comes to, and what is being rendered."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, Final

import bpy

from farm.cluster.estimate import spell_time
from farm.errors import BadInput

from . import threads
from .estimates import tell_estimate
from .farm_here import find_command
from .farm_there import Cluster, needs_token
from .jobs import DONE, FAILED, RUNNING, STOPPED, WAITING, Job
from .panels import SPACE, StagePanel
from .preferences import OFFLINE, chosen_cluster, command_of, online, preferences_of, wrong_address
from .state import draw_lines, said, state_of, wrapped
from .watch import SUBMIT, jobs, refused, tested

__all__ = ["CLASSES"]

SHOWN: Final = 8
"""Jobs that are listed; older ones are counted."""
WORDS: Final = {
    RUNNING: "{} of {} pairs",
    DONE: "Done: {} of {} pairs",
    STOPPED: "Stopped: {} of {} pairs",
    FAILED: "Failed: {} of {} pairs",
}
CAUSES: Final = {
    "scene": "wrong",
    "crash": "crashed",
    "memory": "out of memory",
    "hang": "hung",
    "lost": "lost",
    "store": "not stored",
}
"""Why pairs were given up, in a word."""


class DIGIDOUBLE_PT_farm(StagePanel, bpy.types.Panel):  # noqa: N801
    """Rendering all variants, on this machine or on a cluster"""

    bl_label = "Farm"
    bl_space_type, bl_region_type, bl_category = SPACE.values()

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Where the scene has a double, or something was rendered."""
        return bool(state_of(context.scene).document) or bool(jobs().jobs)

    def draw(self, context: Any) -> None:
        """Where, how much, start; and what was started."""
        if state_of(context.scene).document:
            self._draw_start(context)
        listed = jobs().jobs
        for job in listed[:SHOWN]:
            _draw_job(self.layout, job)
        if len(listed) > SHOWN:
            self.layout.label(text=said("and {} older ones", len(listed) - SHOWN))

    def _draw_start(self, context: Any) -> None:
        layout, cluster = self.layout, chosen_cluster(context)
        preferences = preferences_of(context)
        if preferences is not None:
            row = layout.row(align=True)
            row.prop(preferences, "where", text="")
            row.operator("digidouble.set_up", text="", icon="PREFERENCES")
        able = _draw_here(layout, context) if cluster is None else _draw_cluster(layout, cluster)
        told = layout.column(align=True)
        told.active = False
        for line in tell_estimate(context.scene, "" if cluster is None else cluster.name):
            told.label(text=line, translate=False)
        row = layout.row(align=True)
        row.scale_y = 1.3
        if threads.busy(SUBMIT):
            row.progress(factor=0.0, type="BAR", text=f"{threads.said(SUBMIT)} …")
            row.operator("digidouble.cancel_submission", text="", icon="X")
        else:
            row.enabled = able
            row.operator("digidouble.submit", icon="RENDER_ANIMATION")
        for problem in refused:
            _draw_problem(layout, problem, cluster)


def _draw_here(layout: Any, context: Any) -> bool:
    """Where datasets go on this machine; whether it can render."""
    column = layout.column()
    column.use_property_split, column.use_property_decorate = True, False
    column.prop(state_of(context.scene), "output")
    if _able(command_of(context)):
        return True
    box = layout.box().column(align=True)
    box.label(text="Digidouble's render", icon="INFO")
    box.label(text="command is not found.", icon="BLANK1")
    box.operator("digidouble.set_up", text="Choose Command")
    return False


@functools.lru_cache(maxsize=4)
def _able(command: str) -> bool:
    """Whether a command that renders is there."""
    try:
        find_command(command)
    except BadInput:
        return False
    return True


def _draw_cluster(layout: Any, cluster: Cluster) -> bool:
    """Where a cluster is and how it answered; whether it may be submitted to."""
    problem = wrong_address(cluster.profile.url)
    if not problem and not cluster.profile.out:
        problem = "Fill in Datasets in the preferences: where the cluster puts them"
    if problem:
        box = _draw_told(layout, problem, icon="ERROR")
        box.operator("digidouble.set_up")
        return False
    row = layout.row(align=True)
    busy = threads.busy(("test", cluster.name))
    row.operator("digidouble.test_cluster", text="Asking …" if busy else "Test Connection", icon="LINKED")
    row.operator("digidouble.enter_token", text="", icon="KEYINGSET")
    if not online(cluster.profile.url):
        _draw_problem(layout, OFFLINE, cluster)
        return False
    if cluster.name in tested:
        well, told = tested[cluster.name]
        if well:
            _draw_told(layout, told, icon="CHECKMARK")
        else:
            _draw_problem(layout, told, cluster)
    return True


def _draw_problem(layout: Any, problem: str, cluster: Cluster | None) -> None:
    """What is wrong, and what mends it."""
    box = _draw_told(layout, problem, icon="ERROR")
    if problem == OFFLINE:
        box.operator("digidouble.allow_online", text="Allow Online Access")
    elif cluster is not None and needs_token(problem):
        box.operator("digidouble.enter_token", text="Enter Token")
    elif "preferences" in problem:
        box.operator("digidouble.set_up")


def _draw_told(layout: Any, text: str, *, icon: str) -> Any:
    box = layout.box().column(align=True)
    told = box.column(align=True)
    told.alert = icon == "ERROR"
    draw_lines(told, text, icon=icon)
    return box


def _draw_job(layout: Any, job: Job) -> None:
    """A job's name, place, progress and buttons."""
    box = layout.box().column(align=True)
    row = box.row()
    row.label(text=_title(job), icon="NETWORK_DRIVE" if job.cluster else "DESKTOP")
    place = row.row()
    place.alignment, place.active = "RIGHT", False
    place.label(text=job.cluster or "here")
    box.progress(factor=job.done / max(1, job.total), text=_tell_progress(job))
    if job.failures:
        draw_lines(box, _tell_failures(job.failures))
    for line in wrapped(threads.said(("fetch", job.key)) or job.trouble):
        box.label(text=line)
    _draw_buttons(box, job)


def _title(job: Job) -> str:
    """A job's name; here its folder's, which tells two of one recipe apart."""
    return job.name if job.cluster else Path(job.folder).name


def _tell_progress(job: Job) -> str:
    if job.state == WAITING:
        return said("Waiting for the cluster")
    told = said(WORDS[job.state], f"{job.done:,}", f"{job.total:,}")
    return told if job.left is None else f"{told}, {said('{} left', spell_time(job.left))}"


def _tell_failures(failures: dict[str, int]) -> str:
    return said(
        "Given up: {}", ", ".join(f"{count} {said(CAUSES.get(each, each))}" for each, count in failures.items())
    )


def _draw_buttons(box: Any, job: Job) -> None:
    row = box.row(align=True)
    if job.active:
        row.operator("digidouble.cancel_job", icon="CANCEL").job = job.key
    else:
        row.operator("digidouble.show_sheet", icon="IMAGE_DATA").job = job.key
    row.operator("digidouble.open_report", text="", icon="URL").job = job.key
    row.operator("digidouble.show_log", text="", icon="TEXT").job = job.key
    if job.cluster:
        row.operator("digidouble.fetch_job", text="", icon="IMPORT").job = job.key
    row.operator("digidouble.forget_job", text="", icon="X").job = job.key


CLASSES: Final = (DIGIDOUBLE_PT_farm,)
