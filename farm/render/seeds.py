"""Noise seeds: one of its own for every image of a view, so that no two images share samples.

A seed is a hash of what the image is of (variant, frame) and of its role. Within a view all seeds are
distinct by construction: two halves of a reference, each noisy image and each replica differ.
"""

from __future__ import annotations

import hashlib
from typing import Final

from farm.errors import RenderError

__all__ = ["data_role", "half_role", "matte_role", "noisy_role", "partner_role", "sample_role", "view_seeds"]

SEED_COUNT: Final = 2**31


def noisy_role(spp: int, replica: int) -> str:
    """The role of a noisy image."""
    return f"noisy/{spp}/{replica}"


def partner_role(factor: int, spp: int) -> str:
    """The role of a partner of low resolution."""
    return f"partner/{factor}/{spp}"


def sample_role(number: int) -> str:
    """The role of a single sample of each pixel."""
    return f"sample/{number}"


def half_role(half: int) -> str:
    """The role of a half of the reference, 0 or 1."""
    return f"reference/{half}"


def data_role() -> str:
    """The role of the data pass."""
    return "data"


def matte_role() -> str:
    """The role of the render of coverage."""
    return "matte"


def view_seeds(view_key: str, roles: list[str]) -> dict[str, int]:
    """The seeds of a view's renders by role; all differ."""
    seeds: dict[str, int] = {}
    for role in roles:
        digest = hashlib.sha256(f"{view_key}/{role}".encode()).digest()
        seed = int.from_bytes(digest[:8], "little") % SEED_COUNT
        while seed in seeds.values():
            seed = (seed + 1) % SEED_COUNT
        seeds[role] = seed
    if len(set(seeds.values())) != len(roles):
        raise RenderError(f"the roles of view {view_key} are not distinct: {', '.join(roles)}")
    return seeds
