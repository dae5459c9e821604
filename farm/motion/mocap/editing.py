"""Cuts and changes to a clip: trimmed, mirrored, resampled, looped, begun at the origin."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.motion.clip import Clip
from farm.motion.rotation import about, slerp
from farm.motion.skeleton import BONES, INDEX, MIRROR, Skeleton

__all__ = ["begin_at_origin", "close_loop", "follow_on", "heading", "mirror_clip", "mirror_skeleton", "sample_clip"]

Array = NDArray[np.float64]

Z_AXIS: Final = np.array([0.0, 0.0, 1.0])
FORWARD: Final = np.array([0.0, -1.0, 0.0])
FLIP: Final = np.array([-1.0, 1.0, 1.0])
LOOP_BLEND: Final = 0.4
"""Seconds at each end of a loop in which it becomes the same as the other end."""


def sample_clip(clip: Clip, fps: float, times: Array) -> Clip:
    """A clip of some frames a second at times (N,) in seconds, between its first and its last frame."""
    at = np.clip(times * fps, 0.0, len(clip) - 1.0)
    # Times that are frames but for rounding give these frames as they are.
    at = np.where(np.abs(at - np.round(at)) < 1e-6, np.round(at), at)
    first = np.floor(at).astype(np.int64)
    second = np.minimum(first + 1, len(clip) - 1)
    share = at - first
    hips = clip.hips[first] + share[:, None] * (clip.hips[second] - clip.hips[first])
    turned = slerp(clip.rotations[first], clip.rotations[second], share[:, None])
    exact = share == 0.0
    turned[exact] = clip.rotations[first[exact]]
    return Clip(hips, turned)


def heading(rotations: Array) -> Array:
    """Which way hips with rotations (..., 3, 3) face: the angle (...) about the vertical from −Y.

    Where they face up or down, their left side tells it.
    """
    ahead, left = rotations @ FORWARD, rotations[..., :, 0]
    level = np.linalg.norm(ahead[..., :2], axis=-1) > 0.5
    by_front = np.arctan2(ahead[..., 0], -ahead[..., 1])
    by_left = np.arctan2(left[..., 1], left[..., 0])
    angle: Array = np.where(level, by_front, by_left)
    return angle


def _moved(clip: Clip, turn: float, shift: Array) -> Clip:
    """A clip turned about the vertical through the origin, then shifted."""
    about_up = about(Z_AXIS, turn)
    rotations = clip.rotations.copy()
    rotations[:, INDEX["hips"]] = about_up @ rotations[:, INDEX["hips"]]
    return Clip(clip.hips @ about_up.T + shift, rotations)


def begin_at_origin(clip: Clip) -> Clip:
    """The clip turned and shifted over the floor so that it begins above the origin and faces −Y."""
    turned = _moved(clip, -float(heading(clip.rotations[0, INDEX["hips"]])), np.zeros(3))
    return Clip(turned.hips - turned.hips[0] * [1.0, 1.0, 0.0], turned.rotations)


def mirror_clip(clip: Clip) -> Clip:
    """Left and right swapped."""
    flip = np.outer(FLIP, FLIP)
    return Clip(clip.hips * FLIP, (clip.rotations * flip)[:, MIRROR])


def mirror_skeleton(skeleton: Skeleton) -> Skeleton:
    """The skeleton of a mirrored performer."""
    return Skeleton((skeleton.joints * FLIP)[MIRROR], (skeleton.soles * FLIP)[::-1])


def _travel(clip: Clip) -> tuple[float, Array]:
    """What takes a clip's first frame to where its last one is: a turn about the vertical, then a shift (3,)."""
    facing = heading(clip.rotations[[0, -1], INDEX["hips"]])
    turn = float(facing[1] - facing[0])
    shift = (clip.hips[-1] - about(Z_AXIS, turn) @ clip.hips[0]) * [1.0, 1.0, 0.0]
    return turn, shift


def close_loop(clip: Clip, fps: float) -> Clip:
    """The clip with its ends blended so that its last frame is its first, moved on over the floor.

    Each end takes half of the difference, faded out over the frames next to it.
    """
    frames = len(clip)
    turn, shift = _travel(clip)
    span = min(LOOP_BLEND * fps, 0.5 * (frames - 1))
    at = np.arange(frames, dtype=np.float64)
    first = _moved(Clip(clip.hips[:1], clip.rotations[:1]), turn, shift)
    last = Clip(clip.hips[-1:], clip.rotations[-1:])
    back = _moved(last, 0.0, -shift)
    back = _moved(back, -turn, np.zeros(3))
    hips, rotations = clip.hips.copy(), clip.rotations.copy()
    for other, away in ((first, frames - 1 - at), (back, at)):
        here = clip.rotations[-1] if other is first else clip.rotations[0]
        height = other.hips[0, 2] - (clip.hips[-1, 2] if other is first else clip.hips[0, 2])
        share = 0.5 * _ease(away / max(span, 1.0))
        hips[:, 2] += share * height
        # The difference as the bone's own frame has it, so that it adds to whatever the bone does meanwhile.
        step = slerp(
            np.broadcast_to(np.eye(3), (frames, len(BONES), 3, 3)),
            np.broadcast_to(np.swapaxes(here, -1, -2) @ other.rotations[0], (frames, len(BONES), 3, 3)),
            share[:, None],
        )
        rotations = rotations @ step
    return Clip(hips, rotations)


def _ease(part: Array) -> Array:
    part = np.clip(part, 0.0, 1.0)
    eased: Array = 1.0 - part * part * (3.0 - 2.0 * part)
    return eased


def follow_on(clip: Clip, rounds: NDArray[np.int_], frames: Clip) -> Clip:
    """Frames of a loop (N) moved on to where it is after rounds (N,) of `clip`, forwards or backwards."""
    turn, shift = _travel(clip)
    hips, rotations = frames.hips.copy(), frames.rotations.copy()
    for count in np.unique(rounds).tolist():
        chosen = rounds == count
        angle, place = 0.0, np.zeros(3)
        for _ in range(abs(count)):
            if count > 0:
                place = about(Z_AXIS, turn) @ place + shift
                angle += turn
            else:
                place = about(Z_AXIS, -turn) @ (place - shift)
                angle -= turn
        moved = _moved(Clip(hips[chosen], rotations[chosen]), angle, place)
        hips[chosen], rotations[chosen] = moved.hips, moved.rotations
    return Clip(hips, rotations)
