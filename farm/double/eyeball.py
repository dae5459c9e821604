"""The shape of an eyeball: profiles to be turned around the gaze (numpy only).

Sizes are those of the adult human eye (Bekerman et al., J. Ophthalmol. 2014; Rüfer et al., Cornea 2005: iris 11.7 mm;
the cornea's front lies 3 mm before the iris, as Rabsilber et al., J. Cataract Refract. Surg. 2006, measured); the ball
itself has the size of the base mesh's eye, which its lids fit and which is larger than a human one.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.double.base_mesh import base_mesh

__all__ = [
    "IRIS_RADIUS",
    "PUPIL_RADIUS",
    "Eye",
    "ball_profile",
    "cornea_profile",
    "eye_of",
    "eye_surface",
    "lathe",
]

IRIS_RADIUS: Final = 0.00585
PUPIL_RADIUS: Final = 0.0019
IRIS_DEPTH: Final = 0.0004
CORNEA_HEIGHT: Final = 0.0024
CORNEA_REACH: Final = 0.0061
LIMBUS_BLEND: Final = 0.00012
FILM: Final = 0.00006
SEGMENTS: Final = 40


@dataclass(frozen=True)
class Eye:
    """The ball that a side's lids fit: centre (3,) and radius in metres, and a base vertex that moves as it does."""

    centre: NDArray[np.float64]
    radius: float
    vertex: int


def eye_of(shape: NDArray[np.float64], side: str) -> Eye:
    """The eye of a shaped base mesh (V, 3) on side `l` or `r`: the least-squares sphere of its helper's vertices."""
    vertices = base_mesh().group_vertices(f"helper-{side}-eye")
    points = shape[vertices]
    system = np.concatenate([2 * points, np.ones((len(points), 1))], axis=1)
    solution = np.linalg.lstsq(system, (points**2).sum(axis=1), rcond=None)[0]
    centre = solution[:3]
    return Eye(centre, float(np.sqrt(solution[3] + centre @ centre)), int(vertices[0]))


def eye_surface(local: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    """How far from the centre the surface of an eye that looks ahead lies in directions (N, 3): ball and cornea."""
    angle = np.arctan2(np.linalg.norm(local[:, [0, 2]], axis=1), -local[:, 1])
    reach: NDArray[np.float64] = np.interp(angle, *_reach(radius))
    return reach


@functools.lru_cache(maxsize=8)
def _reach(radius: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Angles from the gaze, and how far the surface of an eye lies there."""
    profile = cornea_profile(radius)[::-1]
    return np.arctan2(profile[:, 0], profile[:, 1]), np.linalg.norm(profile, axis=1)


def _sphere(radius: float, start: float, end: float, count: int) -> NDArray[np.float64]:
    """A profile (N, 2) of (distance from the gaze's axis, place along it) on a sphere, by angle from the gaze."""
    angles = np.linspace(start, end, count)
    return radius * np.stack([np.sin(angles), np.cos(angles)], axis=1)


def ball_profile(radius: float) -> NDArray[np.float64]:
    """Profile from the back of the ball to the limbus, then over the shallow bowl of the iris to the pupil's centre."""
    limbus = float(np.arcsin(IRIS_RADIUS / radius))
    rim = radius * np.cos(limbus)
    across = np.array([1.0, 0.97, 0.9, 0.75, 0.6, 0.45, PUPIL_RADIUS / IRIS_RADIUS, 0.2, 0.0])
    bowl = np.stack([across * IRIS_RADIUS, rim - IRIS_DEPTH * (2 - across**2)], axis=1)
    bowl[0, 1] = rim - 0.2 * IRIS_DEPTH
    return np.concatenate([_sphere(radius, np.pi, limbus, 28), bowl[1:]])


def cornea_profile(radius: float) -> NDArray[np.float64]:
    """Profile of the tear film over the white, which rises into the cornea over the iris."""
    outer = radius + FILM
    profile = _sphere(outer, np.radians(80), 0.0, 56)
    bend = (CORNEA_HEIGHT**2 + CORNEA_REACH**2) / (2 * CORNEA_HEIGHT)
    foot = np.sqrt(outer**2 - CORNEA_REACH**2) + CORNEA_HEIGHT - bend
    inner = profile[:, 0] < 1.2 * CORNEA_REACH
    cap = foot + np.sqrt(bend**2 - profile[inner, 0] ** 2)
    profile[inner, 1] = LIMBUS_BLEND * np.logaddexp(profile[inner, 1] / LIMBUS_BLEND, cap / LIMBUS_BLEND)
    return profile


def lathe(profile: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """A profile (N, 2) turned: points (N·SEGMENTS, 3) as (right, forward, up) and quads facing outwards."""
    turn = np.arange(SEGMENTS) * (2 * np.pi / SEGMENTS)
    across, along = profile[:, 0, None], np.repeat(profile[:, 1, None], SEGMENTS, axis=1)
    points = np.stack([across * np.cos(turn), along, across * np.sin(turn)], axis=-1).reshape(-1, 3)
    ring = np.arange(SEGMENTS)
    first = (np.arange(len(profile) - 1) * SEGMENTS)[:, None]
    here, beside = first + ring, first + (ring + 1) % SEGMENTS
    quads = np.stack([here, beside, beside + SEGMENTS, here + SEGMENTS], axis=-1).reshape(-1, 4)
    return points, quads
