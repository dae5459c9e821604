"""A trained denoiser in Blender: loaded from an ONNX file, used on the render or on an EXR, in the image editor."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np
from bpy_extras.io_utils import ImportHelper

from farm.errors import BadInput, DigidoubleError
from farm.learn.onnx_model import OnnxModel

from . import denoise, threads
from .preferences import denoiser_of, preferences_of
from .state import draw_lines, said
from .windows import open_editor

__all__ = ["CLASSES", "register", "unregister"]

KEY: Final = "denoise"
EVERY: Final = 0.1
LINEAR: Final = "Linear Rec.709"
LACKING: Final = (
    "This Blender has no {}: take one from blender.org, and the extension's file that ends in -denoiser.zip"
)
_loaded: Final[dict[str, OnnxModel]] = {}
"""The denoiser that is loaded, by its file; at most one."""
_problem: Final[list[str]] = []


def loaded() -> OnnxModel | None:
    """The denoiser that is loaded."""
    return next(iter(_loaded.values()), None)


def source_of(context: Any) -> Any:
    """The image that would be denoised: the one that the image editor shows, else the render."""
    space = context.space_data
    shown = space.image if space is not None and space.type == "IMAGE_EDITOR" else None
    if shown is not None and (shown.type == "RENDER_RESULT" or shown.filepath.lower().endswith(".exr")):
        return shown
    return None if shown is not None else bpy.data.images.get("Render Result")


class DIGIDOUBLE_OT_load_denoiser(ImportHelper, bpy.types.Operator):  # noqa: N801 - Blender's own form
    """Load a denoiser that was trained on a dataset, an ONNX file as 'digidouble onnx' writes it"""

    bl_idname = "digidouble.load_denoiser"
    bl_label = "Load Denoiser"
    bl_options: Final = {"REGISTER"}
    filename_ext = ".onnx"
    filter_glob: bpy.props.StringProperty(default="*.onnx", options={"HIDDEN"})  # type: ignore[valid-type]

    def execute(self, context: Any) -> set[str]:
        """Read it, and remember where it is."""
        _problem.clear()
        try:
            _load(Path(self.filepath))
        except DigidoubleError as error:
            _problem[:] = [str(error)]
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        preferences = preferences_of(context)
        if preferences is not None:
            preferences.denoiser = self.filepath
        return {"FINISHED"}


def _load(path: Path) -> OnnxModel:
    if str(path) not in _loaded:
        lacks = denoise.able()
        if lacks:
            raise BadInput(LACKING.format(lacks))
        model = denoise.load(path)
        _loaded.clear()
        _loaded[str(path)] = model
    return _loaded[str(path)]


class DIGIDOUBLE_OT_enable_passes(bpy.types.Operator):  # noqa: N801
    """Let this view layer render the passes that the denoiser needs; render again afterwards"""

    bl_idname = "digidouble.enable_passes"
    bl_label = "Enable Passes"
    bl_options: Final = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, _: Any) -> bool:
        """Only with a denoiser."""
        if loaded() is None:
            cls.poll_message_set("Load a denoiser first")
            return False
        return True

    def execute(self, context: Any) -> set[str]:
        """Switch them on."""
        model = loaded()
        off, _ = denoise.missing_passes(model.layers if model else (), context.view_layer)
        denoise.switch_on(context.view_layer, off)
        return {"FINISHED"}


class DIGIDOUBLE_OT_denoise(bpy.types.Operator):  # noqa: N801
    """Denoise the render, or the EXR that is shown, into a new image; Esc stops it"""

    bl_idname = "digidouble.denoise"
    bl_label = "Denoise"
    bl_options: Final = {"REGISTER"}
    filepath: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="EXR", description="A multilayer EXR; empty for what is shown", options={"HIDDEN", "SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only with a denoiser, and one image at a time."""
        if loaded() is None and not denoiser_of(context):
            cls.poll_message_set("Load a denoiser first")
            return False
        return not threads.busy(KEY)

    def execute(self, context: Any) -> set[str]:
        """Denoise, and wait for it."""
        try:
            pixels = denoise.denoise(*self._prepare(context), lambda _: None)
        except DigidoubleError as error:
            return self._refuse(str(error))
        show(self._title(context), pixels)
        return {"FINISHED"}

    def invoke(self, context: Any, _: Any) -> set[str]:
        """Denoise in a thread."""
        if bpy.app.background:
            return self.execute(context)
        try:
            model, path = self._prepare(context)
        except DigidoubleError as error:
            return self._refuse(str(error))
        name = self._title(context)
        threads.start(
            KEY, lambda say: denoise.denoise(model, path, say), lambda pixels: show(name, pixels), _problem.append
        )
        self._timer = context.window_manager.event_timer_add(EVERY, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: Any, event: Any) -> set[str]:
        """Wait for the thread; Esc ends it."""
        if event.type == "ESC":
            threads.end(KEY)
        if not threads.busy(KEY):
            context.window_manager.event_timer_remove(self._timer)
            return {"FINISHED"}
        return {"PASS_THROUGH"}

    def _title(self, context: Any) -> str:
        """What the result is called."""
        image = source_of(context)
        shown = "" if image is None else "Render" if image.type == "RENDER_RESULT" else image.name
        return f"{Path(self.filepath).stem or Path(shown).stem} Denoised"

    def _prepare(self, context: Any) -> tuple[OnnxModel, Path]:
        """The denoiser, and the EXR to read."""
        _problem.clear()
        model = loaded() or _load(Path(denoiser_of(context)))
        if self.filepath:
            return model, Path(bpy.path.abspath(self.filepath))
        image = source_of(context)
        if image is None:
            raise BadInput("Show the render or an EXR in the image editor")
        if image.type != "RENDER_RESULT":
            return model, Path(bpy.path.abspath(image.filepath))
        off, never = denoise.missing_passes(model.layers, context.view_layer)
        if never:
            raise BadInput(f"The denoiser needs {', '.join(never)}, which only renders of the farm have")
        if off:
            raise BadInput(f"Enable {', '.join(each.name for each in off)} and render again")
        path = Path(bpy.app.tempdir) / "digidouble-render.exr"
        denoise.render_to(context.scene, image, path)
        return model, path

    def _refuse(self, message: str) -> set[str]:
        _problem[:] = [message]
        self.report({"ERROR"}, message)
        return {"CANCELLED"}


def show(title: str, pixels: np.ndarray) -> Any:
    """Put denoised light (height, width, 4), rows from the top, into a float image, and show it."""
    height, width = pixels.shape[:2]
    image = bpy.data.images.get(title)
    if image is not None and tuple(image.size) != (width, height):
        bpy.data.images.remove(image)
        image = None
    if image is None:
        image = bpy.data.images.new(title, width, height, alpha=True, float_buffer=True)
    image.colorspace_settings.name = LINEAR
    image.alpha_mode = "PREMUL"
    image.pixels.foreach_set(np.ascontiguousarray(pixels[::-1], np.float32).ravel())
    image.update()
    area = open_editor("IMAGE_EDITOR")
    if area is not None:
        area.spaces.active.image = image
    bpy.ops.ed.undo_push(message=DIGIDOUBLE_OT_denoise.bl_label)
    return image


class DIGIDOUBLE_PT_denoise(bpy.types.Panel):  # noqa: N801
    """Denoising with what a dataset has taught"""

    bl_label = "Denoise"
    bl_space_type, bl_region_type, bl_category = "IMAGE_EDITOR", "UI", "Digidouble"

    def draw(self, context: Any) -> None:
        """The denoiser, what it needs, and the button."""
        layout, model = self.layout, loaded()
        lacks = denoise.able()
        if lacks:
            column = layout.column(align=True)
            draw_lines(column, LACKING.format(lacks), icon="INFO")
            return
        layout.operator("digidouble.load_denoiser", icon="FILE_FOLDER")
        path = next(iter(_loaded), denoiser_of(context))
        if not path:
            return
        told = layout.column(align=True)
        told.active = False
        told.label(text=Path(path).name)
        image = source_of(context)
        if model is not None:
            needs = said("needs {}", ", ".join(model.layers)) if model.layers else said("needs the light alone")
            told.label(text=needs, translate=False)
            if image is not None and image.type == "RENDER_RESULT":
                self._draw_missing(layout, model, context)
        if threads.busy(KEY):
            layout.progress(factor=0.0, text=f"{threads.said(KEY)} …")
            layout.label(text="Esc stops it")
        else:
            row = layout.row()
            row.enabled = image is not None
            row.operator("digidouble.denoise", icon="IMAGE_DATA")
        for problem in _problem:
            box = layout.box().column(align=True)
            box.alert = True
            draw_lines(box, problem)

    def _draw_missing(self, layout: Any, model: OnnxModel, context: Any) -> None:
        off, never = denoise.missing_passes(model.layers, context.view_layer)
        if off:
            box = layout.box().column(align=True)
            for each in off:
                box.label(text=said("{} is off", each.name), icon="ERROR")
            box.operator("digidouble.enable_passes")
        for name in never:
            layout.label(text=said("{}: from the farm alone", name), icon="INFO")


def register() -> None:
    """Nothing is loaded before it is needed."""


def unregister() -> None:
    """Forget the denoiser."""
    _loaded.clear()
    _problem.clear()


CLASSES: Final = (
    DIGIDOUBLE_OT_load_denoiser,
    DIGIDOUBLE_OT_enable_passes,
    DIGIDOUBLE_OT_denoise,
    DIGIDOUBLE_PT_denoise,
)
