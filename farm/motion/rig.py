"""Retargeting: the canonical skeleton measured on a rig, and its motion written in the rig's own bones.

A rig's rest pose is aligned with the canonical T-pose from where its joints are, so no T-pose of the rig is stored:
arms are turned to ±X with the palms down, legs to −Z, feet to −Y, fingers are straightened; the rest stays as it is.

A table in templates/rigs names the rig's bones for each canonical bone; `farm.double.rig_table` says how.
The canonical joint lies at the weighted mean of a chain's joints: to first order in the angle, what hangs on the chain
then moves as the canonical skeleton says.

A rig may lack the bones that VRM 1.0 does not ask for. The rotation of a missing `chest` or `upperChest` goes to the
spine's next bone below, that of a missing `neck` or shoulder to the bone above it, whose joint it then shares; other
missing bones are lost on the rig, and where the canonical skeleton needs their joints, these are estimated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.double.rig_table import REQUIRED, Many, RigTable, read_table
from farm.errors import BadInput, TemplateError
from farm.motion.clip import Clip
from farm.motion.rotation import about, between, frame, swing_twist, to_quaternion, unit
from farm.motion.skeleton import BONES, INDEX, PARENTS, SIDES, Skeleton, axis_at_rest
from farm.recipe import templates
from farm.recipe.templates import nearest

__all__ = ["Fit", "Link", "RigClip", "RigRest", "fit_links", "fit_rig", "load_table", "read_links", "retarget"]

Array = NDArray[np.float64]

# The sole beyond the ankle and the ball, in distances from ankle to ball, on the base mesh.
HEEL_BEHIND_ANKLE: Final = 0.34
TIP_BEYOND_BALL: Final = 0.40

# Where there is no bone for it, on the base mesh.
BALL_AHEAD: Final = 1.65
"""Distance of the ball of the foot ahead of the ankle, in heights of the ankle."""
KNUCKLE_BEYOND_WRIST: Final = 0.42
"""Distance of the middle finger's first knuckle from the wrist, in lengths of the forearm."""
BELOW: Final = {"upperChest": "chest", "chest": "spine"}
"""Missing bones whose rotation goes to the bone below, at whose joint they then lie."""
ABOVE: Final = {"neck": "head", "leftShoulder": "leftUpperArm", "rightShoulder": "rightUpperArm"}
"""Missing bones which lie at the joint of the bone above, which rotates with them."""


@dataclass(frozen=True)
class RigRest:
    """A rig in its rest pose, standing on z = 0 and facing −Y; world space, metres.

    names      R bones, parents before children
    parents    (R,) index of each bone's parent, −1 for none
    heads      (R, 3) and tails (R, 3)
    rotations  (R, 3, 3) the bones' axes
    """

    names: tuple[str, ...]
    parents: NDArray[np.int32]
    heads: Array
    tails: Array
    rotations: Array


@dataclass(frozen=True)
class Link:
    """How a rig's bone follows a canonical one: the shares of swing and twist that have been applied up to it."""

    name: str
    bone: str
    weight: float
    swing: float
    twist: float


def load_table(name: str) -> list[Link]:
    """A rig's table, canonical parents first; TemplateError where it is missing or wrong.

    Bones that VRM 1.0 does not ask for may be left out.
    """
    return read_links(read_table(name), templates.place("rigs", name))


def read_links(table: RigTable, place: str) -> list[Link]:
    """A table's links, canonical parents first; TemplateError calls it `place`."""
    links: list[Link] = []
    for bone in BONES:
        if bone in table.bones:
            links += _links(bone, table.bones[bone], f"{place}: {bone}")
        elif bone in REQUIRED:
            raise TemplateError(f"{place}: no bone is given for {bone}; add a line '{bone}: …' under bones")
    named = [link.name for link in links]
    for twice in named:
        if named.count(twice) > 1:
            raise TemplateError(f"{place}: '{twice}' stands for two canonical bones; keep one of them")
    return links


def _links(bone: str, entry: str | Many, place: str) -> list[Link]:
    if isinstance(entry, str):
        return [Link(entry, bone, 1.0, 1.0, 1.0)]
    ways = [way for way in (entry.share, entry.twist, entry.together) if way]
    if len(ways) != 1:
        raise TemplateError(f"{place}: give one of share, twist and together")
    if entry.together:
        return [Link(name, bone, 1.0 / len(entry.together), 1.0, 1.0) for name in entry.together]
    shares: dict[str, float] = entry.share or entry.twist or {}
    if abs(sum(shares.values()) - 1.0) > 1e-6 or min(shares.values()) < 0.0:
        raise TemplateError(f"{place}: the shares {list(shares.values())} must be positive and add up to 1")
    done = np.cumsum(list(shares.values()))
    if entry.share:
        return [Link(name, bone, w, t, t) for (name, w), t in zip(shares.items(), done.tolist(), strict=True)]
    return [Link(n, bone, float(i == 0), 1.0, t) for i, (n, t) in enumerate(zip(shares, done.tolist(), strict=True))]


@dataclass(frozen=True)
class Fit:
    """A rig's table fitted to one rig.

    skeleton   the canonical skeleton of this double
    hips       (3,) where the canonical hips lie in the rig's rest pose: midway between the hip joints
    alignment  (B, 3, 3) from the rig's rest pose to the canonical T-pose, by canonical bone
    links      the table
    indices    (L,) the rig's bone of each link
    turns      (B,) the canonical bone that each one turns with: itself, or a missing one above whose rotation it takes
    """

    skeleton: Skeleton
    hips: Array
    alignment: Array
    links: tuple[Link, ...]
    indices: NDArray[np.int32]
    turns: NDArray[np.int32]


def fit_rig(name: str, rest: RigRest) -> Fit:
    """Measure the canonical skeleton on a rig by the table `name`; BadInput where the rig lacks a bone."""
    links = load_table(name)
    for link in links:
        if link.name not in rest.names:
            raise BadInput(
                f"the rig has no bone '{link.name}', which templates/rigs/{name}.yaml names for {link.bone}"
                f"{nearest(link.name, list(rest.names))}"
            )
    return fit_links(links, rest)


def fit_links(links: list[Link], rest: RigRest) -> Fit:
    """Measure the canonical skeleton on a rig that has every bone of `links`."""
    indices = np.array([rest.names.index(link.name) for link in links], dtype=np.int32)
    joints, tails = np.zeros((len(BONES), 3)), np.zeros((len(BONES), 3))
    for link, index in zip(links, indices, strict=True):
        joints[INDEX[link.bone]] += link.weight * rest.heads[index]
        tails[INDEX[link.bone]] = rest.tails[index]
    joints[INDEX["hips"]] = 0.5 * (joints[INDEX["leftUpperLeg"]] + joints[INDEX["rightUpperLeg"]])
    present = frozenset(link.bone for link in links)
    _complete(joints, tails, present)
    alignment = _align(joints, tails, present)
    return Fit(_t_pose(joints, alignment), joints[INDEX["hips"]], alignment, tuple(links), indices, _turns(present))


def _turns(present: frozenset[str]) -> NDArray[np.int32]:
    turns = np.arange(len(BONES), dtype=np.int32)
    for missing, below in BELOW.items():
        if missing not in present:
            turns[INDEX[below]] = turns[INDEX[missing]]
    return turns


def _complete(joints: Array, tails: Array, present: frozenset[str]) -> None:
    """Place the joints (B, 3) of missing bones."""
    for missing, near in (*reversed(BELOW.items()), *ABOVE.items()):
        if missing not in present:
            joints[INDEX[missing]] = joints[INDEX[near]]
    for bone, parent in PARENTS.items():
        if bone in present or bone in BELOW or bone in ABOVE or parent is None:
            continue
        if bone.endswith("Toes"):
            joints[INDEX[bone]] = _ball(joints[INDEX[parent]], tails[INDEX[parent]])
        elif bone.endswith("MiddleProximal"):
            joints[INDEX[bone]] = _knuckle(joints[INDEX[parent]], joints[INDEX[str(PARENTS[parent])]])
        else:
            joints[INDEX[bone]] = joints[INDEX[parent]]


def _ball(ankle: Array, tail: Array) -> Array:
    """The ball of a foot without toes: below the foot bone's direction, or straight ahead where that is upright."""
    ahead = (tail - ankle) * [1.0, 1.0, 0.0]
    if np.linalg.norm(ahead) < 0.2 * np.linalg.norm(tail - ankle) or ahead[1] > 0.0:
        ahead = np.array([0.0, -1.0, 0.0])
    place: Array = ankle * [1.0, 1.0, 0.25] + BALL_AHEAD * ankle[2] * unit(ahead)
    return place


def _knuckle(wrist: Array, elbow: Array) -> Array:
    place: Array = wrist + KNUCKLE_BEYOND_WRIST * (wrist - elbow)
    return place


def _align(joints: Array, tails: Array, present: frozenset[str]) -> Array:
    alignment = np.broadcast_to(np.eye(3), (len(BONES), 3, 3)).copy()
    for bone, parent in PARENTS.items():
        if parent is not None and bone.startswith(SIDES):
            alignment[INDEX[bone]] = _align_bone(bone, alignment[INDEX[parent]], joints, tails, present)
    return alignment


def _align_bone(bone: str, parent: Array, joints: Array, tails: Array, present: frozenset[str]) -> Array:
    """One bone's rotation from the rig's rest pose to the T-pose, `parent` being its parent's."""
    side = next(side for side in SIDES if bone.startswith(side))
    part = bone.removeprefix(side)
    target = axis_at_rest(bone)

    def towards(child: str) -> Array:
        return unit(joints[INDEX[side + child]] - joints[INDEX[bone]])

    following = {"UpperArm": "LowerArm", "LowerArm": "Hand", "UpperLeg": "LowerLeg", "LowerLeg": "Foot"}
    if part in following:
        return between(parent @ towards(following[part]), target) @ parent
    if part == "Foot":
        ahead = towards("Toes") * [1.0, 1.0, 0.0]
        return between(ahead, target)
    if part == "Hand":
        if not {f"{side}{finger}Proximal" for finger in ("Index", "Middle", "Little")} <= present:
            return parent
        across = joints[INDEX[f"{side}LittleProximal"]] - joints[INDEX[f"{side}IndexProximal"]]
        palm = frame(towards("MiddleProximal"), across)
        return frame(target, np.array([0.0, 1.0, 0.0])) @ palm.T
    if bone in present and part.endswith(("Proximal", "Intermediate", "Distal")) and "Thumb" not in part:
        child = part.replace("Intermediate", "Distal").replace("Proximal", "Intermediate")
        last = child == part or side + child not in present
        along = parent @ (unit(tails[INDEX[bone]] - joints[INDEX[bone]]) if last else towards(child))
        return between(along, along * [1.0, 1.0, 0.0]) @ parent
    return parent


def _t_pose(joints: Array, alignment: Array) -> Skeleton:
    posed = joints.copy()
    for bone, parent in PARENTS.items():
        if parent is not None:
            b, p = INDEX[bone], INDEX[parent]
            posed[b] = posed[p] + alignment[p] @ (joints[b] - joints[p])
    ankles = [INDEX[f"{side}Foot"] for side in SIDES]
    posed[:, 2] -= np.mean(posed[ankles, 2] - joints[ankles, 2])
    return Skeleton(posed, np.stack([_sole(posed, side) for side in SIDES]))


def _sole(joints: Array, side: str) -> Array:
    """Heel, ball and tip (3, 3) of a foot flat on z = 0."""
    ankle, ball = joints[INDEX[f"{side}Foot"]], joints[INDEX[f"{side}Toes"]]
    along = ball - ankle
    points = np.stack([ankle - HEEL_BEHIND_ANKLE * along, ball, ball + TIP_BEYOND_BALL * along])
    points[:, 2] = 0.0
    return points


@dataclass(frozen=True)
class RigClip:
    """A clip in a rig's own terms, as Blender's pose bones take it: relative to the rest pose, in the bones' axes.

    names        R bones
    quaternions  (N, R, 4) as (w, x, y, z), without sign flips from frame to frame; (1, 0, 0, 0) for what is not in
                 the table, which follows its parent
    root         index of the hips' bone
    location     (N, 3) of that bone, metres
    """

    names: tuple[str, ...]
    quaternions: Array
    root: int
    location: Array


def retarget(clip: Clip, fit: Fit, rest: RigRest) -> RigClip:
    """Write a clip of the canonical skeleton in a rig's bones."""
    moved = _moved(clip, fit, rest)
    basis = np.swapaxes(rest.rotations, -1, -2) @ _relative(moved, rest.parents) @ rest.rotations
    root = int(fit.indices[[link.bone for link in fit.links].index("hips")])
    head = clip.hips + clip.rotations[:, INDEX["hips"]] @ (rest.heads[root] - fit.hips)
    return RigClip(rest.names, _steady(to_quaternion(basis)), root, (head - rest.heads[root]) @ rest.rotations[root])


def _moved(clip: Clip, fit: Fit, rest: RigRest) -> Array:
    """World rotations (N, R, 3, 3) of the rig's bones relative to their rest pose."""
    world, _ = fit.skeleton.pose(clip.rotations, clip.hips)
    moved = np.broadcast_to(np.eye(3), (len(clip), len(rest.names), 3, 3)).copy()
    linked = dict(zip(fit.indices.tolist(), fit.links, strict=True))
    split: dict[str, tuple[Array, Array]] = {}
    for index, parent in enumerate(rest.parents.tolist()):
        link = linked.get(index)
        if link is None:
            moved[:, index] = moved[:, parent] if parent >= 0 else np.eye(3)
            continue
        bone, above = INDEX[link.bone], PARENTS[link.bone]
        turned = world[:, fit.turns[bone]]
        if link.swing == link.twist == 1.0:
            moved[:, index] = turned @ fit.alignment[bone]
            continue
        base = world[:, INDEX[above]] if above else np.broadcast_to(np.eye(3), turned.shape)
        axis = axis_at_rest(link.bone)
        if link.bone not in split:
            split[link.bone] = swing_twist(np.swapaxes(base, -1, -2) @ turned, axis)
        swing, twist = split[link.bone]
        part = _from_vector(swing * link.swing) @ about(axis, twist * link.twist)
        moved[:, index] = base @ part @ fit.alignment[bone]
    return moved


def _from_vector(vector: Array) -> Array:
    return about(unit(vector), np.linalg.norm(vector, axis=-1))


def _relative(moved: Array, parents: NDArray[np.int32]) -> Array:
    """Each bone's rotation as its parent sees it, in world axes at rest."""
    parent = np.where((parents >= 0)[:, None, None], moved[:, parents], np.eye(3))
    relative: Array = np.swapaxes(parent, -1, -2) @ moved
    return relative


def _steady(quaternions: Array) -> Array:
    """The same rotations with each frame's quaternion on the side of the one before."""
    flips = np.where(np.sum(quaternions[1:] * quaternions[:-1], axis=-1) < 0.0, -1.0, 1.0)
    signs = np.cumprod(np.concatenate([np.ones((1, quaternions.shape[1])), flips]), axis=0)
    steady: Array = quaternions * signs[..., None]
    return steady
