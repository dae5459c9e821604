"""What a variant's pose comes to on a body: templates blended and varied."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.errors import TemplateError
from farm.motion.blend import between_poses
from farm.motion.clip import Clip
from farm.motion.flesh import overlaps
from farm.motion.joint_angles import angles_of, beyond_limits
from farm.motion.pose import PoseTemplate, load_pose
from farm.motion.settle import lowest_part
from farm.motion.skeleton import Skeleton
from farm.motion.spread import draw_deviations, vary_pose
from farm.recipe.parameters import Pose

__all__ = ["sample_pose"]

Array = NDArray[np.float64]
Posed = tuple[Array, Array]

MILDER: Final = 0.8
TRIES: Final = 12
"""Deviations that a body cannot take are made milder so many times; then there are none."""
BEYOND: Final = 0.9
"""Degrees by which inverse kinematics may break a limit."""
DEEP: Final = 0.008
"""Metres by which limbs may be in one another, or more where they are without deviations."""


def sample_pose(pose: Pose, skeleton: Skeleton) -> Clip:
    """A clip of one frame.

    Deviations that would break a joint's limit, put a limb through another, plant a foot out of reach or roll the body
    over are scaled down until they do not. TemplateError where a template is missing or wrong, its feet or hands are
    out of reach, or its resting body rolls over.
    """
    templates = [load_pose(pose.name), *([load_pose(pose.second)] if pose.blend > 0.0 else [])]
    hips, local = _posed(skeleton, templates, pose)
    if pose.spread > 0.0:
        hips, local = _varied(skeleton, templates, pose, (hips, local))
    return Clip(hips[None], local[None])


def _posed(skeleton: Skeleton, templates: list[PoseTemplate], pose: Pose) -> Posed:
    if pose.mirror:
        templates = [template.mirrored() for template in templates]
    return between_poses(skeleton, templates[0], templates[-1], pose.blend)


def _varied(skeleton: Skeleton, templates: list[PoseTemplate], pose: Pose, plain: Posed) -> Posed:
    deviations, allowed = draw_deviations(pose.seed), max(DEEP, _depth(skeleton, plain))
    for step in range(TRIES):
        spread = pose.spread * MILDER**step
        try:
            posed = _posed(skeleton, [vary_pose(each, deviations, spread) for each in templates], pose)
        except TemplateError:
            continue
        if beyond_limits(angles_of(posed[1])).max() < BEYOND and _depth(skeleton, posed) < allowed:
            return posed
    return plain


def _depth(skeleton: Skeleton, posed: Posed) -> float:
    """How deep limbs are in one another or in the floor, metres."""
    hips, local = posed
    depths = overlaps(skeleton, *skeleton.pose(local, hips)).values()
    return max(-lowest_part(skeleton, local, hips), *(float(depth) for depth in depths))
