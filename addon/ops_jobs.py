"""Operators on the renders of the list: cancel, forget; report, pictures, log, fetch."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import bpy

from farm.errors import BadInput, DigidoubleError

from . import farm_here, farm_there, threads, watch
from .jobs import Job
from .preferences import command_of, require_online
from .stores import require_store_online
from .watch import jobs
from .windows import open_editor

__all__ = ["CLASSES"]


class _JobOperator:
    """What operators on a job share: which one it is, by its key."""

    bl_options: Final = {"REGISTER"}
    job: bpy.props.StringProperty(options={"HIDDEN"})  # type: ignore[valid-type]

    def execute(self, context: Any) -> set[str]:
        """Find the job and do it."""
        found = jobs().find(self.job)
        if found is None:
            self.report({"ERROR"}, f"The list has no job '{self.job}'")  # type: ignore[attr-defined]
            return {"CANCELLED"}
        try:
            if found.cluster and self.asks:
                require_online(found.address)
            self.work(context, found)
        except DigidoubleError as error:
            self.report({"ERROR"}, str(error))  # type: ignore[attr-defined]
            return {"CANCELLED"}
        return {"FINISHED"}

    asks = False
    """Whether it speaks with the job's cluster."""

    def work(self, context: Any, job: Job) -> None:
        """Do it; a DigidoubleError is reported."""
        raise NotImplementedError


def _beside(name: str, job: Job, work: Callable[[threads.Say], Any], then: Callable[[Any], None]) -> None:
    """Do work of a job in a thread; what goes wrong is told at the job."""
    key = job.key
    jobs().update(key, trouble="")
    threads.start(
        (name, key), work, then, lambda message: jobs().update(key, trouble=farm_there.in_panels(message))
    )  # fmt: skip


class DIGIDOUBLE_OT_cancel_job(_JobOperator, bpy.types.Operator):  # noqa: N801
    """Stop this render; finished pairs stay, and submitting the same recipe again goes on from there"""

    bl_idname = "digidouble.cancel_job"
    bl_label = "Cancel"
    asks = True

    def work(self, context: Any, job: Job) -> None:
        """End its process, or ask the cluster to."""
        if not job.cluster:
            farm_here.cancel(job)
            watch.watch()
            return
        cluster = watch.cluster_of_job(context, job)
        _beside("cancel", job, lambda _: farm_there.cancel(cluster, job), lambda _: watch.watch())


class DIGIDOUBLE_OT_forget_job(_JobOperator, bpy.types.Operator):  # noqa: N801
    """Take this render off the list; its files stay"""

    bl_idname = "digidouble.forget_job"
    bl_label = "Remove From List"

    def work(self, _: Any, job: Job) -> None:
        """Forget it, unless it is running here."""
        if not job.cluster and farm_here.alive(job):
            raise BadInput("Cancel it first")
        jobs().forget(job.key)


class DIGIDOUBLE_OT_open_report(_JobOperator, bpy.types.Operator):  # noqa: N801
    """Open this render's report in the browser"""

    bl_idname = "digidouble.open_report"
    bl_label = "Open Report"

    def work(self, context: Any, job: Job) -> None:
        """Let the browser open the file; it is fetched first, where it is elsewhere."""
        _with_file(context, job, lambda now: now.report, "The report is written when the render ends", _browse)


class DIGIDOUBLE_OT_show_sheet(_JobOperator, bpy.types.Operator):  # noqa: N801
    """Show this render's pictures in an image editor"""

    bl_idname = "digidouble.show_sheet"
    bl_label = "Show Pictures"

    def work(self, context: Any, job: Job) -> None:
        """Show the contact sheet; it is fetched first, where it is elsewhere."""
        _with_file(context, job, lambda now: now.sheet, "The pictures are laid out when the render ends", _show_image)


def _with_file(
    context: Any, job: Job, find: Callable[[Job], Path | None], missing: str, show: Callable[[Path], None]
) -> None:
    """Show a file of a job's dataset, fetched first where it is not here."""
    file = find(job)
    if file is not None:
        show(file)
        return
    if not job.cluster or job.active:
        raise BadInput(missing)
    _require_access(job)
    to = watch.home() / "previews" / re.sub(r"[^\w.-]", "_", job.id)

    def show_fetched(_: Any) -> None:
        jobs().update(job.key, copy=str(to))
        now = jobs().find(job.key)
        fetched = None if now is None else find(now)
        if fetched is not None:
            show(fetched)

    command = command_of(context)
    _beside(
        "fetch",
        job,
        lambda say: farm_there.fetch(job.folder, to, command, whole=False, progress=lambda *_: say("")),
        show_fetched,
    )


def _require_access(job: Job) -> None:
    """BadInput where Blender may not speak to the store that a cluster's job writes to, or to the cluster."""
    if "://" in job.folder:
        require_online(job.address)
        require_store_online(job.folder)


def _browse(file: Path) -> None:
    bpy.ops.wm.url_open(url=file.as_uri())


def _show_image(file: Path) -> None:
    image = bpy.data.images.load(str(file), check_existing=True)
    image.reload()
    area = open_editor("IMAGE_EDITOR")
    if area is not None:
        area.spaces.active.image = image


class DIGIDOUBLE_OT_show_log(_JobOperator, bpy.types.Operator):  # noqa: N801
    """Show what this render has said, in a text editor"""

    bl_idname = "digidouble.show_log"
    bl_label = "Show Log"
    asks = True

    def work(self, context: Any, job: Job) -> None:
        """Read it in a thread."""

        def show(text: str) -> None:
            name = f"Log of {job.name}"
            shown = bpy.data.texts.get(name) or bpy.data.texts.new(name)
            shown.use_fake_user = False
            shown.from_string(text)
            area = open_editor("TEXT_EDITOR")
            if area is not None:
                area.spaces.active.text = shown

        if job.cluster:
            cluster = watch.cluster_of_job(context, job)
            _beside("log", job, lambda _: farm_there.log(cluster, job), show)
        else:
            _beside("log", job, lambda _: farm_here.log(job), show)


class DIGIDOUBLE_OT_fetch_job(_JobOperator, bpy.types.Operator):  # noqa: N801
    """Copy this render's dataset from the cluster into a folder; done again, it goes on where it stopped"""

    bl_idname = "digidouble.fetch_job"
    bl_label = "Fetch"
    directory: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Folder", description="A new or empty folder, or one that holds an earlier copy", subtype="DIR_PATH"
    )
    what: bpy.props.EnumProperty(  # type: ignore[valid-type]
        name="What",
        items=(
            ("PREVIEWS", "Pictures and Report", "The contact sheet and the report alone"),
            ("DATASET", "Whole Dataset", "Every image, compared with what its record says"),
        ),
        default="DATASET",
    )

    def invoke(self, context: Any, _: Any) -> set[str]:
        """Propose a folder beside the local datasets."""
        job = jobs().find(self.job)
        if job is not None:
            self.directory = job.copy or str(watch.datasets(context.scene) / Path(job.folder).name)
        return context.window_manager.invoke_props_dialog(self, width=420)  # type: ignore[no-any-return]

    def draw(self, _: Any) -> None:
        """What, and where to."""
        column = self.layout.column()
        column.use_property_split, column.use_property_decorate = True, False
        column.prop(self, "what", expand=True)
        column.prop(self, "directory")

    def work(self, context: Any, job: Job) -> None:
        """Copy it in a thread."""
        if not job.cluster:
            raise BadInput(f"It was rendered here: {job.folder}")
        if not self.directory:
            raise BadInput("Give a folder to fetch into")
        _require_access(job)
        to, command, whole = Path(bpy.path.abspath(self.directory)), command_of(context), self.what == "DATASET"

        def work(say: threads.Say) -> str:
            return farm_there.fetch(
                job.folder, to, command, whole=whole, progress=lambda done, total: say(f"Fetching {done} of {total}")
            )

        _beside("fetch", job, work, lambda _: jobs().update(job.key, copy=str(to)))


CLASSES: Final = (
    DIGIDOUBLE_OT_cancel_job,
    DIGIDOUBLE_OT_forget_job,
    DIGIDOUBLE_OT_open_report,
    DIGIDOUBLE_OT_show_sheet,
    DIGIDOUBLE_OT_show_log,
    DIGIDOUBLE_OT_fetch_job,
)
