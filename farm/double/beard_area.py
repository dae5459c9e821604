"""Where facial hair grows: regions of the face drawn on the unshaped head (numpy only).

Each vertex keeps its share of a region on every identity, age and build.
"""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from farm.double.base_mesh import base_mesh
from farm.double.face_plane import ARC_RADIUS, AXIS_Y, area_distance, face_plane
from farm.double.normals import vertex_normals
from farm.double.scalp import ear_mask

__all__ = ["BEARD_REGIONS", "beard_shares"]

BEARD_REGIONS: Final[dict[str, tuple[float, float, tuple[tuple[float, float], ...]]]] = {
    "moustache": (0.0035, 0.01, (
        (-3, 0.6785), (3, 0.6785), (6, 0.6800), (9.5, 0.6790), (14, 0.6725), (18, 0.6640), (19.5, 0.6560),
        (17.5, 0.6540), (15.5, 0.6580), (12, 0.6655), (6, 0.6720), (2, 0.6735), (-2, 0.6735),
    )),
    "soul_patch": (0.0040, 0.01, ((-5, 0.6490), (5, 0.6490), (4, 0.6400), (-4, 0.6400))),
    "chin": (0.0050, -0.104, (
        (-5, 0.6425), (6, 0.6440), (11, 0.6465), (14.5, 0.6520), (17, 0.6560), (21, 0.6560), (22, 0.6050), (-5, 0.5990),
    )),
    "jaw": (0.0060, 0.01, (
        (19, 0.6540), (32, 0.6560), (46, 0.6620), (60, 0.6720), (71, 0.6780), (76, 0.6600), (80, 0.6250),
        (70, 0.6020), (40, 0.5990), (19, 0.6020),
    )),
    "cheeks": (0.0080, 0.01, (
        (19, 0.6540), (21, 0.6640), (30, 0.6720), (42, 0.6830), (54, 0.6980), (58, 0.7050), (71, 0.7050),
        (71, 0.6780), (60, 0.6720), (46, 0.6620), (32, 0.6560),
    )),
    "sideburns": (0.0060, 0.01, (
        (57, 0.7380), (56, 0.7100), (57, 0.6850), (72, 0.6850), (74, 0.7180), (75, 0.7380),
    )),
    "neck": (0.0090, 0.01, (
        (-5, 0.6225), (20, 0.6225), (60, 0.6180), (66, 0.6020), (45, 0.5880), (20, 0.5830), (-5, 0.5820),
    )),
}  # fmt: skip
"""Softness of the edge in metres; how far back the region reaches, as y in metres; and the outline of its left half:
azimuth in degrees (0 the face, 90 the left ear) and height in metres."""

SIDEBURN_ENDS: Final = (0.698, 0.740)
SIDEBURN_THIN: Final = 0.10
"""Heights in metres between which sideburns thin out upwards, as they do under a shaven head, and what is left."""

LIP_HEIGHT: Final = (0.6495, 0.6715)
LIP_AZIMUTH: Final = 15.0
MOUTH_DEPTH: Final = 0.006
AROUND: Final = 0.006
MOUTH: Final = np.array([0.0, -0.095, 0.665])
"""What lies `MOUTH_DEPTH` behind the skin `AROUND` it and faces the mouth's middle is the mouth's inside."""
MIDDLE: Final = 0.6570
"""Height between the lips."""


@functools.cache
def beard_shares() -> dict[str, NDArray[np.float64]]:
    """How much each base-mesh vertex (V,) belongs to each region, 0..1; 0 on lips, ears and in the mouth. Read-only."""
    base = base_mesh()
    plane = face_plane(base.vertices)
    plane[:, 0] = np.abs(plane[:, 0])
    bare = ear_mask() | _mouth() | (base.vertices[:, 1] > 0.01)
    outside = np.ones(len(bare), dtype=bool)
    outside[base.group_vertices("body")] = False
    shares = {}
    for region, (softness, back, outline) in BEARD_REGIONS.items():
        line = np.array([(np.radians(azimuth) * ARC_RADIUS, height) for azimuth, height in outline])
        depth = np.minimum(area_distance(plane, line), back - base.vertices[:, 1])
        rising = np.clip(depth / softness + 0.5, 0.0, 1.0)
        shares[region] = np.where(bare | outside, 0.0, rising * rising * (3 - 2 * rising))
    shares["sideburns"] = shares["sideburns"] * _thinning(base.vertices[:, 2])
    return shares


def _thinning(heights: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much of the sideburns is left at heights (V,)."""
    return np.interp(heights, SIDEBURN_ENDS, (1.0, SIDEBURN_THIN))


def _mouth() -> NDArray[np.bool_]:
    """Lips and the inside of mouth and nose (V,): vertices behind the outermost skin in their direction."""
    base = base_mesh()
    points, normals = base.vertices, vertex_normals(base.vertices, base.faces[base.groups["body"]])
    plane = face_plane(points)
    depth = np.hypot(points[:, 0], points[:, 1] - AXIS_Y)
    body = base.group_vertices("body")
    near = body[(plane[body, 1] > 0.56) & (plane[body, 1] < 0.75) & (np.abs(plane[body, 0]) < 0.12)]
    tree = cKDTree(plane[near])
    outermost = np.array([depth[near[around]].max() for around in tree.query_ball_point(plane[near], AROUND)])
    inside = np.zeros(len(points), dtype=bool)
    facing = np.einsum("nc,nc->n", normals[near], MOUTH - points[near]) > 0
    inside[near] = (depth[near] < outermost - MOUTH_DEPTH) & facing
    low, high = LIP_HEIGHT
    azimuth = np.degrees(np.abs(plane[:, 0]) / ARC_RADIUS)
    narrow = np.sqrt(np.clip(1 - (azimuth / LIP_AZIMUTH) ** 2, 0.0, 1.0))
    lips = (plane[:, 1] > MIDDLE - (MIDDLE - low) * narrow) & (plane[:, 1] < MIDDLE + (high - MIDDLE) * narrow)
    return inside | (lips & (azimuth < LIP_AZIMUTH))
