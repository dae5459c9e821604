"""The edge to Blender's importers: the armature of an .fbx or .glb file and its action, as a capture.

The files are read into an empty scene of this process's Blender; nothing in them can run.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray

from farm.double.own.detect import detect_rig
from farm.errors import BadInput
from farm.motion.apply import read_rest
from farm.motion.mocap.capture import Capture, standard_rate
from farm.quiet import silence
from farm.recipe.templates import nearest

__all__ = ["read_scene_file"]

Array = NDArray[np.float64]
GLB_MAGIC: Final = b"glTF"
JSON_CHUNK: Final = 0x4E4F534A
FPS: Final = 60.0
"""Frames a second at which a file is read that does not say its own."""


def read_scene_file(path: Path, take: str | None = None) -> Capture:
    """The motion of an .fbx, .glb or .gltf file; BadInput, one line, where it is damaged or holds none.

    take  name of the action, where there are several; by default the longest
    """
    _check(path)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    if path.suffix.lower() != ".fbx":
        fps = standard_rate(_gltf_rate(path))
        scene.render.fps = max(1, round(fps))
        scene.render.fps_base = scene.render.fps / fps
    _import(path)
    armature = _armature(path)
    action = _action(path, armature, take)
    frames = _frames(action)
    if len(frames) < 2:
        raise BadInput(f"{path}: its action '{action.name}' has only one frame; export it with its animation")
    _play(armature, action)
    return _sample(armature, frames, scene.render.fps / scene.render.fps_base)


def _check(path: Path) -> None:
    if path.is_dir():
        raise BadInput(f"{path} is a folder; give the file in it")
    if not path.exists():
        raise BadInput(f"{path} does not exist")
    try:
        empty = not path.read_bytes().strip()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from None
    if empty:
        raise BadInput(f"{path} is empty: copy it again from where it came from")


def _import(path: Path) -> None:
    read = bpy.ops.import_scene.fbx if path.suffix.lower() == ".fbx" else bpy.ops.import_scene.gltf
    with silence() as said:
        try:
            done = read(filepath=str(path.absolute()))
        except Exception as error:
            # The importers are Python and fail on damaged files in any way at all.
            lines = [line.strip() for line in str(error).splitlines() if line.strip() and 'File "' not in line]
            raise BadInput(f"{path} is damaged or of another kind: {_reason(lines)}; export it again") from None
    if done != {"FINISHED"}:
        raise BadInput(f"{path} is damaged or of another kind: {_reason(said)}; export it again")


def _reason(lines: list[str]) -> str:
    text = lines[-1] if lines else "Blender cannot read it"
    return text.removeprefix("Error: ").rstrip(".")[:120]


def _gltf_rate(path: Path) -> float:
    """Frames a second of a glTF file's longest animation; that of FPS where it does not tell."""
    try:
        data = json.loads(_gltf_json(path))
        inputs = {sampler["input"] for each in data.get("animations", []) for sampler in each["samplers"]}
        accessors = [data["accessors"][index] for index in inputs]
        timed = [(each["count"] - 1, each["max"][0] - each["min"][0]) for each in accessors if each["count"] > 1]
        rates = [count / span for count, span in timed if span > 0.0]
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, struct.error):
        return FPS
    return min(max(rates, default=FPS), 1000.0)


def _gltf_json(path: Path) -> bytes:
    """The JSON of a glTF file, which in a .glb is the first chunk (glTF 2.0, "GLB File Format")."""
    data = path.read_bytes()
    if not data.startswith(GLB_MAGIC):
        return data
    length, kind = struct.unpack_from("<II", data, 12)
    if kind != JSON_CHUNK:
        raise ValueError("the first chunk is no JSON")
    return data[20 : 20 + length]


def _armature(path: Path) -> Any:
    """The armature that moves and is most like a person."""
    found = [each for each in bpy.data.objects if each.type == "ARMATURE" and len(each.data.bones)]
    if not found:
        raise BadInput(f"{path} holds no armature; export the skeleton with its animation")
    return max(
        found,
        key=lambda each: (
            each.animation_data is not None,
            detect_rig([bone.name for bone in each.data.bones])[0].score,
            len(each.data.bones),
        ),
    )


def _action(path: Path, armature: Any, take: str | None) -> Any:
    animation = armature.animation_data
    strips = [strip for track in animation.nla_tracks for strip in track.strips] if animation else []
    actions = {strip.action.name: strip.action for strip in strips if strip.action}
    if animation and animation.action:
        actions[animation.action.name] = animation.action
    for action in bpy.data.actions:
        if any(curve.data_path.startswith("pose.bones") for curve in _curves(action)):
            actions.setdefault(action.name, action)
    if not actions:
        raise BadInput(f"{path} holds no motion; export it with its animation")
    if take is None:
        return max(actions.values(), key=lambda action: (len(_frames(action)), action.name))
    chosen = [action for name, action in actions.items() if take in (name, name.rpartition("|")[2])]
    if not chosen:
        raise BadInput(f"{path} has no take '{take}'{nearest(take, sorted(actions))}")
    return chosen[0]


def _curves(action: Any) -> list[Any]:
    return [curve for layer in action.layers for strip in layer.strips for bag in strip.channelbags
            for curve in bag.fcurves]  # fmt: skip


def _frames(action: Any) -> NDArray[np.int_]:
    first, last = action.frame_range
    return np.arange(round(first), round(last) + 1)


def _play(armature: Any, action: Any) -> None:
    """Let an armature's motion be this action alone."""
    animation = armature.animation_data or armature.animation_data_create()
    for track in animation.nla_tracks:
        track.mute = True
    animation.action = action
    slots = [slot for slot in action.slots if slot.target_id_type in ("OBJECT", "UNSPECIFIED")]
    mine = [slot for slot in slots if slot.name_display == armature.name]
    if slots:
        animation.action_slot = (mine or slots)[0]


def _sample(armature: Any, frames: NDArray[np.int_], fps: float) -> Capture:
    """The armature's bones in the world at some frames, and at rest."""
    scene = bpy.context.scene
    scene.frame_set(int(frames[0]))
    rest = read_rest(armature)
    matrices = np.empty((len(frames), len(rest.names), 4, 4))
    bones = [armature.pose.bones[name] for name in rest.names]
    for place, frame in enumerate(frames.tolist()):
        scene.frame_set(frame)
        world = np.array(armature.matrix_world)
        matrices[place] = world @ np.array([bone.matrix for bone in bones])
    rotations = matrices[..., :3, :3]
    return Capture(
        names=rest.names,
        parents=rest.parents,
        heads=rest.heads,
        tails=rest.tails,
        axes=rest.rotations,
        positions=matrices[..., :3, 3],
        rotations=rotations / np.linalg.norm(rotations, axis=-2, keepdims=True),
        fps=standard_rate(fps),
    )
