"""What may be rendered beside the beauty: passes by name, and presets of them for a trainer's purpose.

Which layers a pass is, and what they mean, stands in `farm.dataset.layers`.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "CLIP_PASSES",
    "MATTE_PASSES",
    "MATTE_SAMPLES",
    "PASSES",
    "PASS_CHANNELS",
    "PRESETS",
    "SAMPLE_PASSES",
    "expand_passes",
]

_LIGHT: Final = ("diffuse", "glossy", "transmission", "volume", "emission", "environment")
_SURFACE: Final = ("position", "normal.world", "normal.camera", "base_color", "roughness")
_CENTRE: Final = ("albedo.centre", "motion.world")
_HAIR: Final = ("strand.tangent", "strand.id", "hair.mask")
_MATTES: Final = ("cryptomatte.object", "cryptomatte.material", "cryptomatte.asset")

PASSES: Final = ("variance", *_LIGHT, *_SURFACE, *_CENTRE, "uv", *_HAIR, *_MATTES)
"""Every pass that a recipe may ask for, in order. Beauty, alpha, albedo, normal, depth, the reference's half
difference, and in clips motion are always there."""

MATTE_PASSES: Final = ("hair.mask", *_MATTES)
"""Passes of coverage, which have a render of their own."""

MATTE_SAMPLES: Final = 16
"""Samples a pixel of the render of coverage: 1.6 % of a reference of 1,024."""

SAMPLE_PASSES: Final = ("position", "motion.world")
"""What single samples always have beside their features."""

CLIP_PASSES: Final = ("motion.world",)
"""Passes that stills have not."""

PASS_CHANNELS: Final[dict[str, tuple[int, int, int]]] = {
    "variance": (0, 3, 0),
    **dict.fromkeys(("diffuse", "glossy", "transmission"), (9, 9, 0)),
    "volume": (6, 6, 0),
    **dict.fromkeys(("emission", "environment"), (3, 3, 0)),
    **dict.fromkeys(("position", "normal.world", "normal.camera", "base_color", "strand.tangent"), (0, 0, 3)),
    **dict.fromkeys(_CENTRE, (0, 0, 3)),
    **dict.fromkeys(("roughness", "strand.id", "hair.mask"), (0, 0, 1)),
    "uv": (0, 0, 2),
    **dict.fromkeys(_MATTES, (0, 0, 12)),
}
"""How many channels a pass adds to each noisy image, to the reference and to the data image."""

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
