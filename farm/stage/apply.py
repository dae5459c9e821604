"""`Stage.apply`: the one entry to the scene. The artist's preview, the worker and the tests call it alike.

Its steps run in one fixed order: double, motion, groom, set, camera. A preview gives the objects of the double before
another look instead of making new ones (farm/stage/spares.py). The groom comes after the motion. Where a pose is
held, hair is combed on the posed double, and gravity pulls in the posed world. Where a stunt is played, it is combed on
the upright double, as a hairdresser would, and the motion of the stunt up to and through the frames then sways it: so a
style does not depend on the moment at which a clip begins.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray

from farm.algebra import on_all_cores, on_one_thread
from farm.double.groom.beard import build_beard
from farm.double.groom.dynamics import PREROLL
from farm.double.groom.strands import Detail, Groom, build_groom, remove_groom, strand_points
from farm.double.groom.swaying import Swaying, sample_surfaces, sway_groom
from farm.double.groom.wearer import plain, read_wearer, world_vertices
from farm.double.own.guest import Guest
from farm.motion.apply import apply_motion, clear_motion, hips_way, outline_way, plan_for
from farm.motion.perform import FPS
from farm.pieces import Pieces
from farm.recipe.parameters import NO_STUNT
from farm.recipe.variant import Variant
from farm.stage.camera import build_camera, lowest_view, move_camera, place_camera, stop_camera
from farm.stage.camera_path import CameraPath, plan_path, reach
from farm.stage.cast import Cast, bring_double
from farm.stage.framing import View, deciding_frames
from farm.stage.lights import build_set, remove_set
from farm.stage.props import build_prop, remove_prop
from farm.stage.spares import Spares
from farm.stage.steps import STEPS, step_keys
from farm.stage.template import Framing, load_camera_move, load_framing

__all__ = ["STEPS", "Stage", "step_keys"]

COLLECTION: Final = "Digidouble"
FIRST: Final = range(1, 2)
BEGUN: Final = "begun"
"""The key of a step of which there is a part that can be undone."""

Undo = Callable[[], None]


class Stage:
    """A scene with one variant on it. All that it makes lives in a collection of its own."""

    def __init__(
        self, scene: Any, *, resolution: tuple[int, int], detail: Detail = "final", assets: Path | None = None
    ) -> None:
        """A stage in `scene` for pictures of `resolution`; in `preview` detail, hair is quick to look at.

        `assets` is the folder of packed doubles of artists, where variants have one.
        """
        self.scene = scene
        self._detail = detail
        self._assets = assets
        self._resolution = resolution
        self._collection = bpy.data.collections.new(COLLECTION)
        scene.collection.children.link(self._collection)
        self._camera = build_camera(scene, self._collection)
        self._spares = Spares(scene, self._collection) if detail == "preview" else None
        self._keys: dict[str, str] = {}
        self._undo: dict[str, Undo] = {}
        self._motion: tuple[Any, Any] | None = None
        self._posed: list[NDArray[np.float64]] | None = None
        self._double: Cast
        self._groom: Groom
        self._swaying: Swaying | None = None
        self._view: View
        self._path: CameraPath | None = None
        self._rate = FPS
        self._frame = 0
        self._rests = False

    def apply(self, variant: Variant, *, frames: range, rate: float = FPS) -> None:
        """Put a variant on the stage for a clip's frames, `rate` a second; the scene then stands at the first one.

        Steps whose keys have not changed are skipped; the others are undone and done again.
        """
        for _ in self.steps(variant, frames=frames, rate=rate):
            pass

    def steps(self, variant: Variant, *, frames: range, rate: float = FPS) -> Iterator[tuple[str, float]]:
        """`apply`, step by step, long ones in pieces: before each, its name and how much of all is done, 0..1.

        Where it is left early, the stage is between two variants, and the next `apply` does what is missing.
        """
        self._rate = rate
        _set_rate(self.scene, rate)
        keys = step_keys(variant, frames, rate)
        stale = [step for step in STEPS if self._keys.get(step) != keys[step]]
        for place, step in enumerate(stale):
            yield step, place / len(stale)
            if place == 0:
                self._strike(stale)
                if "motion" not in stale or self._spares is None:
                    self.show(frames.start)
            for done in self._build(step, variant, frames):
                yield step, (place + done) / len(stale)
            self._keys[step] = keys[step]
        self.show(frames.start)

    def _build(self, step: str, variant: Variant, frames: range) -> Iterator[float]:
        """Do one step, in pieces where it takes long: before all but the first, how much of it is done, 0..1."""
        builders: dict[str, Callable[[Variant, range], Undo | Pieces[Undo]]] = {
            "double": self._build_double,
            "motion": self._move,
            "groom": self._build_groom,
            "set": self._build_set,
            "camera": self._aim,
        }
        made = self._do(builders[step], variant, frames)
        while isinstance(made, Generator):
            try:
                yield self._do(next, made)
            except StopIteration as ended:
                made = ended.value
        self._undo[step] = made

    @on_one_thread
    def _do(self, work: Callable[..., Any], *given: Any) -> Any:
        """A piece of work on a step."""
        with self._materials(), on_all_cores() if self._detail == "preview" else nullcontext():
            return work(*given)

    def _materials(self) -> AbstractContextManager[None]:
        """Where materials come from and go to meanwhile."""
        return nullcontext() if self._spares is None else self._spares.materials()

    def tidy(self) -> None:
        """Remove what a preview keeps for the variants to come: they then take longer."""
        if self._spares is not None:
            self._spares.clear()

    @on_one_thread
    def duration(self, variant: Variant) -> float:
        """Seconds that the stunt of a variant that has one takes on its double, which is then on the stage."""
        key = step_keys(variant, FIRST)["double"]
        if self._keys.get("double") != key:
            self._strike(list(STEPS))
            for _ in self._build("double", variant, FIRST):
                pass
            self._keys["double"] = key
        return plan_for(self._double.armature, variant.stunt, rig=self._double.rig).duration

    @on_one_thread
    def _strike(self, steps: list[str]) -> None:
        """Undo steps, the last first."""
        self._rests = self._rests and not {"double", "motion"} & set(steps)
        with self._materials():
            for step in reversed(steps):
                if self._keys.pop(step, None) is not None:
                    self._undo.pop(step)()

    @on_one_thread
    def show(self, frame: int) -> None:
        """Go to a frame and hold it.

        The pose is held without its action: every render starts with a change of frame, which would evaluate all
        that is animated again, and Cycles would then build body, suit and hair anew (four times the cost of a sync).
        """
        if self._rests and self._frame == frame == self.scene.frame_current:
            return
        self._go(frame)
        self._stay()

    def _go(self, frame: int) -> None:
        """Let Blender find how all stands at a frame."""
        self._play()
        self.scene.frame_set(frame)
        self._frame = frame

    def _stay(self) -> None:
        """Hold the frame."""
        self._hold()
        self._rests = self._spares is not None and self._swaying is None
        if self._swaying is not None:
            self._swaying.show(self._frame)

    def play(self) -> None:
        """Let the scene's own time move the double, until a frame is shown again; `follow` lays its hair meanwhile."""
        self._rests = False
        self._play()

    def follow(self, frame: int) -> None:
        """Lay the hair as it is at a frame to which the scene has gone by itself."""
        if self._swaying is not None:
            self._swaying.show(frame)

    @contextmanager
    def in_motion(self) -> Iterator[None]:
        """Meanwhile a render sees how all moves about the frame that is shown, for motion blur and motion vectors."""
        self._play()
        try:
            with nullcontext() if self._swaying is None else self._swaying.in_motion(self._frame):
                yield
        finally:
            self._hold()

    def _hold(self) -> None:
        """Let the armature stand as it is, without its action."""
        if self._motion is not None:
            self._double.armature.animation_data.action = None

    def _play(self) -> None:
        """Give the armature its action back."""
        if self._motion is not None:
            animation = self._double.armature.animation_data
            animation.action, animation.action_slot = self._motion

    @property
    def view(self) -> View:
        """The camera of the variant on the stage, at the frame that is shown."""
        return self._view if self._path is None else self._path.view(self._view, self._frame)

    def _build_double(self, variant: Variant, _: range) -> Undo:
        self._double, undo = bring_double(variant, self._collection, assets=self._assets, spares=self._spares)
        return undo

    def _move(self, variant: Variant, frames: range) -> Undo:
        armature = self._double.armature
        before = self._lead + 1 if variant.stunt.name != NO_STUNT else 1
        planned = apply_motion(
            armature, variant.pose, variant.stunt, rig=self._double.rig, frames=frames, fps=self._rate, before=before
        )
        animation = armature.animation_data
        self._motion = animation.action, animation.action_slot
        self._pose(frames.start)
        props = []
        if planned is not None and planned.props:
            wide = np.arange(frames[0] - 1, frames[-1] + 2)
            dents = planned.press(variant.stunt.phase * planned.duration + (wide - frames[0]) / self._rate)
            props = [build_prop(*each, wide, self._collection) for each in zip(planned.props, dents, strict=True)]

        def undo() -> None:
            for prop in props:
                remove_prop(prop)
            self._play()
            self._motion = None
            clear_motion(armature)

        return undo

    def _pose(self, frame: int) -> None:
        """Go to a frame, and read how the built-in double's skin and clothes stand, before they are smoothed."""
        if isinstance(self._double, Guest):
            self._posed = None
            self.show(frame)
            return
        with plain(*self._solids):
            self._go(frame)
            self._posed = world_vertices(*self._solids)
        self._stay()

    def _build_groom(self, variant: Variant, frames: range) -> Pieces[Undo]:
        moving, solids = variant.stunt.name != NO_STUNT, self._solids
        if moving:
            self._stand("REST")
        worn, here = read_wearer(self._double, posed=None if moving else self._posed), self._collection
        self._groom = build_groom(self._double, variant.hair, collection=here, detail=self._detail, worn=worn)
        beard = build_beard(self._double, variant.hair, variant.beard, collection=here, worn=worn)

        def undo() -> None:
            self._swaying = None
            remove_groom(self._groom)
            if beard is not None:
                remove_groom(beard)

        if moving:
            combed = sample_surfaces(solids)
            self._stand("POSE")
            self._undo["groom"], self._keys["groom"] = undo, BEGUN
            self._swaying = yield from self._sway(solids, combed, frames)
        return undo

    @property
    def _solids(self) -> list[Any]:
        """What hair lies on."""
        return [self._double.body, *self._double.garments]

    def _stand(self, position: str) -> None:
        """Put the double to its rest, upright, or back into its pose."""
        self._double.armature.data.pose_position = position
        self.scene.view_layers[0].update()
        self._rests = False

    def _sway(self, solids: list[Any], combed: NDArray[np.float64], frames: range) -> Pieces[Swaying | None]:
        """Hair in motion over frames, and one more at each end for what is seen between frames."""
        wide = range(frames[0] - 1, frames[-1] + 2)
        self._play()
        go = self.scene.frame_set
        return sway_groom(self._groom, solids, combed, wide, lead=self._lead, go=go, fps=self._rate)

    @property
    def _lead(self) -> int:
        """How many frames of motion are played before the first one."""
        return math.ceil(PREROLL * self._rate)

    def _build_set(self, variant: Variant, _: range) -> Undo:
        facing = math.radians(variant.camera.azimuth)
        made = build_set(self.scene, variant.light, self._collection, facing=facing)
        return lambda: remove_set(made)

    def _aim(self, variant: Variant, frames: range) -> Pieces[Undo]:
        framing = load_framing(variant.camera.framing)
        chosen = framing.part(self._double.rest_skin)
        path = self._plan(variant, frames)
        places = self._deciding(variant, frames, framing, path).tolist()
        points = []
        for number, place in enumerate(places):
            if number:
                yield number / len(places)
            self.show(frames[place])
            body = self._skin(place, chosen)
            hair = strand_points(self._groom)[0]
            seen = np.concatenate([body, hair[hair[:, 2] >= body[:, 2].min()]])
            points.append(seen if path is None else path.withdrawn(seen, frames[place]))
        self._view = lowest_view(np.concatenate(points), variant.camera, self._resolution, framing.margin, path)
        self._path = path
        if path is None:
            place_camera(self._camera, self._view)
        else:
            move_camera(self._camera, self._view, path)

        def undo() -> None:
            self._path = None
            stop_camera(self._camera)

        return undo

    def _skin(self, place: int, chosen: NDArray[np.int64]) -> NDArray[np.float64]:
        """World places (N, 3) of some of the skin's vertices at the frame that is shown, the clip's `place`-th.

        Those of the first one are at hand. To let them be smoothed would take longer than all else here, for a third of
        a millimetre.
        """
        return self._posed[0][chosen] if place == 0 and self._posed else self._double.posed_skin(chosen)

    def _deciding(
        self, variant: Variant, frames: range, framing: Framing, path: CameraPath | None
    ) -> NDArray[np.int64]:
        """The numbers of the frames that the camera is aimed at, for the double to be inside in all of them.

        They are found on the body's outline; skin and hair are then looked at in these alone.
        """
        if len(frames) == 1:
            return np.zeros(1, dtype=np.int64)
        times, rig = (np.array(frames) - frames[0]) / self._rate, self._double.rig
        rest, way = outline_way(self._double.armature, variant.pose, variant.stunt, rig=rig, times=times)
        way = way[:, framing.part(rest)]
        if path is not None:
            way = np.stack([path.withdrawn(points, frame) for points, frame in zip(way, frames, strict=True)])
        rough = lowest_view(way.reshape(-1, 3), variant.camera, self._resolution, framing.margin, path)
        return deciding_frames(rough, way, self._resolution, framing.margin)

    def _plan(self, variant: Variant, frames: range) -> CameraPath | None:
        """The camera's way over a clip; None where it stands still."""
        move, rate = load_camera_move(variant.camera.move), self._rate
        if move.still:
            return None
        beyond = reach(move, rate)
        times = np.arange(-beyond, len(range(frames[0], frames[-1])) + 1 + beyond) / rate
        hips = hips_way(self._double.armature, variant.pose, variant.stunt, rig=self._double.rig, times=times)
        return plan_path(move, variant.camera.amount, hips, frames, rate=rate)


def _set_rate(scene: Any, rate: float) -> None:
    """Let a scene play so many frames a second."""
    scene.render.fps = max(1, round(rate))
    scene.render.fps_base = scene.render.fps / rate
