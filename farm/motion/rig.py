"""Retargeting: the canonical skeleton measured on a rig, and its motion written in the rig's own bones.

A rig's rest pose is aligned with the canonical T-pose from where its joints are, so no T-pose of the rig is stored:
arms are turned to ±X with the palms down, legs to −Z, feet to −Y, fingers are straightened; the rest stays as it is.

A table in templates/rigs names the rig's bones for each canonical bone; `farm.double.rig_table` says how.
The canonical joint lies at the weighted mean of a chain's joints: to first order in the angle, what hangs on the chain
then moves as the canonical skeleton says.

A rig may lack the bones that VRM 1.0 does not ask for. The rotation of a missing `chest` or `upperChest` goes to the
spine's next bone below, that of a missing `neck` or shoulder to the bone above it, whose joint it then shares; other
missing bones are lost on the rig, and where the canonical skeleton needs their joints, these are estimated.

Rigs of one body place the joints of the trunk differently, so the canonical ones lie at standard places between hips,
shoulders and head, and `farm.motion.reach` brings the rig's chest, shoulders and head to where those lead.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.double.own.detect import match_table
from farm.double.rig_table import REQUIRED, Controls, Many, RigTable, read_table
from farm.errors import BadInput, TemplateError
from farm.motion.clip import Clip
from farm.motion.drive import leaders_first, plan_drive
from farm.motion.fit import Fit, Link, RigRest
from farm.motion.reach import follow, standard_joints
from farm.motion.rotation import between, frame, to_quaternion, unit
from farm.motion.skeleton import BONES, INDEX, PARENTS, SIDES, Skeleton, axis_at_rest
from farm.recipe import templates
from farm.recipe.templates import nearest

__all__ = ["Fit", "Link", "RigClip", "RigRest", "fit_links", "fit_rig", "load_table", "read_links", "retarget"]

Array = NDArray[np.float64]

# The sole beyond the ankle and the ball, in distances from ankle to ball, on the base mesh.
HEEL_BEHIND_ANKLE: Final = 0.34
TIP_BEYOND_BALL: Final = 0.40
FOOT: Final = (0.16, 0.37)
"""The toes' joint lies this far ahead of the ankle, in leg lengths, at this share of its height, on the base mesh. Rigs
place it up to two centimetres elsewhere; the canonical one, about which feet roll, lies halfway."""
FOOT_SLACK: Final = 0.15
"""The sole, over which a body is balanced, is of the base mesh's length, unless the rig's foot differs by more."""

# Where there is no bone for it, on the base mesh.
BALL_AHEAD: Final = 1.65
"""Distance of the ball of the foot ahead of the ankle, in heights of the ankle."""
KNUCKLE_BEYOND_WRIST: Final = 0.42
"""Distance of the middle finger's first knuckle from the wrist, in lengths of the forearm."""
BELOW: Final = {"upperChest": "chest", "chest": "spine"}
"""Missing bones whose rotation goes to the bone below, at whose joint they then lie."""
ABOVE: Final = {"neck": "head", "leftShoulder": "leftUpperArm", "rightShoulder": "rightUpperArm"}
"""Missing bones which lie at the joint of the bone above, which rotates with them."""


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


def fit_rig(name: str, rest: RigRest) -> Fit:
    """Measure the canonical skeleton on a rig by the table `name`.

    Names may differ from the table's in case and in what stands before all of them, as `mixamorig7:Hips`.
    Bones that VRM 1.0 does not ask for may be missing in the table and on the rig; BadInput where the rig lacks others.
    """
    table, place = read_table(name), templates.place("rigs", name)
    return fit_links(_found_links(_as_named(load_table(name), table, rest), rest, place), rest, table.controls, place)


def fit_links(links: list[Link], rest: RigRest, controls: Controls | None = None, place: str = "") -> Fit:
    """Measure the canonical skeleton on a rig that has every bone of `links`; `place` names the table for BadInput."""
    indices = np.array([rest.names.index(link.name) for link in links], dtype=np.int32)
    joints, tails = np.zeros((len(BONES), 3)), np.zeros((len(BONES), 3))
    for link, index in zip(links, indices, strict=True):
        joints[INDEX[link.bone]] += link.weight * rest.heads[index]
        tails[INDEX[link.bone]] = rest.tails[index]
    joints[INDEX["hips"]] = 0.5 * (joints[INDEX["leftUpperLeg"]] + joints[INDEX["rightUpperLeg"]])
    present = frozenset(link.bone for link in links)
    _complete(joints, tails, present)
    _standard_toes(joints)
    skull = standard_joints(joints, present, [link.bone for link in links])
    alignment = _align(joints, tails, present)
    skeleton = _t_pose(joints, alignment)
    return Fit(
        skeleton=skeleton,
        hips=joints[INDEX["hips"]],
        alignment=alignment,
        links=tuple(links),
        indices=indices,
        heads=rest.heads[indices],
        skull=skull + skeleton.joint("hips") - joints[INDEX["hips"]],
        turns=_turns(present),
        drive=plan_drive(controls, links, rest, place),
    )


def _as_named(links: list[Link], table: RigTable, rest: RigRest) -> list[Link]:
    """The links with the rig's own names."""
    if all(link.name in rest.names for link in links):
        return links
    renamed = match_table(rest.names, table).renamed
    return [replace(link, name=renamed.get(link.name, link.name)) for link in links]


def _found_links(links: list[Link], rest: RigRest, place: str) -> list[Link]:
    """The links whose bones the rig has; of a chain that it has in part, only a required bone's is an error."""
    lost = {link.bone: link.name for link in reversed(links) if link.name not in rest.names}
    needed = [bone for bone in BONES if bone in lost and bone in REQUIRED]
    if needed:
        name, others = lost[needed[0]], f", nor for {', '.join(needed[1:])}" if needed[1:] else ""
        raise BadInput(
            f"the rig has no bone '{name}', which {place} names for {needed[0]}{others}"
            f"{nearest(name, list(rest.names))}"
        )
    return [link for link in links if link.bone not in lost]


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


def _standard_toes(joints: Array) -> None:
    for side in SIDES:
        ankle, toes = joints[INDEX[f"{side}Foot"]], joints[INDEX[f"{side}Toes"]]
        ahead = unit((toes - ankle) * [1.0, 1.0, 0.0])
        standard = ankle * [1.0, 1.0, FOOT[1]] + FOOT[0] * _leg(joints, side) * ahead
        joints[INDEX[f"{side}Toes"]] = 0.5 * (toes + standard)


def _leg(joints: Array, side: str) -> float:
    """The length of thigh and shin."""
    hip, knee, ankle = (joints[INDEX[side + part]] for part in ("UpperLeg", "LowerLeg", "Foot"))
    return float(np.linalg.norm(knee - hip) + np.linalg.norm(ankle - knee))


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
    ankle, along = joints[INDEX[f"{side}Foot"]], (joints[INDEX[f"{side}Toes"]] - joints[INDEX[f"{side}Foot"]])
    own = float(np.linalg.norm(along[:2]))
    along = along / own * np.clip(FOOT[0] * _leg(joints, side), (1.0 - FOOT_SLACK) * own, (1.0 + FOOT_SLACK) * own)
    points = np.stack([ankle - HEEL_BEHIND_ANKLE * along, ankle + along, ankle + (1.0 + TIP_BEYOND_BALL) * along])
    points[:, 2] = 0.0
    return points


@dataclass(frozen=True)
class RigClip:
    """A clip in a rig's own terms, as Blender's pose bones take it: relative to the rest pose, in the bones' axes.

    names        R bones
    quaternions  (N, R, 4) as (w, x, y, z), without sign flips from frame to frame; (1, 0, 0, 0) for what is not
                 driven, which follows its parent
    root         index of the bone that is moved: the hips', or the control of the whole
    location     (N, 3) of that bone, metres
    driven       indices of the bones that are turned
    """

    names: tuple[str, ...]
    quaternions: Array
    root: int
    location: Array
    driven: tuple[int, ...]


def retarget(clip: Clip, fit: Fit, rest: RigRest) -> RigClip:
    """Write a clip of the canonical skeleton in a rig's bones."""
    world, places = fit.skeleton.pose(clip.rotations, clip.hips)
    moved = _moved(follow(world, places, fit), fit)
    basis = np.swapaxes(rest.rotations, -1, -2) @ _relative(moved, fit.drive.leads) @ rest.rotations
    root = fit.drive.root
    shift = _root_head(clip.hips, moved, fit, rest) - rest.heads[root]
    return RigClip(
        rest.names,
        _steady(to_quaternion(basis)),
        root,
        shift @ rest.rotations[root],
        tuple(bone for bone, _ in fit.drive.driven),
    )


def _moved(linked: Array, fit: Fit) -> Array:
    """World rotations (N, R, 3, 3) of the rig's bones relative to their rest pose."""
    leads = fit.drive.leads
    moved = np.broadcast_to(np.eye(3), (len(linked), len(leads), 3, 3)).copy()
    link = dict(fit.drive.driven)
    for bone in leaders_first(leads):
        if bone in link:
            moved[:, bone] = linked[:, link[bone]]
        elif leads[bone] >= 0:
            moved[:, bone] = moved[:, leads[bone]]
    return moved


def _root_head(hips: Array, moved: Array, fit: Fit, rest: RigRest) -> Array:
    """Where the root begins (N, 3) when the canonical hips, which the rig's hips bone carries, are at `hips` (N, 3)."""
    link = [link.bone for link in fit.links].index("hips")
    bone = next(bone for bone, follows in reversed(fit.drive.driven) if follows == link)
    offset = np.einsum("nij,j->ni", moved[:, bone], fit.hips - rest.heads[bone])
    while bone != fit.drive.root:
        lead = int(fit.drive.leads[bone])
        offset = offset + np.einsum("nij,j->ni", moved[:, lead], rest.heads[bone] - rest.heads[lead])
        bone = lead
    head: Array = hips - offset
    return head


def _relative(moved: Array, leads: NDArray[np.int32]) -> Array:
    """Each bone's rotation as the one that it moves with sees it, in world axes at rest."""
    lead = np.where((leads >= 0)[:, None, None], moved[:, leads], np.eye(3))
    relative: Array = np.swapaxes(lead, -1, -2) @ moved
    return relative


def _steady(quaternions: Array) -> Array:
    """The same rotations with each frame's quaternion on the side of the one before."""
    flips = np.where(np.sum(quaternions[1:] * quaternions[:-1], axis=-1) < 0.0, -1.0, 1.0)
    signs = np.cumprod(np.concatenate([np.ones((1, quaternions.shape[1])), flips]), axis=0)
    steady: Array = quaternions * signs[..., None]
    return steady
