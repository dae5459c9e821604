"""Variants side by side: small renders of the next ones, in the panel and as one picture, to choose from.

They are rendered on the double's own stage, which shows the chosen variant again afterwards. All that is left is the
picture.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import bpy
import bpy.utils.previews
import numpy as np

from farm.errors import DigidoubleError

from . import document, preview
from .apart import Progress
from .ops_double import StageOperator
from .pictures import COLUMNS, Pixels, laid_out, render_small
from .state import refuse, state_of
from .windows import open_editor, redraw

__all__ = ["CLASSES", "IMAGE", "draw_side_by_side", "register", "unregister"]

IMAGE: Final = "Digidouble Side by Side"
MOST: Final = 9
_live: dict[str, Any] = {}


class DIGIDOUBLE_OT_side_by_side(StageOperator, bpy.types.Operator):  # noqa: N801 - Blender's own form
    """Render small pictures of this variant and the next ones, to compare and choose from. Esc stops"""

    bl_idname = "digidouble.side_by_side"
    bl_label = "Show Side by Side"
    bl_options: Final = {"REGISTER"}
    count: bpy.props.IntProperty(name="Variants", description="How many", default=6, min=2, max=MOST)  # type: ignore[valid-type]

    def execute(self, context: Any) -> set[str]:
        """Render them all at once."""
        try:
            for _ in self._begin(context):
                pass
        except DigidoubleError as error:
            return self._fail(context, error)
        bpy.ops.ed.undo_push(message=self.bl_label)
        return {"FINISHED"}

    def invoke(self, context: Any, _: Any) -> set[str]:
        """Render one at a time, between which the window is drawn."""
        if bpy.app.background:
            return self.execute(context)
        self._work = self._begin(context)
        self._timer = context.window_manager.event_timer_add(0.05, window=context.window)
        Progress.shown[type(self).bl_idname] = 0.0
        context.window_manager.modal_handler_add(self)
        redraw()
        return {"RUNNING_MODAL"}

    def modal(self, context: Any, event: Any) -> set[str]:
        """Render the next one; Esc keeps those that are done."""
        if event.type == "ESC":
            self._end(context)
            bpy.ops.ed.undo_push(message=self.bl_label)
            return {"CANCELLED"}
        if event.type != "TIMER":
            return {"RUNNING_MODAL"}
        try:
            done = next(self._work, None)
        except DigidoubleError as error:
            self._end(context)
            return self._fail(context, error)
        if done is None:
            self._end(context)
            bpy.ops.ed.undo_push(message=self.bl_label)
            return {"FINISHED"}
        Progress.shown[type(self).bl_idname] = done / self._wanted
        redraw()
        return {"RUNNING_MODAL"}

    def cancel(self, context: Any) -> None:
        """What Blender calls where it ends the operator itself."""
        self._end(context)

    def _end(self, context: Any) -> None:
        self._work.close()
        context.window_manager.event_timer_remove(self._timer)
        Progress.shown.pop(type(self).bl_idname, None)
        redraw()

    def _fail(self, context: Any, error: DigidoubleError) -> set[str]:
        refuse(context.scene, str(error), "vary")
        self.report({"ERROR"}, str(error).splitlines()[0])
        return {"CANCELLED"}

    def _begin(self, context: Any) -> Iterator[int]:
        """The work, a picture a step; yields how many are done."""
        state = state_of(context.scene)
        total = document.read(state.document).count
        self._wanted = min(self.count, total)
        chosen = [(state.index + step) % total for step in range(self._wanted)]
        return _pictures(context.scene, chosen)


def _pictures(scene: Any, chosen: list[int]) -> Iterator[int]:
    """Render variants, and lay them out; yields how many are done. The scene then shows what it did."""
    state = state_of(scene)
    forget()
    key = (state.document, state.held)
    made: list[tuple[int, Pixels]] = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            for number, index in enumerate(chosen):
                preview.show_variant(scene, document.draw(*key, index))
                made.append((index, render_small(scene, Path(folder) / f"{number}.png", str(index + 1))))
                _keep(key, made)
                yield number + 1
    finally:
        preview.update(scene)


def _keep(key: tuple[str, str], made: list[tuple[int, Pixels]]) -> None:
    """Keep pictures for the panel, and as one image."""
    pictures = _live["pictures"]
    pictures.clear()
    icons = []
    for index, pixels in made:
        icon = pictures.new(str(index))
        icon.image_size = pixels.shape[1], pixels.shape[0]
        icon.image_pixels_float.foreach_set(pixels.ravel())
        icons.append((index, icon.icon_id))
    _live.update(key=key, icons=icons)
    sheet = laid_out([pixels for _, pixels in made])
    image = bpy.data.images.get(IMAGE)
    if image is None:
        image = bpy.data.images.new(IMAGE, sheet.shape[1], sheet.shape[0])
    elif tuple(image.size) != (sheet.shape[1], sheet.shape[0]):
        image.scale(sheet.shape[1], sheet.shape[0])
    image.pixels.foreach_set(np.ascontiguousarray(sheet).ravel())
    image.update()


class DIGIDOUBLE_OT_use_variant(StageOperator, bpy.types.Operator):  # noqa: N801
    """Show this variant"""

    bl_idname = "digidouble.use_variant"
    bl_label = "Use Variant"
    index: bpy.props.IntProperty(name="Variant", min=0, options={"HIDDEN"})  # type: ignore[valid-type]

    def execute(self, context: Any) -> set[str]:
        """Go to it."""
        state = state_of(context.scene)
        count = document.read(state.document).count
        if self.index >= count:
            self.report({"ERROR"}, f"There are {count} variants only")
            return {"CANCELLED"}
        state.index = self.index
        return self.show(context)


class DIGIDOUBLE_OT_show_side_by_side(StageOperator, bpy.types.Operator):  # noqa: N801
    """Show the pictures larger, in an image editor"""

    bl_idname = "digidouble.show_side_by_side"
    bl_label = "Enlarge"
    bl_options: Final = {"REGISTER"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only where there are some."""
        return super().poll(context) and IMAGE in bpy.data.images

    def execute(self, _: Any) -> set[str]:
        """Use the image editor that is open, or one in a new window."""
        area = open_editor("IMAGE_EDITOR")
        if area is not None:
            area.spaces.active.image = bpy.data.images[IMAGE]
        return {"FINISHED"}


def draw_side_by_side(layout: Any, scene: Any) -> None:
    """The button or how far it is, and the pictures with a button each; none where the recipe has changed since."""
    state = state_of(scene)
    if not Progress.draw(layout, DIGIDOUBLE_OT_side_by_side.bl_idname):
        row = layout.row(align=True)
        row.operator(DIGIDOUBLE_OT_side_by_side.bl_idname, icon="RENDER_STILL")
        if IMAGE in bpy.data.images:
            row.operator(DIGIDOUBLE_OT_show_side_by_side.bl_idname, text="", icon="FULLSCREEN_ENTER")
    if _live.get("key") != (state.document, state.held):
        return
    grid = layout.grid_flow(row_major=True, columns=COLUMNS, even_columns=True, even_rows=True, align=True)
    for index, icon in _live["icons"]:
        cell = grid.column(align=True)
        cell.template_icon(icon, scale=4.0)
        use = cell.operator(DIGIDOUBLE_OT_use_variant.bl_idname, text=str(index + 1), depress=index == state.index)
        use.index = index


def forget() -> None:
    """Let go of the pictures in the panel."""
    _live.pop("key", None)
    _live["pictures"].clear()


def register() -> None:
    """Make room for pictures."""
    _live["pictures"] = bpy.utils.previews.new()


def unregister() -> None:
    """Let go of them."""
    bpy.utils.previews.remove(_live.pop("pictures"))
    _live.clear()


CLASSES: Final = (DIGIDOUBLE_OT_side_by_side, DIGIDOUBLE_OT_use_variant, DIGIDOUBLE_OT_show_side_by_side)
