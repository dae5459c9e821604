"""The trunk of any rig where the canonical one is: rigs of one body place its joints differently.

The joints of spine, chest and neck and the collarbones' are not seen on a body, and each rig puts them elsewhere along
it, up to a tenth of the trunk. If each took its bone's rotation only, a pose would bring the shoulders to other places
on each rig, and the hands with them. So the canonical joints lie at standard places, and a rig's lower spine, neck and
collarbones lean, by as little as brings chest, head and shoulders where the canonical skeleton has them. All other
bones, the topmost of the spine among them, turn as it says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.motion.fit import Fit
from farm.motion.rotation import about, between, swing_twist, unit
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
COLLAR: Final = (0.37, 0.063)
"""A collarbone begins at this share of the way out to its shoulder's joint, and this far above it in trunk lengths."""
LEAST_LEVER: Final = 0.1
"""A lower spine that is shorter than this, in trunk lengths, does not lean."""
UNDO_STEPS: Final = 24


def standard_joints(joints: Array, present: frozenset[str], bones: Sequence[str]) -> None:
    """Move the joints (B, 3) of the trunk at rest to their standard places.

    What no lean can reach is shared between the rig's agreement with its canonical skeleton and that of rigs with one
    another: spine and chest come half the way to or fro, and neck and collarbones half the way altogether.
    `bones` names the canonical bone of each of the rig's; a trunk of one bone cannot lean, so its joint stays.
    """
    hips, head = joints[INDEX["hips"]], joints[INDEX["head"]]
    shoulders = _shoulders(joints)
    up = np.array([0.0, 0.0, np.linalg.norm(shoulders - hips)])
    back = np.array([0.0, up[2], 0.0])
    if sum(bone in TRUNK for bone in bones) > 1:
        for bone in TRUNK:
            measured = joints[INDEX[bone], 1]
            joints[INDEX[bone]] = hips + RISE[bone] * (shoulders - hips) + BACK[bone] * back
            if bone in present:
                joints[INDEX[bone], 1] = 0.5 * (joints[INDEX[bone], 1] + measured)
    if "neck" in present:
        standard = shoulders + NECK[0] * (head - shoulders) + NECK[1] * back
        joints[INDEX["neck"]] = 0.5 * (joints[INDEX["neck"]] + standard)
    for side in SIDES:
        if f"{side}Shoulder" in present:
            out = COLLAR[0] * (joints[INDEX[f"{side}UpperArm"]] - shoulders)
            standard = shoulders + out + COLLAR[1] * up
            joints[INDEX[f"{side}Shoulder"]] = 0.5 * (joints[INDEX[f"{side}Shoulder"]] + standard)


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
    sunk = fit.skeleton.joint("hips") - fit.hips
    top = _lean_trunk(moved, world, places, fit, sunk)
    chest = _links(fit, TRUNK)[-1]
    for bone, end in (("neck", "head"), *((f"{side}Shoulder", f"{side}UpperArm") for side in SIDES)):
        chain = _links(fit, (bone,))
        if chain:
            start = top + _turned(moved[:, chest], fit.heads[chain[0]] - fit.heads[chest])
            last = fit.skeleton.joint(end) - sunk
            _aim(moved, chain, start, np.concatenate([fit.heads[chain], last[None]]), places[:, INDEX[end]])
    return moved


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


def _lean_trunk(moved: Array, world: Array, places: Array, fit: Fit, sunk: Array) -> Array:
    """Lean all but the topmost of the trunk's bones; returns where that one begins (N, 3)."""
    chain = _links(fit, TRUNK)
    heads = fit.heads[chain]
    start = places[:, INDEX["hips"]] + _turned(world[:, INDEX["hips"]], heads[0] - fit.hips)
    if len(chain) == 1:
        return start
    upper, middle = INDEX["upperChest"], _shoulders(fit.skeleton.joints)
    wanted = places[:, upper] + _turned(world[:, upper], middle - fit.skeleton.joints[upper])
    wanted = wanted - _turned(moved[:, chain[-1]], middle - sunk - heads[-1])
    lower = chain[:-1]
    if np.linalg.norm(heads[-1] - heads[0]) > LEAST_LEVER * np.linalg.norm(middle - fit.skeleton.joint("hips")):
        _aim(moved, lower, start, heads, wanted)
    reached: Array = start + _walk(moved, lower, heads)[:, -1]
    return reached


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
        for bone in (*TRUNK, "neck", *(f"{side}Shoulder" for side in SIDES)):
            chain, index = _links(fit, (bone,)), INDEX[bone]
            if chain:
                asked = world[:, index] @ fit.alignment[index]
                turn = asked @ np.swapaxes(moved[:, chain[-1]], -1, -2)
                found[:, index : fit.turns[index] + 1] = (turn @ found[:, fit.turns[index]])[:, None]
    return found
