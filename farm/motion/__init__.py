"""What the double does: poses and stunts of a canonical skeleton, in numpy; `apply` takes them to Blender."""

from farm.motion.clip import Clip
from farm.motion.perform import FPS, perform
from farm.motion.rig import Fit, RigRest, fit_rig, retarget
from farm.motion.sample import sample_pose
from farm.motion.skeleton import BONES, PARENTS, Skeleton

__all__ = [
    "BONES",
    "FPS",
    "PARENTS",
    "Clip",
    "Fit",
    "RigRest",
    "Skeleton",
    "fit_rig",
    "perform",
    "retarget",
    "sample_pose",
]
