"""Strands that keep to their guides where those go different ways (numpy and scipy).

A strand between a guide that falls before a shoulder and one that falls behind it would be drawn through the shoulder:
interpolation holds only among guides that agree, as in the wisps of Choe and Ko 2005 (see comb.py). Such a strand
takes the way of the one guide that it is most like.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from farm.double.groom.comb import Guides

__all__ = ["keep_to_guides"]

Array = NDArray[np.float64]

NEIGHBOURS: Final = 4
APART: Final = 0.022
"""How far in metres a strand may leave the way of its nearest guides before it takes that of one of them."""


def keep_to_guides(points: Array, side: Array, guides: Guides) -> Array:
    """Strands (N, P, 3) of sides (N,) with those that go no guide's way led along one: (N, P, 3).

    Guides must have P points. Only guides of a strand's own side are looked at.
    """
    kept = np.array(points, dtype=np.float64)
    ways = guides.points - guides.points[:, :1]
    for part in np.unique(side):
        strands, own = np.flatnonzero(side == part), np.flatnonzero(guides.roots.side == part)
        if not len(own):
            continue
        near = cKDTree(guides.points[own, 0]).query(kept[strands, 0], k=min(NEIGHBOURS, len(own)))[1]
        near = own[near.reshape(len(strands), -1)]
        way = kept[strands] - kept[strands, :1]
        off = np.stack([_square_apart(way, ways[near[:, rank]]) for rank in range(near.shape[1])])
        lost = off.min(axis=0) > APART**2
        taken = near[np.flatnonzero(lost), off.argmin(axis=0)[lost]]
        kept[strands[lost]] = kept[strands[lost], :1] + ways[taken]
    return kept


def _square_apart(one: Array, other: Array) -> Array:
    """The square of how far apart chains (N, P, 3) are where they are farthest (N,)."""
    offset = one - other
    apart: Array = np.einsum("npc,npc->np", offset, offset).max(axis=1)
    return apart
