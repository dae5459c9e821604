"""Cutting garments from the tights: where they end, how far they stand off, and the fields their details are drawn by.

All is decided once on the unshaped mesh.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from farm.double.base_mesh import base_mesh
from farm.double.normals import vertex_normals
from farm.double.wardrobe.outfit import Garment
from farm.double.wardrobe.sheet import Sheet, cut, rims, tights

__all__ = ["Pattern", "cut_garment", "seam_fields", "side_fields"]

Array = NDArray[np.float64]

FAR: Final = 0.1
ARM_RADIUS: Final = 0.075
"""The tights of the arm beyond a fifth of it lie within this of its bones, the trunk's do not."""
NECK_TOP: Final = 0.62
NECK_FRONT: Final = -0.09
NECK_DEPTH: Final = 0.11
"""Where the tights end around the neck, where its front begins, and how deep it is, in metres."""
SMOOTHING: Final = 24
"""Rounds of averaging over neighbours that let lines drawn from normals run smoothly."""


@dataclass(frozen=True)
class Pattern:
    """A garment, cut.

    sheet   its surface, without hems
    on      (S, C) sparse: its vertices as means of the tights' vertices
    origin  (S,) the tights' vertex that each vertex was
    ease    (S,) least distance from the tights
    rim     (R, 2) border edges as (here, there), directed as their face is; each vertex begins one at most
    to_rim  (S,) distance to the border in metres
    """

    sheet: Sheet
    on: csr_matrix
    origin: NDArray[np.int64]
    ease: Array
    rim: NDArray[np.int64]
    to_rim: Array


@functools.cache
def _left() -> Array:
    """The tights' rest vertices, those on the right mirrored to the left."""
    return tights().rest * np.where(tights().rest[:, :1] < 0, (-1, 1, 1), (1, 1, 1))


def _joint(name: str) -> Array:
    place: Array = base_mesh().vertices[base_mesh().group_vertices(f"joint-l-{name}")].mean(axis=0)
    return place


@functools.cache
def arm() -> tuple[Array, Array]:
    """Where along the arm each vertex of the tights lies, 0 shoulder to 1 wrist, and how far from its bones."""
    shoulder, elbow, hand = (_joint(name) for name in ("shoulder", "elbow", "hand"))
    place, away = np.zeros(len(_left())), np.full(len(_left()), np.inf)
    for start, end, first in ((shoulder, elbow, 0.0), (elbow, hand, 0.5)):
        along = end - start
        share = (_left() - start) @ along / (along @ along)
        bounded = np.clip(share, 0.0 if first else -0.5, 1.5 if first else 1.0)
        distance = np.linalg.norm(_left() - start - bounded[:, None] * along, axis=1)
        place = np.where(distance < away, first + 0.5 * bounded, place)
        away = np.minimum(distance, away)
    return place, away


@functools.cache
def on_arm() -> Array:
    """How much each vertex of the tights belongs to the arm: 0 trunk, 1 from a third of the upper arm on."""
    place, away = arm()
    rise = np.clip(place / 0.17, 0.0, 1.0) * (away < ARM_RADIUS + 0.03)
    return np.asarray(rise * rise * (3 - 2 * rise))


def _depth(garment: Garment) -> Array:
    """How deep inside the garment each vertex of the tights lies (C,), in metres; negative outside."""
    x, y, z = _left().T
    depth = np.full(len(x), FAR)
    if garment.low is not None:
        depth = np.minimum(depth, z - garment.low)
    if garment.high is not None:
        depth = np.minimum(depth, garment.high - z)
    if garment.collar:
        front, back = garment.collar
        depth = np.minimum(depth, front + (back - front) * np.clip((y - NECK_FRONT) / NECK_DEPTH, 0.0, 1.0) - z)
    if garment.neck:
        neck = garment.neck
        middle = neck.front + (neck.back - neck.front) * np.clip((y - NECK_FRONT) / NECK_DEPTH, 0.0, 1.0)
        depth = np.minimum(depth, middle + (NECK_TOP - middle) * (x / neck.width) ** neck.square - z)
    if garment.arm is not None:
        place, away = arm()
        length = np.linalg.norm(_joint("elbow") - _joint("shoulder")) + np.linalg.norm(_joint("hand") - _joint("elbow"))
        depth = np.minimum(depth, np.where((place > 0.12) & (away < ARM_RADIUS), (garment.arm - place) * length, FAR))
    if garment.strap:
        strap = garment.strap
        line = np.array([strap.side - strap.top, strap.low - 0.56])
        outward = np.array([-line[1], line[0]]) / np.linalg.norm(line)
        depth = np.minimum(depth, -((x - strap.top) * outward[0] + (z - 0.56) * outward[1]))
    return depth


def cut_garment(garment: Garment) -> Pattern:
    """A garment's pattern."""
    on, faces, origin = cut(tights(), _depth(garment))
    sheet = Sheet(csr_matrix(on @ tights().mix), faces)
    border = np.array(rims(sheet.faces), dtype=np.int64).reshape(-1, 2)
    points = sheet.rest
    edge = points[border[:, 0]]
    to_rim = np.linalg.norm(points[:, None] - edge[None], axis=-1).min(axis=1)
    return Pattern(sheet, on, origin, _ease(garment)[origin], border, to_rim)


def _ease(garment: Garment) -> Array:
    """Distance from the tights (C,) as the template says, with pads."""
    z = _left()[:, 2]
    body = np.interp(z, *np.array(garment.ease.body).T)
    ease: Array = body
    if garment.ease.arm:
        ease = body + on_arm() * (np.interp(arm()[0], *np.array(garment.ease.arm).T) - body)
    for pad in garment.pads:
        rise = np.clip(_pad(pad.joint, pad.centre, pad.radius) / 0.35, 0.0, 1.0)
        ease = ease + pad.height * rise * rise * (3 - 2 * rise)
    return ease


def _pad(joint: str, centre: tuple[float, float, float], radius: float) -> Array:
    """1 at a pad's middle, 0 at its border and beyond (C,)."""
    reach = 1 - np.linalg.norm(_left() - _joint(joint) - centre, axis=1) / radius
    return np.asarray(np.clip(reach, 0.0, 1.0))


def side_fields(garment: Garment) -> Array:
    """Fields (C, 3) on the tights: 1 where they face outwards from the limb, pads, height above the bare sole."""
    points = _left()
    mirror = np.where(tights().rest[:, :1] < 0, (-1, 1, 1), (1, 1, 1))
    outward = vertex_normals(tights().rest, tights().faces) * mirror
    along = _joint("hand") - _joint("shoulder")
    along /= np.linalg.norm(along)
    upward = np.array([-along[2], 0.0, along[0]])
    upward /= np.linalg.norm(upward)
    limb = np.clip((points - _joint("shoulder")) @ along / 0.08 + 0.5, 0.0, 1.0) * (points[:, 0] > 0.12)
    panel = (1 - limb) * outward[:, 0] + limb * (outward @ upward)
    panel = _smooth(panel) * np.clip((0.56 - points[:, 2]) / 0.05, 0.0, 1.0)
    sole = base_mesh().vertices[base_mesh().group_vertices("body"), 2].min()
    pads = [_pad(pad.joint, pad.centre, pad.radius) for pad in garment.pads]
    pad = np.max(pads, axis=0) if pads else np.zeros(len(points))
    return np.stack([panel, pad, points[:, 2] - sole], axis=1)


@functools.cache
def seam_fields() -> Array:
    """Fields (C, 3) on the tights: 0 along the sides (front is positive), place along the arm, how much it is arm."""
    front = _smooth(-vertex_normals(tights().rest, tights().faces)[:, 1])
    return np.stack([front, arm()[0], on_arm()], axis=1)


def _smooth(values: Array) -> Array:
    mean = tights().mean
    smooth: Array = values
    for _ in range(SMOOTHING):
        smooth = 0.5 * (smooth + mean @ smooth)
    return smooth
