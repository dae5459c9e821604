"""What a rig's posed bones mean on the canonical skeleton: the inverse of `farm.motion.rig.retarget`, for one frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from farm.motion.rig import Fit, RigRest
from farm.motion.skeleton import BONES, INDEX, PARENTS

__all__ = ["read_canonical"]

Array = NDArray[np.float64]


def read_canonical(heads: Array, moved: Array, fit: Fit, rest: RigRest) -> tuple[Array, Array]:
    """The canonical hips' position (3,) and local rotations (B, 3, 3) of a posed rig.

    heads  (R, 3) where the rig's bones begin, in the world
    moved  (R, 3, 3) the bones' rotations in the world relative to their rest pose

    Where several bones share a canonical one, the last of them is where the chain arrives. A canonical bone that the
    rig lacks follows the one below it.
    """
    last = {link.bone: int(index) for link, index in zip(fit.links, fit.indices, strict=True)}
    world = np.empty((len(BONES), 3, 3))
    local = np.empty((len(BONES), 3, 3))
    for bone, index in INDEX.items():
        above = PARENTS[bone]
        base = world[INDEX[above]] if above is not None else np.eye(3)
        world[index] = moved[last[bone]] @ fit.alignment[index].T if bone in last else base
        local[index] = base.T @ world[index]
    root = int(fit.indices[[link.bone for link in fit.links].index("hips")])
    hips = heads[root] - world[INDEX["hips"]] @ (rest.heads[root] - fit.hips)
    return hips, local
