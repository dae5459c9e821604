"""Shoulders, hands and head of any rig where the canonical ones are: rigs of one body place their joints differently.

The joints of spine, chest and neck and the collarbones' are not seen on a body, and each rig puts them elsewhere along
it, up to a tenth of the trunk. If each took its bone's rotation only, a pose would bring the shoulders to other places
on each rig, and the hands with them. So the canonical joints lie at standard places, and a rig's lower spine, neck,
collarbones and arms lean, by as little as points the chest, the head, the shoulders, elbows and wrists to where the
canonical skeleton has them, and the chest tilts, mostly by less than a degree, where a longer or shorter neck needs
that. All other bones, head and hands among them, turn as it says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.motion.fit import Fit
from farm.motion.rotation import about, between, swing_twist, to_vector, unit
from farm.motion.skeleton import INDEX, PARENTS, SIDES, axis_at_rest

__all__ = ["before_follow", "follow", "standard_joints"]

Array = NDArray[np.float64]

TRUNK: Final = ("spine", "chest", "upperChest")
RISE: Final = {"spine": 0.121, "chest": 0.333, "upperChest": 0.628}
"""How far up from the hip joints to the shoulders' these lie, on the base mesh's default rig."""
BACK: Final = {"spine": 0.038, "chest": 0.048, "upperChest": 0.064}
"""How far behind the line between them, in lengths of that line."""
NECK: Final = (0.63, 0.042)
"""The neck begins at this share of the way from the shoulders' joints to the head's, and this far behind it in trunk
lengths."""
HEAD: Final = (0.418, -0.05)
"""The skull turns this far above the shoulders' joints and this far behind them, in trunk lengths."""
COLLAR: Final = (0.37, 0.063)
"""A collarbone begins at this share of the way out to its shoulder's joint, and this far above it in trunk lengths."""
LEANING: Final = (*TRUNK, "neck", *(side + part for side in SIDES for part in ("Shoulder", "UpperArm", "LowerArm")))
LEAST_LEVER: Final = 0.1
"""A lower spine that is shorter than this, in trunk lengths, does not lean."""
UNDO_STEPS: Final = 24
UNDO_SHARE: Final = 0.6
"""A step takes this share of what is missing, for a short neck answers with up to twice as much."""


def standard_joints(joints: Array, present: frozenset[str], bones: Sequence[str]) -> Array:
    """Move the joints (B, 3) of the trunk at rest to their standard places; returns the skull's (3,).

    The neck comes half the way: nearer to where it is on other rigs, more than one of its turns would look the same on
    this one. A trunk of one bone cannot lean, so its joint stays. The skull's is where a body's is, wherever a rig has
    the joint of its head. `bones` names the canonical bone of each of the rig's.
    """
    hips = joints[INDEX["hips"]]
    shoulders = _shoulders(joints)
    length = float(np.linalg.norm(shoulders - hips))
    up, back = np.array([0.0, 0.0, length]), np.array([0.0, length, 0.0])
    if sum(bone in TRUNK for bone in bones) > 1:
        for bone in TRUNK:
            joints[INDEX[bone]] = hips + RISE[bone] * (shoulders - hips) + BACK[bone] * back
    skull: Array = shoulders + HEAD[0] * up + HEAD[1] * back
    if "neck" in present:
        standard = shoulders + NECK[0] * (skull - shoulders) + NECK[1] * back
        joints[INDEX["neck"]] = 0.5 * (joints[INDEX["neck"]] + standard)
    for side in SIDES:
        if f"{side}Shoulder" in present:
            out = COLLAR[0] * (joints[INDEX[f"{side}UpperArm"]] - shoulders)
            joints[INDEX[f"{side}Shoulder"]] = shoulders + out + COLLAR[1] * up
    return skull


def _shoulders(joints: Array) -> Array:
    """Midway between the shoulders' joints, of joints (..., B, 3)."""
    middle: Array = 0.5 * (joints[..., INDEX["leftUpperArm"], :] + joints[..., INDEX["rightUpperArm"], :])
    return middle


def _turned(rotation: Array, vector: Array) -> Array:
    product: Array = (rotation @ np.asarray(vector)[..., None])[..., 0]
    return product


def follow(world: Array, places: Array, fit: Fit) -> Array:
    """Rotations (N, L, 3, 3) of the links' bones from the rig's rest pose.

    world   (N, B, 3, 3) and places (N, B, 3) of the canonical skeleton, as `Skeleton.pose` returns them
    """
    moved = _as_linked(world, fit)
    chest = _links(fit, TRUNK)[-1]
    reaches = _reaches(world, places, fit)
    top = _lean_trunk(moved, world, places, reaches[0][1][0], fit)
    for bones, targets in reaches:
        place, carrier, from_ = top, chest, fit.heads[chest]
        for bone, target in zip(bones[:-1], targets, strict=True):
            chain, end = _links(fit, (bone,)), fit.heads[_links(fit, (bones[bones.index(bone) + 1],))[0]]
            if not chain:
                continue
            start = place + _turned(moved[:, carrier], fit.heads[chain[0]] - from_)
            heads = np.concatenate([fit.heads[chain], end[None]])
            _aim(moved, chain, start, heads, target)
            place, carrier, from_ = start + _walk(moved, chain, heads)[:, -1], chain[-1], end
    return moved


def _reaches(world: Array, places: Array, fit: Fit) -> list[tuple[tuple[str, ...], list[Array]]]:
    """Chains of canonical bones that hang on the chest, and where the next of each begins (N, 3)."""
    neck, head, skull = INDEX["neck"], INDEX["head"], fit.skull
    lifted = places[:, neck] + _turned(world[:, neck], skull - fit.skeleton.joint("neck"))
    pose = lifted - _turned(world[:, head], skull - fit.skeleton.joint("head"))
    arms = [tuple(f"{side}{part}" for part in ("Shoulder", "UpperArm", "LowerArm", "Hand")) for side in SIDES]
    return [(("neck", "head"), [pose]), *((arm, [places[:, INDEX[bone]] for bone in arm[1:]]) for arm in arms)]


def _as_linked(world: Array, fit: Fit) -> Array:
    """Rotations (N, L, 3, 3) of the links' bones as their shares say."""
    moved = np.empty((len(world), len(fit.links), 3, 3))
    split: dict[str, tuple[Array, Array]] = {}
    for place, link in enumerate(fit.links):
        bone, above = INDEX[link.bone], PARENTS[link.bone]
        turned = world[:, fit.turns[bone]]
        if link.swing == link.twist == 1.0:
            moved[:, place] = turned @ fit.alignment[bone]
            continue
        base = world[:, INDEX[above]] if above else np.broadcast_to(np.eye(3), turned.shape)
        axis = axis_at_rest(link.bone)
        if link.bone not in split:
            split[link.bone] = swing_twist(np.swapaxes(base, -1, -2) @ turned, axis)
        swing, twist = split[link.bone]
        part = _from_vector(swing * link.swing) @ about(axis, twist * link.twist)
        moved[:, place] = base @ part @ fit.alignment[bone]
    return moved


def _from_vector(vector: Array) -> Array:
    return about(unit(vector), np.linalg.norm(vector, axis=-1))


def _links(fit: Fit, bones: Sequence[str]) -> list[int]:
    return [place for place, link in enumerate(fit.links) if link.bone in bones]


def _walk(moved: Array, chain: Sequence[int], heads: Array) -> Array:
    """From where a chain begins to each of its further joints (N, C, 3); `heads` (C + 1, 3) includes its end's."""
    steps = np.stack([_turned(moved[:, link], heads[i + 1] - heads[i]) for i, link in enumerate(chain)], axis=1)
    walked: Array = np.cumsum(steps, axis=1)
    return walked


def _lean_trunk(moved: Array, world: Array, places: Array, head: Array, fit: Fit) -> Array:
    """Lean all but the topmost of the trunk's bones; returns where that one begins (N, 3).

    They bring the shoulders to where the canonical skeleton has them, and the neck nearer to where it reaches to the
    head's joint at `head` (N, 3): what this takes from the shoulders, their collarbones give back.
    """
    chain, sunk = _links(fit, TRUNK), fit.skeleton.joint("hips") - fit.hips
    heads = fit.heads[chain]
    start = places[:, INDEX["hips"]] + _turned(world[:, INDEX["hips"]], heads[0] - fit.hips)
    if len(chain) == 1:
        return start
    upper, middle = INDEX["upperChest"], _shoulders(fit.skeleton.joints)
    wanted = places[:, upper] + _turned(world[:, upper], middle - fit.skeleton.joints[upper])
    wanted = wanted - _turned(moved[:, chain[-1]], middle - sunk - heads[-1])
    lower = chain[:-1]
    reached: Array = start + _walk(moved, lower, heads)[:, -1]
    if np.linalg.norm(heads[-1] - heads[0]) < LEAST_LEVER * np.linalg.norm(middle - fit.skeleton.joint("hips")):
        return reached
    _aim(moved, lower, start, heads, wanted)
    reached = start + _walk(moved, lower, heads)[:, -1]
    neck = _links(fit, ("neck",))
    if not neck or not all(_links(fit, (f"{side}Shoulder",)) for side in SIDES):
        return reached
    _aim(moved, lower, start, heads, reached + _lacking(moved, reached, chain[-1], head, fit))
    reached = start + _walk(moved, lower, heads)[:, -1]
    _tilt(moved, chain[-1], fit.heads[neck[0]] - heads[-1], _lacking(moved, reached, chain[-1], head, fit))
    return reached


def _lacking(moved: Array, top: Array, chest: int, head: Array, fit: Fit) -> Array:
    """By how much (N, 3) the neck on a chest that begins at `top` (N, 3) falls short of `head` (N, 3)."""
    chain = _links(fit, ("neck",))
    heads = fit.heads[[*chain, *_links(fit, ("head",))[:1]]]
    span = head - top - _turned(moved[:, chest], heads[0] - fit.heads[chest])
    length = np.linalg.norm(_walk(moved, chain, heads)[:, -1], axis=-1)
    lacking: Array = span * (1.0 - length / np.linalg.norm(span, axis=-1))[:, None]
    return lacking


def _tilt(moved: Array, link: int, lever: Array, shift: Array) -> None:
    """Turn a link's bone so that the end of a lever (3,), as it lies at rest, goes towards `shift` (N, 3)."""
    arm = _turned(moved[:, link], lever)
    moved[:, link] = between(arm, arm + shift) @ moved[:, link]


def _aim(moved: Array, chain: Sequence[int], start: Array, heads: Array, target: Array) -> None:
    """Swing a chain that begins at `start` (N, 3) about that, so that its end points to `target` (N, 3)."""
    end = _walk(moved, chain, heads)[:, -1]
    moved[:, chain] = between(end, target - start)[:, None] @ moved[:, chain]


def before_follow(world: Array, hips: Array, fit: Fit) -> Array:
    """The inverse of `follow`: the canonical rotations (N, B, 3, 3) that lead to those of a rig.

    world  (N, B, 3, 3) what the rig's bones show, each canonical bone's as the last of its links has it; a bone that
           the rig lacks turns with its parent
    hips   (N, 3) where the hips are

    A fixed point: a lean is a share of the bend that causes it, so each step leaves a share of the error.
    """
    found = world.copy()
    for _ in range(UNDO_STEPS):
        moved = follow(found, fit.skeleton.places(found, hips), fit)
        for bone in LEANING:
            chain, index = _links(fit, (bone,)), INDEX[bone]
            if chain:
                asked = world[:, index] @ fit.alignment[index]
                turn = _from_vector(UNDO_SHARE * to_vector(asked @ np.swapaxes(moved[:, chain[-1]], -1, -2)))
                found[:, index : fit.turns[index] + 1] = (turn @ found[:, fit.turns[index]])[:, None]
    return found
