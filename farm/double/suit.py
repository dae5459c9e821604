"""The stunt suit: the base mesh's tights as cloth with pads and hems, boots over its feet, and what it hides.

Which faces, seams and pads there are is decided once on the unshaped mesh; a shaped body only moves them. The suit is
weighted as the base mesh's tights are, so it bends as the body does.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from farm.double.base_mesh import base_mesh
from farm.double.normals import vertex_normals
from farm.double.rig import skin_to_rig
from farm.double.shading import Graph, linear_colour, new_material
from farm.recipe import templates

__all__ = ["build_suit", "hidden_vertices", "suit_points"]

WARDROBE: Final = "stunt_suit"
COLOURS: Final = ("cloth", "panel", "accent", "pad", "zip", "boot", "sole")
PATTERN: Final = "pattern"

NECK: Final = 0.5
COLLAR_ROWS: Final = 2
BOOT_TOP: Final = -0.650
BOOT_OVERLAP: Final = 0.034
OPENING_MARGIN: Final = 0.03

CLOTH_OFFSET: Final = 0.002
BOOT_OFFSET: Final = 0.008
HEM: Final = 0.004
HEM_DEPTH: Final = 0.015
PAD_HEIGHT: Final = 0.007
SOLE_HEIGHT: Final = 0.024
SMOOTHING: Final = 6

PADS: Final = {"knee": ((0.0, -0.06, 0.005), 0.075), "elbow": ((0.02, 0.045, 0.015), 0.06)}
"""Pads by joint: their centre seen from the left joint, and their radius, in metres on the unshaped mesh."""


@dataclass(frozen=True)
class _Pattern:
    """How the suit is cut, on the unshaped mesh; S vertices.

    sources   (S,) base vertex of each suit vertex
    inner     (S,) base vertex towards which a hem runs; -1 where there is no hem
    lift      (S,) metres outwards along the normal
    faces     (F, 4) of suit vertices
    boot      (F,) whether a face is boot
    fields    (S, 3) panel (1 on the outer side of a limb), pad (1 at its middle, 0 at its border), sole (height)
    """

    sources: NDArray[np.int32]
    inner: NDArray[np.int32]
    lift: NDArray[np.float64]
    faces: NDArray[np.int32]
    boot: NDArray[np.bool_]
    fields: NDArray[np.float64]


@functools.cache
def _parts() -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The tights' quads used as cloth (C, 4) and as boots (B, 4); the cloth ends a little below the boots' top.

    The tights reach up to the chin: their top rows are left out.
    """
    base = base_mesh()
    quads = base.faces[base.groups["helper-tights"]]
    for _ in range(COLLAR_ROWS):
        rim = [here for here, _, _ in _openings(quads) if base.vertices[here, 2] > NECK]
        quads = quads[~np.isin(quads, rim).any(axis=1)]
    height = base.vertices[quads, 2].mean(axis=1)
    return quads[height > BOOT_TOP - BOOT_OVERLAP], quads[height < BOOT_TOP]


def _openings(quads: NDArray[np.int32]) -> list[tuple[int, int, int]]:
    """Border edges as (here, there, vertex inside of here), directed as their face is."""
    uses: dict[frozenset[int], int] = {}
    for quad in quads.tolist():
        for at in range(4):
            edge = frozenset((quad[at], quad[(at + 1) % 4]))
            uses[edge] = uses.get(edge, 0) + 1
    border = []
    for quad in quads.tolist():
        for at in range(4):
            if uses[frozenset((quad[at], quad[(at + 1) % 4]))] == 1:
                border.append((quad[at], quad[(at + 1) % 4], quad[at - 1]))
    return border


@functools.cache
def hidden_vertices() -> NDArray[np.bool_]:
    """Which base vertices (V,) lie well under the suit: nearest to a part of it that is far from its openings.

    The ankles do not count as an opening, for the boots close them. Cached; treat it as read-only.
    """
    base = base_mesh()
    cloth, boots = _parts()
    worn = np.unique(np.concatenate([cloth.ravel(), boots.ravel()]))
    rims = np.array([here for here, _, _ in _openings(cloth) if base.vertices[here, 2] > BOOT_TOP])
    body = base.group_vertices("body")
    nearest = worn[_nearest(base.vertices[body], base.vertices[worn])]
    edge = rims[_nearest(base.vertices[nearest], base.vertices[rims])]
    hidden = np.zeros(len(base.vertices), dtype=bool)
    hidden[body] = np.linalg.norm(base.vertices[nearest] - base.vertices[edge], axis=1) > OPENING_MARGIN
    return hidden


def _nearest(points: NDArray[np.float64], among: NDArray[np.float64]) -> NDArray[np.int64]:
    """For each point (N, 3) the index of the nearest of `among` (M, 3)."""
    squares = (among**2).sum(axis=1)
    chunks = [(squares - 2 * chunk @ among.T).argmin(axis=1) for chunk in np.array_split(points, 16)]
    return np.concatenate(chunks)


@functools.cache
def _pattern() -> _Pattern:
    parts = [_hemmed(quads, offset) for quads, offset in zip(_parts(), (CLOTH_OFFSET, BOOT_OFFSET), strict=True)]
    first = len(parts[0][0])
    faces = np.concatenate([parts[0][3], parts[1][3] + first])
    boot = np.arange(len(faces)) >= len(parts[0][3])
    sources, inner, lift = (np.concatenate([parts[0][at], parts[1][at]]) for at in range(3))
    fields = _fields(sources)
    fields[first:, 1] = 0.0
    return _Pattern(sources, inner, lift + PAD_HEIGHT * _pad_profile(fields[:, 1]), faces, boot, fields)


def _pad_profile(pad: NDArray[np.float64]) -> NDArray[np.float64]:
    rise = np.clip(pad / 0.35, 0.0, 1.0)
    return rise * rise * (3 - 2 * rise)


def _hemmed(
    quads: NDArray[np.int32], offset: float
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64], NDArray[np.int32]]:
    """Sources, inner, lift and faces of a part, its openings turned inwards by `HEM` and down by `HEM_DEPTH`."""
    used, flat = np.unique(quads, return_inverse=True)
    place = {int(vertex): at for at, vertex in enumerate(used)}
    border = _openings(quads)
    inside = {here: within for here, _, within in border}
    rims = list(inside)
    turned = {vertex: len(used) + at for at, vertex in enumerate(rims)}
    tucked = {vertex: len(used) + len(rims) + at for at, vertex in enumerate(rims)}
    hems = []
    for here, there, _ in border:
        hems.append([place[there], place[here], turned[here], turned[there]])
        hems.append([turned[there], turned[here], tucked[here], tucked[there]])
    sources = np.concatenate([used, rims, rims]).astype(np.int32)
    inner = np.full(len(sources), -1, dtype=np.int32)
    inner[len(used) + len(rims) :] = [inside[vertex] for vertex in rims]
    lift = np.full(len(sources), offset)
    lift[len(used) :] -= HEM
    faces = np.concatenate([flat.reshape(-1, 4), np.array(hems)]).astype(np.int32)
    return sources, inner, lift, faces


def _fields(sources: NDArray[np.int32]) -> NDArray[np.float64]:
    base = base_mesh()
    points = base.vertices[sources]
    left = points * (np.where(points[:, 0] < 0, -1, 1)[:, None] * (1, 0, 0) + (0, 1, 1))
    normals = _normals(base.vertices)[sources]
    outward = normals * (np.where(points[:, 0] < 0, -1, 1)[:, None] * (1, 0, 0) + (0, 1, 1))
    shoulder, hand = (
        base.vertices[base.group_vertices(f"joint-l-{name}")].mean(axis=0) for name in ("shoulder", "hand")
    )
    along = (hand - shoulder) / np.linalg.norm(hand - shoulder)
    upward = np.array([-along[2], 0.0, along[0]])
    arm = np.clip((left - shoulder) @ along / 0.08 + 0.5, 0.0, 1.0) * (left[:, 0] > 0.12)
    side = outward @ np.array([1.0, 0.0, 0.0])
    panel = (1 - arm) * side + arm * (outward @ (upward / np.linalg.norm(upward)))
    panel = _smoothed(panel, sources) * np.clip((0.56 - points[:, 2]) / 0.05, 0.0, 1.0)
    sole = base.vertices[base.group_vertices("body"), 2].min()
    pad = np.zeros(len(sources))
    for joint, (centre, radius) in PADS.items():
        middle = base.vertices[base.group_vertices(f"joint-l-{joint}")].mean(axis=0) + centre
        pad = np.maximum(pad, 1 - np.linalg.norm(left - middle, axis=1) / radius)
    return np.stack([panel, np.clip(pad, 0.0, 1.0), points[:, 2] - sole], axis=1)


def _smoothed(values: NDArray[np.float64], sources: NDArray[np.int32]) -> NDArray[np.float64]:
    """Values (S,) averaged along the tights' edges, so that the lines drawn from them run smoothly."""
    base = base_mesh()
    quads = base.faces[base.groups["helper-tights"]]
    edges = np.concatenate([quads[:, [0, 1]], quads[:, [1, 2]], quads[:, [2, 3]], quads[:, [3, 0]]])
    spread = np.zeros(len(base.vertices))
    spread[sources] = values
    known = np.zeros(len(spread))
    known[sources] = 1.0
    for _ in range(SMOOTHING):
        total, weight = spread.copy(), known.copy()
        for here, there in (edges.T, edges.T[::-1]):
            np.add.at(total, here, (spread * known)[there])
            np.add.at(weight, here, known[there])
        spread = np.where(known > 0, total / np.maximum(weight, 1.0), 0.0)
    return spread[sources]


def _normals(vertices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit normals (V, 3) of the tights' vertices; 0 elsewhere."""
    base = base_mesh()
    return vertex_normals(vertices, base.faces[base.groups["helper-tights"]])


def suit_points(shape: NDArray[np.float64]) -> NDArray[np.float64]:
    """The suit's vertices (S, 3) on a shaped body (V, 3); the boots' soles are flat on z = 0."""
    pattern = _pattern()
    points = shape[pattern.sources] + pattern.lift[:, None] * _normals(shape)[pattern.sources]
    hem = pattern.inner >= 0
    down = shape[pattern.inner[hem]] - shape[pattern.sources[hem]]
    points[hem] += HEM_DEPTH * down / np.linalg.norm(down, axis=1, keepdims=True)
    boot = np.unique(pattern.faces[pattern.boot])
    under = boot[pattern.fields[boot, 2] < SOLE_HEIGHT]
    flat = np.clip(-2.5 * _normals(shape)[pattern.sources[under], 2] - 0.5, 0.0, 1.0)
    points[under, 2] *= 1 - flat
    points[boot, 2] = np.maximum(points[boot, 2], 0.0)
    return points


def build_suit(shape: NDArray[np.float64], armature: Any, collection: Any, *, rig: str) -> Any:
    """The suit as one mesh object of cloth and boots, skinned to the armature."""
    pattern = _pattern()
    mesh = bpy.data.meshes.new("suit")
    mesh.from_pydata(suit_points(shape), [], pattern.faces)
    mesh.polygons.foreach_set("material_index", pattern.boot.astype(np.int32))
    mesh.shade_smooth()
    fields = mesh.attributes.new(PATTERN, "FLOAT_VECTOR", "POINT")
    fields.data.foreach_set("vector", pattern.fields.astype(np.float32).ravel())
    rest = mesh.attributes.new("rest", "FLOAT_VECTOR", "POINT")
    rest.data.foreach_set("vector", base_mesh().vertices[pattern.sources].astype(np.float32).ravel())
    colours, seam = _wardrobe(WARDROBE)
    mesh.materials.append(_cloth_material(colours, seam))
    mesh.materials.append(_boot_material(colours))
    thing = bpy.data.objects.new("suit", mesh)
    collection.objects.link(thing)
    skin_to_rig(thing, armature, rig=rig, sources=pattern.sources)
    return thing


class _Suit(templates.Part):
    """templates/wardrobe: sRGB codes; the width of a seam in metres."""

    cloth: str
    panel: str
    accent: str
    pad: str
    zip: str
    boot: str
    sole: str
    seam: float = Field(gt=0, le=0.02)
    description: str


def _wardrobe(name: str) -> tuple[dict[str, tuple[float, float, float]], float]:
    suit, place = templates.read(_Suit, "wardrobe", name), templates.place("wardrobe", name)
    return {key: linear_colour(getattr(suit, key), place=f"{place}: {key}") for key in COLOURS}, suit.seam


def _cloth_material(colours: dict[str, tuple[float, float, float]], seam: float) -> Any:
    """Matt technical cloth: side panels with piping, pads, belt and a zip down the front."""
    material, graph = new_material("cloth")
    fields = graph.node("SeparateXYZ", {"Vector": graph.attribute(PATTERN, "Vector")})
    rest = graph.attribute("rest", "Vector")
    across, depth, height = graph.node("SeparateXYZ", {"Vector": rest}).outputs
    panel = graph.ramp(fields.outputs[0], 0.64, 0.66)
    piping = graph.ramp(graph.math("ABSOLUTE", graph.math("SUBTRACT", fields.outputs[0], 0.63)), 0.035, 0.022)
    pad = graph.ramp(fields.outputs[1], 0.02, 0.06)
    belt = _band(graph, height, 0.150, 0.016)
    front = graph.math("MULTIPLY", graph.ramp(depth, -0.02, -0.03), graph.ramp(height, 0.150, 0.152))
    aside = graph.math("ABSOLUTE", across)
    flap = graph.math("MULTIPLY", front, graph.ramp(aside, 4 * seam, 3.6 * seam))
    teeth = graph.math("MULTIPLY", front, graph.ramp(aside, seam, 0.7 * seam))
    mottle = graph.math("MULTIPLY_ADD", graph.noise(rest, size=0.02, detail=4.0), 0.5, 0.75)
    colour = graph.mix(panel, colours["cloth"], colours["panel"])
    colour = graph.mix(piping, colour, colours["accent"])
    for mask, name in ((pad, "pad"), (belt, "panel"), (flap, "panel"), (teeth, "zip")):
        colour = graph.mix(mask, colour, colours[name])
    shade = graph.node("CombineColor", dict.fromkeys(("Red", "Green", "Blue"), mottle))
    inputs = {
        "Base Color": graph.mix(1.0, colour, shade, blend="MULTIPLY"),
        "Roughness": graph.math("MULTIPLY_ADD", pad, -0.25, 0.72),
        "Specular IOR Level": 0.35,
        "Sheen Weight": 0.15,
        "Sheen Roughness": 0.5,
        "Normal": _folds(graph, rest),
    }
    graph.surface(graph.node("BsdfPrincipled", inputs))
    return material


def _band(graph: Graph, value: Any, middle: float, half: float) -> Any:
    return graph.ramp(graph.math("ABSOLUTE", graph.math("SUBTRACT", value, middle)), half, 0.9 * half)


def _folds(graph: Graph, rest: Any) -> Any:
    """Soft folds across the limbs and a fine weave, as a bumped normal."""
    stretched = graph.node("VectorMath", {0: rest, 1: (0.6, 0.6, 1.6)}, operation="MULTIPLY")
    folds = graph.noise(stretched, size=0.055, detail=2.0)
    weave = graph.noise(rest, size=0.0015, detail=1.0)
    height = graph.math("ADD", graph.math("MULTIPLY", folds, 0.010), graph.math("MULTIPLY", weave, 0.0003))
    return graph.node("Bump", {"Strength": 0.6, "Distance": 1.0, "Height": height})


def _boot_material(colours: dict[str, tuple[float, float, float]]) -> Any:
    """Worn leather over a rubber sole."""
    material, graph = new_material("boot")
    fields = graph.node("SeparateXYZ", {"Vector": graph.attribute(PATTERN, "Vector")})
    rest = graph.attribute("rest", "Vector")
    sole = graph.ramp(fields.outputs[2], SOLE_HEIGHT + 0.001, SOLE_HEIGHT - 0.001)
    height = graph.math("MULTIPLY", graph.noise(rest, size=0.008, detail=3.0), 0.0012)
    inputs = {
        "Base Color": graph.mix(sole, colours["boot"], colours["sole"]),
        "Roughness": graph.math("MULTIPLY_ADD", sole, 0.3, 0.45),
        "Normal": graph.node("Bump", {"Strength": 0.5, "Distance": 1.0, "Height": height}),
    }
    graph.surface(graph.node("BsdfPrincipled", inputs))
    return material
