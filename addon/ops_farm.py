"""Operators of rendering, here and on clusters: test, submit, cancel, forget; report, pictures, log, fetch."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import bpy

from farm.errors import BadInput, DigidoubleError

from . import document, farm_here, farm_there, threads, watch
from .farm_there import Cluster
from .jobs import Job
from .ops_double import StageOperator
from .preferences import chosen_cluster, command_of, online
from .state import state_of
from .watch import OFFLINE, SUBMIT, jobs, tested

__all__ = ["CLASSES"]


class DIGIDOUBLE_OT_submit(StageOperator, bpy.types.Operator):  # noqa: N801 - Blender's own form
    """Render all variants, in the background or on the chosen cluster; Blender may be closed meanwhile"""

    bl_idname = "digidouble.submit"
    bl_label = "Submit"
    bl_options: Final = {"REGISTER"}

    def execute(self, context: Any) -> set[str]:
        """Start a process here, or send the recipe to the cluster from a thread."""
        watch.refused.clear()
        state, cluster = state_of(context.scene), chosen_cluster(context)
        try:
            recipe = document.effective(state.document, state.held)
            if cluster is None:
                base = Path(bpy.path.abspath(state.output)) if state.output else watch.home().parent / "datasets"
                _take(farm_here.start(recipe, base, watch.home(), command_of(context)))
                return {"FINISHED"}
            _check_online(cluster.profile.url)
        except DigidoubleError as error:
            return _refuse(self, str(error))
        if not threads.start(SUBMIT, lambda say: farm_there.send(cluster, recipe, say), _take, _fail):
            return _refuse(self, "A submission is still on its way")
        return {"FINISHED"}


def _take(job: Job) -> None:
    """Put a job that was begun on the list, and watch it."""
    before = jobs().find(job.key)
    jobs().add(job if before is None else replace(before, state=job.state, process=job.process, trouble=""))
    watch.look_at(bpy.context, job)
    watch.watch()


def _fail(message: str) -> None:
    watch.refused[:] = [farm_there.in_panels(message)]


def _refuse(operator: Any, message: str) -> set[str]:
    _fail(message)
    operator.report({"ERROR"}, watch.refused[0])
    return {"CANCELLED"}


def _check_online(address: str) -> None:
    if not online(address):
        raise BadInput(OFFLINE)


class DIGIDOUBLE_OT_test_cluster(bpy.types.Operator):  # noqa: N801
    """Ask the chosen cluster who it is and what it has; the answer stands below"""

    bl_idname = "digidouble.test_cluster"
    bl_label = "Test Connection"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only where a cluster is chosen, and one test at a time."""
        cluster = chosen_cluster(context)
        if cluster is None:
            cls.poll_message_set("Choose a cluster to render on")
            return False
        return not threads.busy(("test", cluster.name))

    def execute(self, context: Any) -> set[str]:
        """Ask in a thread."""
        trouble = _ask(chosen_cluster(context))
        if trouble:
            self.report({"ERROR"}, trouble)
            return {"CANCELLED"}
        return {"FINISHED"}


def _ask(cluster: Cluster | None) -> str:
    """Test a cluster in a thread; what it answers is kept. Returns why it is not asked, '' where it is."""
    if cluster is None:
        return "Choose a cluster to render on"
    name = cluster.name
    tested.pop(name, None)

    def fail(message: str) -> None:
        tested[name] = (False, farm_there.in_panels(message))

    def answer(told: str) -> None:
        tested[name] = (True, told)

    try:
        _check_online(cluster.profile.url)
    except DigidoubleError as error:
        fail(str(error))
        return str(error)
    threads.start(("test", name), lambda _: farm_there.test(cluster), answer, fail)
    return ""


class DIGIDOUBLE_OT_enter_token(bpy.types.Operator):  # noqa: N801
    """Give the chosen cluster's token, which its administrator has; it is kept in memory alone, until Blender ends"""

    bl_idname = "digidouble.enter_token"
    bl_label = "Enter Token"
    bl_options: Final = {"INTERNAL"}
    token: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Token", description="Written into no file", subtype="PASSWORD", options={"SKIP_SAVE", "HIDDEN"}
    )

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only where a cluster is chosen."""
        return chosen_cluster(context) is not None

    def invoke(self, context: Any, _: Any) -> set[str]:
        """Ask for it."""
        return context.window_manager.invoke_props_dialog(self, width=360)  # type: ignore[no-any-return]

    def draw(self, _: Any) -> None:
        """The field alone, ready to type."""
        self.layout.activate_init = True
        self.layout.prop(self, "token")

    def execute(self, context: Any) -> set[str]:
        """Keep it in memory, and test the connection with it."""
        cluster, token = chosen_cluster(context), self.token
        self.token = ""
        try:
            farm_there.keep_token(cluster.profile.url, token)
        except BadInput as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        watch.refused.clear()
        _ask(cluster)
        return {"FINISHED"}


class DIGIDOUBLE_OT_set_up(bpy.types.Operator):  # noqa: N801
    """Open the add-on's preferences: the command that renders here, and the clusters"""

    bl_idname = "digidouble.set_up"
    bl_label = "Preferences"

    def execute(self, _: Any) -> set[str]:
        """Show them."""
        bpy.ops.preferences.addon_show(module=__package__)
        return {"FINISHED"}


class DIGIDOUBLE_OT_allow_online(bpy.types.Operator):  # noqa: N801
    """Open Blender's preferences where Allow Online Access is"""

    bl_idname = "digidouble.allow_online"
    bl_label = "Online Access"

    def execute(self, _: Any) -> set[str]:
        """Show them."""
        bpy.ops.screen.userpref_show(section="SYSTEM")
        return {"FINISHED"}


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
                _check_online(found.address)
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


def _browse(file: Path) -> None:
    bpy.ops.wm.url_open(url=file.as_uri())


def _show_image(file: Path) -> None:
    image = bpy.data.images.load(str(file), check_existing=True)
    image.reload()
    area = open_editor("IMAGE_EDITOR")
    if area is not None:
        area.spaces.active.image = image


def open_editor(kind: str) -> Any:
    """An editor of a kind that is open, else one in a new window; None where Blender has no windows."""
    if bpy.app.background:
        return None
    windows = bpy.context.window_manager.windows
    area = next((area for window in windows for area in window.screen.areas if area.type == kind), None)
    if area is None:
        with bpy.context.temp_override(window=bpy.context.window or windows[0]):
            bpy.ops.wm.window_new()
        area = windows[-1].screen.areas[0]
        area.type = kind
    return area


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
            output = state_of(context.scene).output
            base = Path(bpy.path.abspath(output)) if output else watch.home().parent / "datasets"
            self.directory = job.copy or str(base / Path(job.folder).name)
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
        if "://" in job.folder:
            _check_online(job.address)
        to, command, whole = Path(bpy.path.abspath(self.directory)), command_of(context), self.what == "DATASET"

        def work(say: threads.Say) -> str:
            return farm_there.fetch(
                job.folder, to, command, whole=whole, progress=lambda done, total: say(f"Fetching {done} of {total}")
            )

        _beside("fetch", job, work, lambda _: jobs().update(job.key, copy=str(to)))


CLASSES: Final = (
    DIGIDOUBLE_OT_submit,
    DIGIDOUBLE_OT_test_cluster,
    DIGIDOUBLE_OT_enter_token,
    DIGIDOUBLE_OT_set_up,
    DIGIDOUBLE_OT_allow_online,
    DIGIDOUBLE_OT_cancel_job,
    DIGIDOUBLE_OT_forget_job,
    DIGIDOUBLE_OT_open_report,
    DIGIDOUBLE_OT_show_sheet,
    DIGIDOUBLE_OT_show_log,
    DIGIDOUBLE_OT_fetch_job,
)
