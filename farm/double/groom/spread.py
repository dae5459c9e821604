"""Strands of tied hair: laid root by root, because strands between guides of different locks would mix (numpy only)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from farm.double.groom.surface import Roots, Scalp
from farm.errors import DigidoubleError
from farm.recipe.variant import stream

if TYPE_CHECKING:
    from farm.double.groom.comb import Guides

__all__ = ["Spread", "scatter_roots", "spread_strands"]

Array = NDArray[np.float64]

ROUNDS: Final = 12
COLUMNS: Final = ("posed", "normals", "local", "uvs", "side")


@dataclass(frozen=True)
class Spread:
    """Strands of a tied style.

    points  (N, P, 3) in world space, roots first
    roots   where they grow
    locks   (N,) which tail, row, lock or strand of a plait each belongs to
    loose   (P,) how far texture may move each point, 0..1
    """

    points: Array
    roots: Roots
    locks: NDArray[np.int64]
    loose: Array


def spread_strands(guides: Guides, count: int, seed: int) -> Spread:
    """Lay `count` strands of tied guides; equal seeds give equal strands."""
    tied = guides.tied
    if tied is None:
        raise DigidoubleError("the style is not tied: its strands are interpolated from guides")
    random = stream(seed, "groom", "spread")
    parts: list[dict[str, Array]] = []
    found = 0
    for _ in range(ROUNDS):
        roots = scatter_roots(guides.scalp, count, random)
        kept = np.flatnonzero(tied.keep(roots))[: count - found]
        parts.append({name: getattr(roots, name)[kept] for name in COLUMNS})
        found += len(kept)
        if found == count:
            break
    else:
        raise DigidoubleError(f"partings leave room for {found} of {count} strands; make them narrower")
    roots = Roots(**{name: np.concatenate([part[name] for part in parts]) for name in COLUMNS})
    return Spread(points=tied.paths(roots, random), roots=roots, locks=tied.locks(roots), loose=tied.loose)


def scatter_roots(scalp: Scalp, count: int, random: np.random.Generator) -> Roots:
    """`count` random roots in random order, as dense as hair grows: stratified, so that each place has its share."""
    grown = np.cumsum(scalp.areas() * scalp.density[scalp.triangles].mean(axis=1))
    places = (random.permutation(count) + random.random(count)) / count
    triangle = np.minimum(np.searchsorted(grown / grown[-1], places, side="right"), len(grown) - 1)
    bent, along = np.sqrt(random.random(count)), random.random(count)
    shares = np.stack([1 - bent, bent * (1 - along), bent * along], axis=1)
    corners = scalp.triangles[triangle]

    def mix(values: Array) -> Array:
        return np.asarray(np.einsum("nk,nkc->nc", shares, values))

    normals = mix(scalp.normals[corners])
    return Roots(
        posed=mix(scalp.posed[corners]),
        normals=normals / np.linalg.norm(normals, axis=1, keepdims=True),
        local=mix(scalp.local[corners]),
        uvs=mix(scalp.uvs[triangle]),
        side=scalp.side[corners[:, 0]],
    )
