"""Arms kept out of the body: turned at the shoulder, as far as they are inside and no farther.

Each arm's capsules are held against those of trunk, head and legs. What is inside pushes the arm out along the shortest
way; the push grows smoothly from nothing, so that an arm that brushes past does not jerk.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.motion.flesh import CAPSULES, capsule_ends, nearest_points, radii
from farm.motion.rotation import about, unit
from farm.motion.skeleton import INDEX, SIDES, Skeleton

__all__ = ["keep_apart"]

Array = NDArray[np.float64]
ROUNDS: Final = 6
ALLOWED: Final = 0.006
"""Metres that an arm may be in what it touches, as flesh gives."""
FEELS: Final = 0.002
"""Metres: how softly an arm begins to give way beyond that."""
GAIN: Final = 1.4
"""How much farther an arm is turned in a round than its deepest point asks, since it turns about the shoulder."""
MOST: Final = 0.35
"""Radians that an arm turns at most in a round."""
ARM: Final = ("UpperArm", "LowerArm", "Hand")
_BODY: Final = [
    k for k, c in enumerate(CAPSULES) if c.group in ("trunk", "head") or c.group.endswith(("Thigh", "Shin"))
]


def keep_apart(skeleton: Skeleton, local: Array, hips: Array, free: Array) -> Array:
    """Local rotations (N, B, 3, 3) with the arms turned out of the body.

    hips   (N, 3)
    free   (N, 2) how free each arm is to give way: 0 where its hand holds on to something
    """
    solved = local.copy()
    thick = radii(skeleton)
    for _ in range(ROUNDS):
        turned, places = skeleton.pose(solved, hips)
        ends = capsule_ends(skeleton, turned, places)
        for side, name in enumerate(SIDES):
            shoulder = INDEX[f"{name}UpperArm"]
            arm = [k for k, c in enumerate(CAPSULES) if c.bone in [name + part for part in ARM]]
            turn = _push(ends, thick, arm, places[:, shoulder]) * free[:, side, None]
            size = np.linalg.norm(turn, axis=-1)
            world = about(unit(turn), MOST * np.tanh(size / MOST)) @ turned[:, shoulder]
            parent = turned[:, INDEX[f"{name}Shoulder"]]
            solved[:, shoulder] = np.swapaxes(parent, -1, -2) @ world
    return solved


def _push(ends: Array, thick: Array, arm: list[int], pivot: Array) -> Array:
    """The turn about the shoulder (N, 3) that brings an arm out of what it is in."""
    first = np.repeat(arm, len(_BODY))
    second = np.tile(_BODY, len(arm))
    mine, other = nearest_points(ends[:, first], ends[:, second])
    gap = mine - other
    apart = np.linalg.norm(gap, axis=-1)
    depth = thick[first] + thick[second] - apart
    way = gap / np.maximum(apart, 1e-6)[..., None]
    weight = FEELS * np.logaddexp(0.0, (depth - ALLOWED) / FEELS)
    reach = mine - pivot[:, None]
    turns = np.cross(reach, way) / np.maximum(np.sum(reach * reach, axis=-1), 0.02)[..., None]
    total = np.maximum(weight.sum(axis=1), 1e-9)
    push: Array = GAIN * np.sum((weight**2 / total[:, None])[..., None] * turns, axis=1)
    return push
