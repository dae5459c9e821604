"""The way back from a rig: what its bones do, written as the canonical skeleton's motion. The inverse of `retarget`.

Of a chain that shares a rotation, the last bone has all of it; of bones side by side the mean is taken. A canonical
bone that the rig lacks keeps still on its parent, which is where `retarget` looks for its rotation.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.motion.clip import Clip
from farm.motion.reach import before_follow
from farm.motion.rig import Fit, RigClip, RigRest
from farm.motion.rotation import from_quaternion
from farm.motion.skeleton import BONES, INDEX, PARENT_INDEX, SIDES

__all__ = ["canonicalise", "pose_rig", "read_canonical"]

Array = NDArray[np.float64]
WHOLE: Final = 1.0 - 1e-6
"""A link with this share of swing and twist has all of its bone's rotation."""


def canonicalise(clip: RigClip, fit: Fit, rest: RigRest) -> Clip:
    """A rig's clip as one of its canonical skeleton."""
    moved, heads = pose_rig(clip, rest)
    return read_canonical(moved, heads, fit, leaning=True)


def pose_rig(clip: RigClip, rest: RigRest) -> tuple[Array, Array]:
    """A rig's forward kinematics.

    Returns the bones' world rotations relative to their rest pose (N, R, 3, 3) and where they begin (N, R, 3).
    """
    basis = rest.rotations @ from_quaternion(clip.quaternions) @ np.swapaxes(rest.rotations, -1, -2)
    moved, heads = basis.copy(), np.broadcast_to(rest.heads, basis.shape[:-1]).copy()
    for bone, parent in enumerate(rest.parents.tolist()):
        if parent >= 0:
            moved[:, bone] = moved[:, parent] @ basis[:, bone]
            heads[:, bone] = heads[:, parent] + moved[:, parent] @ (rest.heads[bone] - rest.heads[parent])
        if bone == clip.root:
            shift = clip.location @ rest.rotations[bone].T
            heads[:, bone] += shift if parent < 0 else np.einsum("nij,nj->ni", moved[:, parent], shift)
    return moved, heads


def read_canonical(moved: Array, heads: Array, fit: Fit, *, leaning: bool = False) -> Clip:
    """The canonical clip of a rig's bones in the world, whatever moved them.

    moved  (N, R, 3, 3) their rotations relative to the rest pose that `fit` was made on
    heads  (N, R, 3) where they begin, metres; of these the hip joints count

    Where the rig was posed by `retarget`, its spine, neck and arms are `leaning` as `farm.motion.reach` has them, which
    is taken back. A performer's are as they are.
    """
    given: dict[int, list[Array]] = {}
    joints = np.zeros((len(moved), len(BONES), 3))
    for link, index in zip(fit.links, fit.indices.tolist(), strict=True):
        bone = INDEX[link.bone]
        joints[:, bone] += link.weight * heads[:, index]
        if link.swing >= WHOLE and link.twist >= WHOLE:
            given.setdefault(bone, []).append(moved[:, index] @ fit.alignment[bone].T)
    world = np.empty((len(moved), len(BONES), 3, 3))
    for bone, parent in enumerate(PARENT_INDEX):
        if bone in given:
            world[:, bone] = _mean(given[bone])
        else:
            world[:, bone] = world[:, parent]
    hips = joints[:, [INDEX[f"{side}UpperLeg"] for side in SIDES]].mean(axis=1)
    if leaning:
        world = before_follow(world, hips, fit)
    above = np.where((np.array(PARENT_INDEX) >= 0)[:, None, None], world[:, list(PARENT_INDEX)], np.eye(3))
    return Clip(hips, np.swapaxes(above, -1, -2) @ world)


def _mean(rotations: list[Array]) -> Array:
    """The rotation (N, 3, 3) nearest to all of some (chordal; Moakher 2002, "Means and averaging in SO(3)")."""
    if len(rotations) == 1:
        return rotations[0]
    left, _, right = np.linalg.svd(np.mean(rotations, axis=0))
    left[..., -1] *= np.linalg.det(left @ right)[..., None]
    mean: Array = left @ right
    return mean
