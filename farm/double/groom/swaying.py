"""A groom that sways: its guides solved over the frames of a clip, and its strands laid along them frame by frame.

Loose hair is solved guide by guide. Tied hair moves as one: the middle line of a tail, or of each lock, is solved for
all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray

from farm.double.groom.contact import anchor
from farm.double.groom.curves import move_curves
from farm.double.groom.dynamics import LOCKED, Wearing, solve_guides
from farm.double.groom.follow import Followers, bind_strands
from farm.double.groom.strands import Groom
from farm.double.groom.tie import Locks
from farm.double.normals import vertex_normals

__all__ = ["Swaying", "sample_surfaces", "sway_groom"]

Array = NDArray[np.float64]

LINES: Final = 480
"""Guides of loose hair that are solved: the first ones, which are spread evenly over the scalp."""
LINE_POINTS: Final = 16
AS_TIED: Final = 1e-6
"""Looseness under which a point of tied hair lies where it was tied."""


@dataclass(frozen=True)
class Swaying:
    """A groom in motion.

    first    the frame of guides[0]
    guides   (F, G, P, 3) at each frame, in the space of the groom's data
    drift    (F, S, 3) how far roots have gone with the skin under them
    """

    groom: Groom
    first: int
    guides: Array
    drift: NDArray[np.float32]
    followers: Followers

    def show(self, frame: int) -> None:
        """Lay the strands as they are at a frame; those before are forgotten, whatever they were."""
        index = frame - self.first
        move_curves(self.groom.curves.data, self.followers.moved(self.guides[index], self.drift[index]))


def sway_groom(
    groom: Groom,
    surfaces: Sequence[Any],
    combed: Array,
    frames: range,
    *,
    lead: int,
    go: Callable[[int], None],
    fps: float,
) -> Swaying | None:
    """Solve a groom, combed on the upright double, over consecutive frames; None where it does not move.

    surfaces  mesh objects that hair cannot pass
    combed    (N, 3) their `sample_surfaces` when the groom was built
    lead      frames of motion that are played before the first one
    go        takes the scene to a frame
    """
    lines, held, thickness = _lines(groom)
    if groom.style.sway.stiffness >= LOCKED or not len(lines) or lines.shape[1] <= held:
        return None
    played = range(frames[0] - lead, frames[-1] + 1)
    worn = _record(groom.curves, surfaces, combed, played, go)
    guides = solve_guides(lines, worn, groom.style.sway, fps=fps, lead=lead, held=held, thickness=thickness)
    skin = anchor(groom.points[:, 0].astype(np.float64), combed)
    drift = np.array([skin @ (worn.local(lead + index) - combed) for index in range(len(frames))], dtype=np.float32)
    return Swaying(groom, frames[0], guides, drift, bind_strands(groom.points.astype(np.float64), lines))


def sample_surfaces(surfaces: Sequence[Any]) -> Array:
    """Samples (N, 3) of mesh objects in the world, as their armature poses them now."""
    with _unsmoothed(surfaces):
        graph = bpy.context.evaluated_depsgraph_get()
        return np.concatenate([_samples(thing.evaluated_get(graph), _quads(thing.data))[0] for thing in surfaces])


def _lines(groom: Groom) -> tuple[Array, int, Array]:
    """What is solved: lines (G, P, 3), how many of their points are held, and how thick they are (G, P)."""
    points, tied = groom.guides.points, groom.guides.tied
    if tied is None or not len(points):
        lines = points[:LINES, _spread(points.shape[1])]
        return lines, 2, np.zeros(lines.shape[:2])
    chosen = _spread(points.shape[1])
    moving = np.flatnonzero(tied.loose[chosen] > AS_TIED)
    held = max(2, int(moving[0])) if len(moving) else len(chosen)
    points = points[:, chosen]
    locks = tied.locks(groom.guides.roots) if isinstance(groom.style.tie, Locks) else np.zeros(len(points), np.int64)
    bundles = [points[locks == lock] for lock in np.unique(locks)]
    lines = np.stack([bundle.mean(axis=0) for bundle in bundles])
    spread = [np.sqrt(((bundle - bundle.mean(axis=0)) ** 2).sum(axis=2).mean(axis=0)) for bundle in bundles]
    return lines, held, np.stack(spread)


def _spread(points: int) -> NDArray[np.int64]:
    """Which of a guide's points are solved, root and tip among them."""
    return np.unique(np.linspace(0, points - 1, min(points, LINE_POINTS)).round().astype(np.int64))


def _record(curves: Any, surfaces: Sequence[Any], combed: Array, frames: range, go: Callable[[int], None]) -> Wearing:
    """What carries hair curves over frames, and the surfaces meanwhile as their armature poses them."""
    faces = [_quads(thing.data) for thing in surfaces]
    heads, places, normals = [], [], []
    with _unsmoothed(surfaces):
        for frame in frames:
            go(frame)
            graph = bpy.context.evaluated_depsgraph_get()
            heads.append(np.array(curves.evaluated_get(graph).matrix_world))
            samples = [_samples(thing.evaluated_get(graph), each) for thing, each in zip(surfaces, faces, strict=True)]
            places.append(np.concatenate([place for place, _ in samples]))
            normals.append(np.concatenate([normal for _, normal in samples]))
    return Wearing(combed, np.array(heads), np.array(places), np.array(normals))


def _samples(shown: Any, faces: NDArray[np.int32]) -> tuple[Array, Array]:
    """Vertices that bear faces and the faces' middles (N, 3), in the world, and outward normals (N, 3)."""
    flat = np.empty(len(shown.data.vertices) * 3, dtype=np.float32)
    shown.data.vertices.foreach_get("co", flat)
    matrix = np.array(shown.matrix_world)
    vertices = flat.reshape(-1, 3).astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
    used = np.unique(faces)
    normals = vertex_normals(vertices, faces)
    corners = vertices[faces]
    across = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-12)
    return np.concatenate([vertices[used], corners.mean(axis=1)]), np.concatenate([normals[used], across])


@contextmanager
def _unsmoothed(things: Sequence[Any]) -> Iterator[None]:
    """Leave out all modifiers but the armatures', which makes a frame fifty times cheaper."""
    hidden = [
        modifier
        for thing in things
        for modifier in thing.modifiers
        if modifier.type != "ARMATURE" and modifier.show_viewport
    ]
    for modifier in hidden:
        modifier.show_viewport = False
    try:
        yield
    finally:
        for modifier in hidden:
            modifier.show_viewport = True


def _quads(mesh: Any) -> NDArray[np.int32]:
    """Faces (F, 4) of a mesh; a triangle's last corner is doubled."""
    rows = [tuple(face.vertices) for face in mesh.polygons]
    return np.array([row if len(row) == 4 else (*row[:3], row[2]) for row in rows], dtype=np.int32)
