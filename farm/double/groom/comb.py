"""Combing: guides grown over a posed head (numpy only).

Each guide is integrated from its root as a strand of fixed length whose direction is pulled by the comb, by gravity
and by the hair's own stiffness, and which slides along what it meets. The method is the pseudo-physical one of
Choe and Ko 2005, "A statistical wisp model and pseudophysical approaches for interactive hairstyle generation"
(IEEE TVCG 11:2): combing and gravity are force fields, collisions a constraint field, and the strand follows them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from farm.double.groom.collider import BAND, Collider, Shell, build_collider
from farm.double.groom.cut import cut_lengths
from farm.double.groom.field import comb_direction, region_shares, regional
from farm.double.groom.style import REGIONS, SECTION, Clipped, Hairstyle
from farm.double.groom.surface import (
    CLIPPED,
    SECTIONED,
    Frame,
    Head,
    Roots,
    Scalp,
    border_distance,
    build_scalp,
    head_frame,
    sample_roots,
)
from farm.double.groom.ties import Tied, tie_guides
from farm.double.normals import lengths
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
COIL_RISE: Final = 0.015
SETTLE: Final = 1.2
"""How steeply, in radians, combed hair returns to its height over the skin, per lack of it as a share of `rise`."""
STEEPEST_FALL: Final = 0.55
GENTLEST_RISE: Final = 0.1
"""Angles to the skin in radians at which combed hair comes down to its height, and rises at least where it lacks."""
VOLUME_ROOM: Final = 0.015
WIDEST_BAND: Final = 0.07
"""How far over hair's own height distances to the skin are kept exact, and to where at most, in metres."""
TAUT_REACH: Final = 0.035
"""Height in metres over the skin up to which hair bridges hollows."""
SHOULDER_TURN: Final = 0.7
SHOULDER_PUSH: Final = 0.5
SHOULDER_RIDGE: Final = 0.0
SHOULDER_BLEND: Final = 0.04
"""How hair that meets a shoulder is led to its front or back: share of the way out that is taken away, push along the
ridge, and where the ridge lies behind the head's centre and how soon hair decides, in metres."""
FADE: Final = 0.06
"""How far under the border a fade begins, in metres."""
HAIRLINE_LENGTH: Final = 0.8
"""Length of the finest hairs, at the hairline, relative to those behind it."""
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
    tied: Tied | None = None


def comb_guides(
    head: Head, shells: list[Shell], style: Hairstyle, *, length: float = 1.0, frizz: float = 0.0, seed: int = 0
) -> Guides:
    """Comb a style on a posed head.

    `shells` are what hair collides with, the skin included; `length` multiplies the style's own; `frizz` (0..1) lifts
    guides by the room that strays need under them. Either is brought to the nearest end of the style's free range.
    Equal seeds give equal guides; the style's shape does not depend on the seed, only where single guides grow and
    stray. A bald style has no guides: points (0, P, 3).

    Hair is cut on the upright head, then combed in the pose with the lengths that the cuts left.
    """
    length, room = style.within("length", length), FRIZZ_ROOM * style.within("frizz", frizz) * style.frizz
    if style.tie is not None:
        loose = style.model_copy(update={"tie": None})

        def comb(guides: int) -> tuple[Roots, Array]:
            locks = loose.model_copy(update={"guides": guides})
            found = comb_guides(head, shells, locks, length=length, frizz=frizz, seed=0)
            return found.roots, found.points

        return Guides(*tie_guides(head, shells, style, style.tie, length=length, seed=seed, comb=comb))
    random = stream(seed, "groom", "guides")
    frame = head_frame(head)
    scalp = build_scalp(head, frame, style.parting, clipped=style.clipped, section=style.section)
    borders = tuple(border for border in (style.clipped, style.section) if border)
    roots = sample_roots(scalp, style.parting, style.guides, random, borders=borders)
    if style.bald:
        return Guides(points=np.empty((0, style.points, 3)), roots=roots, scalp=scalp)
    habit = _habits(style, roots, scalp, length, random)
    uneven = random.standard_normal(style.guides).clip(-2, 2)
    chin = float(head.chin[2] - frame.centre[2])
    band = float(np.clip(habit.volume.max() + VOLUME_ROOM, BAND, WIDEST_BAND))
    if style.cuts:
        upright = Frame(frame.centre, np.eye(3), np.zeros(3))
        standing = replace(roots, posed=roots.local + frame.centre, normals=frame.turn_to_local(roots.normals))
        skin = [Shell(head.rest, head.faces)]
        own = replace(head, posed=head.rest)
        free = any(cut.section for cut in style.cuts)
        reach = style.longest * length
        collider = build_collider(skin, own, upright, reach=reach, guarded=not free, fringe=style.fringe, band=band)
        paths = _Comb(style, standing, upright, collider, habit, room, chin).grow() - frame.centre
        region = np.array(list(REGIONS))[region_shares(roots.local).argmax(axis=1)]
        region = np.where(np.abs(roots.side) == SECTIONED, SECTION, region)
        kept = cut_lengths(paths, style.cuts, region, head, frame, length=length, uneven=uneven)
        kept = np.where(np.abs(roots.side) == CLIPPED, habit.length, kept)
        habit = replace(habit, length=kept)
    collider = build_collider(shells, head, frame, reach=float(habit.length.max()), fringe=style.fringe, band=band)
    return Guides(points=_Comb(style, roots, frame, collider, habit, room, chin).grow(), roots=roots, scalp=scalp)


@dataclass(frozen=True)
class _Habit:
    """What single guides do by themselves.

    length (G,), lift (G,) the root's angle to the skin in radians, volume (G,) height over the skin,
    stray  (G, 3) turn away from the common direction, phase (G,) of the wave in radians
    """

    length: Array
    lift: Array
    volume: Array
    stray: Array
    phase: Array


def _habits(style: Hairstyle, roots: Roots, scalp: Scalp, length: float, random: np.random.Generator) -> _Habit:
    shares = region_shares(roots.local)
    count = len(shares)
    layer = 1.0 - style.fall.layers * random.random(count)
    uneven = 1.0 + LENGTH_SPREAD * random.standard_normal(count).clip(-2, 2)
    stray = style.fall.disorder * random.standard_normal((count, 3)).clip(-2, 2)
    phase = WAVE_SPREAD * np.sin(roots.local @ WAVE_VECTORS).sum(axis=1)
    phase += style.wave.own * np.pi * random.uniform(-1, 1, count)
    density = scalp.density[cKDTree(scalp.local).query(roots.local)[1]]
    habit = _Habit(
        length=regional(style, "length", shares, roots.side)
        * length
        * uneven
        * (HAIRLINE_LENGTH + (1 - HAIRLINE_LENGTH) * density),
        lift=np.radians(regional(style, "lift", shares, roots.side)),
        volume=regional(style, "volume", shares, roots.side) * layer,
        stray=stray,
        phase=phase,
    )
    return _clip_habits(habit, style.clipped, roots, uneven) if style.clipped else habit


def _clip_habits(habit: _Habit, clipped: Clipped, roots: Roots, uneven: Array) -> _Habit:
    """What guides do where the clipper went over them."""
    cropped = np.abs(roots.side) == CLIPPED
    near = np.clip(1.0 + border_distance(roots.local, clipped) / FADE, 0.0, 1.0)
    top = clipped.length if clipped.top is None else clipped.top
    length = (clipped.length + (top - clipped.length) * near) * uneven
    return replace(
        habit,
        length=np.where(cropped, length, habit.length),
        lift=np.where(cropped, np.radians(clipped.lift), habit.lift),
        volume=np.where(cropped, length * np.sin(np.radians(clipped.lift)), habit.volume),
    )


@dataclass(frozen=True)
class _Comb:
    """One style on one head; G guides are integrated at once. `grown` (G,) is how much of each has grown.

    `room` is the height in metres over the skin that is left to strays, `chin` that of the chin in the head's axes.
    """

    style: Hairstyle
    roots: Roots
    frame: Frame
    collider: Collider
    habit: _Habit
    room: float
    chin: float

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
            heading = self.part_on_shoulders(heading, point, height < floor + step, normal)
            point = point + heading * step[:, None]
            if index:
                height, normal = self.collider.sample(point)
                point = point + normal * np.clip(floor - height, 0.0, step)[:, None]
            path.append(point)
        paths = np.stack(path[::STEPS_PER_SEGMENT], axis=1)
        return _respace(self.draw_taut(paths) if self.style.fall.taut else paths, self.habit.length)

    def draw_taut(self, paths: Array) -> Array:
        """Let hair bridge the hollows above the chin (G, P, 3), as a drawn thread does: it moves outward only.

        A point that lay still among neighbours that lie still is not looked at again.
        """
        paths = paths.copy()
        inner = paths[:, 1:-1]
        held = self.frame.to_local(inner)[..., 2] > self.chin
        live = held
        for _ in range(paths.shape[1]):
            here = inner[live]
            way = ((paths[:, :-2] + paths[:, 2:]) / 2)[live] - here
            height, normal = self.collider.sample(here)
            out = np.maximum(_dot(way, normal), 0.0) * (height < TAUT_REACH)
            inner[live] += self.style.fall.taut * out[:, None] * normal
            moved = np.zeros_like(held)
            moved[live] = out > 0.0
            live = moved.copy()
            live[:, 1:] |= moved[:, :-1]
            live[:, :-1] |= moved[:, 1:]
            live &= held
        return paths

    def root_heading(self) -> Array:
        """The direction (G, 3) in which guides leave the skin: the combed one, lifted."""
        normals = self.frame.turn_to_local(self.roots.normals)
        combed = comb_direction(self.style, self.roots.local, normals, self.roots.side) + self.habit.stray
        combed = _unit(combed - _dot(combed, normals)[:, None] * normals)
        lift = self.habit.lift[:, None]
        return self.frame.turn_to_world(combed * np.cos(lift) + normals * np.sin(lift))

    def part_on_shoulders(self, heading: Array, point: Array, touching: NDArray[np.bool_], normal: Array) -> Array:
        """Lead hair that lies on a shoulder to its front or back instead of out along it (G, 3)."""
        place, outward, way = (
            self.frame.to_local(point),
            self.frame.turn_to_local(normal),
            self.frame.turn_to_local(heading),
        )
        under = place[:, 2] < self.chin
        slope = np.clip(np.abs(outward[:, 0]) - np.abs(outward[:, 1]) + 0.3, 0.0, 1.0) * (outward[:, 2] > 0)
        turned = (SHOULDER_TURN * slope * (touching & under))[:, None]
        side = np.tanh((place[:, 1] - SHOULDER_RIDGE) / SHOULDER_BLEND)
        way = way * (1 - turned * (1.0, 0.0, 0.0))
        way[:, 1] += turned[:, 0] * side * SHOULDER_PUSH
        way -= np.minimum(_dot(way, outward), 0.0)[:, None] * touching[:, None] * outward
        return self.frame.turn_to_world(_unit(way))

    @property
    def coil(self) -> Array:
        """The height (G,) that curls need under guides."""
        curl = self.style.curl
        return curl.radius * curl.share(self.habit.length) if curl else np.zeros(len(self.habit.length))

    def floor(self, grown: Array) -> Array:
        """The height (G,) over skin and clothes below which guides do not go: hair under them lies there."""
        clear = CLEARANCE * (1 - np.exp(-grown / CLEARANCE_RISE))
        laid = UNDERLAY * self.habit.volume * (1 - np.exp(-grown / UNDERLAY_RISE))
        stray = self.room * (1 - np.exp(-grown / STRAY_RISE))
        coil = self.coil * (1 - np.exp(-grown / COIL_RISE))
        floor: Array = clear + laid + stray + coil
        return floor

    def pull(self, grown: Array, point: Array, height: Array, normal: Array) -> Array:
        """Where comb and gravity would turn guides (G, 3): the comb rules near the root, gravity beyond."""
        fall = self.style.fall
        local, outward = self.frame.to_local(point), self.frame.turn_to_local(normal)
        combed = self.frame.turn_to_world(comb_direction(self.style, local, outward, self.roots.side))
        lack = self.habit.volume * (1 - np.exp(-grown / fall.rise)) - height
        steepest = np.maximum(self.habit.lift, GENTLEST_RISE)
        rising = np.clip(SETTLE * lack / fall.rise, -STEEPEST_FALL, steepest)[:, None]
        held = np.exp(-((grown / fall.hold) ** 2))[:, None]
        hand = _unit(combed * np.cos(rising) + normal * np.sin(rising) + 0.5 * self.habit.stray * held)
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
    result: Array = vectors / np.maximum(lengths(vectors), 1e-9)
    return result


def _respace(path: Array, length: Array) -> Array:
    """Restore each segment's length along the strand (Müller, Kim, Chentanez 2012: follow the leader)."""
    segment = (length / (path.shape[1] - 1))[:, None]
    points = path.copy()
    for index in range(1, path.shape[1]):
        points[:, index] = points[:, index - 1] + _unit(path[:, index] - points[:, index - 1]) * segment
    return points
