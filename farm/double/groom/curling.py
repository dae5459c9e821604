"""What happens to single strands: they are cut unevenly, stray, gather into locks and curl (numpy and scipy).

A lock's strands follow the helix of its middle strand, whose frame is carried along it without twist (Bishop 1975,
"There is more than one way to frame a curve"), as the wisps of Choe and Ko 2005 follow their master strand. Strands
leave the common helix by chance, the more so the tighter they coil.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from farm.double.groom.style import Clump, Curl
from farm.double.groom.surface import CLIPPED

__all__ = ["Strands", "clump_locks", "curl_locks", "cut_unevenly", "find_locks", "stray"]

Array = NDArray[np.float32]

MOST_UNEVEN: Final = 0.2
"""Part of its length that a strand loses at most where hair is cut unevenly."""
FINE_LENGTH: Final = 0.35
"""Part of its length that a strand at the hairline, where few grow, lacks at most."""
STRAY_BEND: Final = 1.7
STRAY_RIPPLE: Final = 0.3
SLIGHTEST_STRAY: Final = 0.0001
"""Strays leave their lock towards the tip rather than at the skin, by this power of the way; ripples relative to it.
Less than the slightest, in metres, is not seen."""
RIPPLE_LENGTH: Final = 0.035
POINTS_PER_TURN: Final = 6
FEWEST_PER_TURN: Final = 4
"""Points that a turn of a curl gets, and that it needs to be one."""
MOST_POINTS: Final = 96
MOST_IN_ALL: Final = 9_000_000
"""Points of a strand and of all strands at most: a groom of 100,000 strands stays under 2 GB in the renderer."""
CHUNK: Final = 4096
CURL_RISE: Final = 0.035
"""Length from where a curl begins over which it reaches its radius, in metres."""
GATHER_RISE: Final = 1.5
"""Length over which strands gather into their lock, in distances between locks."""
OTHER_WAY: Final = 0.04
LOCKS_NEAR: Final = 5
TOLD: Final = np.array([2, 3, 4])
"""How far in metres a strand may leave its lock's middle before it looks for another one, among how many; and at
which quarters of its points that is told."""
LOCK_VARIETY: Final = 0.16
TURN_VARIETY: Final = 0.08
"""Standard deviation of locks' radii, and of turns within a lock at full disorder, as a share of them."""
WANDER: Final = 0.8
"""How far locks wander, relative to their radius or their distance, whichever is less."""
WANDER_LENGTH: Final = 0.075
"""Length over which a lock wanders to and fro, in metres."""
APART: Final = 1.0
"""Distance in metres that keeps sides of a parting apart when neighbours are looked for."""


@dataclass(frozen=True)
class Strands:
    """Strands as numbers, each of P points.

    points   (N, P, 3) float32, roots first
    uvs      (N, 2) texture coordinate of the root
    side     (N,) as in `Scalp`
    density  (N,) how densely hair grows at the root, 0..1
    locks    (N,) the number of the lock that each belongs to
    loose    (P,) how far texture may move a point, 0..1
    """

    points: Array
    uvs: Array
    side: Array
    density: Array
    locks: NDArray[np.int32]
    loose: Array

    def __len__(self) -> int:
        return len(self.points)

    def lengths(self) -> Array:
        """Length of each strand (N,) in metres."""
        steps = np.diff(self.points, axis=1)
        result: Array = np.sqrt(np.einsum("npc,npc->np", steps, steps)).sum(axis=1)
        return result


def cut_unevenly(strands: Strands, uneven: float, random: np.random.Generator) -> Strands:
    """Cut strands shorter at random by up to `uneven` metres; those at the hairline are fine and short."""
    chance, fine = random.random((2, len(strands)), dtype=np.float32)
    if not uneven and strands.density.min() >= 1.0:
        return strands
    lost = chance * np.minimum(uneven / np.maximum(strands.lengths(), 1e-6), MOST_UNEVEN)
    kept = (1 - lost) * (1 - FINE_LENGTH * fine * (1 - strands.density))
    last = strands.points.shape[1] - 1
    place = kept[:, None] * np.arange(last + 1, dtype=np.float32)
    before = np.minimum(place.astype(np.int64), last - 1)
    share = (place - before).astype(np.float32)
    flat = strands.points.reshape(-1, 3)
    before += (last + 1) * np.arange(len(strands))[:, None]
    points = np.take(flat, before, axis=0)
    onward = np.take(flat, before + 1, axis=0)
    onward -= points
    onward *= np.repeat(share, 3, axis=1).reshape(onward.shape)
    points += onward
    return replace(strands, points=points)


def stray(strands: Strands, distance: float, random: np.random.Generator) -> Strands:
    """Let strands leave their lock: tips by about `distance` metres, a few by thrice that."""
    count, points = strands.points.shape[:2]
    ways = random.standard_normal((3, count, 3), dtype=np.float32)
    far = 0.3 + 0.5 * np.minimum(random.standard_exponential(count, dtype=np.float32), 4)
    phase = (2 * np.pi * random.random((count, 1), dtype=np.float32))[:, 0]
    if distance * strands.loose.max() < SLIGHTEST_STRAY:
        return strands
    along = np.linspace(0, 1, points, dtype=np.float32)
    lengths = strands.lengths()
    reach = np.minimum(distance, 0.25 * lengths) * far * 0.58
    turned = along * (lengths / RIPPLE_LENGTH * 2 * np.pi)[:, None] + phase[:, None]
    bend = along**STRAY_BEND * strands.loose
    swell = STRAY_RIPPLE * np.sqrt(along) * strands.loose
    ways *= reach[:, None]
    moved = strands.points.copy()
    for axis in range(3):
        moved[..., axis] += bend * ways[0, :, axis, None]
        moved[..., axis] += (np.sin(turned) - np.sin(phase)[:, None]) * swell * ways[1, :, axis, None]
        moved[..., axis] += (np.cos(turned) - np.cos(phase)[:, None]) * swell * ways[2, :, axis, None]
    return replace(strands, points=moved)


def find_locks(
    strands: Strands, size: float, random: np.random.Generator
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Locks about `size` metres apart: the number of each strand's lock (N,), and each lock's middle strand (L,)."""
    roots = strands.points[:, 0].astype(np.float64)
    placed = np.concatenate([roots, strands.side[:, None] * APART], axis=1)
    cells = np.floor(placed / (size, size, size, APART / 2) + random.random(4)).astype(np.int64)
    _, middle = np.unique(cells, axis=0, return_index=True)
    near = cKDTree(placed[middle])
    close = near.query_pairs(0.6 * size, output_type="ndarray")
    middle = np.delete(middle, np.unique(close.max(axis=1))) if len(close) else middle
    locks = cKDTree(placed[middle]).query(placed)[1]
    return locks.astype(np.int32), middle


def _along(
    strands: Strands, locks: NDArray[np.int32], middle: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """The lock (N,) of each strand, its own or one beside it that goes the strand's way, and whether there is one (N,).

    Where hair parts, as over a shoulder, strands that are rooted side by side must not be gathered from both ways.
    """
    ways = strands.points[:, TOLD * (strands.points.shape[1] - 1) // 4] - strands.points[:, :1]
    off = np.linalg.norm(ways - ways[middle[locks]], axis=2).max(axis=1)
    lost = np.flatnonzero(off > OTHER_WAY)
    near = min(LOCKS_NEAR, len(middle))
    if len(lost) and near > 1:
        beside = cKDTree(strands.points[middle, 0]).query(strands.points[lost, 0], k=near)[1]
        away = np.linalg.norm(ways[lost, None] - ways[middle[beside]], axis=3).max(axis=2)
        away[strands.side[middle[beside]] != strands.side[lost, None]] = np.inf
        best = away.argmin(axis=1)
        row = np.arange(len(lost))
        better = away[row, best] < off[lost]
        locks, off = locks.copy(), off.copy()
        locks[lost[better]] = beside[row, best][better]
        off[lost[better]] = away[row, best][better]
    return locks, off <= OTHER_WAY


def clump_locks(strands: Strands, clump: Clump, firmness: float, random: np.random.Generator) -> Strands:
    """Gather strands into locks, by `firmness` times the clump's strength; clipped hair stays as it is."""
    locks, middle = find_locks(strands, clump.size, random)
    locks, together = _along(strands, locks, middle)
    ways = clump.spread * random.standard_normal((len(strands), 3), dtype=np.float32)
    held = np.where(together & (np.abs(strands.side) != CLIPPED), np.float32(min(1.0, firmness * clump.strength)), 0.0)
    along = np.linspace(0, 1, strands.points.shape[1], dtype=np.float32)
    gathered = held[:, None] * along ** np.float32(4.0**clump.shape)
    spread = held[:, None] * along**2
    points = np.take(strands.points[middle], locks, axis=0)
    points -= strands.points
    points *= np.repeat(gathered, 3, axis=1).reshape(points.shape)
    points += strands.points
    for axis in range(3):
        points[..., axis] += spread * ways[:, axis, None]
    return replace(strands, points=points)


def curl_locks(strands: Strands, curl: Curl, random: np.random.Generator) -> Strands:
    """Gather strands into locks and curl them, with as many points as the turns need."""
    locks, middle = find_locks(strands, curl.size, random)
    locks, together = _along(strands, locks, middle)
    lengths = strands.lengths()
    points = _points(strands, curl, lengths)
    finer = _spline(strands.points.shape[1], points)
    masters = np.einsum("qp,lpc->lqc", finer, strands.points[middle])
    normal, binormal = _frames(masters)
    wander = _wander(curl, lengths[middle], normal, binormal, random)
    masters += wander
    count = len(strands)
    shape = {
        "radius": np.exp(LOCK_VARIETY * random.standard_normal(len(middle), dtype=np.float32)),
        "phase": 2 * np.pi * random.random(len(middle), dtype=np.float32),
        "hand": np.where(random.random(len(middle)) < 0.5, -1.0, 1.0).astype(np.float32),
    }
    own = random.standard_normal((3, count), dtype=np.float32).clip(-2.5, 2.5)
    chance = random.random(count, dtype=np.float32)
    loose = finer @ strands.loose
    along = np.linspace(0, 1, points, dtype=np.float32)
    bare = np.abs(strands.side) == CLIPPED
    full = np.where(bare, 0.0, curl.radius * curl.share(lengths)).astype(np.float32)
    full *= np.maximum(0.3, 1 + 0.45 * curl.disorder * own[0]) * shape["radius"][locks]
    rate = curl.turns / np.sqrt(shape["radius"])
    turns = np.minimum(rate * lengths[middle], (points - 1) / FEWEST_PER_TURN)[locks]
    turns *= 1 + TURN_VARIETY * curl.disorder * own[1]
    drift = shape["phase"][locks] + np.pi * curl.disorder**2 * own[2]
    held = np.where(bare | ~together, 0.0, curl.gather * (1 - curl.disorder * chance**2)).astype(np.float32)
    result = np.empty((count, points, 3), dtype=np.float32)
    for start in range(0, count, CHUNK):
        part = slice(start, start + CHUNK)
        lock = locks[part]
        path = np.einsum("qp,npc->nqc", finer, strands.points[part], optimize=True)
        path += wander[lock] * loose[:, None]
        grown = along * lengths[part, None]
        gathered = held[part, None] * _rise(grown, GATHER_RISE * curl.size) * loose
        path += gathered[..., None] * (masters[lock] - path)
        begun = _rise(grown - curl.start * lengths[part, None], CURL_RISE)
        radius = full[part, None] * begun * (1 + (curl.tip - 1) * along) * loose
        angle = (2 * np.pi * turns[part, None]) * along * shape["hand"][lock, None] + drift[part, None]
        path += (radius * np.cos(angle))[..., None] * normal[lock]
        path += (radius * np.sin(angle))[..., None] * binormal[lock]
        result[part] = path
    return replace(strands, points=result, locks=locks, loose=loose.astype(np.float32))


def _wander(curl: Curl, lengths: Array, normal: Array, binormal: Array, random: np.random.Generator) -> Array:
    """How far locks (L, P, 3) leave the common way, so that they do not hang like rods."""
    count, points = normal.shape[:2]
    grown = np.linspace(0, 1, points, dtype=np.float32) * lengths[:, None]
    phase = 2 * np.pi * random.random((2, count, 1), dtype=np.float32)
    angle = (2 * np.pi / WANDER_LENGTH) * grown
    reach = WANDER * min(curl.size, curl.radius) * _rise(grown, WANDER_LENGTH)
    one, other = (np.sin((1 + 0.3 * index) * angle + phase[index]) * reach for index in range(2))
    wander: Array = one[..., None] * normal + other[..., None] * binormal
    return wander


def _points(strands: Strands, curl: Curl, lengths: Array) -> int:
    """Points of a strand that resolve the turns of nearly all of them, as far as memory allows."""
    turns = curl.turns * float(np.percentile(lengths, 95))
    most = min(MOST_POINTS, MOST_IN_ALL // max(len(strands), 1))
    return int(max(strands.points.shape[1], min(most, np.ceil(POINTS_PER_TURN * turns) + 1)))


def _spline(coarse: int, fine: int) -> Array:
    """Weights (fine, coarse) of Catmull and Rom's spline through evenly spaced points."""
    place = np.linspace(0, coarse - 1, fine)
    before = np.minimum(place.astype(int), coarse - 2)
    t = place - before
    terms = (
        (-1, -0.5 * t + t**2 - 0.5 * t**3),
        (0, 1 - 2.5 * t**2 + 1.5 * t**3),
        (1, 0.5 * t + 2 * t**2 - 1.5 * t**3),
        (2, -0.5 * t**2 + 0.5 * t**3),
    )
    weights = np.zeros((fine, coarse), dtype=np.float32)
    for step, share in terms:
        np.add.at(weights, (np.arange(fine), np.clip(before + step, 0, coarse - 1)), share.astype(np.float32))
    return weights


def _frames(paths: Array) -> tuple[Array, Array]:
    """Normals and binormals (L, P, 3) carried along paths (L, P, 3) without twist."""
    ahead: Array = np.gradient(paths, axis=1)
    ahead /= np.maximum(np.linalg.norm(ahead, axis=2, keepdims=True), 1e-9)
    normal = np.empty_like(ahead)
    least = np.eye(3, dtype=np.float32)[np.argmin(np.abs(ahead[:, 0]), axis=1)]
    for index in range(ahead.shape[1]):
        before = normal[:, index - 1] if index else least
        level = before - (before * ahead[:, index]).sum(axis=1, keepdims=True) * ahead[:, index]
        normal[:, index] = level / np.maximum(np.linalg.norm(level, axis=1, keepdims=True), 1e-9)
    binormal: Array = np.cross(ahead, normal)
    return normal, binormal


def _rise(value: Array, over: float) -> Array:
    """A smooth step from 0 to 1 over a length."""
    t = np.clip(value / over, 0, 1)
    step: Array = t * t * (3 - 2 * t)
    return step
