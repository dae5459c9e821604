"""BVH files of other people: one known motion, written in any naming, unit, axes, channel order and white space."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from farm.double.rig_table import named_bones, read_table
from farm.motion import BONES, Clip, Skeleton
from farm.motion.anatomy import ANGLES, SLOTS, rotations
from farm.motion.skeleton import INDEX, PARENTS

Y_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
Z_UP = np.eye(3)
LEFT_OUT = ("jaw", "leftEye", "rightEye")

TRUNK = ("hips", "spine", "chest", "upperChest", "neck", "head")
LIMB = ("Shoulder", "UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot", "Toes")
FOREIGN = {
    "LAFAN1": ("Hips Spine Spine1 Spine2 Neck Head", "{}Shoulder {}Arm {}ForeArm {}Hand {}UpLeg {}Leg {}Foot {}Toe",
               "Left", "Right"),
    "3ds Max biped": ("Bip01_Pelvis Bip01_Spine Bip01_Spine1 Bip01_Spine2 Bip01_Neck Bip01_Head",
                      "Bip01_{}_Clavicle Bip01_{}_UpperArm Bip01_{}_Forearm Bip01_{}_Hand Bip01_{}_Thigh Bip01_{}_Calf "
                      "Bip01_{}_Foot Bip01_{}_Toe0", "L", "R"),
    "SMPL": ("Pelvis Spine1 Spine2 Spine3 Neck Head", "{}_Collar {}_Shoulder {}_Elbow {}_Wrist {}_Hip {}_Knee {}_Ankle "
             "{}_Foot", "L", "R"),
    "CMU ASF": ("root lowerback upperback thorax lowerneck head",
                "{}clavicle {}humerus {}radius {}wrist {}femur {}tibia {}foot {}toes", "l", "r"),
    "OptiTrack": ("Hip Ab Chest UpperChest Neck Head", "{}Shoulder {}UArm {}FArm {}Hand {}Thigh {}Shin {}Foot {}Toe",
                  "L", "R"),
    "Bandai Namco": ("Hips Spine Chest UpperChest Neck Head", "Shoulder_{} UpperArm_{} LowerArm_{} Hand_{} UpperLeg_{} "
                     "LowerLeg_{} Foot_{} Toes_{}", "L", "R"),
}  # fmt: skip
"""Names that no table in templates/rigs has: of the trunk, of a limb, and what stands for left and right."""


def foreign_names(kind: str) -> dict[str, str]:
    """The names of one of FOREIGN by canonical bone."""
    trunk, limb, *sides = FOREIGN[kind]
    names = dict(zip(TRUNK, trunk.split(), strict=True))
    for side, mark in zip(("left", "right"), sides, strict=True):
        names |= {side + bone: name.format(mark) for bone, name in zip(LIMB, limb.split(), strict=True)}
    return names


@dataclass(frozen=True)
class Style:
    """How a file is written."""

    names: str = "mixamo"
    prefix: str | None = None
    axes: tuple = tuple(map(tuple, Y_UP))
    unit: float = 0.01
    order: str = "ZXY"
    six: bool = False
    newline: str = "\n"
    indent: str = "  "
    frame_time: str = "0.0333333"


def swaying(skeleton: Skeleton, frames: int = 61) -> Clip:
    """Two seconds on the spot: arms swing, the trunk bends and turns, one leg kicks."""
    sway = np.sin(np.linspace(0.0, 6.0, frames))
    angles = np.zeros((frames, len(BONES), SLOTS))
    for bone, name, degrees in (
        ("hips", "turn", 25 * sway), ("spine", "bend", 12 * sway), ("chest", "lean", 8 * sway),
        ("head", "turn", 30 * sway), ("leftUpperArm", "lower", 60 + 25 * sway),
        ("rightUpperArm", "lower", 40 - 30 * sway), ("rightUpperArm", "swing", 40 * sway),
        ("rightLowerArm", "bend", 60 + 50 * sway), ("leftHand", "bend", 20 * sway),
        ("leftUpperLeg", "swing", 25 + 30 * sway), ("leftLowerLeg", "bend", 40 + 30 * sway),
        ("leftFoot", "point", 10 * sway),
    ):  # fmt: skip
        slot = [angle.name for angle in ANGLES[bone]].index(name)
        angles[:, INDEX[bone], slot] = degrees
    hips = skeleton.joint("hips") + np.outer(sway, [0.2, -0.3, 0.02])
    return Clip(hips, rotations(angles))


def bone_names(style: Style) -> dict[str, str]:
    """The file's name of each canonical bone that its rig has."""
    if style.names in FOREIGN:
        return foreign_names(style.names)
    table = read_table(style.names)
    names = {bone: named_bones(entry)[0] for bone, entry in table.bones.items() if bone not in LEFT_OUT}
    if style.prefix is None:
        return names
    return {bone: style.prefix + name.rpartition(":")[2] for bone, name in names.items()}


def write_bvh(path: Path, skeleton: Skeleton, clip: Clip, style: Style) -> Path:
    """Write a clip of a skeleton, which is the file's figure without rotation."""
    from scipy.spatial.transform import Rotation

    names, axes = bone_names(style), np.array(style.axes)
    scale = 1.0 / style.unit
    present = [bone for bone in BONES if bone in names]
    parents = {bone: _parent(bone, names) for bone in present}
    world, _ = skeleton.pose(clip.rotations, clip.hips)
    lines, columns = ["HIERARCHY"], []

    def write(bone: str, depth: int) -> None:
        pad, inner = style.indent * depth, style.indent * (depth + 1)
        parent = parents[bone]
        start = skeleton.joint(parent) if parent else skeleton.joint(bone)
        offset = axes @ (skeleton.joint(bone) - start) * scale
        moves = parent is None or style.six
        kinds = [f"{axis}position" for axis in "XYZ"] * moves + [f"{axis}rotation" for axis in style.order]
        lines.extend([
            f"{pad}{'JOINT' if parent else 'ROOT'} {names[bone]}", f"{pad}{{",
            f"{inner}OFFSET {offset[0]:.6f} {offset[1]:.6f} {offset[2]:.6f}",
            f"{inner}CHANNELS {len(kinds)} {' '.join(kinds)}",
        ])  # fmt: skip
        if moves:
            place = clip.hips @ axes.T * scale if parent is None else np.broadcast_to(offset, (len(clip), 3))
            columns.append(place)
        above = world[:, INDEX[parent]] if parent else np.broadcast_to(np.eye(3), (len(clip), 3, 3))
        turn = axes @ np.swapaxes(above, -1, -2) @ world[:, INDEX[bone]] @ axes.T
        columns.append(Rotation.from_matrix(turn).as_euler(style.order, degrees=True))
        children = [child for child in present if parents[child] == bone]
        for child in children:
            write(child, depth + 1)
        if not children:
            end = axes @ np.array([0.0, -0.05, 0.0] if "Toes" in bone else [0.0, 0.0, 0.05]) * scale
            lines.extend([
                f"{inner}End Site", f"{inner}{{", f"{inner}{style.indent}OFFSET {end[0]:.6f} {end[1]:.6f} {end[2]:.6f}",
                f"{inner}}}",
            ])  # fmt: skip
        lines.append(f"{pad}}}")

    write("hips", 0)
    values = np.column_stack(columns)
    lines += ["MOTION", f"Frames: {len(clip)}", f"Frame Time: {style.frame_time}"]
    separator = "\t" if "\t" in style.indent else " "
    lines += [separator.join(f"{value:.5f}" for value in row) for row in values]
    path.write_bytes((style.newline.join(lines) + style.newline).encode())
    return path


def _parent(bone: str, names: dict[str, str]) -> str | None:
    parent = PARENTS[bone]
    while parent is not None and parent not in names:
        parent = PARENTS[parent]
    return parent
