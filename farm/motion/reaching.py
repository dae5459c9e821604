"""Hands and feet brought to where they should be, by the least turn of the limb."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.motion.clip import Clip
from farm.motion.contact import two_bone
from farm.motion.rotation import between, unit
from farm.motion.skeleton import INDEX, SIDES, Skeleton

__all__ = ["ARM", "LEG_BONES", "follow_limbs", "limb_length", "reach"]

Array = NDArray[np.float64]

ARM: Final = ("UpperArm", "LowerArm", "Hand")
LEG_BONES: Final = ("UpperLeg", "LowerLeg", "Foot")
OUT: Final = {ARM: np.array([0.0, 1.0, 0.0]), LEG_BONES: np.array([0.0, -1.0, 0.0])}
"""Where elbow and knee point in the T-pose when they bend."""
STRAIGHT: Final = 0.05
"""Up to this bend, in lengths of the limb, its joint's direction is more that of OUT than where the joint is."""

WIDER: Final = 0.3
"""How much of the hips' width goes into the stance: with none, wide hips stand with the feet drawn in."""


def limb_length(skeleton: Skeleton, side: str, bones: tuple[str, str, str]) -> tuple[float, float]:
    """The lengths of a limb's two bones, metres."""
    first, second, end = (side + bone for bone in bones)
    return skeleton.length(first, second), skeleton.length(second, end)


def reach(
    skeleton: Skeleton, clip: Clip, side: str, bones: tuple[str, str, str], target: Array, end: Array | None = None
) -> Clip:
    """The clip with one limb's end at `target` (N, 3), or as near as the limb can reach.

    end  (N, 3, 3) the world rotation of the limb's last bone; None leaves it as it is
    """
    turned, places = skeleton.pose(clip.rotations, clip.hips)
    upper, lower, last = (INDEX[side + bone] for bone in bones)
    start, joint, old = places[:, upper], places[:, lower], places[:, last]
    lengths = limb_length(skeleton, side, bones)
    pole = _pole(start, joint, old, turned[:, upper] @ OUT[bones], sum(lengths))
    first, second, _ = two_bone(start, target, pole, (np.array(lengths[0]), np.array(lengths[1])))
    turn = between(joint - start, first)
    fore = between((turn @ (old - joint)[..., None])[..., 0], second) @ turn
    worlds = (turn @ turned[:, upper], fore @ turned[:, lower], turned[:, last] if end is None else end)
    local = clip.rotations.copy()
    above = np.swapaxes(turned[:, upper] @ np.swapaxes(local[:, upper], -1, -2), -1, -2)
    for bone, world in zip((upper, lower, last), worlds, strict=True):
        local[:, bone] = above @ world
        above = np.swapaxes(world, -1, -2)
    return Clip(clip.hips, local)


def _pole(start: Array, joint: Array, end: Array, out: Array, length: float) -> Array:
    """Where a limb's middle joint points (N, 3): to where it is, and in a straight limb where it would bend to."""
    along = unit(end - start)
    bulge = joint - start - np.sum((joint - start) * along, axis=-1, keepdims=True) * along
    level = unit(out - np.sum(out * along, axis=-1, keepdims=True) * along)
    pole: Array = bulge + STRAIGHT * length * level
    return pole


def follow_limbs(skeleton: Skeleton, clip: Clip, performer: Skeleton, performed: Clip) -> Clip:
    """A clip with hands and feet where the performer's are, by the ratios of the limbs.

    Hands are so from the shoulder joints, feet from the middle of the hips, but for some of what the double's hips are
    wider by than the performer's, the legs being what is scaled.
    """
    _, shown = performer.pose(performed.rotations, performed.hips)
    ratio = skeleton.leg / performer.leg
    for side in SIDES:
        turned, places = skeleton.pose(clip.rotations, clip.hips)
        shoulder, hand = INDEX[f"{side}UpperArm"], INDEX[f"{side}Hand"]
        longer = sum(limb_length(skeleton, side, ARM)) / sum(limb_length(performer, side, ARM))
        clip = reach(skeleton, clip, side, ARM, places[:, shoulder] + longer * (shown[:, hand] - shown[:, shoulder]))
        wider = _hip_joint(skeleton, side) - ratio * _hip_joint(performer, side)
        foot = clip.hips + ratio * (shown[:, INDEX[f"{side}Foot"]] - performed.hips)
        clip = reach(skeleton, clip, side, LEG_BONES, foot + WIDER * turned[:, INDEX["hips"]] @ wider)
    return clip


def _hip_joint(skeleton: Skeleton, side: str) -> Array:
    """From between the hip joints to one of them (3,), along the body's left."""
    offset: Array = (skeleton.joint(f"{side}UpperLeg") - skeleton.joint("hips")) * [1.0, 0.0, 0.0]
    return offset
