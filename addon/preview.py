"""The variant in the viewport: the farm's own `Stage`, in a scene of its own, beside the artist's.

A stage holds on to Blender's data, which undo and another file make void: it is then forgotten, and built anew by the
next change. What stands in the scene meanwhile is whole.

In a window a variant is built step by step from a timer, so that panels and ESC answer in between. A scene says what it
shows only while it shows all of it: one whose build was stopped says nothing, and the next change does what is missing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import bpy
from bpy.app.handlers import persistent

from farm.errors import DigidoubleError
from farm.recipe.parameters import NO_STUNT
from farm.recipe.variant import Variant, content_hash

from . import ahead, document
from .state import CHANGED, settle, shown_variant, state_of
from .windows import redraw

if TYPE_CHECKING:
    from farm.stage.apply import Stage

__all__ = ["doubles", "forget", "progress", "register", "rehearse", "remove", "request", "show", "show_variant"]
__all__ += ["stage_scene", "steps", "stop", "unregister", "update"]

SCENE: Final = "Digidouble"
MARK: Final = "digidouble_stage"
OUTLINES: Final = ("BOUNDS", "WIRE")
"""How things look that are there for others, as the scalp that bears the hair."""
CALM: Final = 0.15
"""Seconds without a change after which a change is shown: a slider is dragged through many."""

BREATH: Final = 0.001
"""Seconds between two steps of a build, for the window to be drawn and to hear."""
SLICE: Final = 0.1
"""Seconds of a long step that are worked on in between, at the least."""
STOPPED: Final = "Stopped; the double is not whole"
BUILDING: Final = "building"
"""Where that is said: beside the button that goes on."""

_live: dict[str, Any] = {}
_asked: dict[str, float] = {}
_going: dict[str, Any] = {}


def stage_scene() -> Any:
    """The file's scene with a double, None where there is none."""
    return next((scene for scene in bpy.data.scenes if scene.get(MARK)), None)


def doubles() -> Path:
    """The add-on's folder of packed doubles of artists."""
    return Path(bpy.utils.extension_path_user(__package__, path="doubles"))


def make_scene(text: str = "") -> Any:
    """A new scene for a double, with a recipe; left out, the one that a new double begins with."""
    scene = bpy.data.scenes.new(SCENE)
    scene[MARK] = True
    state_of(scene).document = text or document.fresh()
    return scene


def update(scene: Any) -> None:
    """Bring the scene to its document's variant; nothing is done where it shows that already.

    What goes wrong is said in the panel, and raised.
    """
    for _ in steps(scene):
        pass


def steps(scene: Any) -> Iterator[tuple[str, float]]:
    """`update`, step by step: before each, its name and how much of all is done, 0..1. It may be left at any step."""
    state = state_of(scene)
    variant = shown_variant(scene)
    capture = document.read(state.document).capture
    yield from _showing(scene, variant, capture.frames.numbers, capture.frames.rate)
    if capture.frames.clip and "stage" in _live:
        _let_play()


def show_variant(scene: Any, variant: Variant) -> None:
    """Show a variant that need not be the document's, at the first frame that is captured."""
    capture = document.read(state_of(scene).document).capture
    for _ in _showing(scene, variant, capture.frames.numbers[:1], capture.frames.rate):
        pass


def show(scene: Any) -> None:
    """`update`, at once where there is no window, else step by step from now on."""
    if bpy.app.background:
        update(scene)
    else:
        request(wait=0.0)


def rehearse(scene: Any) -> None:
    """Let the whole stunt of the variant be played in the timeline, whatever frames are captured.

    It is put on the stage at once where there is no window, else step by step from now on, and then played.
    """
    if bpy.app.background:
        for _ in _rehearsing(scene):
            pass
        return
    ahead.stop()
    _asked.clear()
    _going.clear()
    _going["steps"] = _rehearsing(scene)
    _wake(0.0)


def _rehearsing(scene: Any) -> Iterator[tuple[str, float]]:
    from farm.motion.perform import FPS

    variant = shown_variant(scene)
    if variant.stunt.name == NO_STUNT:
        raise DigidoubleError("there is no stunt to play; choose one")
    yield "motion", 0.0
    with _blamed(scene), _before(scene):
        seconds = _stage(scene).duration(variant)
    whole = variant.model_copy(update={"stunt": variant.stunt.model_copy(update={"phase": 0.0})})
    yield from _showing(scene, whole, range(1, 2 + round(seconds * FPS)), FPS)
    _let_play()
    window = _window(scene)
    if window is not None and not bpy.app.background:
        with bpy.context.temp_override(window=window):
            bpy.ops.screen.animation_play()


def _let_play() -> None:
    """Let the timeline move what stands on the stage."""
    _live["stage"].play()
    _live["plays"] = True


def _showing(scene: Any, variant: Variant, frames: range, rate: float) -> Iterator[tuple[str, float]]:
    state = state_of(scene)
    key = content_hash([variant.id, list(frames), rate, list(_resolution(scene))])
    if state.shown == key:
        return
    _live["plays"] = False
    building = None
    while True:
        with _blamed(scene), _before(scene):
            if building is None:
                state.shown = ""
                settle(scene)
                building = _stage(scene).steps(variant, frames=frames, rate=rate)
            step = next(building, None)
            if step is None:
                _tidy(scene, frames)
                break
        yield step
    state.shown = key


@contextmanager
def _blamed(scene: Any) -> Iterator[None]:
    """What goes wrong is said in the panel, and the stage forgotten, of which nobody knows how it is then."""
    try:
        yield
    except BaseException as error:
        if isinstance(error, DigidoubleError):
            state_of(scene).problem, state_of(scene).problem_at = str(error).splitlines()[0], ""
        forget()
        raise


def _stage(scene: Any) -> Stage:
    """The live stage of a scene; where it was forgotten, a new one in place of what is left of it."""
    from farm.stage.apply import Stage

    resolution = _resolution(scene)
    own = document.read(state_of(scene).document).double is not None
    identity = (scene.session_uid, resolution, own)
    if _live.get("identity") != identity:
        views = _camera_views(scene)
        _clear(scene)
        scene.render.resolution_x, scene.render.resolution_y = resolution
        scene.render.resolution_percentage = 100
        _live.update(
            identity=identity,
            stage=Stage(scene, resolution=resolution, detail="preview", assets=doubles() if own else None),
        )
        for view in views:
            view.view_perspective = "CAMERA"
    stage: Stage = _live["stage"]
    return stage


def _resolution(scene: Any) -> tuple[int, int]:
    return document.read(state_of(scene).document).capture.resolution


@contextmanager
def _before(scene: Any) -> Iterator[None]:
    """Work in a scene as the one that is looked at, in object mode."""
    window = _window(scene)
    if window is None:
        raise DigidoubleError(f"no window shows the scene '{scene.name}'; choose it at the top of one")
    with bpy.context.temp_override(window=window, scene=scene, view_layer=scene.view_layers[0]):
        active = bpy.context.view_layer.objects.active
        if active is not None and active.mode != "OBJECT":
            bpy.ops.object.mode_set(mode="OBJECT")
        yield


def _window(scene: Any) -> Any:
    return next((each for each in bpy.context.window_manager.windows if each.scene == scene), None)


def _camera_views(scene: Any) -> list[Any]:
    """The views of a scene's windows that look through its camera: they look elsewhere once that is removed."""
    windows = [window for window in bpy.context.window_manager.windows if window.scene == scene]
    spaces = [area.spaces.active for window in windows for area in window.screen.areas if area.type == "VIEW_3D"]
    return [space.region_3d for space in spaces if space.region_3d.view_perspective == "CAMERA"]


def _tidy(scene: Any, frames: range) -> None:
    """Let the timeline span the frames, and neither bones nor boxes hide the skin."""
    scene.frame_start, scene.frame_end = frames[0], frames[-1]
    for thing in scene.objects:
        if thing.type == "ARMATURE" or thing.display_type in OUTLINES:
            thing.hide_set(True)


def _clear(scene: Any) -> None:
    """Remove what a forgotten stage left, and the data that nothing else uses; other unused data stay."""
    from farm.stage.spares import SPARE

    unused = {each.session_uid for each in bpy.data.all_ids if each.users == 0 and not each.get(SPARE)}
    scene.world = None
    for collection in list(scene.collection.children_recursive):
        bpy.data.batch_remove([*collection.objects])
        bpy.data.collections.remove(collection)
    while left := [each for each in bpy.data.all_ids if each.users == 0 and each.session_uid not in unused]:
        bpy.data.batch_remove(left)
    state_of(scene).shown = ""


def remove(scene: Any) -> None:
    """Remove a scene's double, and the scene."""
    _clear(scene)
    forget()
    others = [each for each in bpy.data.scenes if each != scene]
    other = others[0] if others else bpy.data.scenes.new("Scene")
    for window in bpy.context.window_manager.windows:
        if window.scene == scene:
            window.scene = other
    bpy.data.scenes.remove(scene)


def forget() -> None:
    """Let go of the live stage and of a build in progress: Blender's data that they hold on to are void."""
    _live.clear()
    _going.clear()
    ahead.stop()


def request(*, wait: float = CALM) -> None:
    """Show the document's variant soon, once nothing has changed for `wait` seconds."""
    ahead.stop()
    _asked["at"] = time.monotonic() + wait
    if not bpy.app.background:
        _wake(wait)


def _wake(wait: float) -> None:
    """Let `_answer` be called after `wait` seconds."""
    if bpy.app.timers.is_registered(_answer):
        bpy.app.timers.unregister(_answer)
    bpy.app.timers.register(_answer, first_interval=wait)


def progress() -> tuple[str, float] | None:
    """The step that a build in progress is at, and how much of it is done, 0..1; None where nothing is built."""
    told: tuple[str, float] | None = _going.get("told")
    return told


def stop() -> None:
    """Stop the build in progress; the next change, or the next `show`, does what is missing."""
    _going.clear()
    _asked.clear()
    scene = stage_scene()
    if scene is not None and not state_of(scene).shown:
        state_of(scene).problem, state_of(scene).problem_at = STOPPED, BUILDING
    redraw()


def _answer() -> float | None:
    """Begin a build once changes have paused, and do one step of it each time; a newer change begins it anew."""
    if "at" in _asked:
        left = _asked["at"] - time.monotonic()
        if left > 0.0:
            return left
        _asked.clear()
        _going.clear()
        scene = stage_scene()
        if scene is None or _window(scene) is None:
            return None
        _going["steps"] = steps(scene)
    going = _going.get("steps")
    if going is None:
        return None
    with suppress(DigidoubleError, StopIteration):  # what went wrong is said in the panel
        step, _ = _going.get("told", ("", 0.0))
        begun = time.monotonic()
        told = _going["told"] = next(going)
        while told[0] == step and time.monotonic() - begun < SLICE:
            told = _going["told"] = next(going)
        redraw()
        return BREATH
    _going.clear()
    redraw()
    scene = stage_scene()
    if scene is not None and state_of(scene).shown and not _live.get("plays"):
        ahead.begin(scene)
    return None


@persistent
def _undone(*_: Any) -> None:
    forget()
    if stage_scene() is not None:
        request()


@persistent
def _loaded(*_: Any) -> None:
    forget()


@persistent
def _saving(*_: Any) -> None:
    """Let no file hold what is kept for variants to come."""
    if "stage" in _live:
        _live["stage"].tidy()


@persistent
def _moved(scene: Any, *_: Any) -> None:
    """Lay the hair of a clip that is played in the timeline."""
    on_stage = _live.get("identity", (None,))[0] == scene.session_uid
    if on_stage and _live.get("plays") and scene.frame_start <= scene.frame_current <= scene.frame_end:
        _live["stage"].follow(scene.frame_current)


HANDLERS: Final = (
    ("undo_post", _undone),
    ("redo_post", _undone),
    ("load_post", _loaded),
    ("save_pre", _saving),
    ("frame_change_post", _moved),
)


def register() -> None:
    """Follow undo, files and the timeline."""
    for name, handler in HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)
    CHANGED.append(request)


def unregister() -> None:
    """Follow them no more."""
    CHANGED.remove(request)
    _asked.clear()
    for name, handler in HANDLERS:
        getattr(bpy.app.handlers, name).remove(handler)
    if bpy.app.timers.is_registered(_answer):
        bpy.app.timers.unregister(_answer)
    forget()
