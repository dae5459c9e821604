"""Stunts: keys of templates/stunts planned for one body, by the physics of flights and of what stands on the ground."""

from farm.motion.stunt.act import Performance, plan_stunt
from farm.motion.stunt.plan import GRAVITY, Plan
from farm.motion.stunt.props import Box, Dent

__all__ = ["GRAVITY", "Box", "Dent", "Performance", "Plan", "plan_stunt"]
