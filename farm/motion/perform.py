"""What a variant's pose and stunt come to over time."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.motion.clip import Clip
from farm.motion.sample import sample_pose
from farm.motion.skeleton import Skeleton
from farm.motion.stunt import Performance, plan_stunt
from farm.recipe.capture import RATE
from farm.recipe.parameters import NO_STUNT, Pose, Stunt

__all__ = ["FPS", "perform", "play"]

FPS: Final = RATE
"""Frames a second where a capture does not say."""


def perform(pose: Pose, stunt: Stunt, skeleton: Skeleton, times: NDArray[np.float64]) -> Clip:
    """The clip at times (N,) in seconds since the first captured frame, which shows the stunt at its `phase`.

    Without a stunt the pose is held. A stunt has postures of its own: it begins and ends as its template says, whatever
    the pose.
    """
    if stunt.name == NO_STUNT:
        held = sample_pose(pose, skeleton)
        return Clip(np.repeat(held.hips, len(times), axis=0), np.repeat(held.rotations, len(times), axis=0))
    return play(plan_stunt(stunt, skeleton), stunt, times)


def play(planned: Performance, stunt: Stunt, times: NDArray[np.float64]) -> Clip:
    """A stunt that has been planned, as `perform` shows it."""
    return planned.sample(stunt.phase * planned.duration + times)
