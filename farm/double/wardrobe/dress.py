"""Dressing the double: an outfit's garments as mesh objects on its rig, and the skin that they hide."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags, vstack
from scipy.spatial import cKDTree

from farm.algebra import on_one_thread
from farm.double.base_mesh import base_mesh
from farm.double.geometry import paint, place_vertices
from farm.double.rig import skin_mixed
from farm.double.shading import give_material
from farm.double.wardrobe.cloth import FIELDS, HEM, REST, SEAMS, cloth_material, shoe_material, suit_material
from farm.double.wardrobe.drape import GAP, drape, hemmed, span
from farm.double.wardrobe.outfit import Garment, Outfit, Shoe, load_outfit
from farm.double.wardrobe.pattern import Pattern, cut_garment, seam_fields, side_fields
from farm.double.wardrobe.sheet import tights
from farm.recipe import templates
from farm.recipe.parameters import Wardrobe

__all__ = ["OUTER", "build_garments", "foresee_outfit", "hang_outfit", "hidden_vertices"]

Array = NDArray[np.float64]

OUTER: Final = "outer"
"""Attribute of a garment's faces: 1 on its outside, 0 on the hems that are turned in."""
OVERLAP: Final = 0.035
"""Cloth deeper than this beneath another garment is left out, in metres."""
CLOSED: Final = 0.012
"""A border that lies at least this deep within another garment is no opening, in metres."""
LAID: Final = "laid"
"""Vertex group and modifier of cloth that lies on the garment below it, whatever the pose."""
LAID_TO: Final = 0.07
"""Cloth this far from its border, in metres, is not laid on the garment below any more; up to `OVERLAP` it fully is."""

HANGS: Final = 0.12
DRAWN_ROUNDS: Final = 20
"""Height over its lower edge, in metres, below which an upper garment hangs, and how far it is drawn along there."""


@functools.cache
def _patterns(outfit: str) -> tuple[Pattern, ...]:
    return tuple(_pattern(outfit, at) for at in range(len(load_outfit(outfit).garments)))


@functools.cache
@on_one_thread
def _pattern(outfit: str, at: int) -> Pattern:
    return cut_garment(load_outfit(outfit).garments[at])


def foresee_outfit(name: str) -> Iterator[None]:
    """Cut an outfit's garments, which are kept, one by one."""
    for at in range(len(load_outfit(name).garments)):
        _pattern(name, at)
        yield
        _fields(name, at)
        yield


@functools.cache
def hidden_vertices(outfit: str) -> NDArray[np.bool_]:
    """Which base vertices (V,) lie well under an outfit: beneath a garment, far from its openings.

    A border that lies within another garment is not an opening. Cached; treat it as read-only.
    """
    garments, patterns = load_outfit(outfit).garments, _patterns(outfit)
    body = base_mesh().group_vertices("body")
    nearest = cKDTree(tights().rest).query(base_mesh().vertices[body])[1]
    hidden = np.zeros(len(base_mesh().vertices), dtype=bool)
    for at, (garment, pattern) in enumerate(zip(garments, patterns, strict=True)):
        others = patterns[:at] + patterns[at + 1 :]
        open_rim = [vertex for vertex in pattern.rim[:, 0] if not _closed(int(pattern.origin[vertex]), others)]
        worn = np.zeros(len(tights().rest), dtype=bool)
        worn[pattern.origin] = True
        edge = cKDTree(pattern.sheet.rest[open_rim]).query(tights().rest[nearest])[0] if open_rim else np.inf
        hidden[body] |= worn[nearest] & (edge > garment.shows)
    return hidden


def _closed(vertex: int, others: tuple[Pattern, ...]) -> bool:
    """Whether a vertex of the tights lies deep within another garment."""
    return any((other.to_rim[other.origin == vertex] > CLOSED).any() for other in others)


def hang_outfit(name: str, shape: Array) -> list[tuple[Array, NDArray[np.int32]]]:
    """An outfit's garments on a shaped body (V, 3): each one's vertices (N, 3), and the faces (H, 4) of its hems."""
    outfit = load_outfit(name)
    worn, base = np.zeros(len(tights().rest)), span(shape, outfit.span)
    hung = []
    for at, (garment, pattern) in enumerate(zip(outfit.garments, _patterns(name), strict=True)):
        draped = drape(garment, pattern, shape, base, worn, at)
        hung.append(_sewn(garment, pattern, draped, _fields(name, at)[pattern.origin]))
    return hung


def build_garments(
    wardrobe: Wardrobe,
    hung: Sequence[tuple[Array, NDArray[np.int32]]],
    armature: Any,
    collection: Any,
    *,
    rig: str,
    into: tuple[Any, ...] = (),
) -> tuple[Any, ...]:
    """The garments of `wardrobe.outfit` as mesh objects, as `hang_outfit` hung them, skinned to the armature.

    `into` are the objects of that outfit on another body on that armature, which become these.
    """
    outfit, place = load_outfit(wardrobe.outfit), templates.place("wardrobe", wardrobe.outfit)
    patterns = _patterns(wardrobe.outfit)
    things: list[Any] = []
    for at, (garment, pattern, (points, hems)) in enumerate(zip(outfit.garments, patterns, hung, strict=True)):
        here = f"{place}: garments[{at}]"
        if into:
            place_vertices(into[at].data, points)
            give_material(into[at].data, 0, partial(_material, wardrobe, outfit, garment, place=here))
            things.append(into[at])
            continue
        fields = _fields(wardrobe.outfit, at)[pattern.origin]
        thing = _build(garment.name, pattern, points, hems, fields, collection, beneath=_beneath(wardrobe.outfit, at))
        give_material(thing.data, 0, partial(_material, wardrobe, outfit, garment, place=here))
        skin_mixed(thing, armature, rig=rig, mix=_with_hem(pattern, _moved_by(garment, pattern)))
        for below in range(at):
            if not garment.shoe and not outfit.garments[below].shoe:
                _lay(thing, pattern, things[below], patterns[below])
        things.append(thing)
    return tuple(things)


def _lay(thing: Any, pattern: Pattern, below: Any, covered: Pattern) -> None:
    """Let the cloth near a garment's border be pushed out by the garment below, as where a hem lies on a raised thigh.

    The hems turned in are left where they are: the cloth below hides them.
    """
    near = np.clip((LAID_TO - pattern.to_rim) / (LAID_TO - OVERLAP), 0.0, 1.0)
    share = near * np.isin(pattern.origin, covered.origin)
    group = thing.vertex_groups.new(name=LAID)
    for vertex in np.flatnonzero(share).tolist():
        group.add([vertex], share[vertex], "REPLACE")
    modifier = thing.modifiers.new(LAID, "SHRINKWRAP")
    modifier.target, modifier.vertex_group = below, LAID
    modifier.wrap_method, modifier.wrap_mode, modifier.offset = "NEAREST_SURFACEPOINT", "OUTSIDE", GAP


def _material(wardrobe: Wardrobe, outfit: Outfit, garment: Garment, *, place: str) -> Any:
    if garment.shoe:
        return shoe_material(garment.shoe, place=place)
    if outfit.trim and garment.takes == "upper":
        return suit_material(wardrobe, outfit, place=place)
    return cloth_material(wardrobe, garment.takes)


def _moved_by(garment: Garment, pattern: Pattern) -> csr_matrix:
    """The base vertices whose motion each vertex (S, V) follows: a loose lower edge is drawn along from all around.

    Or the halves of a shirt would part with the legs.
    """
    mix = pattern.sheet.mix
    if garment.low is None or garment.takes != "upper":
        return mix
    hangs = np.clip(1 - (pattern.sheet.rest[:, 2] - garment.low) / HANGS, 0.0, 1.0)
    mean, drawn = pattern.sheet.mean, mix
    for _ in range(DRAWN_ROUNDS):
        drawn = 0.5 * (drawn + mean @ drawn)
    return csr_matrix(diags(1 - hangs) @ mix + diags(hangs) @ drawn)


def _with_hem(pattern: Pattern, rows: csr_matrix) -> csr_matrix:
    """Rows (S, V) of a garment's vertices, and those of its hem's, which hang on its border."""
    border = rows[pattern.rim[:, 0]]
    return csr_matrix(vstack([rows, border, border]))


@functools.cache
def _beneath(outfit: str, at: int) -> NDArray[np.bool_]:
    """Which vertices of the tights (C,) garments worn over garment `at` hide on it."""
    beneath = np.zeros(len(tights().rest), dtype=bool)
    for over in _patterns(outfit)[at + 1 :]:
        beneath[over.origin] |= over.to_rim > OVERLAP
    return beneath


@functools.cache
@on_one_thread
def _fields(outfit: str, at: int) -> Array:
    """`side_fields` of an outfit's garment."""
    return side_fields(load_outfit(outfit).garments[at])


def _sewn(
    garment: Garment, pattern: Pattern, hung: tuple[Array, Array], fields: Array
) -> tuple[Array, NDArray[np.int32]]:
    """The vertices (N, 3) of a garment's outside and of the hems turned in, and the hems' faces (H, 4)."""
    outside, normals = hung
    if garment.shoe:
        outside = _soled(outside, normals, fields[:, 2], garment.shoe)
    added, hems = hemmed(garment, pattern, outside, normals)
    return np.concatenate([outside, added]), hems


def _build(
    name: str,
    pattern: Pattern,
    points: Array,
    hems: NDArray[np.int32],
    fields: Array,
    collection: Any,
    *,
    beneath: NDArray[np.bool_],
) -> Any:
    """The mesh object of a garment's vertices, without what lies `beneath` other garments."""
    faces = np.concatenate([pattern.sheet.faces, hems])
    outer = np.repeat([1.0, 0.0], [len(pattern.sheet.faces), len(hems)])
    border = pattern.rim[:, 0]
    every = np.concatenate([np.arange(len(pattern.origin)), border, border])
    seen = ~beneath[pattern.origin[every]][faces].all(axis=1)
    faces, outer = faces[seen], outer[seen]
    mesh = bpy.data.meshes.new(name)
    corners = [face[:3] if face[3] == face[2] else face for face in faces.tolist()]
    mesh.from_pydata(points, [], corners)
    mesh.shade_smooth()
    for attribute, values in (
        (FIELDS, fields),
        (SEAMS, seam_fields()[pattern.origin]),
        (REST, pattern.sheet.rest),
    ):
        paint(mesh, attribute, values[every])
    paint(mesh, HEM, pattern.to_rim[every])
    paint(mesh, OUTER, outer, domain="FACE")
    thing = bpy.data.objects.new(name, mesh)
    collection.objects.link(thing)
    return thing


def _soled(points: Array, normals: Array, height: Array, shoe: Shoe) -> Array:
    """Shoes with soles flat on z = 0."""
    points = points.copy()
    under = height < shoe.thick
    flat = np.clip(-2.5 * normals[under, 2] - 0.5, 0.0, 1.0)
    points[under, 2] *= 1 - flat
    points[:, 2] = np.maximum(points[:, 2], 0.0)
    return points
