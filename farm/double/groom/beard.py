"""Facial hair: guides combed on the posed, expressed face, grown to strands like the hair of the head.

Guides are integrated as those of the head (farm.double.groom.comb), but slide on the skin itself instead of a grid of
distances, because lips and nostrils are finer than the grid. A strand ends before it would cross the mouth.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from farm.algebra import on_one_thread
from farm.double.beard_area import beard_shares
from farm.double.groom.beard_style import Beardstyle, load_beard
from farm.double.groom.collider import Shell
from farm.double.groom.comb import Guides
from farm.double.groom.smooth import around, nearest_places, smooth_tree
from farm.double.groom.strands import Groom, grow_strands
from farm.double.groom.style import Comb, Parting
from farm.double.groom.surface import Frame, Head, Roots, build_scalp, head_frame, sample_roots
from farm.double.groom.texture import textured
from farm.double.groom.wearer import Wearer, Worn, read_wearer
from farm.double.own.reading import OwnDouble
from farm.double.zones import zone_masks
from farm.errors import BadInput
from farm.recipe.parameters import Beard, Hair
from farm.recipe.variant import stream

__all__ = ["beard_hair", "build_beard", "comb_beard"]

Array = NDArray[np.float64]

REACH: Final = 0.16
"""How far from the chin skin and clothes are looked at, in metres."""
CLEARANCE: Final = 0.0016
CLEARANCE_RISE: Final = 0.004
"""Height in metres that guides keep over the skin, and the length over which they rise to it."""
LENGTH_SPREAD: Final = 0.12
LIP_REACH: Final = 0.0025
"""Strands end where they come this near to lips or the mouth's inside."""
SHORTEST: Final = 0.35
"""What is left of a strand at least, as a share of its length."""
FRIZZ_SHARE: Final = 0.25
"""How far strays leave their lock at most, as a share of the longest strand: hair types are given for long hair."""
MIDDLE: Final = 0.008
"""Distance from the middle of the face over which `aside` turns from left to right."""
REDDER: Final = 0.12
DARKER: Final = 0.06
"""A beard holds more pheomelanin than the head's hair, and a little more pigment where that is light (Tobin 2006)."""
FEWEST: Final = 150
DOWN: Final = np.array([0.0, 0.0, -1.0])


@on_one_thread
def build_beard(double: Wearer, hair: Hair, beard: Beard, *, collection: Any, worn: Worn | None = None) -> Groom | None:
    """Grow `beard` on the double as it is posed now, in `collection`; None when clean shaven.

    `worn` is what `read_wearer` reads of it, where that is at hand.
    Its colour, type and seed are those of `hair`. Strands follow the head bone afterwards as one rigid piece.
    BadInput for a beard on an artist's double, on whose face lips and jaw are not known.
    """
    style = load_beard(beard.style)
    if style.shaven:
        return None
    if isinstance(double, OwnDouble):
        raise BadInput(
            f"beard.style: '{beard.style}' grows on the built-in double only, for on '{double.head.name}' lips and jaw"
            " are not known; set it to 'clean_shaven'"
        )
    guides = comb_beard(worn or read_wearer(double), style, length=beard.length, seed=hair.seed)
    own = beard_hair(hair, style, beard.length)
    strands = textured(style.hairstyle(), own)
    strands = strands.model_copy(update={"frizz": min(strands.frizz, FRIZZ_SHARE * style.longest * beard.length)})
    return grow_strands(double, guides, strands, own, collection=collection, name="beard")


def beard_hair(hair: Hair, style: Beardstyle, length: float) -> Hair:
    """The hair of a beard: that of the head, a little redder and darker, and fewer strands."""
    return hair.model_copy(
        update={
            "redness": min(1.0, hair.redness + REDDER),
            "melanin": min(1.0, hair.melanin + DARKER * (1 - hair.melanin)),
            "strands": max(FEWEST, round(hair.strands * style.share)),
            "length": length,
            "dye": 0.0,
        }
    )


def comb_beard(worn: Worn, style: Beardstyle, *, length: float = 1.0, seed: int = 0) -> Guides:
    """Comb a style on a built-in double as `read_wearer` read it; `length` multiplies the style's own.

    Equal seeds, equal guides.
    """
    head, shells = worn
    random = stream(seed, "groom", "beard")
    shares = np.stack([beard_shares()[region] for region in style.regions])
    density = (shares * np.array([[region.density] for region in style.regions.values()])).max(axis=0)
    frame = head_frame(head)
    grown = smooth_tree([Shell(head.posed, around(density > 0.0, head.faces))])
    bearing = replace(head, scalp=density, settle=functools.partial(nearest_places, grown))
    scalp = build_scalp(bearing, frame, Parting())
    roots = sample_roots(scalp, Parting(), style.guides, random)
    skin = _read_skin(head, shells)
    growth = _Growth(style, roots, frame, skin, _at_roots(head, frame, shares, roots), length, random)
    return Guides(points=growth.grow(), roots=roots, scalp=scalp)


@dataclass(frozen=True)
class _Surface:
    """Skin and clothes near the chin as rendered, and where the mouth is."""

    tree: Any
    mouth: Any

    def sample(self, points: Array) -> tuple[Array, Array]:
        """Signed distance (N,) to the skin, positive outside, and its normals (N, 3)."""
        found = [self.tree.find_nearest(point) for point in points.tolist()]
        places, normals = np.array([hit[0] for hit in found]), np.array([hit[1] for hit in found])
        return np.einsum("nc,nc->n", points - places, normals), normals

    def at_mouth(self, points: Array) -> NDArray[np.bool_]:
        """Which points (..., 3) are at the lips or between them."""
        distance: Array = self.mouth.query(points)[0]
        return distance < LIP_REACH


def _read_skin(head: Head, shells: Sequence[Shell]) -> _Surface:
    """What the shells, skin and clothes, have near the chin."""
    chin = head.posed[np.argmin(np.linalg.norm(head.rest - head.chin, axis=1))]
    parts = []
    for shell in shells:
        near = np.linalg.norm(shell.vertices - chin, axis=1) < REACH
        if near[shell.faces].any():
            parts.append(Shell(shell.vertices, around(near, shell.faces)))
    masks = zone_masks()
    mouth = np.maximum(masks["lips"], masks["inside-mouth"]) > 0.4
    return _Surface(smooth_tree(parts), cKDTree(head.posed[: len(mouth)][mouth]))


def _at_roots(head: Head, frame: Frame, shares: Array, roots: Roots) -> Array:
    """Shares of the style's regions (regions, G) at roots, summing to 1: those of the nearest vertices."""
    bearing = np.flatnonzero(shares.max(axis=0) > 0)
    tree = cKDTree(head.rest[bearing] - frame.centre)
    distance, near = tree.query(roots.local, k=3)
    weight = 1 / (distance + 1e-4)
    mixed = np.einsum("rgk,gk->rg", shares[:, bearing][:, near], weight / weight.sum(axis=1, keepdims=True)) ** 2
    total: Array = mixed / np.maximum(mixed.sum(axis=0), 1e-9)
    return total


@dataclass(frozen=True)
class _Growth:
    """One style on one face; `shares` (regions, G) are of the style's regions."""

    style: Beardstyle
    roots: Roots
    frame: Frame
    skin: _Surface
    shares: Array
    length: float
    random: np.random.Generator

    def grow(self) -> Array:
        """Integrate all guides from root to tip: (G, P, 3)."""
        regions = self.style.regions.values()
        count, points = len(self.roots.posed), self.style.points
        lengths = self.shares.T @ np.array([region.length for region in regions]) * self.length
        lengths *= 1 + LENGTH_SPREAD * self.random.standard_normal(count).clip(-2, 2)
        lift = np.radians(self.shares.T @ np.array([region.lift for region in regions]))
        combs = np.stack([_flow(region.comb, self.roots.local) for region in regions])
        combed = _unit(np.einsum("rg,rgc->gc", self.shares, combs))
        combed = combed + self.style.disorder * self.random.standard_normal((count, 3)).clip(-2, 2)
        combed = self.frame.turn_to_world(combed)
        steps = 2 * (points - 1)
        step = lengths / steps
        turn = np.minimum(1.0, step / self.style.bend)[:, None]
        point, normal = self.roots.posed, self.roots.normals
        heading = _lifted(combed, normal, lift)
        path = [point]
        for index in range(steps):
            settle = _lifted(combed, normal, lift * np.exp(-2.0 * index / steps))
            heading = _unit(heading + turn * (settle + self.style.gravity * DOWN - heading))
            point = point + heading * step[:, None]
            height, normal = self.skin.sample(point)
            floor = CLEARANCE * (1 - np.exp(-step * (index + 1) / CLEARANCE_RISE))
            lack = np.maximum(floor - height, 0.0)
            point = point + normal * lack[:, None]
            inward = np.minimum(np.einsum("nc,nc->n", heading, normal), 0.0) * (lack > 0)
            heading = _unit(heading - inward[:, None] * normal)
            path.append(point)
        return self._clear_of_mouth(np.stack(path[::2], axis=1))

    def _clear_of_mouth(self, strands: Array) -> Array:
        """Shorten strands (G, P, 3) that come to the mouth, so that they end before it."""
        points = strands.shape[1]
        at = self.skin.at_mouth(strands)
        at[:, 0] = False
        first = np.where(at.any(axis=1), at.argmax(axis=1) - 0.5, points - 1.0)
        kept = np.maximum(first / (points - 1), SHORTEST)
        place = np.linspace(0, points - 1, points)[None] * kept[:, None]
        lower = np.minimum(place.astype(int), points - 2)
        share = (place - lower)[..., None]
        row = np.arange(len(strands))[:, None]
        shortened: Array = strands[row, lower] * (1 - share) + strands[row, lower + 1] * share
        return shortened


def _flow(comb: Comb, local: Array) -> Array:
    """The combed direction (G, 3) in the head's axes: x left, y back, z up."""
    aside = np.tanh(local[:, 0] / MIDDLE)
    sideways = comb.left - comb.right + comb.aside * aside
    along, up = comb.back - comb.forward, comb.up - comb.down
    return np.stack([sideways, np.full(len(local), along), np.full(len(local), up)], axis=1)


def _lifted(combed: Array, normal: Array, lift: Array) -> Array:
    """Directions (G, 3) laid into the skin, then raised from it by angles (G,)."""
    laid = _unit(combed - np.einsum("nc,nc->n", combed, normal)[:, None] * normal)
    return laid * np.cos(lift)[:, None] + normal * np.sin(lift)[:, None]


def _unit(vectors: Array) -> Array:
    unit: Array = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
    return unit
