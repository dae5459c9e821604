"""Cornrows: the scalp parted into rows, each braided along the skin from the forehead to the nape (numpy only).

Rows are parted by a pencil of planes through a line under the head, from the forehead to the nape, spaced evenly over
the head's top. Hair is added to a row's plait as it is passed, to the strand that swings to the hair's side just then;
it stays in the plait for some centimetres, or to the end of the braid that hangs from the nape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_closing, gaussian_filter1d
from scipy.spatial import cKDTree

from farm.double.groom.braid import STRANDS, THIRD, plait, plait_hairs, plait_length
from farm.double.groom.collider import Collider
from farm.double.groom.lay import Spine, Tube, even, hang, push_apart, smooth, unit
from farm.double.groom.surface import Frame, Roots
from farm.double.groom.tie import Rows as RowsTie

__all__ = ["Row", "Rowed", "part_rows"]

Array = NDArray[np.float64]

FRONT: Final = np.array([0.0, -0.15, -0.03])
BACK: Final = np.array([0.0, 0.10, -0.24])
"""The line that all partings pass through, in the head's axes, on a head of common size."""
TOP_BAND: Final = 0.022
"""Half the width of the strip over the head's top on which rows are spaced evenly."""
TOP_PLACES: Final = 40
TOP_SPAN: Final = 0.07
RAY: Final = np.linspace(0.03, 0.18, 100)
RAYS: Final = 120
NEAR: Final = 0.012
BRIDGE: Final = 2
"""Gaps of the hair that a row runs over: twice this many rays."""
FEWEST: Final = 8
"""Places on the scalp that a row has at least; narrower ones at the sides are left to their neighbours."""
SIT: Final = 1.8
"""Height of a row's middle over the skin, in radii of a strand."""
GATHER: Final = 0.007
"""Length of a hair from its root to the plait."""
ENTRY: Final = 5
POINTS: Final = 64
STAY: Final = (0.05, 0.10)
"""How far hairs run in their row's plait, in metres."""
THROUGH: Final = 0.05
"""Hair that grows this close to a row's end runs on into the hanging braid."""
BEGINNING: Final = 0.02
THIN_END: Final = 0.35
HALF_WIDTH: Final = 2.5
"""Half the width of a plait, in radii of its strands."""
LEAST: Final = 0.6
MOST: Final = 1.9
"""Radii of a laid plait's strands, in those of the hanging one."""
ENDING: Final = 0.05
"""Length before the nape over which a plait takes the width that it hangs with."""
EVEN: Final = 0.006
"""Over how much of its length a plait's width is evened out, in metres."""
HANG_TAPER: Final = 0.25
BEND: Final = 0.02
LET_GO: Final = 0.03
"""Length over which a hanging braid stops following the skin's normal."""
FINE: Final = 0.0005
"""Step in metres at which plaits are tabled."""


@dataclass(frozen=True)
class Row:
    """One row: its plait's middle line, strands and phase (S,), and how much of the line is on the scalp, in metres."""

    line: Spine
    tubes: tuple[Tube, ...]
    phase: Array
    laid: float


@dataclass(frozen=True)
class Rowed:
    """Hair in rows.

    borders  (R + 1,) angles in radians of the planes between rows, from the left to the right
    """

    tie: RowsTie
    frame: Frame
    collider: Collider
    borders: Array
    rows: tuple[Row, ...]
    size: float

    @property
    def loose(self) -> Array:
        """How far each point of a hair may be moved (P,): not at all."""
        return np.zeros(ENTRY + POINTS)

    @property
    def bands(self) -> tuple[Array, ...]:
        """Elastic bands: none."""
        return ()

    def keep(self, roots: Roots) -> NDArray[np.bool_]:
        """Which roots (N,) do not stand on a parting."""
        angle, reach = _turn(roots.local, self.size)
        inner = self.borders[1:-1]
        apart = np.abs(np.sin(angle[:, None] - inner)).min(axis=1) * reach
        normals = self.frame.turn_to_local(roots.normals)
        slope = np.abs(np.einsum("nc,nc->n", normals, _plane_normal(angle)))
        return np.asarray(apart > self.tie.parting / 2 * np.sqrt(np.maximum(1 - slope**2, 0.05)))

    def locks(self, roots: Roots) -> NDArray[np.int64]:
        """The row (N,) that roots belong to."""
        found: NDArray[np.int64] = np.clip(
            np.searchsorted(self.borders, _turn(roots.local, self.size)[0]) - 1, 0, len(self.rows) - 1
        )
        return found

    def paths(self, roots: Roots, random: np.random.Generator) -> Array:
        """Hairs (N, P, 3) in world space from their roots to their tips."""
        chance = random.random((len(roots.posed), 4))
        lock = self.locks(roots)
        found = np.zeros((len(lock), ENTRY + POINTS, 3))
        for index, row in enumerate(self.rows):
            mine = np.flatnonzero(lock == index)
            if len(mine):
                found[mine] = self._path(row, roots.posed[mine], roots.normals[mine], chance[mine])
        return found

    def _path(self, row: Row, root: Array, normal: Array, chance: Array) -> Array:
        line = row.line
        laid = np.flatnonzero(line.arc <= row.laid)
        nearest = laid[cKDTree(line.points[laid]).query(root)[1]]
        begin = np.minimum(line.arc[nearest] + GATHER * (0.4 + 0.6 * chance[:, 0]), row.laid)
        aside = np.einsum("nc,nc->n", root - line.points[nearest], line.across[nearest])
        phase = np.interp(begin, line.arc, row.phase)
        swing = np.sin(phase[:, None] + THIRD * np.arange(STRANDS))
        strand = np.argmax(np.sign(aside)[:, None] * swing, axis=1)
        stay = STAY[0] + (STAY[1] - STAY[0]) * chance[:, 1]
        end = np.minimum(begin + stay, line.arc[-1])
        through = begin > row.laid - THROUGH
        end = np.where(through, line.arc[-1] - 0.012 * chance[:, 1] ** 2, end)
        end = np.where(~through & (end > row.laid), np.maximum(begin + 0.02, row.laid), end)
        share = np.linspace(0.0, 1.0, POINTS)
        arc = begin[:, None] + (end - begin)[:, None] * share
        angle, radius = 2 * np.pi * chance[:, 2], 0.95 * np.sqrt(chance[:, 3])
        disc = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
        points = plait_hairs(row.tubes, arc, strand, disc)
        step = (np.arange(ENTRY) / ENTRY)[None, :, None]
        target = points[:, 0]
        height = np.einsum("nc,nc->n", target - root, normal)[:, None]
        rise = root + 0.6 * np.clip(height, 0.0008, 0.003) * normal
        start = (1 - step) ** 2 * root[:, None] + 2 * step * (1 - step) * rise[:, None] + step**2 * target[:, None]
        return np.concatenate([start, points], axis=1)


def part_rows(tie: RowsTie, frame: Frame, collider: Collider, scalp: Array, *, length: float, size: float) -> Rowed:
    """Part a posed head's scalp into rows.

    `scalp` (Q, 3) are places spread evenly over the hair, in the head's axes; `length` is what hangs from the nape, in
    metres; `size` is the head's relative to a common one.
    """
    planes = _even_planes(scalp, tie.count, size)
    middles = (planes[:-1] + planes[1:]) / 2
    runs = [_on_scalp(tie, frame, collider, scalp, middle, size) for middle in middles]
    kept = [index for index, run in enumerate(runs) if len(run) >= FEWEST]
    curves = [runs[index] for index in kept]
    hanging: list[Array | None] = [None] * len(curves)
    if length > 0:
        tails = [
            hang(collider, run[-1], run[-1] - run[-4], length, bend=BEND, clear=2.2 * tie.strand) for run in curves
        ]
        hanging = list(push_apart(collider, np.stack(tails), 2.2 * tie.strand))
    spans = planes[1:] - planes[:-1]
    rows = tuple(
        _row(tie, frame, collider, curve, tail, float(spans[index]), size)
        for index, curve, tail in zip(kept, curves, hanging, strict=True)
    )
    borders = np.concatenate([[-np.pi], planes[kept[1:]], [np.pi]])
    return Rowed(tie=tie, frame=frame, collider=collider, borders=borders, rows=rows, size=size)


def _even_planes(scalp: Array, count: int, size: float) -> Array:
    """Angles (count + 1,) of planes that cut the head's top, from ear to ear, into pieces of one width."""
    top = scalp[np.abs(scalp[:, 1]) < TOP_BAND * size]
    beside, above = np.abs(top[:, 0]), top[:, 2]
    around = np.arctan2(beside, above + 0.02 * size)
    near = np.abs(around - np.linspace(0.0, around.max(), TOP_PLACES)[:, None]) < TOP_SPAN
    ring = np.array([(beside[chosen].mean(), 0.0, above[chosen].mean()) for chosen in near if chosen.any()])
    ring[0, 0] = 0.0
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(ring, axis=0), axis=1))])
    angle = np.maximum.accumulate(-_turn(ring, size)[0])
    wanted = np.linspace(-along[-1], along[-1], count + 1)
    return np.asarray(np.sign(wanted) * np.interp(np.abs(wanted), along, angle))


def _on_scalp(tie: RowsTie, frame: Frame, collider: Collider, scalp: Array, angle: float, size: float) -> Array:
    """The middle line (S, 3) of a row from its front to the nape."""
    normal = _plane_normal(np.array([angle]))[0]
    centre = ((FRONT * size) @ normal) * normal
    ahead = unit(BACK - FRONT)
    upward = np.cross(ahead, normal) * (1 if np.cross(ahead, normal)[2] > 0 else -1)
    turn = np.linspace(-0.9, np.pi + 0.9, RAYS)
    ways = -np.cos(turn)[:, None] * ahead + np.sin(turn)[:, None] * upward
    samples = frame.to_world(centre + RAY[None, :, None] * size * ways[:, None])
    height = collider.sample(samples.reshape(-1, 3))[0].reshape(samples.shape[:2])
    inside = height < SIT * tie.strand
    last = len(RAY) - 1 - np.argmax(inside[:, ::-1], axis=1)
    last = np.clip(last, 0, len(RAY) - 2)
    low, high = (
        np.take_along_axis(height, last[:, None], 1)[:, 0],
        np.take_along_axis(height, last[:, None] + 1, 1)[:, 0],
    )
    share = np.clip((SIT * tie.strand - low) / np.maximum(high - low, 1e-9), 0, 1)
    radius = (RAY[last] + share * (RAY[1] - RAY[0])) * size
    local = centre + radius[:, None] * ways
    hairy = binary_closing(np.pad(cKDTree(scalp).query(local)[0] < NEAR, BRIDGE), iterations=BRIDGE)[BRIDGE:-BRIDGE]
    first, stop = _longest_run(hairy)
    return smooth(frame.to_world(local[first:stop]), rounds=6)


def _row(
    tie: RowsTie, frame: Frame, collider: Collider, curve: Array, tail: Array | None, span: float, size: float
) -> Row:
    """A row `span` radians wide along a line (S, 3) on the scalp and a hanging one (H, 3) that begins where it ends."""
    laid = float(np.linalg.norm(np.diff(curve, axis=0), axis=1).sum())
    if tail is not None:
        curve = smooth(np.concatenate([curve, tail[2:]]))
    points, arc = even(curve, FINE)
    tangents = unit(np.gradient(points, axis=0))
    outward = collider.sample(points)[1]
    outward = unit(outward - np.einsum("nc,nc->n", outward, tangents)[:, None] * tangents)
    hung = np.clip((arc - laid) / LET_GO, 0, 1)
    out = _steady(outward, hung, tangents)
    wide = _width(frame.to_local(points), frame.turn_to_local(outward), span, size) - tie.parting
    filled = np.clip(tie.fill * wide / (2 * HALF_WIDTH), LEAST * tie.strand, MOST * tie.strand)
    begun = THIN_END + (1 - THIN_END) * np.clip(arc / BEGINNING, 0, 1)
    ended = np.clip((arc - laid + ENDING) / ENDING, 0, 1)
    down = np.clip((arc - laid) / max(arc[-1] - laid, 1e-6), 0.0, 1.0)
    width = gaussian_filter1d((filled + (tie.strand - filled) * ended) * begun, EVEN / FINE, mode="nearest")
    width = width * (1 - HANG_TAPER * down)
    points = points + ((SIT * (width - tie.strand)) * (1 - hung))[:, None] * outward
    line = Spine(points=points, arc=arc, across=np.cross(tangents, out), out=out)
    phase = np.cumsum(2 * np.pi * arc[1] / plait_length(width, tie.tight))
    return Row(line=line, tubes=plait(line, phase, width, np.ones(len(arc))), phase=phase, laid=laid)


def _width(local: Array, outward: Array, span: float, size: float) -> Array:
    """How wide (N,) a row of `span` radians is on the skin at points (N, 3) of its middle, in the head's axes."""
    angle, reach = _turn(local, size)
    slope = np.einsum("nc,nc->n", outward, _plane_normal(angle))
    return np.asarray(2 * reach * np.tan(span / 2) / np.sqrt(np.maximum(1 - slope**2, 0.05)))


def _steady(out: Array, hung: Array, tangents: Array) -> Array:
    """Outward vectors (S, 3) that follow the skin where the curve is laid, and are only carried on where it hangs."""
    found = out.copy()
    for index in range(1, len(out)):
        carried = unit(found[index - 1] - (found[index - 1] @ tangents[index]) * tangents[index])
        found[index] = unit(carried * hung[index] + out[index] * (1 - hung[index])) if hung[index] < 1 else carried
    return found


def _longest_run(flags: NDArray[np.bool_]) -> tuple[int, int]:
    """First and one past the last of the longest run of true flags; (0, 0) where none is."""
    if not flags.any():
        return 0, 0
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int)))
    runs = edges.reshape(-1, 2)
    first, stop = runs[np.argmax(runs[:, 1] - runs[:, 0])]
    return int(first), int(stop)


def _turn(local: Array, size: float) -> tuple[Array, Array]:
    """Angle (N,) of points about the partings' line, from the left over the top, and distance (N,) from it."""
    ahead = unit(BACK - FRONT)
    up = unit(np.cross(np.array([1.0, 0.0, 0.0]), ahead))
    offset = local - FRONT * size
    rise, aside = offset @ up, offset[:, 0]
    return np.arctan2(-aside, rise), np.hypot(rise, aside)


def _plane_normal(angle: Array) -> Array:
    """The normal (N, 3) of the planes at angles (N,)."""
    ahead = unit(BACK - FRONT)
    up = unit(np.cross(np.array([1.0, 0.0, 0.0]), ahead))
    normal: Array = np.cos(angle)[:, None] * np.array([-1.0, 0.0, 0.0]) - np.sin(angle)[:, None] * up
    return normal
