"""Hair in motion: guides as inextensible strands that the moving head carries along (numpy and scipy).

A guide is a chain of points on which gravity, the air and its neighbours act. In each substep follow:

- shape: springs turn every segment to where the comb laid it, both against the head and against the segment before it,
  as the global and local shape constraints of Han and Harada 2012, "Real-time hair simulation with efficient hair style
  preservation" (VRIPHYS). Frames are carried along the strand without twist (Bergou et al. 2008, "Discrete elastic
  rods"). Springs are linear in the points and taken backwards in time.
- length: tensions from a tridiagonal system per guide and Newton step (Deul et al. 2018, "Direct position-based solver
  for stiff rods"), then exactly, from the root on (Müller, Kim, Chentanez 2012, "Fast simulation of inextensible hair
  and fur").
- contact: points leave skin and clothes, which move with the pose, and rub on them.
- neighbours: guides take on the velocity of those beside them, so that locks move as one (Müller, Kim, Chentanez 2012).

Combed hair already hangs under gravity. Each segment therefore keeps, in the head's axes, the force that held it up
when it was combed, less what its own tension carries. So hair on an upright head at rest stays exactly where it was
combed, and what hung freely hangs towards the ground however the head turns. Such a force answers to weight: it goes
where the head flies freely, lies on its side or hangs upside down, or it would lift hair that weighs nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from farm.double.groom.chain import Springs, carried_onward, respace, stretch, unit
from farm.double.groom.contact import REACH, Surface, anchor
from farm.double.groom.style import Sway
from farm.pieces import Pieces

__all__ = ["LOCKED", "PREROLL", "Wearing", "solve_guides"]

Array = NDArray[np.float64]

GRAVITY: Final = 9.81
"""m/s²"""
UP: Final = np.array([0.0, 0.0, 1.0])
PREROLL: Final = 1.0
"""Seconds of motion that are played before the first frame that is wanted."""
LOCKED: Final = 100.0
"""The stiffness from which hair is one piece with the head."""
LONGEST_STEP: Final = 1 / 144
"""Seconds that a substep lasts at most; each frame has a whole number of them."""
SETTLING: Final = 0.6
"""Seconds in which hair comes to rest on the double as the first frame has it."""
SETTLING_DAMPING: Final = 12.0
"""Damping in 1/s meanwhile."""
MEETING: Final = 2
"""Substeps after which the nearest surface is looked for again."""
NEWTON: Final = 2
CLEARANCE: Final = 0.003
"""Distance in metres that guides keep from skin and clothes, unless they were combed nearer."""
RUB: Final = 0.35
"""Share of its sliding velocity that a touching point loses in a substep."""
NEIGHBOURS: Final = 6
FRICTION: Final = 20.0
"""How fast neighbouring guides take on a common velocity, in 1/s."""
INNER: Final = 60.0
"""How fast neighbouring points of a guide do: what bends hair back and forth is spent in it."""
AIR: Final = 0.5
"""How much faster the air stops hair per m/s of its speed, in 1/s: drag on fibres grows with its square."""
EXPOSURE: Final = 0.4
GOLDEN: Final = 0.6180339887
"""How much guides differ in what air they meet, spread by multiples of the golden ratio: locks part in the wind."""
FASTEST: Final = 12.0
"""Velocity against the head that hair never exceeds, in m/s."""


@dataclass(frozen=True)
class Wearing:
    """What carries the hair over consecutive frames, and what it cannot pass.

    combed   (N, 3) samples of skin and clothes as they were when hair was combed
    head     (F, 4, 4) rigid motions from the space that guides were combed in to the world
    surface  (F, N, 3) samples of skin and clothes in the world
    normals  (F, N, 3) outward, of unit length
    """

    combed: Array
    head: Array
    surface: Array
    normals: Array

    def __len__(self) -> int:
        return len(self.head)

    def local(self, frame: int) -> Array:
        """The samples (N, 3) at a frame in the space of combing: the head's own stay, and the neck bends."""
        return _withdrawn(self.head[frame], self.surface[frame])


def solve_guides(
    rest: Array, worn: Wearing, sway: Sway, *, fps: float, lead: int = 0, held: int = 2, thickness: Array | None = None
) -> Pieces[Array]:
    """The guides at every frame from `lead` on: (F − lead, G, P, 3) in the space that they were combed in.

    rest       (G, P, 3) combed on an upright head, root first
    lead       how many frames only lead up to the first wanted one
    held       how many points of a guide, two at least, are one piece with the head
    thickness  (G, P) metres around a guide that its hair fills

    Hair begins at rest on the double as the first frame has it, moving with its head.
    """
    wanted = len(worn) - lead
    if sway.stiffness >= LOCKED or not len(rest) or rest.shape[1] <= held:
        return np.repeat(rest[None], wanted, axis=0)
    room = np.zeros(rest.shape[:2]) if thickness is None else thickness
    solver = _Solver(rest, worn, sway, fps, held, room.T)
    frames = np.empty((wanted, *rest.shape))
    for _ in solver.settle():
        yield 0.0
    for frame in range(len(worn)):
        if frame:
            yield frame / len(worn)
            solver.advance(frame)
        if frame >= lead:
            frames[frame - lead] = solver.local(frame)
    return frames


class _Solver:
    """One solve: points and velocities (P, G, 3) in the world. Masses are per unit of a strand's length."""

    def __init__(self, combed: Array, worn: Wearing, sway: Sway, fps: float, held: int, room: Array) -> None:
        self.worn, self.sway, self.fps, self.held = worn, sway, fps, held
        self.substeps = math.ceil(round(1 / (fps * LONGEST_STEP), 6))
        self.step = 1.0 / (fps * self.substeps)
        self.rest = np.ascontiguousarray(combed.transpose(1, 0, 2))
        offsets = np.diff(self.rest, axis=0)
        self.length = np.linalg.norm(offsets, axis=2).clip(1e-6)
        self.direction = offsets / self.length[..., None]
        mass = np.zeros(self.rest.shape[:2])
        mass[1:] += self.length / 2
        mass[:-1] += self.length / 2
        self.lightness = 1.0 / mass
        self.lightness[:held] = 0.0
        below = np.cumsum(mass[::-1], axis=0)[::-1][1:]
        grown = np.cumsum(self.length, axis=0) - self.length / 2
        free = np.maximum(grown - grown[held - 2], 0.0)
        kept = GRAVITY * below * sway.stiffness * np.exp(-((free / sway.hold) ** 2))
        bent = GRAVITY * sway.bend**3 / self.length**2
        self.share = (kept / np.maximum(kept + bent, 1e-12))[..., None]
        self.springs = Springs.of(mass / self.step**2, (kept + bent) / self.length, held)
        self.support = self._support(below, mass)
        self.borne = _borne(worn.head, self.rest[0].mean(axis=0), fps)
        self.beside = _neighbours(self.rest)
        share = GOLDEN * np.arange(self.rest.shape[1])
        self.exposed = (1 + EXPOSURE * (2 * (share % 1.0) - 1))[:, None]
        self.anchor = anchor(self.rest[0], worn.combed)
        self.points = _moved(worn.head[0], self.rest)
        self.velocity = np.zeros_like(self.points)
        surface = Surface.of(worn.combed, worn.combed, worn.normals[0] @ worn.head[0][:3, :3])
        self.nearest = surface.nearest(self.rest)
        self.clearance = np.minimum(CLEARANCE + room, surface.distance(self.rest, self.nearest, 1.0)[0])

    def _support(self, below: Array, mass: Array) -> Array:
        """The acceleration (P, G, 3) of each point, in the space of combing, that keeps the combed style up."""
        hanging = np.maximum(-self.direction[..., 2:], 0.0)
        force = GRAVITY * below[..., None] * (hanging * self.direction + UP)
        total = np.zeros_like(self.rest)
        total[1:] += force
        total[:-1] -= force
        result: Array = total / mass[..., None]
        return result

    def local(self, frame: int) -> Array:
        """The guides (G, P, 3) at a frame in the space of combing."""
        return np.ascontiguousarray(_withdrawn(self.worn.head[frame], self.points).transpose(1, 0, 2))

    def settle(self) -> Iterator[None]:
        """Let hair come to rest on the head as the first frame holds it, then move with it; in pieces of a frame."""
        head, surface = self.worn.head[0], self._surface(self.worn.combed, 0)
        drift = np.stack([np.zeros_like(self.rest[0]), self._drift(0)])
        substeps = round(SETTLING / self.step)
        for index in range(substeps):
            if index % self.substeps == 0:
                yield
            self._meet(surface, head, index)
            fraction = min(1.0, 2 * (index + 1) / substeps)
            self._substep(head, head, surface, drift, fraction, SETTLING_DAMPING, self.borne[0])
        if len(self.worn) > 1:
            self.velocity = self._rigid(head, self.worn.head[1], self.points) * self.fps

    def advance(self, frame: int) -> None:
        """To a frame from the one before it."""
        heads = _between(self.worn.head, frame - 1, self.substeps)
        surface = self._surface(self.worn.local(frame - 1), frame)
        drift = np.stack([self._drift(frame - 1), self._drift(frame)])
        for index in range(self.substeps):
            self._meet(surface, heads[index], index)
            fraction = (index + 1) / self.substeps
            borne = self.borne[frame - 1] + fraction * (self.borne[frame] - self.borne[frame - 1])
            self._substep(heads[index], heads[index + 1], surface, drift, fraction, self.sway.damping, borne)

    def _substep(
        self, before: Array, after: Array, surface: Surface, drift: Array, fraction: float, damping: float, borne: float
    ) -> None:
        step, old, turn = self.step, self.points, after[:3, :3]
        rigid = self._rigid(before, after, old) / step
        own = self.velocity - rigid
        own += (_mixed(self.beside, own) - own) * (1 - np.exp(-FRICTION * step))
        own[1:-1] += (0.5 * (own[2:] + own[:-2]) - own[1:-1]) * (1 - np.exp(-INNER * step))
        own *= np.exp(-damping * step)
        own *= np.minimum(1.0, FASTEST / np.maximum(np.linalg.norm(own, axis=2, keepdims=True), FASTEST))
        velocity = own + rigid
        speed = np.linalg.norm(velocity, axis=2, keepdims=True)
        velocity *= np.exp(-(self.sway.drag + AIR * speed) * self.exposed * step)
        points = old + step * velocity + step**2 * (borne * self.support @ turn.T - GRAVITY * UP)
        rooted = drift[0] + fraction * (drift[1] - drift[0])
        points[: self.held] = _moved(after, self.rest[: self.held] + rooted)
        points = self.springs.settle(points, self._combed_offsets(old, turn))
        points = stretch(points, self.length, self.lightness, self.held, NEWTON)
        points, touching = self._collide(points, surface, after, fraction)
        points = stretch(points, self.length, self.lightness, self.held, 1)
        points = respace(points, self.length, self.held)
        self.velocity = (points - old) / step
        self.velocity[touching] += RUB * (rigid - self.velocity)[touching]
        self.points = points

    def _rigid(self, before: Array, after: Array, points: Array) -> Array:
        """How far points (P, G, 3) would go if they were one piece with the head."""
        result: Array = _moved(after @ np.linalg.inv(before), points) - points
        return result

    def _combed_offsets(self, points: Array, turn: Array) -> Array:
        """Where the springs want each segment (P − 1, G, 3): as combed on the head, and on the segment before it."""
        now = unit(np.diff(points, axis=0)) @ turn
        onward = carried_onward(self.direction, now)
        wanted = unit(self.share * self.direction + (1 - self.share) * onward) * self.length[..., None]
        turned: Array = wanted @ turn.T
        return turned

    def _drift(self, frame: int) -> Array:
        """How far roots (G, 3) have gone with the skin under them, which is not quite one piece with the head."""
        result: Array = self.anchor @ (self.worn.local(frame) - self.worn.combed)
        return result

    def _surface(self, start: Array, frame: int) -> Surface:
        """Skin and clothes around the head on the way from `start` (N, 3) to a frame, in the space of combing."""
        end = self.worn.local(frame)
        reach = float(self.length.sum(axis=0).max()) + REACH
        low, high = self.rest[0].min(axis=0) - reach, self.rest[0].max(axis=0) + reach
        near = ((end > low) & (end < high)).all(axis=1)
        normals = self.worn.normals[frame][near] @ self.worn.head[frame][:3, :3]
        return Surface.of(start[near], end[near], normals)

    def _meet(self, surface: Surface, head: Array, substep: int) -> None:
        """Find again what points are near to, every `MEETING` substeps."""
        if substep % MEETING == 0:
            self.nearest = surface.nearest(_withdrawn(head, self.points))

    def _collide(
        self, points: Array, surface: Surface, head: Array, fraction: float
    ) -> tuple[Array, NDArray[np.bool_]]:
        """Points outside of the surface, and which of them (P, G) touch it."""
        free = slice(self.held, None)
        signed, normal = surface.distance(_withdrawn(head, points[free]), self.nearest[free], fraction)
        lack = np.where(np.isfinite(signed), self.clearance[free] - signed, -1.0)
        touching = np.zeros(points.shape[:2], dtype=bool)
        touching[free] = lack > 0
        points = points.copy()
        points[free] += (np.maximum(lack, 0.0)[..., None] * normal) @ head[:3, :3].T
        return points, touching


def _borne(head: Array, middle: Array, fps: float) -> Array:
    """The share (F,), 0..1, of its weight upright and at rest that hair feels along the head's own axis at each frame.

    `middle` (3,) is the scalp's, in the space of combing, whose acceleration counts.
    """
    places = head[:, :3, :3] @ middle + head[:, :3, 3]
    felt = np.repeat(GRAVITY * UP[None], len(places), axis=0)
    felt[1:-1] += (places[2:] - 2 * places[1:-1] + places[:-2]) * fps**2
    share: Array = np.clip(np.einsum("fc,fc->f", head[:, :3, :3] @ UP, felt) / GRAVITY, 0.0, 1.0)
    return share


def _neighbours(rest: Array) -> csr_array:
    """What mixes guides (P, G, 3) with those whose course is nearest: (G, G), rows summing to 1."""
    guides = rest.shape[1]
    course = np.concatenate([rest[0], rest[len(rest) // 2], rest[-1]], axis=1)
    near = min(NEIGHBOURS + 1, guides)
    index = np.reshape(cKDTree(course).query(course, k=near)[1], (guides, near))
    rows = np.repeat(np.arange(guides), index.shape[1])
    return csr_array((np.full(index.size, 1.0 / index.shape[1]), (rows, index.ravel())), shape=(guides, guides))


def _mixed(weights: csr_array, values: Array) -> Array:
    """Values (P, G, 3) with those of other guides."""
    points, guides, _ = values.shape
    flat = weights @ values.transpose(1, 0, 2).reshape(guides, -1)
    result: Array = flat.reshape(guides, points, 3).transpose(1, 0, 2)
    return result


def _moved(motion: Array, points: Array) -> Array:
    result: Array = points @ motion[:3, :3].T + motion[:3, 3]
    return result


def _withdrawn(motion: Array, points: Array) -> Array:
    """Points of the world in the space that a rigid motion brought there."""
    result: Array = (points - motion[:3, 3]) @ motion[:3, :3]
    return result


def _between(motions: Array, frame: int, steps: int) -> Array:
    """Rigid motions (steps + 1, 4, 4) from a frame to the next, smooth in velocity from frame to frame.

    Cubic through the neighbours (Catmull and Rom 1974), brought back to rotations by the nearest ones.
    """
    a, b, c, d = (motions[min(max(index, 0), len(motions) - 1)] for index in range(frame - 1, frame + 3))
    t = np.linspace(0.0, 1.0, steps + 1)[:, None, None]
    mixed = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    left, _, right = np.linalg.svd(mixed[:, :3, :3])
    mixed[:, :3, :3] = left @ right
    between: Array = mixed
    return between
