"""Tied hairstyles: which way of tying a style asks for, and guides laid by it (numpy only)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from farm.double.groom.collider import Shell, build_collider
from farm.double.groom.gather import gather_hair
from farm.double.groom.locks import lock_hair
from farm.double.groom.rows import part_rows
from farm.double.groom.spread import scatter_roots
from farm.double.groom.style import Hairstyle
from farm.double.groom.surface import Head, Roots, Scalp, build_scalp, head_frame, sample_roots
from farm.double.groom.tie import Bun, Locks, Rows, Tie
from farm.recipe.variant import stream

__all__ = ["Tied", "tie_guides"]

Array = NDArray[np.float64]
Comb = Callable[[int], tuple[Roots, Array]]

PLACES: Final = 3000
"""How many places of the scalp stand for all of it."""
COMMON_SIZE: Final = 0.0885
"""Mean distance of scalp from the head's centre on a common head, in metres."""
SPARE: Final = 1.3
"""Guides that are tried per guide, some of which stand on partings."""
HEXAGON: Final = 1.15
"""Places one apart in a hexagonal grid, per unit of area."""


class Tied(Protocol):
    """A way of tying, made for one posed head: it lays hair of any root."""

    @property
    def loose(self) -> Array:
        """How far texture may move each point of a hair (P,), 0..1."""
        ...

    @property
    def bands(self) -> tuple[Array, ...]:
        """Closed lines (K, 3) in world space that elastic bands run along."""
        ...

    def keep(self, roots: Roots) -> NDArray[np.bool_]:
        """Which roots (N,) bear hair; the others stand on a parting."""
        ...

    def locks(self, roots: Roots) -> NDArray[np.int64]:
        """Which tail, row, lock or strand of a plait roots (N,) belong to."""
        ...

    def paths(self, roots: Roots, random: np.random.Generator) -> Array:
        """Hairs (N, P, 3) in world space from their roots to their tips."""
        ...


def tie_guides(
    head: Head, shells: list[Shell], style: Hairstyle, tie: Tie, *, length: float, seed: int, comb: Comb
) -> tuple[Array, Roots, Scalp, Tied]:
    """Guides (G, P, 3) of a tied style on a posed head, their roots, the scalp, and what lays more hair alike.

    `length` multiplies what hangs free; `comb` gives the roots (L,) and points (L, P, 3) of as many guides of the same
    style as it is asked for, combed as loose hair.
    """
    frame = head_frame(head)
    scalp = build_scalp(head, frame, style.parting)
    tied = _tie(head, shells, style, tie, scalp, length, comb)
    random = stream(seed, "groom", "guides")
    roots = sample_roots(scalp, style.parting, int(style.guides * SPARE), random)
    kept = np.flatnonzero(tied.keep(roots))[: style.guides]
    names = ("posed", "normals", "local", "uvs", "side")
    roots = replace(roots, **{name: getattr(roots, name)[kept] for name in names})
    return tied.paths(roots, random), roots, scalp, tied


def _tie(head: Head, shells: list[Shell], style: Hairstyle, tie: Tie, scalp: Scalp, length: float, comb: Comb) -> Tied:
    frame = head_frame(head)
    places = scatter_roots(scalp, PLACES, stream(0, "groom", "places")).local
    size = float(np.linalg.norm(places, axis=1).mean()) / COMMON_SIZE
    if isinstance(tie, Locks):
        collider = build_collider(shells, head, frame, reach=style.longest * length, fringe=style.fringe)
        area = float((scalp.areas() * scalp.density[scalp.triangles].mean(axis=1)).sum())
        roots, guides = comb(int(HEXAGON * area / (tie.size * size) ** 2))
        return lock_hair(tie, collider, places, roots, guides)
    free = {"rows": "hang", "bun": "roll"}.get(tie.kind, "length")
    free_length = float(getattr(tie, free)) * (1.0 if isinstance(tie, Bun) else length)
    collider = build_collider(shells, head, frame, reach=free_length + 0.06, fringe=True)
    if isinstance(tie, Rows):
        return part_rows(tie, frame, collider, places, length=free_length, size=size)
    return gather_hair(tie, frame, collider, places, length=free_length)
