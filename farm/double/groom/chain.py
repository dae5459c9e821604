"""Chains of points, many at once: tridiagonal systems along them, exact lengths, and frames carried without twist.

Arrays run (P, G, …): point or segment first, so that a sweep along all chains is one operation a point. Segment i joins
points i and i + 1. The first points, `held` of them (two at least), are placed by what carries the chain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Springs", "carried_frames", "carried_onward", "respace", "stretch", "unit"]

Array = NDArray[np.float64]

REVERSAL: Final = 1e-9
"""Sum of 1 and the cosine of a turn under which it is half a turn, whose axis is anybody's choice."""


def unit(vectors: Array) -> Array:
    """Vectors (..., 3) at unit length; 0 stays 0."""
    result: Array = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
    return result


@dataclass(frozen=True)
class Springs:
    """Springs between neighbouring points, taken backwards in time: unconditionally stable, however stiff.

    inertia    (P, G) mass over the square of the time step
    stiffness  (P − 1, G) newtons a metre for the same unit of mass; that of held segments does not matter
    pivot, ratio  the factors of the system, made once by `of`
    """

    held: int
    inertia: Array
    stiffness: Array
    pivot: Array
    ratio: Array

    @classmethod
    def of(cls, inertia: Array, stiffness: Array, held: int) -> Springs:
        """Factor the system (the first half of Thomas' algorithm)."""
        diagonal = inertia.copy()
        diagonal[1:] += stiffness
        diagonal[:-1] += stiffness
        pivot, ratio = np.ones_like(diagonal), np.zeros_like(stiffness)
        for index in range(held, len(diagonal)):
            pivot[index] = diagonal[index]
            if index > held:
                pivot[index] -= stiffness[index - 1] * ratio[index - 1]
            if index < len(stiffness):
                ratio[index] = stiffness[index] / pivot[index]
        return cls(held, inertia[..., None], stiffness[..., None], pivot[..., None], ratio[..., None])

    def settle(self, points: Array, wanted: Array) -> Array:
        """Where points (P, G, 3), which would be there without springs, are with them.

        `wanted` (P − 1, G, 3) are the offsets between neighbours at which the springs are at rest.
        """
        held, pull = self.held, self.stiffness * wanted
        result = self.inertia * points
        result[1:] += pull
        result[:-1] -= pull
        result[:held] = points[:held]
        result[held] += self.stiffness[held - 1] * points[held - 1]
        for index in range(held + 1, len(points)):
            result[index] += self.ratio[index - 1] * result[index - 1]
        result[-1] /= self.pivot[-1]
        for index in range(len(points) - 2, held - 1, -1):
            result[index] /= self.pivot[index]
            result[index] += self.ratio[index] * result[index + 1]
        return result


def stretch(points: Array, length: Array, lightness: Array, held: int, rounds: int) -> Array:
    """Bring segments near to `length` (P − 1, G), each point moving by its `lightness` (P, G): 1/mass, held ones 0.

    Newton steps on the tensions, which are a tridiagonal system.
    """
    diagonal = lightness[:-1] + lightness[1:]
    diagonal[: held - 1] = 1.0
    points = points.copy()
    for _ in range(rounds):
        offset = points[1:] - points[:-1]
        span = np.sqrt(np.einsum("pgc,pgc->pg", offset, offset))
        along = offset / np.maximum(span, 1e-9)[..., None]
        beside = lightness[1:-1] * np.einsum("pgc,pgc->pg", along[:-1], along[1:])
        lack = length - span
        lack[: held - 1] = 0.0
        push = _solve(diagonal, beside, lack)[..., None] * along
        points[1:] += lightness[1:, :, None] * push
        points[:-1] -= lightness[:-1, :, None] * push
    return points


def _solve(diagonal: Array, beside: Array, right: Array) -> Array:
    """Thomas' algorithm for a symmetric system whose off-diagonal is −`beside` (N − 1, G)."""
    pivot, result = diagonal.copy(), right.copy()
    for index in range(1, len(diagonal)):
        share = beside[index - 1] / pivot[index - 1]
        pivot[index] -= share * beside[index - 1]
        result[index] += share * result[index - 1]
    result[-1] /= pivot[-1]
    for index in range(len(diagonal) - 2, -1, -1):
        result[index] = (result[index] + beside[index] * result[index + 1]) / pivot[index]
    return result


def respace(points: Array, length: Array, held: int) -> Array:
    """Give segments exactly their `length` (P − 1, G), from the root on; held points stay."""
    result = points.copy()
    for index in range(held, len(points)):
        offset = points[index] - result[index - 1]
        span = np.sqrt(np.einsum("gc,gc->g", offset, offset))
        result[index] = result[index - 1] + offset * (length[index - 1] / np.maximum(span, 1e-12))[:, None]
    return result


def carried_frames(before: Array, after: Array) -> Array:
    """The rotation (P − 1, G, 3, 3) of each segment whose unit direction (P − 1, G, 3) was `before` and is `after`.

    A segment turns as the one before it does, and from there the shortest way: frames are carried along the chain and
    never twist about it.
    """
    return _matrices(np.stack(list(_carried(_columns(before), _columns(after)))))


def carried_onward(before: Array, after: Array) -> Array:
    """Unit directions (P − 1, G, 3) to which each segment would be carried by the turn of the one before it.

    Turns are those of `carried_frames`. The first segment keeps its direction.
    """
    first = _columns(before)
    onward = np.empty_like(first)
    onward[0] = first[0]
    for index, turn in enumerate(_carried(first[:-1], _columns(after[:-1]))):
        onward[index + 1] = _rotated(turn, first[index + 1])
    return np.ascontiguousarray(onward.transpose(0, 2, 1))


def _columns(vectors: Array) -> Array:
    """Vectors (P, G, 3) as (P, 3, G): a component of all chains is one stretch of memory."""
    return np.ascontiguousarray(vectors.transpose(0, 2, 1))


def _carried(before: Array, after: Array) -> Iterator[Array]:
    """Turns of segments (P − 1, 3, G), root first, as unit quaternions (4, G), the real part first."""
    turn = np.zeros((4, before.shape[2]))
    turn[0] = 1.0
    for start, end in zip(before, after, strict=True):
        turn = _composed(_shortest_turn(_rotated(turn, start), end), turn)
        yield turn


def _shortest_turn(start: Array, end: Array) -> Array:
    """Unit quaternions (4, G) that take unit vectors (3, G) to others; half a turn goes about any axis."""
    turn = np.empty((4, start.shape[1]))
    turn[0] = 1.0 + (start * end).sum(axis=0)
    turn[1:] = _cross(start, end)
    opposite = turn[0] < REVERSAL
    if opposite.any():
        least = np.eye(3)[np.abs(start[:, opposite]).argmin(axis=0)].T
        turn[1:, opposite], turn[0, opposite] = _cross(start[:, opposite], least), 0.0
    turn /= np.sqrt((turn * turn).sum(axis=0))
    return turn


def _composed(second: Array, first: Array) -> Array:
    """Quaternions (4, G) that turn as `first` and then as `second`."""
    result = np.empty_like(first)
    result[0] = second[0] * first[0] - (second[1:] * first[1:]).sum(axis=0)
    result[1:] = second[0] * first[1:] + first[0] * second[1:] + _cross(second[1:], first[1:])
    return result


def _rotated(turn: Array, vectors: Array) -> Array:
    """Vectors (3, G) turned by unit quaternions (4, G)."""
    twice = 2.0 * _cross(turn[1:], vectors)
    result: Array = vectors + turn[0] * twice + _cross(turn[1:], twice)
    return result


def _cross(one: Array, other: Array) -> Array:
    result = np.empty_like(one)
    for axis, (first, second) in enumerate(((1, 2), (2, 0), (0, 1))):
        result[axis] = one[first] * other[second] - one[second] * other[first]
    return result


def _matrices(turns: Array) -> Array:
    """Unit quaternions (P, 4, G) as matrices (P, G, 3, 3)."""
    w, x, y, z = turns.transpose(1, 0, 2)
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)
