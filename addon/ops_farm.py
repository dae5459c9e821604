"""Operators that begin renders, here and on clusters: submit and cancel that, test a connection, enter a token."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import bpy

from farm.errors import BadInput, DigidoubleError

from . import document, farm_here, farm_there, keys, threads, watch
from .farm_there import Cluster
from .jobs import Job
from .ops_double import StageOperator
from .preferences import chosen_cluster, command_of, require_online
from .state import state_of
from .stores import require_store_online
from .watch import SUBMIT, jobs, tested
from .windows import redraw

__all__ = ["CLASSES", "register", "unregister"]


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
                _take(farm_here.start(recipe, watch.datasets(context.scene), watch.home(), command_of(context)))
                return {"FINISHED"}
            require_online(cluster.profile.url)
            require_store_online(cluster.profile.assets_store or "")
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


class DIGIDOUBLE_OT_cancel_submission(bpy.types.Operator):  # noqa: N801
    """Stop packing and sending; nothing is rendered. Submit begins anew, and what was sent whole is not sent again"""

    bl_idname = "digidouble.cancel_submission"
    bl_label = "Cancel Submission"
    bl_options: Final = {"INTERNAL"}

    @classmethod
    def poll(cls, _: Any) -> bool:
        """Only while one is on its way."""
        return threads.busy(SUBMIT) and not threads.ending(SUBMIT)

    def execute(self, _: Any) -> set[str]:
        """End it at its next step, or piece of a file."""
        threads.end(SUBMIT)
        redraw()
        return {"FINISHED"}


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
        require_online(cluster.profile.url)
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
        watch.ask_again()
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


def register() -> None:
    """Let ESC over the 3D view cancel a submission."""
    keys.bind(DIGIDOUBLE_OT_cancel_submission.bl_idname, keys.VIEW_3D, "ESC")


def unregister() -> None:
    """Give ESC back."""
    keys.release(DIGIDOUBLE_OT_cancel_submission.bl_idname)


CLASSES: Final = (
    DIGIDOUBLE_OT_submit,
    DIGIDOUBLE_OT_cancel_submission,
    DIGIDOUBLE_OT_test_cluster,
    DIGIDOUBLE_OT_enter_token,
    DIGIDOUBLE_OT_set_up,
    DIGIDOUBLE_OT_allow_online,
)
