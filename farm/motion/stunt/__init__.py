"""Stunts: keys of templates/stunts planned for one body, by the physics of flights and of what stands on the ground."""

from farm.motion.stunt.act import plan_stunt
from farm.motion.stunt.plan import GRAVITY, Plan

__all__ = ["GRAVITY", "Plan", "plan_stunt"]
