"""The steps that put a variant on a stage, and what decides the result of each: what is equal is not done again."""

from __future__ import annotations

from typing import Final

from farm.motion.perform import FPS
from farm.recipe.variant import Variant, content_hash

__all__ = ["STEPS", "step_keys"]

STEPS: Final = ("double", "motion", "groom", "set", "camera")
TINT: Final = ("melanin", "redness", "grey", "dye", "dye_hue", "dye_saturation", "dye_value")
"""What of the hair colours brows and lashes, which are part of the double."""


def step_keys(variant: Variant, frames: range, rate: float = FPS) -> dict[str, str]:
    """What decides each step's result, hashed: a step is done again when its key changes."""
    part = variant.model_dump(mode="json")
    tint = [part["hair"][name] for name in TINT]
    built = [*(part[axis] for axis in ("body", "skin", "face", "wardrobe", "rig")), tint]
    double = content_hash(part.get("double", built))
    motion = content_hash([double, part["pose"], part["stunt"], list(frames), rate])
    groom = content_hash([motion, part["hair"], part["beard"]])
    return {
        "double": double,
        "motion": motion,
        "groom": groom,
        "set": content_hash([part["light"], variant.camera.azimuth]),
        "camera": content_hash([groom, part["camera"]]),
    }
