"""Hair gathered over the scalp to a band, and what becomes of it there: a tail, a bun or a plait (numpy only).

Each hair runs along a great circle of the head towards the tie, at a height that grows with how much hair lies under
it, and through the band at a place that is a continuous map of its root: neighbours on the scalp stay neighbours in the
tail. Hair from farther away lies on top, and so ends up farther out when all of it turns into the band. The map of
directions and distances to a disc is polar for tails; for the strands of a plait it is that of Shirley and Chiu 1997,
"A low distortion map between disk and square", which keeps areas.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.double.groom.braid import STRANDS, plait, plait_hairs, plait_length
from farm.double.groom.collider import Collider
from farm.double.groom.lay import Spine, Tube, hang, lay_on_skin, push_out, spine, tube, unit
from farm.double.groom.style import direction
from farm.double.groom.surface import Frame, Roots
from farm.double.groom.tie import Braid, Bun, Tail

__all__ = ["Gathered", "Knot", "gather_hair"]

Array = NDArray[np.float64]

LAID: Final = 16
TURNING: Final = 4
POINTS: Final = {"tail": 32, "bun": 36, "braid": 64}
"""Points of a hair beyond the band, by kind."""
EARLY: Final = 1.4
"""How the laid points crowd near the root: power of their share of the way."""
CLEAR: Final = 0.0022
FREE_CLEAR: Final = 0.003
RISE: Final = 0.012
"""Length over which a hair rises to the height at which it lies."""
NEAR_BAND: Final = 1.7
"""Where hair leaves the scalp for the band: distance from the tie's middle in radii of the band."""
OVER: Final = 0.008
"""How far over the line from root to tie hair is looked for on the skin, in metres."""
OUTSIDE: Final = 0.13
"""A distance from the head's centre that lies outside of any head."""
EAR: Final = direction(93.0, -27.0)
EAR_ANGLE: Final = 0.62
"""Where the ear is from the head's centre, and the angle around it that laid hair keeps off."""
GROOVES: Final = 150
GROOVE_PULL: Final = 0.6
GROOVE_DEPTH: Final = 0.18
"""The comb's marks: how many around the tie, how far hair draws together in them, how deep they are."""
HEIGHT_SPREAD: Final = 0.0005
WISPS: Final = 40
WISP_PULL: Final = 0.55
"""Locks that a tail falls into: how many, and how far they draw together at their tips."""
WISP_DRIFT: Final = 0.5
"""How far wisps leave their place at the tip, in radii of the tail."""
BLOOM_LENGTH: Final = 0.035
"""Length below the band over which a tail widens."""
PLAIT_BEND: Final = 0.035
BAND_LENGTH: Final = 0.008
"""How much of a tail is inside the elastic band."""
BAND_LOOPS: Final = ((0.002, 0.0006), (0.006, -0.0009))
"""Where along a tail the loops of its band lie, and how far they are tilted, in metres."""
LOOP_POINTS: Final = 40
LOOP_WIDTH: Final = 1.04
"""Radius of a loop's line, in radii of the tail."""
BUN_FROM: Final = np.radians(165.0)
BUN_TO: Final = np.radians(-95.0)
"""Where on the roll's section hair of a bun comes up and is tucked in: 0 outside, a right angle on top."""
BUN_LEAVE: Final = 0.14
"""Part of the way over which it goes from the band to the roll."""
BUN_DEPTH: Final = 0.2
BUN_LOCKS: Final = np.array([2.0, 5.0, 9.0])
BUN_PHASES: Final = np.array([0.6, 2.1, 4.0])
BUN_SHARES: Final = np.array([0.45, 0.35, 0.2])
"""How deep a bun's hair lies, in radii of the roll; how often around it locks differ, from where, and by how much."""
BUN_GROOVES: Final = 34
BUN_GROOVE: Final = 0.06
OVER_SKULL: Final = 0.095
"""Radius of the skull under a bun, whose rim follows it."""
FINE: Final = 0.001
"""Step in metres at which bundles are tabled."""
BAND_FILL: Final = 0.95
PHASE: Final = np.pi / 3
"""Phase at which the three strands lie beside each other: left, middle, right."""
BRUSH: Final = 1.5
"""Radius of the brush under a plait's band, in radii of a strand."""
PINCH: Final = 1.25


@dataclass(frozen=True)
class Knot:
    """One tie on a posed head.

    side     0, or 1 and −1 for the left and the right one of two
    toward   (3,) unit vector from the head's centre to it, in the head's axes
    middle   (3,) of the band, in world space
    left, up (3,) of the head, as seen from the tie, in the head's axes
    tubes    the bundles of hair that hang or coil from it
    around   (Q,) directions about the tie and `away` (Q,) angles from it of the scalp's places, each in order
    """

    side: int
    toward: Array
    middle: Array
    left: Array
    up: Array
    tubes: tuple[Tube, ...]
    around: Array
    away: Array


@dataclass(frozen=True)
class Gathered:
    """Hair gathered in one or two knots."""

    tie: Tail | Bun | Braid
    frame: Frame
    collider: Collider
    knots: tuple[Knot, ...]
    length: float

    @property
    def loose(self) -> Array:
        """How far each point of a hair may be moved (P,), 0..1."""
        held = np.zeros(LAID + TURNING)
        share = np.linspace(0.0, 1.0, POINTS[self.tie.kind])
        free = {
            "tail": np.clip(share / 0.25, 0.0, 1.0),
            "bun": 0.1 * np.ones_like(share),
            "braid": 0.1 + 0.9 * np.clip((share - self._bound) / max(1 - self._bound, 1e-6), 0.0, 1.0),
        }[self.tie.kind]
        return np.concatenate([held, free])

    @property
    def _bound(self) -> float:
        """The share of a plait's length that is plaited."""
        return self.length / (self.length + self.tie.brush) if isinstance(self.tie, Braid) else 1.0

    @property
    def bands(self) -> tuple[Array, ...]:
        """Closed lines (K, 3) in world space that elastic bands run along: `BAND_LOOPS` of them around each tail."""
        if not isinstance(self.tie, Tail):
            return ()
        return tuple(_loop(knot.tubes[0], *place) for knot in self.knots for place in BAND_LOOPS)

    def keep(self, roots: Roots) -> NDArray[np.bool_]:
        """Which roots (N,) bear hair: all of them."""
        return np.ones(len(roots.posed), dtype=bool)

    def locks(self, roots: Roots) -> NDArray[np.int64]:
        """The tail or strand of a plait that roots belong to (N,)."""
        found = np.zeros(len(roots.posed), dtype=np.int64)
        for index, knot in enumerate(self.knots):
            mine = self._belong(knot, roots)
            found[mine] = index * STRANDS
            if isinstance(self.tie, Braid):
                found[mine] += _thirds(knot, *_polar(knot, roots.local[mine]))[0]
        return found

    def paths(self, roots: Roots, random: np.random.Generator) -> Array:
        """Hairs (N, P, 3) in world space from their roots to their tips."""
        found = np.zeros((len(roots.posed), LAID + TURNING + POINTS[self.tie.kind], 3))
        chance = random.random((len(roots.posed), 4))
        for knot in self.knots:
            mine = np.flatnonzero(self._belong(knot, roots))
            found[mine] = self._path(knot, roots.posed[mine], roots.local[mine], chance[mine])
        return found

    def _belong(self, knot: Knot, roots: Roots) -> NDArray[np.bool_]:
        mine: NDArray[np.bool_] = (knot.side == 0) | (np.where(roots.side > 0, 1, -1) == knot.side)
        return np.broadcast_to(mine, len(roots.posed))

    def _path(self, knot: Knot, root: Array, local: Array, chance: Array) -> Array:
        around, away = _polar(knot, local)
        laid = self._laid(knot, root, local, around, away, chance)
        if isinstance(self.tie, Tail):
            free = self._tail(knot, _disc(knot, around, away), chance)
        elif isinstance(self.tie, Bun):
            free = self._bun(self.tie, knot, _disc(knot, around, away), chance)
        else:
            free = self._braid(knot, around, away, chance)
        turn = _hermite(laid[:, -2], laid[:, -1], free[:, 0], free[:, 1])
        count = free.shape[1]
        free = push_out(self.collider, free.reshape(-1, 3), FREE_CLEAR).reshape(-1, count, 3)
        return np.concatenate([laid, turn, free], axis=1)

    def _laid(self, knot: Knot, root: Array, local: Array, around: Array, away: Array, chance: Array) -> Array:
        """The part that lies on the scalp (N, LAID, 3)."""
        share = np.linspace(0.0, 1.0, LAID) ** EARLY
        radius = float(np.linalg.norm(self.frame.to_local(knot.middle)))
        near = np.minimum(0.9 * away, NEAR_BAND * self.tie.band / radius)[:, None]
        angle = away[:, None] + (near - away[:, None]) * share
        groove = around * GROOVES / (2 * np.pi)
        offset = groove - np.round(groove) + 0.5 * np.sin(7.0 * around)
        drawn = around[:, None] - GROOVE_PULL * share * (offset * 2 * np.pi / GROOVES)[:, None]
        ways = _unpolar(knot, drawn, angle)
        ways = _round_ears(ways, share)
        order = np.clip((away[:, None] - angle) / max(float(knot.away[-1]), 1e-6), 0.0, 1.0)
        lay = self.tie.lay * (0.25 + 0.75 * order) * (1.0 - GROOVE_DEPTH * np.abs(2 * offset))[:, None]
        lay = lay + HEIGHT_SPREAD * (chance[:, :1] - 0.5)
        grown = (away[:, None] - angle) * radius
        height = CLEAR + lay * (1 - np.exp(-grown / RISE))
        start = np.linalg.norm(local, axis=1)[:, None]
        reach = OVER + start + (radius - start) * share
        points = self.frame.to_world(ways * reach[..., None])
        points = lay_on_skin(self.collider, points.reshape(-1, 3), height.reshape(-1)).reshape(points.shape)
        fade = np.exp(-grown / (RISE / 2))[..., None] * (1 - share)[:, None]
        points = points + fade * (root - points[:, 0])[:, None]
        return np.asarray(points)

    def _tail(self, knot: Knot, disc: Array, chance: Array) -> Array:
        tie = self.tie
        assert isinstance(tie, Tail)
        wisp, own, drift = _wisps(disc)
        cut = 1.0 - tie.uneven * (0.6 * own + 0.4 * chance[:, 0])
        part = cut[:, None] * np.linspace(0.0, 1.0, POINTS["tail"])
        wave = np.stack([np.sin(9.0 * part + drift[:, :1]), np.cos(7.0 * part + drift[:, 1:])], axis=-1)
        along = part[..., None]
        spot = disc[:, None] + WISP_PULL * along**0.7 * (wisp - disc)[:, None] + WISP_DRIFT * along * wave
        return knot.tubes[0].hairs(self.length * part, spot)

    def _bun(self, tie: Bun, knot: Knot, disc: Array, chance: Array) -> Array:
        """Hairs (N, P, 3) from the band up, over the ring and under it."""
        share = np.linspace(0.0, 1.0, POINTS["bun"])
        angle, rank = np.arctan2(disc[:, 1], disc[:, 0]), np.linalg.norm(disc, axis=1)
        wave = BUN_LOCKS * angle[:, None] + BUN_PHASES
        lock, other = np.sin(wave) @ BUN_SHARES, np.cos(wave) @ BUN_SHARES
        layer = 1 - BUN_DEPTH * chance[:, 2] + 0.25 * tie.loose * lock
        groove = np.abs(((angle * BUN_GROOVES / np.pi) % 2.0) - 1.0)
        roll = (tie.roll * (layer - BUN_GROOVE * groove))[:, None]
        turned = BUN_FROM + (BUN_TO - BUN_FROM) * share
        leaving = (1 - np.clip(share / BUN_LEAVE, 0.0, 1.0)) ** 2
        beside = np.maximum(tie.radius + roll * np.cos(turned), 0.0)
        beside = beside + leaving * (tie.band * rank[:, None] - beside)
        height = tie.roll + roll * np.sin(turned) - beside**2 / (2 * OVER_SKULL)
        height = height + leaving * (tie.stand - height)
        swirl = tie.swirl * (1 + 0.5 * tie.loose * other + 0.1 * (chance[:, 3] - 0.5))
        around = angle[:, None] + 2 * np.pi * swirl[:, None] * share
        bundle = knot.tubes[0]
        base, out = bundle.points[0], unit(bundle.points[-1] - bundle.points[0])
        across, up = unit(bundle.across[0]), unit(bundle.out[0])
        ring = np.cos(around)[..., None] * across + np.sin(around)[..., None] * up
        return np.asarray(base + (height - tie.stand)[..., None] * out + beside[..., None] * ring)

    def _braid(self, knot: Knot, around: Array, away: Array, chance: Array) -> Array:
        tie = self.tie
        assert isinstance(tie, Braid)
        strand, disc = _thirds(knot, around, away)
        whole = self.length + tie.brush
        ends = whole - tie.brush * 0.5 * chance[:, 0]
        return plait_hairs(knot.tubes, ends[:, None] * np.linspace(0.0, 1.0, POINTS["braid"]), strand, disc)


def _tail_tubes(tie: Tail, line: Spine, length: float) -> tuple[Tube, ...]:
    part = np.minimum(line.arc / length, 1.0)
    free = np.maximum(line.arc - BAND_LENGTH, 0.0)
    return (tube(line, tie.band * (1 + tie.bloom * (1 - np.exp(-free / BLOOM_LENGTH) - 0.45 * part**2))),)


def _braid_tubes(tie: Braid, line: Spine, length: float) -> tuple[Tube, ...]:
    """The strands of a plait down to its lower band, pinched there, and the brush under it."""
    along = np.minimum(line.arc / length, 1.0)
    radius = tie.strand * (1 - tie.taper * along)
    phase = PHASE + np.cumsum(2 * np.pi * line.arc[1] / plait_length(radius, tie.tight))
    past = np.clip((line.arc - length) / max(tie.brush, 1e-6), 0.0, 1.0)
    swing = np.clip((length - line.arc) / (3.0 * tie.strand), 0.0, 1.0)
    thin = tie.strand * (1 - tie.taper)
    brush = thin * (PINCH + (BRUSH - PINCH) * np.sin(np.pi * np.minimum(1.0, past + 0.1)))
    pinched = radius + (1 - swing) * (PINCH * thin - radius)
    return plait(line, phase, np.where(past > 0, brush, pinched), swing)


def gather_hair(tie: Tail | Bun | Braid, frame: Frame, collider: Collider, scalp: Array, *, length: float) -> Gathered:
    """Tie a posed head's hair.

    `scalp` (Q, 3) are places spread evenly over the hair, in the head's axes; `length` is what hangs from the tie, in
    metres.
    """
    sides = (1, -1) if tie.both else (0,)
    knots = []
    for side in sides:
        mine = scalp if side == 0 else scalp[scalp[:, 0] * side > 0]
        knots.append(_knot(tie, side, frame, collider, mine, length))
    return Gathered(tie=tie, frame=frame, collider=collider, knots=tuple(knots), length=length)


def _knot(tie: Tail | Bun | Braid, side: int, frame: Frame, collider: Collider, scalp: Array, length: float) -> Knot:
    toward = np.array(direction(tie.azimuth * (side or 1), tie.elevation))
    place = lay_on_skin(collider, frame.to_world(toward * OUTSIDE)[None], np.zeros(1))
    normal = collider.sample(place)[1][0]
    upward = frame.turn_to_world(np.array([0.0, 0.0, 1.0]))
    middle = place[0] + tie.stand * normal
    away = unit(normal + tie.up * upward)
    toward = unit(frame.to_local(place)[0])
    above = np.array([0.0, 0.0, 1.0]) if tie.elevation < 60 else np.array([0.0, -1.0, 0.0])
    left = unit(np.cross(toward, above))
    up = np.cross(left, toward)
    across = frame.turn_to_world(left)
    tubes: tuple[Tube, ...]
    if isinstance(tie, Bun):
        line = spine(middle + np.linspace(0.0, tie.stand + 2 * tie.roll, 20)[:, None] * normal, across, step=FINE)
        tubes = (tube(line, np.full(len(line.arc), tie.band)),)
    elif isinstance(tie, Tail):
        clear = 0.8 * (1 + tie.bloom) * tie.band
        curve = hang(collider, middle, away, length, bend=tie.bend, clear=clear)
        tubes = _tail_tubes(tie, spine(curve, across, step=FINE), length)
    else:
        curve = hang(collider, middle, away, length + tie.brush, bend=PLAIT_BEND, clear=2.0 * tie.strand)
        tubes = _braid_tubes(tie, spine(curve, across, step=FINE), length)
    knot = Knot(
        side=side,
        toward=toward,
        middle=middle,
        left=left,
        up=up,
        tubes=tubes,
        around=np.zeros(1),
        away=np.zeros(1),
    )
    around, angle = _polar(knot, scalp)
    return Knot(**{**vars(knot), "around": np.sort(around), "away": np.sort(angle)})


def _loop(bundle: Tube, arc: float, tilt: float) -> Array:
    """A closed line (K, 3) around a bundle at a distance along it, tilted by `tilt` metres to and fro."""
    index = int(arc / bundle.step)
    ahead = unit(bundle.points[index + 1] - bundle.points[index])
    angle = np.linspace(0.0, 2 * np.pi, LOOP_POINTS, endpoint=False)[:, None]
    ring = np.cos(angle) * bundle.across[index] + np.sin(angle) * bundle.out[index]
    return np.asarray(bundle.points[index] + LOOP_WIDTH * ring + tilt * np.sin(angle) * ahead)


def _polar(knot: Knot, local: Array) -> tuple[Array, Array]:
    """Direction about the tie (N,), 0 above it and to the left positive, and angle from it (N,), both in radians."""
    ways = unit(local)
    around = np.arctan2(ways @ knot.left, ways @ knot.up)
    return around, np.arccos(np.clip(ways @ knot.toward, -1.0, 1.0))


def _unpolar(knot: Knot, around: Array, away: Array) -> Array:
    beside = np.sin(around)[..., None] * knot.left + np.cos(around)[..., None] * knot.up
    ways: Array = np.cos(away)[..., None] * knot.toward + np.sin(away)[..., None] * beside
    return ways


def _round_ears(ways: Array, share: Array) -> Array:
    """Directions (N, P, 3) led around the ears, except at the root, where `share` (P,) is 0."""
    ear = np.array(EAR)
    ears = np.where(ways[..., :1] > 0, ear, ear * (-1.0, 1.0, 1.0))
    cosine = np.clip(np.einsum("npc,npc->np", ways, ears), -1.0, 1.0)
    near = np.clip(1 - np.arccos(cosine) / EAR_ANGLE, 0.0, 1.0)
    aside = np.sin(np.pi * np.clip(share, 0, 1)) ** 0.7
    return unit(ways + (0.9 * near * aside)[..., None] * np.array([0.0, 0.15, 1.0]))


def _rank(order: Array, values: Array) -> Array:
    """The share of `order` (Q,), sorted, that lies below values (N,)."""
    ranked: Array = np.interp(values, order, np.linspace(0.0, 1.0, len(order)))
    return ranked


def _disc(knot: Knot, around: Array, away: Array) -> Array:
    """Places in a band (N, 2) inside the unit circle: left and up."""
    even = (2 * _rank(knot.around, around) - 1) * np.pi
    angle = 0.5 * (even + around)
    radius = BAND_FILL * np.sqrt(_rank(knot.away, away))
    return np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)


def _thirds(knot: Knot, around: Array, away: Array) -> tuple[NDArray[np.int64], Array]:
    """Which strand of a plait hairs go to (N,), from left to right, and their place in its section (N, 2)."""
    rank = 1 - _rank(knot.around, around)
    strand = np.minimum((rank * STRANDS).astype(np.int64), STRANDS - 1)
    return strand, BAND_FILL * _concentric(2 * (rank * STRANDS - strand) - 1, 2 * _rank(knot.away, away) - 1)


def _concentric(x: Array, y: Array) -> Array:
    """Shirley and Chiu's map of the square −1..1 to the unit disc: (N, 2)."""
    wide = np.abs(x) >= np.abs(y)
    radius = np.where(wide, x, y)
    safe = np.where(radius == 0, 1.0, radius)
    angle = np.where(wide, np.pi / 4 * y / safe, np.pi / 2 - np.pi / 4 * x / safe)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _wisps(disc: Array) -> tuple[Array, Array, Array]:
    """The wisp that each place of a section (N, 2) falls into: its middle (N, 2), shortness (N,) and drift (N, 2)."""
    index = np.arange(WISPS)
    radius, angle = np.sqrt((index + 0.5) / WISPS), index * np.pi * (3 - np.sqrt(5))
    middles = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    nearest = np.argmin(((disc[:, None] - middles) ** 2).sum(axis=2), axis=1)
    own: Array = np.asarray((nearest * 0.6180339887) % 1.0)
    lift = np.stack([2.4 * nearest, 4.1 * nearest], axis=1)
    return middles[nearest], own, lift


def _hermite(before: Array, start: Array, end: Array, after: Array) -> Array:
    """Points (N, TURNING, 3) between `start` and `end` that leave and arrive as the neighbours before and after do."""
    span = np.linalg.norm(end - start, axis=1, keepdims=True)
    leave, arrive = unit(start - before) * span, unit(after - end) * span
    share = (np.arange(1, TURNING + 1) / (TURNING + 1))[None, :, None]
    square, cube = share**2, share**3
    return np.asarray(
        (2 * cube - 3 * square + 1) * start[:, None]
        + (cube - 2 * square + share) * leave[:, None]
        + (3 * square - 2 * cube) * end[:, None]
        + (cube - square) * arrive[:, None]
    )
