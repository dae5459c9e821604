"""What a table of templates/rigs comes to on one rig: the canonical skeleton on it, and the bones that follow it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from farm.motion.skeleton import Skeleton

__all__ = ["Drive", "Fit", "Link", "RigRest"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class RigRest:
    """A rig in its rest pose, standing on z = 0 and facing −Y; world space, metres.

    names      R bones, parents before children
    parents    (R,) index of each bone's parent, −1 for none
    heads      (R, 3) and tails (R, 3)
    rotations  (R, 3, 3) the bones' axes
    """

    names: tuple[str, ...]
    parents: NDArray[np.int32]
    heads: Array
    tails: Array
    rotations: Array


@dataclass(frozen=True)
class Link:
    """How a rig's bone follows a canonical one: the shares of swing and twist that have been applied up to it."""

    name: str
    bone: str
    weight: float
    swing: float
    twist: float


@dataclass(frozen=True)
class Drive:
    """Where a motion is written on a rig: on the bones that the links name, or on the table's controls.

    driven    the rig's bone and the link that it moves with, for each bone that is keyed
    root      the driven bone that is moved as well as turned
    leads     (R,) the bone that each of the rig's bones moves with, −1 for none: its parent, or what it copies
    still     bones that are put to rest: controls that would add to the motion, and what lies between driven ones
    switches  what properties of bones are set to, as ((bone, property), value)
    """

    driven: tuple[tuple[int, int], ...]
    root: int
    leads: NDArray[np.int32]
    still: tuple[str, ...]
    switches: tuple[tuple[tuple[str, str], float], ...]


@dataclass(frozen=True)
class Fit:
    """A rig's table fitted to one rig.

    skeleton   the canonical skeleton of this double
    hips       (3,) where the canonical hips lie in the rig's rest pose: midway between the hip joints
    alignment  (B, 3, 3) from the rig's rest pose to the canonical T-pose, by canonical bone
    links      the table, of the bones that the rig has
    indices    (L,) the rig's bone of each link
    heads      (L, 3) where those begin in the rig's rest pose
    skull      (3,) the point of the head in the T-pose that poses bring to the same place on any rig
    turns      (B,) the canonical bone that each one turns with: itself, or a missing one above whose rotation it takes
    drive      where the motion is written
    """

    skeleton: Skeleton
    hips: Array
    alignment: Array
    links: tuple[Link, ...]
    indices: NDArray[np.int32]
    heads: Array
    skull: Array
    turns: NDArray[np.int32]
    drive: Drive
