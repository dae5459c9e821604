"""What may be rendered beside the beauty: passes by name, and presets of them for a trainer's purpose.

Which layers a pass is, and what they mean, stands in `farm.dataset.layers`.
"""

from __future__ import annotations

from typing import Final

__all__ = ["PASSES", "PRESETS", "SAMPLE_PASSES", "expand_passes"]

_LIGHT: Final = ("diffuse", "glossy", "transmission", "volume", "emission", "environment")
_SURFACE: Final = ("position", "normal.world", "normal.camera", "base_color", "roughness")
_CENTRE: Final = ("albedo.centre", "motion.world")
_HAIR: Final = ("strand.tangent", "strand.id", "hair.mask")
_MATTES: Final = ("cryptomatte.object", "cryptomatte.material", "cryptomatte.asset")

PASSES: Final = ("variance", *_LIGHT, *_SURFACE, *_CENTRE, "uv", *_HAIR, *_MATTES)
"""Every pass that a recipe may ask for, in order. Beauty, alpha, albedo, normal, depth, the reference's half
difference, and in clips motion are always there."""

SAMPLE_PASSES: Final = ("position", "motion.world")
"""What single samples always have beside their features."""

PRESETS: Final[dict[str, tuple[str, ...]]] = {
    "denoise": ("variance", "strand.tangent", "hair.mask"),
    "temporal": (
        "variance",
        "diffuse",
        "glossy",
        "position",
        "normal.world",
        "roughness",
        "strand.tangent",
        "hair.mask",
    ),
    "relight-gbuffer": (*_LIGHT, *_SURFACE, "uv", "hair.mask", "cryptomatte.object", "cryptomatte.material"),
    "everything": PASSES,
}


def expand_passes(names: tuple[str, ...]) -> tuple[str, ...]:
    """The passes that these names of presets and passes ask for, in PASSES' order, each once."""
    wanted = {one for name in names for one in PRESETS.get(name, (name,))}
    return tuple(name for name in PASSES if name in wanted)
