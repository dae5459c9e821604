"""Rotations as matrices, batched over leading axes: angles in radians, right-handed, active."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "about",
    "between",
    "frame",
    "from_quaternion",
    "slerp",
    "swing_twist",
    "to_quaternion",
    "to_vector",
    "unit",
]

Array = NDArray[np.float64]
TINY: Final = 1e-12


def unit(vectors: Array) -> Array:
    """Vectors (..., 3) at length one; the zero vector stays zero."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: Array = vectors / np.maximum(length, TINY)
    return scaled


def about(axis: Array, angle: Array | float) -> Array:
    """Rotation matrices (..., 3, 3) about unit axes (..., 3) by angles (...) (Rodrigues)."""
    angle = np.asarray(angle, dtype=np.float64)
    axis = np.broadcast_to(axis, (*np.broadcast_shapes(axis.shape[:-1], angle.shape), 3))
    x, y, z = axis[..., 0], axis[..., 1], axis[..., 2]
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1).reshape(*x.shape, 3, 3)
    sine, cosine = np.sin(angle)[..., None, None], np.cos(angle)[..., None, None]
    matrix: Array = np.eye(3) + sine * cross + (1.0 - cosine) * (cross @ cross)
    return matrix


def between(first: Array, second: Array) -> Array:
    """The least rotation (..., 3, 3) that takes one direction (..., 3) to another; they must not be opposite."""
    first, second = unit(first), unit(second)
    axis = np.cross(first, second)
    angle = np.arctan2(np.linalg.norm(axis, axis=-1), np.sum(first * second, axis=-1))
    return about(unit(axis), angle)


def frame(primary: Array, secondary: Array) -> Array:
    """An orthonormal frame (..., 3, 3): its first column along `primary`, its second as near `secondary` as can be."""
    first = unit(primary)
    third = unit(np.cross(first, secondary))
    return np.stack([first, np.cross(third, first), third], axis=-1)


def to_quaternion(matrix: Array) -> Array:
    """Unit quaternions (..., 4) as (w, x, y, z) with w ≥ 0.

    The row of largest norm of the quaternion's outer product, which stays accurate near half turns
    (Shepperd 1978, "Quaternion from rotation matrix", in the branchless form).
    """
    m = matrix
    trace = m[..., 0, 0] + m[..., 1, 1] + m[..., 2, 2]
    diagonal = [2.0 * m[..., i, i] - trace for i in range(3)]
    x_y, x_z, y_z = m[..., 0, 1] + m[..., 1, 0], m[..., 0, 2] + m[..., 2, 0], m[..., 1, 2] + m[..., 2, 1]
    w_x, w_y, w_z = m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]
    outer = np.stack(
        [
            np.stack([1.0 + trace, w_x, w_y, w_z], axis=-1),
            np.stack([w_x, 1.0 + diagonal[0], x_y, x_z], axis=-1),
            np.stack([w_y, x_y, 1.0 + diagonal[1], y_z], axis=-1),
            np.stack([w_z, x_z, y_z, 1.0 + diagonal[2]], axis=-1),
        ],
        axis=-2,
    )
    largest = np.argmax(np.sum(outer * outer, axis=-1), axis=-1)
    row = np.take_along_axis(outer, largest[..., None, None], axis=-2)[..., 0, :]
    quaternion: Array = row / np.linalg.norm(row, axis=-1, keepdims=True)
    return np.where(quaternion[..., :1] < 0.0, -quaternion, quaternion)


def from_quaternion(quaternion: Array) -> Array:
    """Rotation matrices (..., 3, 3) of quaternions (..., 4) as (w, x, y, z), of any length but zero."""
    q = quaternion / np.linalg.norm(quaternion, axis=-1, keepdims=True)
    w, x, y, z = (q[..., i] for i in range(4))
    rows = [
        [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)],
        [2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)],
        [2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def slerp(first: Array, second: Array, share: Array) -> Array:
    """Rotation matrices (..., 3, 3) on the shortest way from one to another, at a share (...) of it."""
    step = to_vector(np.swapaxes(first, -1, -2) @ second)
    angle = np.linalg.norm(step, axis=-1)
    blended: Array = first @ about(unit(step), angle * share)
    return blended


def to_vector(matrix: Array) -> Array:
    """Rotation vectors (..., 3): the axis times the angle, which is in [0, π]."""
    quaternion = to_quaternion(matrix)
    length = np.linalg.norm(quaternion[..., 1:], axis=-1, keepdims=True)
    angle = 2.0 * np.arctan2(length, quaternion[..., :1])
    vector: Array = unit(quaternion[..., 1:]) * angle
    return vector


def swing_twist(matrix: Array, axis: Array) -> tuple[Array, Array]:
    """Split rotations into `swing @ about(axis, twist)`, the swing being the least that moves `axis` as they do.

    Returns the swing's rotation vectors (..., 3) and the twist's angles (...) in (−π, π].
    """
    quaternion = to_quaternion(matrix)
    twist = 2.0 * np.arctan2(np.sum(quaternion[..., 1:] * axis, axis=-1), quaternion[..., 0])
    swing = matrix @ np.swapaxes(about(axis, twist), -1, -2)
    return to_vector(swing), twist
