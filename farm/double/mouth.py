"""Teeth, gums and tongue, fitted to the base mesh's helper geometry.

The helpers give the two dental arches and the tongue. Teeth are lofted one by one along the arches, as wide as human
ones (mean crown widths of Ash and Nelson, Wheeler's Dental Anatomy, 9th edition), the upper ones overlapping the
lower ones; gums rise into the gaps between them.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import bpy
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline
from scipy.spatial import cKDTree

from farm.double.base_mesh import base_mesh
from farm.double.face import Unit, add_keys
from farm.double.geometry import paint, place_vertices
from farm.double.rig import skin_to_rig
from farm.double.shading import new_material

__all__ = ["Mouth", "build_mouth", "shape_mouth"]

Array = NDArray[np.float64]

UPPER: Final = "helper-upper-teeth"
LOWER: Final = "helper-lower-teeth"
TONGUE: Final = "helper-tongue"
ARCHES: Final = {
    UPPER: (
        (15061, 15060, 15062, 15063, 15064, 15065, 15066, 15067, 15068),
        (15079, 15075, 15074, 15073, 15072, 15084, 15083, 15082, 15081),
        (15069, 15086, 15071, 15070, 15085, 15078, 15077, 15076, 15080),
        (15087, 15095, 15089, 15088, 15094, 15092, 15091, 15090, 15093),
    ),
    LOWER: (
        (14993, 14992, 14994, 14995, 14996, 14997, 14998, 14999, 15000),
        (15012, 15013, 15014, 15015, 15011, 15016, 15017, 15018, 15009),
        (15010, 15001, 15002, 15003, 15004, 15005, 15006, 15007, 15008),
        (15027, 15019, 15020, 15021, 15022, 15023, 15024, 15025, 15026),
    ),
}
"""Vertices of a helper from its middle to its left end: top of the gum, middle, cutting edge, and inside."""


class _Tooth(NamedTuple):
    """Width and depth in millimetres; height as a share of the arch's; how flat (1) or sharp (0) its end is."""

    width: float
    depth: float
    height: float
    flat: float


TEETH: Final = {
    UPPER: (
        _Tooth(8.5, 6.2, 1.03, 0.12), _Tooth(6.6, 5.6, 0.97, 0.12), _Tooth(7.6, 7.2, 1.04, 0.05),
        _Tooth(7.0, 8.4, 0.98, 0.7), _Tooth(6.8, 8.4, 0.96, 0.7), _Tooth(10.0, 10.0, 0.94, 1.0),
        _Tooth(9.4, 10.0, 0.93, 1.0),
    ),
    LOWER: (
        _Tooth(5.3, 5.2, 0.97, 0.12), _Tooth(5.7, 5.4, 0.97, 0.12), _Tooth(6.8, 6.6, 1.0, 0.05),
        _Tooth(7.0, 7.4, 0.96, 0.7), _Tooth(7.1, 7.8, 0.95, 0.7), _Tooth(10.8, 9.6, 0.94, 1.0),
        _Tooth(10.2, 9.6, 0.93, 1.0),
    ),
}  # fmt: skip
"""From the middle to the last molar that shows."""
INSET: Final = {UPPER: 0.0006, LOWER: 0.0026}
"""How far behind the helper's front the teeth stand, in metres: the upper ones bite over the lower ones."""
DROP: Final = {UPPER: 0.0026, LOWER: -0.0034}
"""How far the teeth stand out of the helper towards its edge, in metres: a closed mouth's lips meet 2 mm above the
upper teeth's edges, and these 2 mm below the lower ones'."""
ROOT: Final = 0.33
MARGIN: Final = 0.50
PAPILLA: Final = 0.14
"""Shares of the arch's height: where teeth begin, where the gum ends on a tooth, how much further between two."""
RINGS: Final = 9
AROUND: Final = 16
PER_TOOTH: Final = 8
LOW: Final = 0.011
"""How far the tongue's back sinks in a jaw that opens fully, in metres: it lies flat between the lower teeth."""
LEAST: Final = 0.0003
"""Units that move a part less, in metres, are noise of the data."""
CROWN: Final = "crown"


class _Part(NamedTuple):
    """A piece of the mouth: points (N, 3), quads (F, 4), material, helper group, place on the crown 0..1 (N,)."""

    points: Array
    quads: NDArray[np.int64]
    material: int
    group: str
    crown: Array


class _Cut(NamedTuple):
    """A place on an arch (3,): its direction, and points at the gum's top, the middle, the cutting edge and inside."""

    along: Array
    gum: Array
    middle: Array
    edge: Array
    inside: Array


class Mouth(NamedTuple):
    """Teeth, gums and tongue of a face: their parts, and how far (N, 3) units move all their points, by name."""

    parts: list[_Part]
    offsets: dict[str, Array]


def shape_mouth(shape: Array, units: Mapping[str, Unit]) -> Mouth:
    """The mouth of a shaped base mesh (V, 3) and its face's units."""
    parts = [part for group in ARCHES for part in _arch(shape, group)]
    base = base_mesh()
    tongue = base.group_vertices(TONGUE)
    quads = np.searchsorted(tongue, base.faces[base.groups[TONGUE]])
    parts.append(_Part(shape[tongue], quads, 2, TONGUE, np.zeros(len(tongue))))
    return Mouth(parts, _offsets(shape, units, parts))


def build_mouth(
    mouth: Mouth,
    shape: Array,
    weights: Mapping[str, float],
    armature: Any,
    collection: Any,
    *,
    rig: str,
    into: Any = None,
) -> Any:
    """A mouth as one mesh object with the jaw's and the tongue's units as shape keys.

    `into` is the object of another double's mouth on that armature, which becomes this one.
    """
    points = np.concatenate([part.points for part in mouth.parts])
    if into is None:
        thing = _new_mouth(points, mouth.parts, shape, armature, collection, rig=rig)
    else:
        thing = into
        place_vertices(thing.data, points)
    add_keys(thing, mouth.offsets, weights)
    return thing


def _new_mouth(points: Array, parts: list[_Part], shape: Array, armature: Any, collection: Any, *, rig: str) -> Any:
    base = base_mesh()
    starts = np.cumsum([0, *(len(part.points) for part in parts[:-1])])
    mesh = bpy.data.meshes.new("mouth")
    faces = np.concatenate([part.quads + start for part, start in zip(parts, starts, strict=True)])
    mesh.from_pydata(points, [], faces)
    mesh.polygons.foreach_set("material_index", np.repeat([p.material for p in parts], [len(p.quads) for p in parts]))
    crown = np.concatenate([part.crown for part in parts])
    paint(mesh, CROWN, crown)
    mesh.shade_smooth()
    for material in (_enamel(), _flesh("gum", (0.58, 0.23, 0.20)), _flesh("tongue", (0.60, 0.24, 0.21))):
        mesh.materials.append(material)
    thing = bpy.data.objects.new("mouth", mesh)
    collection.objects.link(thing)
    sources = np.concatenate(
        [
            base.group_vertices(part.group)[cKDTree(shape[base.group_vertices(part.group)]).query(part.points)[1]]
            if part.group == TONGUE
            else np.full(len(part.points), ARCHES[part.group][0][0])
            for part in parts
        ]
    ).astype(np.int32)
    skin_to_rig(thing, armature, rig=rig, sources=sources)
    return thing


def _offsets(shape: Array, units: Mapping[str, Unit], parts: list[_Part]) -> dict[str, Array]:
    """The offsets (N, 3) of all the mouth's points by each unit that moves any: a jaw's teeth move as a whole."""
    made = {}
    groups = {name: base_mesh().group_vertices(name) for name in (UPPER, LOWER, TONGUE)}
    moved = np.concatenate(list(groups.values()))
    for name, unit in units.items():
        if not np.isin(unit.vertices, moved).any():
            continue
        whole = np.zeros_like(shape)
        whole[unit.vertices] = unit.offsets
        rows = []
        for part in parts:
            group = groups[part.group]
            if part.group == TONGUE:
                rows.append(whole[group] + (_sinking(shape[group]) if name == "jawOpen" else 0.0))
            elif np.abs(whole[group]).max() < LEAST:
                rows.append(np.zeros_like(part.points))
            else:
                system = np.concatenate([shape[group], np.ones((len(group), 1))], axis=1)
                affine = np.linalg.lstsq(system, whole[group], rcond=None)[0]
                rows.append(part.points @ affine[:3] + affine[3])
        offsets = np.concatenate(rows)
        if np.abs(offsets).max() > LEAST:
            made[name] = offsets
    return made


def _sinking(tongue: Array) -> Array:
    """How a tongue's points (N, 3) sink in an open jaw: the higher they lie, the further."""
    height = tongue[:, 2] - tongue[:, 2].min()
    return np.outer(height / height.max(), (0.0, 0.0, -LOW))


def _arch(shape: Array, group: str) -> list[_Part]:
    """The teeth and the gum of one jaw."""
    rows = [_across(shape, row) for row in ARCHES[group]]
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(rows[1], axis=0), axis=1))])
    curves = [make_interp_spline(length - length[-1] / 2, row, k=3) for row in rows]
    teeth = TEETH[group]
    scale = length[-1] / 2 / sum(tooth.width for tooth in teeth) * 0.97
    ends = np.cumsum([0.0, *(tooth.width for tooth in teeth)]) * scale
    parts, margins = [], []
    for side in (1.0, -1.0):
        for tooth, start, end in zip(teeth, ends[:-1], ends[1:], strict=True):
            place = side * (start + end) / 2
            parts.append(_tooth(_cuts(curves, [place])[0], tooth, end - start, group))
            margins.append((place, (end - start) / 2))
    parts.append(_gum(curves, sorted(margins), group))
    return parts


def _across(shape: Array, row: tuple[int, ...]) -> Array:
    """A row of a helper (17, 3) from its right end to its left one."""
    whole: Array = shape[_both_sides(row)]
    return whole


@functools.cache
def _both_sides(row: tuple[int, ...]) -> NDArray[np.int32]:
    rest = base_mesh().vertices
    group = _arches()
    mirrored = group[cKDTree(rest[group]).query(rest[list(row[:0:-1])] * (-1, 1, 1))[1]]
    return np.concatenate([mirrored, row]).astype(np.int32)


@functools.cache
def _arches() -> NDArray[np.int32]:
    return base_mesh().group_vertices(UPPER, LOWER)


def _cuts(curves: list[Any], places: list[float]) -> list[_Cut]:
    """The arch at places along it."""
    rows = (curves[1](places, 1), *(curve(places) for curve in curves))
    return [_Cut(*row) for row in zip(*rows, strict=True)]


def _frame(cut: _Cut) -> tuple[Array, Array, Array]:
    """At a cut through the arch: along it, out of the mouth, towards the edge."""
    along = cut.along / np.linalg.norm(cut.along)
    up = cut.edge - cut.gum
    up -= (up @ along) * along
    up /= float(np.linalg.norm(up))
    outward = _cross(along, up)
    outward *= np.sign(-(outward @ (cut.inside - cut.middle)))
    return along, outward, up


def _cross(one: Array, other: Array) -> Array:
    """The cross product of two vectors (3,), a tenth of numpy's time for so few."""
    (a, b, c), (x, y, z) = one.tolist(), other.tolist()
    return np.array([b * z - c * y, c * x - a * z, a * y - b * x])


def _tooth(cut: _Cut, tooth: _Tooth, width: float, group: str) -> _Part:
    """A tooth lofted from its root to its end: superelliptic rings that thin out towards a cutting edge."""
    along, outward, up = _frame(cut)
    depth = tooth.depth / tooth.width * width
    turn = np.arange(AROUND) * (2 * np.pi / AROUND)
    round_x = np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** 0.6
    round_y = np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** 0.6
    level = np.linspace(0.0, 1.0, RINGS)
    wide = np.interp(level, [0.0, 0.3, 0.75, 0.93, 1.0], [0.78, 0.88, 1.0, 1.0, 0.95])
    thick = np.interp(level, [0.0, 0.4, 0.8, 1.0], [1.0, 0.95, 0.55 + 0.4 * tooth.flat, 0.22 + 0.6 * tooth.flat])
    level = np.concatenate([level, [1.02, 1.015]])
    wide = np.concatenate([wide, [0.62, 0.02]])
    thick = np.concatenate([thick, [thick[-1] * 0.6, 0.02]])
    share = ROOT + (tooth.height - ROOT) * level
    share[-2:] = share[-3] + np.array([0.012, 0.012 - 0.05 * (tooth.flat > 0.5)])
    if tooth.flat < 0.1:
        share[-2:] += (0.03, 0.05)
    behind = INSET[group] + depth / 2 * thick + 0.0006 * np.clip(level - 0.6, 0.0, 1.0) / 0.4
    front = _surface(cut, share) + DROP[group] * up
    centre = front - behind[:, None] * outward
    points = (
        centre[:, None]
        + (0.51 * width * wide[:, None] * round_x)[..., None] * along
        + (depth / 2 * thick[:, None] * round_y)[..., None] * outward
    )
    cusps = 0.0007 * (tooth.flat > 0.5) * np.cos(2 * turn) ** 2
    points[RINGS - 1] += cusps[:, None] * up
    ring = np.arange(AROUND)
    first = (np.arange(len(level) - 1) * AROUND)[:, None]
    here, beside = first + ring, first + (ring + 1) % AROUND
    quads = np.stack([here, beside, beside + AROUND, here + AROUND], axis=-1).reshape(-1, 4)
    if _cross(along, up) @ outward > 0:
        quads = quads[:, ::-1]
    crown = np.repeat(np.clip(level, 0.0, 1.0), AROUND)
    return _Part(points.reshape(-1, 3), quads, 0, group, crown)


def _surface(cut: _Cut, share: Array) -> Array:
    """Points (N, 3) on the helper's front at shares of its height, from the gum (0) past the middle to the edge (1)."""
    bow = cut.middle - (cut.gum + cut.edge) / 2
    points: Array = cut.gum + share[:, None] * (cut.edge - cut.gum) + (4 * share * (1 - share))[:, None] * bow
    return points


def _gum(curves: list[Any], teeth: list[tuple[float, float]], group: str) -> _Part:
    """The gum: from the fold of the lip over its margin, which rises between the teeth, to the roof or floor."""
    within = (np.arange(PER_TOOTH) + 0.5) / PER_TOOTH * 2 - 1
    cuts = _cuts(curves, [place + u * half for place, half in teeth for u in within])
    sizes = [(u, half) for _, half in teeth for u in within]
    points = np.array([_section(cut, u, group, half) for cut, (u, half) in zip(cuts, sizes, strict=True)])
    count, wide = points.shape[:2]
    grid = np.arange(count * wide).reshape(count, wide)
    quads = np.stack([grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, 1:]], axis=-1).reshape(-1, 4)
    return _Part(points.reshape(-1, 3), quads, 1, group, np.zeros(count * wide))


def _section(cut: _Cut, u: float, group: str, half: float) -> Array:
    """One cut (8, 3) through the gum; u runs -1..1 over a tooth."""
    _, outward, up = _frame(cut)
    margin = MARGIN + PAPILLA * abs(u) ** 2.5
    front = _surface(cut, np.array([0.0, 0.15, 0.3, margin - 0.05, margin]))
    front = front + DROP[group] * np.array([0.2, 0.5, 0.9, 1.0, 1.0])[:, None] * up
    inset = INSET[group] - np.array([0.0, 0.0009, 0.0011, 0.0006, 0.0]) + 0.0009 * abs(u) ** 3
    outer = front - inset[:, None] * outward
    deep = 0.0015 + 1.6 * half
    behind = outer[-1] - deep * outward
    inside = cut.inside
    roof = inside + 0.5 * (outer[1] - outer[-1])
    return np.concatenate(
        [outer, [outer[-1] - 0.4 * deep * outward, behind, (behind + roof) / 2 - 0.001 * outward, roof]]
    )


def _enamel() -> Any:
    """Enamel: translucent and wet, yellower at the neck where the dentine shows through."""
    material, graph = new_material("enamel")
    neck = graph.ramp(graph.attribute(CROWN), 0.75, 0.2)
    colour = graph.mix(neck, (0.88, 0.81, 0.69), (0.72, 0.58, 0.38))
    inputs = {
        "Base Color": colour,
        "Roughness": 0.22,
        "IOR": 1.62,
        "Subsurface Weight": 0.5,
        "Subsurface Radius": (1.0, 0.8, 0.6),
        "Subsurface Scale": 0.0012,
        "Coat Weight": 0.6,
        "Coat Roughness": 0.05,
    }
    graph.surface(graph.node("BsdfPrincipled", inputs))
    return material


def _flesh(name: str, colour: tuple[float, float, float]) -> Any:
    """Wet mucous membrane, softly mottled."""
    material, graph = new_material(name)
    place = graph.node("TexCoord").outputs["Object"]
    mottle = graph.noise(place, size=0.003, detail=3.0)
    grain = graph.noise(place, size=0.0008, detail=2.0)
    dark = tuple(0.62 * value for value in colour)
    inputs = {
        "Base Color": graph.mix(mottle, dark, colour),
        "Roughness": 0.32,
        "IOR": 1.4,
        "Subsurface Weight": 0.4,
        "Subsurface Radius": (1.0, 0.3, 0.2),
        "Subsurface Scale": 0.002,
        "Coat Weight": 0.5,
        "Coat Roughness": 0.12,
        "Normal": graph.node("Bump", {"Strength": 0.6, "Distance": 0.0004, "Height": grain}),
    }
    graph.surface(graph.node("BsdfPrincipled", inputs))
    return material
