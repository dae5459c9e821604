"""A groom that sways: its guides solved over the frames of a clip, and its strands laid along them frame by frame.

Loose hair is solved guide by guide. Tied hair moves as one: the middle line of each tail, row or lock is solved for all
of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray

from farm.algebra import on_one_thread
from farm.double.groom.between_frames import strands_in_motion
from farm.double.groom.cache import solved_motion
from farm.double.groom.contact import anchor
from farm.double.groom.curves import move_curves
from farm.double.groom.dynamics import LOCKED, Wearing
from farm.double.groom.follow import Followers, bind_strands
from farm.double.groom.outside import CLOTH, Solid, bare, lead_out
from farm.double.groom.strands import Groom
from farm.double.groom.tie import Gather
from farm.double.groom.wearer import plain, world_vertices
from farm.double.normals import vertex_normals
from farm.pieces import Pieces, share_of

__all__ = ["Swaying", "sample_surfaces", "sway_groom"]

Array = NDArray[np.float64]

LINES: Final = 480
"""Guides of loose hair that are solved: the first ones, which are spread evenly over the scalp."""
LINE_POINTS: Final = 16
RECORDED: Final = 0.25
"""How much of the work is done, about, once it is known how the surfaces move."""
TOGETHER: Final = 8
"""So many frames are looked at in a piece of work."""
BESIDE: Final = 0.03
"""How far in metres strands leave the lines that they follow."""
AS_TIED: Final = 1e-6
"""Looseness under which a point of tied hair lies where it was tied."""


@dataclass(frozen=True)
class Swaying:
    """A groom in motion.

    first    the frame of guides[0]
    guides   (F, G, P, 3) at each frame, in the space of the groom's data
    drift    (F, S, 3) how far roots have gone with the skin under them
    solids   (F,) skin and clothes at each frame, in the same space
    """

    groom: Groom
    first: int
    guides: Array
    drift: NDArray[np.float32]
    followers: Followers
    solids: Sequence[Solid]

    def show(self, frame: int) -> None:
        """Lay the strands as they are at a frame; those before are forgotten, whatever they were."""
        move_curves(self.groom.curves.data, self._laid(frame))

    @contextmanager
    def in_motion(self, frame: int) -> Iterator[None]:
        """Meanwhile strands that are shown at a frame move between the frames beside it as the scene's time does."""
        around = [self._laid(frame + step) for step in (-1, 0, 1)]
        with strands_in_motion(self.groom.curves, frame, *around):
            yield

    @on_one_thread
    def _laid(self, frame: int) -> NDArray[np.float32]:
        index = frame - self.first
        return lead_out(self.followers.moved(self.guides[index], self.drift[index]), self.solids[index])


def sway_groom(
    groom: Groom,
    surfaces: Sequence[Any],
    combed: Array,
    frames: range,
    *,
    lead: int,
    go: Callable[[int], None],
    fps: float,
) -> Pieces[Swaying | None]:
    """Solve a groom, combed on the upright double, over consecutive frames; None where it does not move.

    Each piece is to run on one thread (`farm.algebra.on_one_thread`); between two of them the scene may be looked at.

    surfaces  mesh objects that hair cannot pass, the skin first
    combed    (N, 3) their `sample_surfaces` when the groom was built
    lead      frames of motion that are played before the first one
    go        takes the scene to a frame
    """
    lines, held, thickness = _lines(groom)
    if groom.style.sway.stiffness >= LOCKED or not len(lines) or lines.shape[1] <= held:
        return None
    played = range(frames[0] - lead, frames[-1] + 1)
    worn = yield from share_of(_record(groom.curves, surfaces, combed, played, go), 0.0, RECORDED)
    solving = solved_motion(lines, worn, groom.style.sway, fps=fps, lead=lead, held=held, thickness=thickness)
    guides = yield from share_of(solving, RECORDED, 1.0)
    skin = anchor(groom.points[:, 0].astype(np.float64), worn.combed)
    drift = np.array([skin @ (worn.local(frame) - worn.combed) for frame in range(lead, len(worn))], dtype=np.float32)
    solids = [_solid(worn, frame, lines) for frame in range(lead, len(worn))]
    return Swaying(groom, frames[0], guides, drift, bind_strands(groom.points.astype(np.float64), lines), solids)


def _solid(worn: Wearing, frame: int, lines: Array) -> Solid:
    """What strands stay out of at a frame: the samples that lines (G, P, 3) can reach."""
    reach = float(np.linalg.norm(np.diff(lines, axis=1), axis=2).sum(axis=1).max()) + BESIDE
    low, high = lines[:, 0].min(axis=0) - reach, lines[:, 0].max(axis=0) + reach
    samples = worn.local(frame)
    near = ((samples > low) & (samples < high)).all(axis=1)
    normals = worn.normals[frame][near] @ worn.head[frame][:3, :3]
    return Solid(samples[near].astype(np.float32), normals.astype(np.float32))


def sample_surfaces(surfaces: Sequence[Any]) -> Array:
    """Samples (N, 3) of mesh objects in the world, as their armature poses them now."""
    with plain(*surfaces):
        posed = world_vertices(*surfaces)
    return np.concatenate(
        [_samples(places, _quads(thing.data))[0] for places, thing in zip(posed, surfaces, strict=True)]
    )


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
    tie, roots = groom.style.tie, groom.guides.roots
    if isinstance(tie, Gather):
        locks = np.where(roots.side > 0, 1, 0) if tie.both else np.zeros(len(points), np.int64)
    else:
        locks = tied.locks(roots)
    bundles = [points[locks == lock] for lock in np.unique(locks)]
    lines = np.stack([bundle.mean(axis=0) for bundle in bundles])
    spread = [np.sqrt(((bundle - bundle.mean(axis=0)) ** 2).sum(axis=2).mean(axis=0)) for bundle in bundles]
    return lines, held, np.stack(spread)


def _spread(points: int) -> NDArray[np.int64]:
    """Which of a guide's points are solved, root and tip among them."""
    return np.unique(np.linspace(0, points - 1, min(points, LINE_POINTS)).round().astype(np.int64))


def _record(
    curves: Any, surfaces: Sequence[Any], combed: Array, frames: range, go: Callable[[int], None]
) -> Pieces[Wearing]:
    """What carries hair curves over frames, and the surfaces meanwhile as their armature poses them.

    Skin under clothes, the surfaces after the first, is left out.
    """
    faces = [_quads(thing.data) for thing in surfaces]
    heads, places, normals = [], [], []
    parts: list[tuple[Array, Array]] = []
    for start in range(0, len(frames), TOGETHER):
        yield start / len(frames)
        with plain(*surfaces):  # which makes a frame fifty times cheaper
            for frame in frames[start : start + TOGETHER]:
                go(frame)
                graph = bpy.context.evaluated_depsgraph_get()
                heads.append(np.array(curves.evaluated_get(graph).matrix_world))
                samples = [_samples(*each) for each in zip(world_vertices(*surfaces), faces, strict=True)]
                places.append(np.concatenate([place for place, _ in samples]))
                normals.append(np.concatenate([normal for _, normal in samples]))
                parts = parts or samples
    kept = np.ones(len(combed), dtype=bool)
    skin = len(parts[0][0])
    kept[:skin] = bare(*parts[0], parts[1:])
    outward = np.array(normals)
    surface = np.array(places)
    surface[:, skin:] += CLOTH * outward[:, skin:]
    return Wearing(combed[kept], np.array(heads), surface[:, kept], outward[:, kept])


def _samples(vertices: Array, faces: NDArray[np.int32]) -> tuple[Array, Array]:
    """A surface's vertices (V, 3) that bear faces and the faces' middles (N, 3), and outward normals (N, 3)."""
    used = np.unique(faces)
    normals = vertex_normals(vertices, faces)
    corners = vertices[faces]
    across = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-12)
    return np.concatenate([vertices[used], corners.mean(axis=1)]), np.concatenate([normals[used], across])


def _quads(mesh: Any) -> NDArray[np.int32]:
    """Faces (F, 4) of a mesh; a triangle's last corner is doubled."""
    rows = [tuple(face.vertices) for face in mesh.polygons]
    return np.array([row if len(row) == 4 else (*row[:3], row[2]) for row in rows], dtype=np.int32)
