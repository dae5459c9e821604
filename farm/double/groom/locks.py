"""Locs and box braids: the scalp parted into cells, all hair of a cell in one lock of its own (numpy only).

Cells are the Voronoi cells of places spread over the scalp; a lock's middle line is a guide that is combed like loose
hair. Locks are a wisp model as that of Choe and Ko 2005: a hair keeps its place in the section of its lock. In a matted
lock it wanders through the section, so that the lock looks felted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from farm.double.groom.braid import STRANDS, plait, plait_hairs, plait_length
from farm.double.groom.collider import Collider
from farm.double.groom.lay import Spine, Tube, even, push_apart, push_out, smooth, spine, tube
from farm.double.groom.surface import Roots
from farm.double.groom.tie import Locks

__all__ = ["Locked", "lock_hair"]

Array = NDArray[np.float64]

POINTS: Final = {False: 48, True: 72}
"""Points of a hair, of rope-like and of braided locks."""
ENTRY: Final = 0.012
"""Length over which a cell's hairs come together."""
CLEAR: Final = 0.0015
HELD: Final = 3
WINDING: Final = (35.0, 110.0)
"""Turns of matted hairs about their lock's middle, in radians per metre."""
WANDER: Final = 240.0
LUMP: Final = 0.22
LUMP_WAVES: Final = np.array([160.0, 290.0, 470.0])
LUMP_PHASES: Final = np.array([1.0, 1.7, 2.9])
"""Lumps of a matted lock: how much thicker, how often in radians per metre, and how locks differ."""
LEAST_HAIR: Final = 0.45
WIDTHS: Final = (0.8, 1.25)
"""How little hair of the mean a lock has at least, and how far its radius follows what it has."""
PLAITED: Final = 2.4
"""Half the width of a plait in radii of its strands."""
STEP: Final = 0.003


@dataclass(frozen=True)
class Lock:
    """One lock: its bundles of hair and its length in metres."""

    tubes: tuple[Tube, ...]
    length: float


@dataclass(frozen=True)
class Locked:
    """Hair in locks; `centres` (L, 3) are their roots in the head's axes."""

    tie: Locks
    collider: Collider
    centres: Array
    all: tuple[Lock, ...]

    @property
    def loose(self) -> Array:
        """How far each point of a hair may be moved (P,): little."""
        return 0.15 * np.clip(np.linspace(0.0, 4.0, POINTS[self.tie.braided]), 0.0, 1.0)

    @property
    def bands(self) -> tuple[Array, ...]:
        """Elastic bands: none."""
        return ()

    def keep(self, roots: Roots) -> NDArray[np.bool_]:
        """Which roots (N,) do not stand between two cells."""
        span, index = cKDTree(self.centres).query(roots.local, k=2)
        between = np.linalg.norm(self.centres[index[:, 1]] - self.centres[index[:, 0]], axis=1)
        border = (span[:, 1] ** 2 - span[:, 0] ** 2) / (2 * np.maximum(between, 1e-9))
        return np.asarray(border >= self.tie.parting / 2)

    def locks(self, roots: Roots) -> NDArray[np.int64]:
        """The lock (N,) that roots belong to."""
        return np.asarray(cKDTree(self.centres).query(roots.local)[1])

    def paths(self, roots: Roots, random: np.random.Generator) -> Array:
        """Hairs (N, P, 3) in world space from their roots to their tips."""
        count = POINTS[self.tie.braided]
        chance = random.random((len(roots.posed), 6))
        lock = self.locks(roots)
        found: NDArray[Any] = np.zeros((len(lock), count, 3), dtype=np.float32)
        order = np.argsort(lock, kind="stable")
        borders = np.searchsorted(lock[order], np.arange(len(self.all) + 1))
        for index, own in enumerate(self.all):
            mine = order[borders[index] : borders[index + 1]]
            if len(mine):
                found[mine] = self._path(own, roots.posed[mine], chance[mine])
        free = push_out(self.collider, found[:, HELD:].reshape(-1, 3), CLEAR)
        found[:, HELD:] = free.reshape(len(found), count - HELD, 3)
        return found

    def _path(self, lock: Lock, root: Array, chance: Array) -> Array:
        tie = self.tie
        share = np.linspace(0.0, 1.0, POINTS[tie.braided])
        arc = lock.length * (1 - 0.06 * chance[:, :1] ** 2) * share
        angle, radius = 2 * np.pi * chance[:, 1], np.sqrt(chance[:, 2])
        if tie.braided:
            disc = 0.95 * np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
            strand = np.floor(chance[:, 3] * STRANDS).astype(np.int64)
            points = plait_hairs(lock.tubes, arc, strand, disc)
        else:
            points = lock.tubes[0].hairs(arc, self._matted(arc, radius, angle, chance))
        entering = int((share * lock.length < 1.1 * ENTRY).sum())
        left = (1 - np.clip(arc[:, :entering] / ENTRY, 0.0, 1.0)) ** 2
        points[:, :entering] += left[..., None] * (root - points[:, 0])[:, None]
        return points

    def _matted(self, arc: Array, radius: Array, angle: Array, chance: Array) -> Array:
        """Places (N, P, 2) of hairs that wind around the middle of their lock and wander in and out."""
        mat = self.tie.mat
        rate = (WINDING[0] + (WINDING[1] - WINDING[0]) * chance[:, 3]) * np.where(chance[:, 4] > 0.25, 1.0, -1.0)
        turned = angle[:, None] + rate[:, None] * arc * (0.4 + mat)
        wander = np.sin(WANDER * (0.5 + chance[:, 5:]) * arc + 20.0 * chance[:, 4:5])
        reach = radius[:, None] * (1 + 0.35 * mat * wander)
        return np.stack([reach * np.cos(turned), reach * np.sin(turned)], axis=-1)


def lock_hair(tie: Locks, collider: Collider, places: Array, roots: Roots, guides: Array) -> Locked:
    """Make a lock of each combed guide (L, P, 3) that has hair of its own around it.

    `places` (Q, 3) are spread over the scalp as dense as its hair, in the head's axes. Locks are moved apart where they
    would share their place; hair of cells with little of it, at the hairline, goes to their neighbours.
    """
    hair = np.bincount(cKDTree(roots.local).query(places)[1], minlength=len(guides))
    kept = np.flatnonzero(hair > LEAST_HAIR * hair.mean())
    centres = roots.local[kept]
    hair = np.bincount(cKDTree(centres).query(places)[1], minlength=len(kept))
    width = np.clip(np.sqrt(hair / hair.mean()), *WIDTHS)
    curves = push_apart(collider, guides[kept], tie.radius)
    locks = []
    for index, (curve, normal) in enumerate(zip(curves, roots.normals[kept], strict=True)):
        across = np.cross(curve[1] - curve[0], normal) + 1e-6
        line = spine(smooth(even(curve, STEP)[0], rounds=4), across, step=STEP / 2)
        locks.append(_lock(tie, index, line, float(width[index])))
    return Locked(tie=tie, collider=collider, centres=centres, all=tuple(locks))


def _lock(tie: Locks, index: int, line: Spine, width: float) -> Lock:
    length = float(line.arc[-1])
    thin = width - width * tie.taper * (line.arc / length) ** 1.5
    if tie.braided:
        third = tie.radius / PLAITED * thin
        phase = np.cumsum(2 * np.pi * line.arc[1] / plait_length(third, tie.tight)) + index
        return Lock(tubes=plait(line, phase, third, np.clip(line.arc / ENTRY, 0.0, 1.0)), length=length)
    lumps = np.sin(LUMP_WAVES * line.arc[:, None] + 2.4 * index * LUMP_PHASES).mean(axis=1)
    return Lock(tubes=(tube(line, tie.radius * thin * (1 + LUMP * tie.mat * lumps)),), length=length)
