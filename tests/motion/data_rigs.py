"""Every rig that the base mesh's data carry, on shaped bodies, read without Blender."""

from __future__ import annotations

import functools

import numpy as np

from farm.double.rig_table import read_table
from farm.motion import Fit, RigRest, fit_rig
from farm.recipe import templates
from farm.recipe.parameters import Body

RIGS = tuple(name for name in templates.names("rigs") if read_table(name).builds)


@functools.cache
def rig_rest(rig: str, body: Body) -> RigRest:
    """A rig's rest pose; its bones' axes are the world's, which changes no result in the world."""
    from farm.double.base_mesh import rig_bones
    from farm.double.shape import shape_vertices

    bones = rig_bones(str(read_table(rig).builds), shape_vertices(body))
    names = tuple(bone.name for bone in bones)
    return RigRest(
        names=names,
        parents=np.array([names.index(bone.parent) if bone.parent else -1 for bone in bones], dtype=np.int32),
        heads=np.array([bone.head for bone in bones]),
        tails=np.array([bone.tail for bone in bones]),
        rotations=np.broadcast_to(np.eye(3), (len(bones), 3, 3)),
    )


@functools.cache
def rig_fit(rig: str, body: Body) -> Fit:
    return fit_rig(rig, rig_rest(rig, body))
