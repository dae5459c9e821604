"""Combing: guides grown over a posed head (numpy only).

Each guide is integrated from its root as a strand of fixed length whose direction is pulled by the comb, by gravity
and by the hair's own stiffness, and which slides along what it meets. The method is the pseudo-physical one of
Choe and Ko 2005, "A statistical wisp model and pseudophysical approaches for interactive hairstyle generation"
(IEEE TVCG 11:2): combing and gravity are force fields, collisions a constraint field, and the strand follows them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.double.groom.collider import Collider, Shell, build_collider
from farm.double.groom.field import comb_direction, region_shares, regional
from farm.double.groom.style import Hairstyle
from farm.double.groom.surface import Frame, Head, Roots, Scalp, build_scalp, head_frame, sample_roots
from farm.recipe.variant import stream

__all__ = ["Guides", "comb_guides"]

Array = NDArray[np.float64]

STEPS_PER_SEGMENT: Final = 3
CLEARANCE: Final = 0.002
"""Distance in metres that guides keep from the skin, so that strands between them stay outside."""
CLEARANCE_RISE: Final = 0.006
"""Length over which a strand leaves the skin to its clearance."""
UNDERLAY: Final = 0.35
"""How much of the volume over the skin is hair that other hair lies on."""
UNDERLAY_RISE: Final = 0.05
FRIZZ_ROOM: Final = 1.5
STRAY_RISE: Final = 0.008
SETTLE: Final = 1.2
"""How steeply combed hair returns to its height over the skin, per lack of height as a share of `fall.rise`."""
STEEPEST_FALL: Final = 0.6
LENGTH_SPREAD: Final = 0.06
"""Standard deviation of guides' lengths, as a share of them."""
WAVE_SPREAD: Final = 2.2
WAVE_VECTORS: Final = np.array([[31.0, 67.0, -45.0], [52.0, -23.0, 71.0], [-40.0, 58.0, 37.0]])
"""How the phase of waves wanders over the scalp: radians per metre of three fixed directions."""
DOWN: Final = np.array([0.0, 0.0, -1.0])


@dataclass(frozen=True)
class Guides:
    """Combed guides and the scalp they grow from.

    points  (G, P, 3) in world space, roots first
    roots   where they grow
    scalp   the surface that strands between guides grow from
    """

    points: Array
    roots: Roots
    scalp: Scalp


def comb_guides(
    head: Head, shells: list[Shell], style: Hairstyle, *, length: float = 1.0, frizz: float = 0.0, seed: int = 0
) -> Guides:
    """Comb a style on a posed head.

    `shells` are what hair collides with, the skin included; `length` multiplies the style's own; `frizz` (0..1) lifts
    guides by the room that strays need under them. Equal seeds give equal guides; the style's shape does not depend
    on the seed, only where single guides grow and stray.
    """
    random = stream(seed, "groom", "guides")
    frame = head_frame(head)
    scalp = build_scalp(head, frame, style.parting)
    roots = sample_roots(scalp, style.parting, style.guides, random)
    collider = build_collider(shells, head, frame, reach=style.longest * length, fringe=style.fringe)
    comb = _Comb(style, roots, frame, collider, _habits(style, roots, length, random), FRIZZ_ROOM * frizz * style.frizz)
    return Guides(points=comb.grow(), roots=roots, scalp=scalp)


@dataclass(frozen=True)
class _Habit:
    """What single guides do by themselves.

    length (G,), lift (G,) sine of the root's angle to the skin, volume (G,) height over the skin,
    stray  (G, 3) turn away from the common direction, phase (G,) of the wave in radians
    """

    length: Array
    lift: Array
    volume: Array
    stray: Array
    phase: Array


def _habits(style: Hairstyle, roots: Roots, length: float, random: np.random.Generator) -> _Habit:
    shares = region_shares(roots.local)
    count = len(shares)
    layer = 1.0 - style.fall.layers * random.random(count)
    uneven = 1.0 + LENGTH_SPREAD * random.standard_normal(count).clip(-2, 2)
    stray = style.fall.disorder * random.standard_normal((count, 3)).clip(-2, 2)
    phase = WAVE_SPREAD * np.sin(roots.local @ WAVE_VECTORS).sum(axis=1)
    phase += style.wave.own * np.pi * random.uniform(-1, 1, count)
    return _Habit(
        length=regional(style, "length", shares) * length * uneven,
        lift=np.sin(np.radians(regional(style, "lift", shares))),
        volume=regional(style, "volume", shares) * layer,
        stray=stray,
        phase=phase,
    )


@dataclass(frozen=True)
class _Comb:
    """One style on one head; G guides are integrated at once. `grown` (G,) is how much of each has grown.

    `room` is the height in metres over the skin that is left to strays.
    """

    style: Hairstyle
    roots: Roots
    frame: Frame
    collider: Collider
    habit: _Habit
    room: float

    def grow(self) -> Array:
        """Integrate all guides from root to tip: (G, P, 3)."""
        steps = (self.style.points - 1) * STEPS_PER_SEGMENT
        step = self.habit.length / steps
        turn = np.minimum(1.0, step / self.style.fall.bend)[:, None]
        point, heading = self.roots.posed, self.root_heading()
        path = [point]
        for index in range(steps):
            grown = step * index
            height, normal = self.collider.sample(point)
            heading = _unit(heading + turn * (self.pull(grown, point, height, normal) - heading))
            heading = _unit(heading + self.swing(grown, step)[:, None] * np.cross(normal, heading))
            floor = self.floor(grown)
            inward = np.minimum(_dot(heading, normal), 0.0) * (height < floor + step)
            heading = _unit(heading - inward[:, None] * normal)
            point = point + heading * step[:, None]
            if index:
                height, normal = self.collider.sample(point)
                point = point + normal * np.clip(floor - height, 0.0, step)[:, None]
            path.append(point)
        return _respace(np.stack(path[::STEPS_PER_SEGMENT], axis=1), self.habit.length)

    def root_heading(self) -> Array:
        """The direction (G, 3) in which guides leave the skin: the combed one, lifted."""
        normals = self.frame.turn_to_local(self.roots.normals)
        combed = comb_direction(self.style, self.roots.local, normals, self.roots.side) + self.habit.stray
        combed = _unit(combed - _dot(combed, normals)[:, None] * normals)
        lift = self.habit.lift[:, None]
        return self.frame.turn_to_world(combed * np.sqrt(1 - lift**2) + normals * lift)

    def floor(self, grown: Array) -> Array:
        """The height (G,) over skin and clothes below which guides do not go: hair under them lies there."""
        clear = CLEARANCE * (1 - np.exp(-grown / CLEARANCE_RISE))
        laid = UNDERLAY * self.habit.volume * (1 - np.exp(-grown / UNDERLAY_RISE))
        stray = self.room * (1 - np.exp(-grown / STRAY_RISE))
        floor: Array = clear + laid + stray
        return floor

    def pull(self, grown: Array, point: Array, height: Array, normal: Array) -> Array:
        """Where comb and gravity would turn guides (G, 3): the comb rules near the root, gravity beyond."""
        fall = self.style.fall
        local, outward = self.frame.to_local(point), self.frame.turn_to_local(normal)
        combed = self.frame.turn_to_world(comb_direction(self.style, local, outward, self.roots.side))
        lack = self.habit.volume * (1 - np.exp(-grown / fall.rise)) - height
        rising = np.clip(SETTLE * lack / fall.rise, -STEEPEST_FALL, np.maximum(self.habit.lift, 0.1))
        held = np.exp(-((grown / fall.hold) ** 2))[:, None]
        hand = _unit(combed + rising[:, None] * normal + 0.5 * self.habit.stray * held)
        pull: Array = hand * (held + (1 - held) * max(0.0, 1 - fall.gravity)) + DOWN * (1 - held) * fall.gravity
        return pull

    def swing(self, grown: Array, step: Array) -> Array:
        """How far guides turn sideways in one step (G,), in radians, to wave by `wave.angle`."""
        wave = self.style.wave
        rate = 2 * np.pi / wave.length
        begun = np.minimum(1.0, grown / (0.5 * wave.length))
        turned: Array = np.radians(wave.angle) * rate * step * np.cos(rate * grown + self.habit.phase) * begun
        return turned


def _dot(one: Array, other: Array) -> Array:
    result: Array = np.einsum("nc,nc->n", one, other)
    return result


def _unit(vectors: Array) -> Array:
    result: Array = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
    return result


def _respace(path: Array, length: Array) -> Array:
    """Restore each segment's length along the strand (Müller, Kim, Chentanez 2012: follow the leader)."""
    segment = (length / (path.shape[1] - 1))[:, None]
    points = path.copy()
    for index in range(1, path.shape[1]):
        points[:, index] = points[:, index - 1] + _unit(path[:, index] - points[:, index - 1]) * segment
    return points
