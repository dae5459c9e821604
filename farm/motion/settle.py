"""Bodies that rest on whatever part of them is lowest: let down on the floor, and rolled until they lie still."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.errors import TemplateError
from farm.motion.flesh import capsule_ends, radii, sole_points, surface_points
from farm.motion.mass import centre_of_mass
from farm.motion.rotation import about, to_vector, unit
from farm.motion.skeleton import INDEX, Skeleton

__all__ = ["STEADIES", "let_down", "lowest_part", "settle"]

Array = NDArray[np.float64]

STEADIES: Final = 30.0
"""How far, in degrees, a posture may roll from where its template puts it before it lies still."""
SOFTNESS: Final = 0.002
"""Metres over which what is low shares the weight: firm, or a narrow stance would fall over as it sinks in."""
STEPS: Final = 200
LONGEST: Final = 0.06
STILL: Final = 1e-10


def lowest_part(skeleton: Skeleton, local: Array, hips: Array) -> float:
    """The height of the lowest part of a posed body, metres."""
    return float(surface_points(skeleton, *skeleton.pose(local, hips))[..., 2].min())


def let_down(skeleton: Skeleton, local: Array, *, clearance: float = 0.0) -> Array:
    """The hips' position (3,) at which the body's lowest part is at `clearance` metres, its weight over the origin."""
    _, places = skeleton.pose(local, np.zeros(3))
    over = -centre_of_mass(places)[:2]
    return np.array([*over, clearance - lowest_part(skeleton, local, np.zeros(3))])


def settle(skeleton: Skeleton, local: Array) -> Array:
    """Local rotations (B, 3, 3) with the hips pitched and rolled to where the posture lies still, as a rigid body does:
    where its weight is lowest above the floor.

    TemplateError where that is more than STEADIES degrees away.
    """
    turned, places = skeleton.pose(local, np.zeros(3))
    ends, soles = capsule_ends(skeleton, turned, places), sole_points(skeleton, turned, places)
    points = np.concatenate([ends.reshape(-1, 3), soles.reshape(-1, 3)]) - centre_of_mass(places)
    thick = np.concatenate([np.repeat(radii(skeleton), 2), np.zeros(len(points) - 2 * len(ends))])
    roll = _roll(points, thick)
    angle = np.degrees(float(np.linalg.norm(to_vector(roll))))
    if angle > STEADIES:
        raise TemplateError(
            f"the body does not lie still: it rolls over by {angle:.0f}°; put its weight over what it rests on"
        )
    settled = local.copy()
    settled[INDEX["hips"]] = roll @ local[INDEX["hips"]]
    return settled


def _roll(points: Array, thick: Array) -> Array:
    """Newton's method on the height of the weight above the floor, over rotations about the horizontal."""
    roll, (height, slope, bend) = np.eye(3), _weight_above(points, thick)
    for _ in range(STEPS):
        least = float(np.linalg.eigvalsh(bend)[0])
        step = -np.linalg.solve(bend + max(0.0, 0.02 - least) * np.eye(2), slope)
        step *= min(1.0, LONGEST / max(float(np.linalg.norm(step)), STILL))
        while float(np.linalg.norm(step)) > STILL:
            turn = np.array([*step, 0.0])
            tried = about(unit(turn), np.linalg.norm(turn)) @ roll
            reached = _weight_above(points @ tried.T, thick)
            if reached[0] < height:
                break
            step *= 0.5
        else:
            return roll
        roll, (height, slope, bend) = tried, reached
    return roll


def _weight_above(points: Array, thick: Array) -> tuple[float, Array, Array]:
    """How high the weight, at the origin, is above the softly lowest of points (K, 3) that are `thick` (K,).

    Then its first and second derivatives by the angles about x and y.
    """
    heights = points[:, 2] - thick
    low = heights.min()
    shares = np.exp(-(heights - low) / SOFTNESS)
    total = shares.sum()
    shares /= total
    height = -low + SOFTNESS * np.log(total)
    arms = np.stack([-points[:, 1], points[:, 0]], axis=-1)
    slope = shares @ arms
    away = arms - slope
    bend = (away * shares[:, None]).T @ away / SOFTNESS + (shares @ points[:, 2]) * np.eye(2)
    return float(height), slope, bend
