"""Where the floor is that a performer stood on, from what the feet do; and the clip moved so that it is z = 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.motion.clip import Clip
from farm.motion.planting import BALL, ENTER_SPEED, HEEL, LEG, point_speed, sole_points
from farm.motion.rotation import between
from farm.motion.skeleton import INDEX, Skeleton

__all__ = ["Floor", "level"]

Array = NDArray[np.float64]

LOW: Final = 0.1
"""The share of resting feet below which the first guess of the floor lies."""
AROUND: Final = 0.06
"""How far, in metres, resting feet may be from it to count as on it."""
SPREAD: Final = 0.3
"""The floor's slope is measured along directions in which the places of the feet spread by so much, metres."""
SLOPES: Final = (np.radians(0.3), np.radians(8.0))
"""Less is noise, more is no floor."""
FEWEST: Final = 10
"""Resting feet, over the frames, that it takes to find a floor by; with fewer it is under the lowest point."""


@dataclass(frozen=True)
class Floor:
    """The height at which the floor was found, metres in the file's own place, and its slope in radians."""

    height: float
    slope: float


def level(clip: Clip, skeleton: Skeleton, fps: float) -> tuple[Clip, Floor]:
    """Move and tilt a clip so that the floor is z = 0."""
    points = _resting(clip, skeleton, fps)
    if len(points) < FEWEST:
        height = float(sole_points(skeleton, clip)[..., 2].min())
        return _lowered(clip, height), Floor(height, 0.0)
    near = _near(points)
    normal = _normal(near)
    slope = float(np.arccos(np.clip(normal[2], -1.0, 1.0)))
    if slope > 0.0:
        clip = _turned(clip, between(normal, np.array([0.0, 0.0, 1.0])))
        near = _near(_resting(clip, skeleton, fps))
    height = float(np.median(near[:, 2]))
    return _lowered(clip, height), Floor(height, slope)


def _resting(clip: Clip, skeleton: Skeleton, fps: float) -> Array:
    """The lower of heel and ball (P, 3) of each foot in each frame in which that hardly moves."""
    soles = sole_points(skeleton, clip)
    found = []
    for side in range(2):
        lower = np.where(soles[:, side, HEEL, 2] < soles[:, side, BALL, 2], HEEL, BALL)
        for point in (HEEL, BALL):
            path = soles[:, side, point]
            slow = point_speed(path, fps) < ENTER_SPEED * skeleton.leg / LEG
            found.append(path[slow & (lower == point)])
    return np.concatenate(found)


def _near(points: Array) -> Array:
    """Those of some points (P, 3) that are about as high as the lower ones."""
    guess = np.quantile(points[:, 2], LOW)
    near: Array = points[np.abs(points[:, 2] - guess) < AROUND]
    return near


def _normal(points: Array) -> Array:
    """The direction (3,) up from the plane of least squares through points (P, 3); Z where its slope is not clear."""
    centred = points - points.mean(axis=0)
    spread, axes = np.linalg.eigh(centred[:, :2].T @ centred[:, :2] / len(points))
    wide = axes[:, spread > SPREAD**2]
    slopes = wide @ (wide.T @ (centred[:, :2].T @ centred[:, 2] / len(points)) / spread[spread > SPREAD**2])
    steep = float(np.arctan(np.linalg.norm(slopes)))
    if not SLOPES[0] < steep < SLOPES[1]:
        return np.array([0.0, 0.0, 1.0])
    normal: Array = np.array([*-slopes, 1.0])
    return normal / np.linalg.norm(normal)


def _turned(clip: Clip, turn: Array) -> Clip:
    rotations = clip.rotations.copy()
    rotations[:, INDEX["hips"]] = turn @ rotations[:, INDEX["hips"]]
    return Clip(clip.hips @ turn.T, rotations)


def _lowered(clip: Clip, height: float) -> Clip:
    return Clip(clip.hips - np.array([0.0, 0.0, height]), clip.rotations)
