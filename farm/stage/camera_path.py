"""How a camera goes over the frames of a clip, so that it sees the double in all of them as it is framed (numpy only).

The camera is aimed once, at what it sees when its own motion is taken away: points are brought back by it. So a camera
that follows or turns about the double keeps the framing, and one that goes nearer has it where it is nearest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.stage.framing import View
from farm.stage.template import CameraMove

__all__ = ["CameraPath", "plan_path", "reach"]

Array = NDArray[np.float64]

BEYOND: Final = 4.0
"""The double's way is smoothed over this many standard deviations on both sides."""


@dataclass(frozen=True)
class CameraPath:
    """The motion of a camera over F consecutive frames, against the view that it is aimed with.

    first   the first of the frames
    pivot   (3,) what the camera turns about
    offset  (F, 3) how far camera and pivot have gone, in metres
    turn    (F,) the turn about the pivot, counter-clockwise from above, in radians
    away    (F,) how much farther than aimed the camera is from the pivot, as a share of its distance
    """

    first: int
    pivot: Array
    offset: Array
    turn: Array
    away: Array

    @property
    def frames(self) -> range:
        """The frames that the path is known at."""
        return range(self.first, self.first + len(self.turn))

    def withdrawn(self, points: Array, frame: int) -> Array:
        """Points (N, 3) of a frame as the camera that was only aimed sees them."""
        index = frame - self.first
        back: Array = (points - self.pivot - self.offset[index]) @ _about_z(self.turn[index]) + self.pivot
        return back

    def view(self, aimed: View, frame: int) -> View:
        """The camera at a frame."""
        index = frame - self.first
        turn = _about_z(self.turn[index])
        matrix = np.eye(4)
        matrix[:3, :3] = turn @ aimed.matrix[:3, :3]
        place = aimed.matrix[:3, 3] + self.away[index] * self._distance(aimed) * aimed.matrix[:3, 2]
        matrix[:3, 3] = self.pivot + self.offset[index] + turn @ (place - self.pivot)
        return View(matrix=matrix, focal_length=aimed.focal_length)

    def lowest(self, aimed: View) -> float:
        """The least height of the camera over all frames."""
        rise = self.away * self._distance(aimed) * aimed.matrix[2, 2] + self.offset[:, 2]
        return float(aimed.matrix[2, 3] + rise.min())

    def _distance(self, aimed: View) -> float:
        """How far the pivot is from the aimed camera, along its axis."""
        return float((aimed.matrix[:3, 3] - self.pivot) @ aimed.matrix[:3, 2])


def reach(move: CameraMove, rate: float) -> int:
    """How many frames of the double's way beyond each end `plan_path` wants to know."""
    return 1 + (math.ceil(BEYOND * move.follow.smooth * rate) if move.follow else 0)


def plan_path(move: CameraMove, amount: float, hips: Array, frames: range, *, rate: float) -> CameraPath:
    """Plan a move over a clip's frames and one more at each end, for what is seen between frames.

    amount  how far the move goes, as a multiple of its template's
    hips    (N, 3) where the hips are, from `reach` frames before the first frame to as many after the last
    rate    frames a second
    """
    known = range(frames[0] - 1, frames[-1] + 2)
    beyond = reach(move, rate) - 1
    offset = np.zeros((len(known), 3))
    pivot = hips[beyond + 1 : len(hips) - beyond - 1].mean(axis=0)
    if move.follow is not None:
        share = amount * np.array([move.follow.along, move.follow.along, move.follow.up])
        way = _smoothed(hips, move.follow.smooth * rate, beyond)
        pivot = way[1]
        offset = share * (way - pivot)
    gone = _progress(np.array(known), frames)
    aside = amount * move.slide * (gone - 0.5)
    turn = amount * math.radians(move.orbit) * (gone - 0.5) + np.arctan(aside)
    nearing = 1 - gone if move.dolly > 0 else gone
    away = (1 + amount * abs(move.dolly) * nearing) * np.sqrt(1 + aside**2) - 1
    return CameraPath(known[0], pivot, offset, turn, away)


def _progress(frames: NDArray[np.int_], clip: range) -> Array:
    """How much of a move is done at frames (F,), 0..1: least jerk from rest to rest; a single frame is its middle."""
    span = clip[-1] - clip[0]
    if not span:
        return np.full(len(frames), 0.5)
    time = np.clip((frames - clip[0]) / span, 0.0, 1.0)
    done: Array = time**3 * (10 - 15 * time + 6 * time**2)
    return done


def _smoothed(way: Array, deviation: float, beyond: int) -> Array:
    """A way (N, 3) under a bell curve of so many frames' deviation: (N − 2 beyond, 3)."""
    if not beyond:
        return way
    steps = np.arange(-beyond, beyond + 1)
    weights = np.exp(-0.5 * (steps / deviation) ** 2)
    weights /= weights.sum()
    windows = np.lib.stride_tricks.sliding_window_view(way, len(steps), axis=0)
    smooth: Array = windows @ weights
    return smooth


def _about_z(angle: float) -> Array:
    sine, cosine = math.sin(angle), math.cos(angle)
    return np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])
