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
SETTLE: Final = 12.0
"""How fast combed hair returns to its height over the skin, per metre of height, as a share of its direction."""
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


def comb_guides(head: Head, shells: list[Shell], style: Hairstyle, *, length: float = 1.0, seed: int = 0) -> Guides:
    """Comb a style on a posed head.

    `shells` are what hair collides with, the skin included; `length` multiplies the style's own; equal seeds give
    equal guides. The style's shape does not depend on the seed, only where single guides grow and stray.
    """
    random = stream(seed, "groom", "guides")
    frame = head_frame(head)
    scalp = build_scalp(head, frame, style.parting)
    roots = sample_roots(scalp, style.guides, random)
    collider = build_collider(shells, head, frame, reach=style.longest * length, fringe=style.fringe)
    return Guides(points=_grow(style, roots, frame, collider, length, random), roots=roots, scalp=scalp)


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
    uneven = 1.0 + 0.06 * random.standard_normal(count).clip(-2, 2)
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


def _grow(
    style: Hairstyle, roots: Roots, frame: Frame, collider: Collider, length: float, random: np.random.Generator
) -> Array:
    """Integrate all guides at once: (G, P, 3)."""
    habit = _habits(style, roots, length, random)
    fall = style.fall
    steps = (style.points - 1) * STEPS_PER_SEGMENT
    step = habit.length / steps
    turn = np.minimum(1.0, step / fall.bend)[:, None]
    point = roots.posed.copy()
    heading = _root_heading(style, roots, frame, habit)
    path = [point]
    for index in range(steps):
        grown = step * index
        height, normal = collider.sample(point)
        pull = _pull(style, frame, roots.side, habit, grown=grown, point=point, height=height, normal=normal)
        heading = _unit(heading + turn * (pull - heading))
        heading = _unit(heading + _wave(style, habit, grown, step)[:, None] * np.cross(normal, heading))
        floor = CLEARANCE * (1 - np.exp(-grown / CLEARANCE_RISE)) + habit.volume * 0.35 * (1 - np.exp(-grown / 0.05))
        inward = np.minimum(np.einsum("nc,nc->n", heading, normal), 0.0) * (height < floor + step)
        heading = _unit(heading - inward[:, None] * normal)
        point = point + heading * step[:, None]
        if index:
            height, normal = collider.sample(point)
            point = point + normal * np.clip(floor - height, 0.0, step)[:, None]
        path.append(point)
    return _respace(np.stack(path, axis=1)[:, ::STEPS_PER_SEGMENT], habit.length)


def _root_heading(style: Hairstyle, roots: Roots, frame: Frame, habit: _Habit) -> Array:
    """The direction (G, 3) in which guides leave the skin: the combed one, lifted."""
    normals = frame.turn_to_local(roots.normals)
    combed = comb_direction(style, roots.local, normals, roots.side)
    combed = _unit(combed + habit.stray)
    combed = _unit(combed - np.einsum("nc,nc->n", combed, normals)[:, None] * normals)
    flat = np.sqrt(1 - habit.lift**2)[:, None]
    return frame.turn_to_world(combed * flat + normals * habit.lift[:, None])


def _pull(
    style: Hairstyle,
    frame: Frame,
    side: Array,
    habit: _Habit,
    *,
    grown: Array,
    point: Array,
    height: Array,
    normal: Array,
) -> Array:
    """Where comb and gravity would turn strands (G, 3): the comb rules near the root, gravity beyond."""
    fall = style.fall
    local = frame.to_local(point)
    combed = frame.turn_to_world(comb_direction(style, local, frame.turn_to_local(normal), side))
    target = habit.volume * (1 - np.exp(-grown / fall.rise))
    rising = np.clip(SETTLE * (target - height) / np.maximum(fall.rise, 0.01) * 0.1, -0.6, np.maximum(habit.lift, 0.1))
    held = np.exp(-((grown / fall.hold) ** 2))[:, None]
    hand = _unit(combed + rising[:, None] * normal + 0.5 * habit.stray * held)
    return held * hand + (1 - held) * fall.gravity * DOWN + (1 - held) * max(0.0, 1 - fall.gravity) * hand


def _wave(style: Hairstyle, habit: _Habit, grown: Array, step: Array) -> Array:
    """How far guides turn sideways in one step (G,), in radians, to swing by `wave.angle`."""
    rate = 2 * np.pi / style.wave.length
    swing: Array = np.radians(style.wave.angle) * rate * step * np.cos(rate * grown + habit.phase)
    return swing * np.minimum(1.0, grown / (0.5 * style.wave.length))


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
