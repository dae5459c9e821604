"""The 52 facial action units of ARKit as shape keys, fitted to a person's face.

Units and names are those of Apple's `ARFaceAnchor.BlendShapeLocation`; the offsets are MakeHuman's `faceunits01`
(CC0), drawn on the unshaped base mesh. On a shaped face they are scaled with the head. Around the eyes that is not
enough, for a lid must meet the other lid and slide over the ball: there the offsets' ends are carried by the map from
the unshaped to the shaped face, interpolated with radial basis functions (as Noh and Neumann 2001, "Expression
cloning"), and kept out of the ball.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from farm.double.base_mesh import base_mesh, target
from farm.double.eyeball import Eye, eye_of, eye_surface
from farm.double.normals import lengths

__all__ = [
    "SIDES",
    "UNITS",
    "Unit",
    "add_keys",
    "body_offsets",
    "express",
    "face_units",
    "follow_keys",
    "head_scale",
    "unit_path",
]

Array = NDArray[np.float64]

UNITS: Final = (
    "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft", "eyeSquintLeft",
    "eyeWideLeft", "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight",
    "eyeSquintRight", "eyeWideRight", "jawForward", "jawLeft", "jawRight", "jawOpen", "mouthClose", "mouthFunnel",
    "mouthPucker", "mouthLeft", "mouthRight", "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight",
    "mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight", "mouthRollLower", "mouthRollUpper",
    "mouthShrugLower", "mouthShrugUpper", "mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft",
    "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight", "browDownLeft", "browDownRight", "browInnerUp",
    "browOuterUpLeft", "browOuterUpRight", "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft",
    "noseSneerRight", "tongueOut",
)  # fmt: skip
"""In ARKit's order."""

FOLDER: Final = "faceunits01/targets/faceunits"
CROWN: Final = 881
CHIN: Final = 747
SIDES: Final = {"Left": "l", "Right": "r"}
NEAR_EYE: Final = (0.021, 0.030)
"""Within the first distance of the eye's centre in metres lids go where the map takes them, beyond the second nowhere
else than the scaled offset does."""
CLEARANCE: Final = 0.0008
"""A lid's skin stays this far outside the ball, in metres, or as far as it is at rest."""
LIFTS: Final = 10


class Unit(NamedTuple):
    """What one unit moves at full strength: base vertices (N,) and their offsets (N, 3) in metres."""

    vertices: NDArray[np.int32]
    offsets: Array


def unit_path(name: str) -> str:
    """The target of a unit."""
    return f"{FOLDER}/{name}"


def head_scale(shape: Array) -> float:
    """How much longer a shaped head (V, 3) is than the unshaped one, from chin to crown."""
    rest = base_mesh().vertices
    return float(np.linalg.norm(shape[CROWN] - shape[CHIN]) / np.linalg.norm(rest[CROWN] - rest[CHIN]))


def face_units(shape: Array) -> dict[str, Unit]:
    """The units of a shaped base mesh (V, 3), by ARKit's names, in ARKit's order."""
    scale = head_scale(shape)
    units = {}
    for name in UNITS:
        vertices, offsets = target(unit_path(name))
        units[name] = Unit(vertices, scale * offsets)
    for side in SIDES.values():
        units |= _around_eye(shape, side, {name: units[name] for name in _of_eye(side)})
    return units


def _around_eye(shape: Array, side: str, units: dict[str, Unit]) -> dict[str, Unit]:
    """The units of one eye, with lids that go where the map from the unshaped face to the shaped one takes them."""
    rest, eye = base_mesh().vertices, eye_of(shape, side)
    anchors, carry = _carrier(side)
    near, quads = _skin_around(side)
    carried = carry @ (shape[anchors] - rest[anchors])
    local = shape[near] - eye.centre
    least = np.minimum(_gap(_middles(local, quads), eye), CLEARANCE)
    made, start = {}, 0
    for name, unit in units.items():
        place = _places(name, side)
        here = carried[start : start + len(place.ends)]
        start += len(place.ends)
        offsets = unit.offsets + place.share * (place.ends + here - shape[unit.vertices] - unit.offsets)
        lifted = _out_of_ball(local, offsets[place.skin], place.own, quads, least, eye)
        offsets[place.skin] = lifted + eye.centre - shape[unit.vertices[place.skin]]
        made[name] = Unit(unit.vertices, offsets)
    return made


class _Places(NamedTuple):
    """Where a unit's N vertices are around an eye.

    ends   (N, 3) where it takes them on the unshaped mesh
    share  (N, 1) how far they go where the map takes them
    skin   (N,) which of them are vertices of `_skin_around`, and `own` (S,) which of its
    """

    ends: Array
    share: Array
    skin: NDArray[np.bool_]
    own: NDArray[np.int64]


@functools.cache
def _places(name: str, side: str) -> _Places:
    rest, near = base_mesh().vertices, _skin_around(side)[0]
    vertices, offsets = target(unit_path(name))
    away = np.linalg.norm(rest[vertices] - eye_of(rest, side).centre, axis=1)
    share = np.clip((NEAR_EYE[1] - away) / (NEAR_EYE[1] - NEAR_EYE[0]), 0.0, 1.0)[:, None]
    skin = np.isin(vertices, near)
    return _Places(rest[vertices] + offsets, share, skin, np.searchsorted(near, vertices[skin]))


@functools.cache
def _carrier(side: str) -> tuple[NDArray[np.int32], Array]:
    """Anchors (A,) around an eye, and the matrix that interpolates what they do at the ends of its units, in turn.

    Biharmonic in space (kernel −r) with an affine part, as scipy's `RBFInterpolator(kernel="linear", degree=1)`.
    """
    rest = base_mesh().vertices
    middle = eye_of(rest, side).centre
    skin = base_mesh().group_vertices("body")
    near = skin[np.linalg.norm(rest[skin] - middle, axis=1) < NEAR_EYE[1]]
    anchors = np.concatenate([near, base_mesh().group_vertices(f"helper-{side}-eye")])
    ends = np.concatenate([rest[target(unit_path(name))[0]] + target(unit_path(name))[1] for name in _of_eye(side)])
    places = (rest[anchors] - middle) / NEAR_EYE[1]
    ends = (ends - middle) / NEAR_EYE[1]
    affine = np.concatenate([places, np.ones((len(places), 1))], axis=1)
    system = np.block([[-cdist(places, places), affine], [affine.T, np.zeros((4, 4))]])
    wanted = np.concatenate([-cdist(ends, places), ends, np.ones((len(ends), 1))], axis=1)
    carry: Array = np.linalg.solve(system, wanted.T).T[:, : len(anchors)]
    return anchors.astype(np.int32), carry


@functools.cache
def _skin_around(side: str) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The vertices (N,) of an eye's anchors that have faces, and those faces (F, 4) by the number of these."""
    skin = base_mesh().faces[base_mesh().groups["body"]]
    faces = skin[np.isin(skin, _carrier(side)[0]).all(axis=1)]
    near, quads = np.unique(faces, return_inverse=True)
    return near, quads.reshape(faces.shape).astype(np.int64)


def _of_eye(side: str) -> list[str]:
    """The units that an eye and its lids have of their own."""
    suffix = next(suffix for suffix, letter in SIDES.items() if letter == side)
    return [name for name in UNITS if name.startswith("eye") and name.endswith(suffix)]


def _out_of_ball(
    rest: Array, offsets: Array, own: NDArray[np.int64], quads: NDArray[np.int64], least: Array, eye: Eye
) -> Array:
    """Where a unit's offsets (S, 3) take vertices `own` (S,) of skin (N, 3) around an eye, lifted out of the ball.

    They are lifted until no lid's face (F, 4) lies nearer to the ball than `least` (F,). It is the faces' centres that
    count: there the smoothed skin lies deepest.
    """
    local = rest.copy()
    local[own] += offsets
    free = np.zeros(len(local), dtype=bool)
    free[own] = True
    corners = quads.ravel()
    for _ in range(LIFTS):
        centres = _middles(local, quads)
        lack = least - _gap(centres, eye)
        lack[(centres[:, 1] > -0.3 * eye.radius) | (lack < 1e-6)] = 0.0
        lift = np.zeros(len(local))
        np.maximum.at(lift, corners, lack.repeat(quads.shape[1]))
        lift *= free
        moved = np.flatnonzero(lift)
        if not len(moved):
            break
        local[moved] *= 1 + lift[moved, None] / lengths(local[moved])
    lifted: Array = local[own]
    return lifted


def _middles(points: Array, quads: NDArray[np.int64]) -> Array:
    """The middles (F, 3) of quads (F, 4) between points (N, 3)."""
    a, b, c, d = quads.T
    middles: Array = (points[a] + points[b] + points[c] + points[d]) / 4
    return middles


def _gap(local: Array, eye: Eye) -> Array:
    """How far points (N, 3) around the eye's centre lie outside its surface, in metres."""
    gap: Array = lengths(local)[:, 0] - eye_surface(local, eye.radius)
    return gap


def express(shape: Array, units: Mapping[str, Unit], weights: Mapping[str, float]) -> Array:
    """The vertices (V, 3) of a face whose units have some weights."""
    made = shape.copy()
    for name, weight in weights.items():
        made[units[name].vertices] += weight * units[name].offsets
    return made


def add_keys(thing: Any, offsets: Mapping[str, Array], weights: Mapping[str, float]) -> None:
    """Give a mesh object a shape key, 0..1, for each name's offsets (N, 3) of all its vertices, at some weights.

    Keys that it has already are given these; keys of other names go.
    """
    mesh = thing.data
    rest = np.empty(len(mesh.vertices) * 3, dtype=np.float32)
    mesh.vertices.foreach_get("co", rest)
    names = ["Basis", *offsets]
    if mesh.shape_keys is not None and mesh.shape_keys.key_blocks.keys() != names:
        thing.shape_key_clear()
    if mesh.shape_keys is None:
        for name in names:
            thing.shape_key_add(name=name, from_mix=False)
    keys = mesh.shape_keys.key_blocks
    keys["Basis"].points.foreach_set("co", rest)
    for name, by in offsets.items():
        keys[name].points.foreach_set("co", rest + by.astype(np.float32).ravel())
        keys[name].value = weights.get(name, 0.0)


def body_offsets(units: Mapping[str, Unit]) -> dict[str, Array]:
    """The units' offsets (V, 3) of the body, whose vertices are the base mesh's first."""
    count = len(base_mesh().group_vertices("body"))
    made = {}
    for name, unit in units.items():
        skin = unit.vertices < count
        made[name] = np.zeros((count, 3))
        made[name][unit.vertices[skin]] = unit.offsets[skin]
    return made


def follow_keys(thing: Any, leader: Any) -> None:
    """Drive a mesh object's shape keys by those of the same names of another, so that one slider moves both."""
    keys = thing.data.shape_keys
    if keys.animation_data is not None:
        return
    for key in keys.key_blocks[1:]:
        driver = key.driver_add("value").driver
        driver.type = "SUM"
        variable = driver.variables.new()
        source = variable.targets[0]
        source.id_type, source.id = "KEY", leader.data.shape_keys
        source.data_path = f'key_blocks["{key.name}"].value'
