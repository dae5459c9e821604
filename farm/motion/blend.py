"""Poses between two poses.

Joints are blended by their anatomical angles, whose limits no blend of two that keep to them can break; the hips, which
turn freely, go the shortest way round. Poses that are carried alike (the same feet planted, or both seated, or both in
the air) blend what carries them too, and are then put up anew, with their weight over their feet. Others are blended as
they stand on this body: the lowest part is as high as the blend of both says, so that what stood on the floor still
does, and feet that are planted in both stay planted.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from farm.motion.anatomy import rotations
from farm.motion.contact import Feet
from farm.motion.joint_angles import angles_of
from farm.motion.pose import Foot, Hand, PoseTemplate, Stance, hold, place_hands, plant, stand
from farm.motion.rotation import about, to_vector, unit
from farm.motion.settle import lowest_part
from farm.motion.skeleton import INDEX, SIDES, Skeleton

__all__ = ["between_poses"]

Array = NDArray[np.float64]
NUMBERS = ("knee", "forward", "left", "on_hands", "seat", "air")


def between_poses(skeleton: Skeleton, first: PoseTemplate, second: PoseTemplate, share: float) -> tuple[Array, Array]:
    """The hips' position (3,) and local rotations (B, 3, 3) at a share (0..1) of the way from one pose to another.

    Raises as `stand` does.
    """
    if share == 0.0:
        return stand(skeleton, first)
    if share == 1.0:
        return stand(skeleton, second)
    if _carried_alike(first.stance, second.stance):
        angles = _mixed_angles(first.angles, second.angles, share)
        stance = _mixed_stance(first.stance, second.stance, share)
        return stand(skeleton, PoseTemplate(angles, stance, f"{first.place} with {second.place}"))
    return _mix_posed(skeleton, first, second, share)


def _carried_alike(first: Stance, second: Stance) -> bool:
    same_kind = all((getattr(first, name) is None) == (getattr(second, name) is None) for name in ("seat", "air"))
    limbs = np.array_equal(first.bears, second.bears) and np.array_equal(first.lays, second.lays)
    return same_kind and limbs and first.rest is None and second.rest is None


def _mixed_angles(first: Array, second: Array, share: float) -> Array:
    """Angles (B, SLOTS) in degrees between two postures."""
    mixed = (1.0 - share) * first + share * second
    hips = INDEX["hips"]
    before, after = (rotations(angles)[hips] for angles in (first, second))
    turn = share * to_vector(before.T @ after)
    local = rotations(mixed)
    local[hips] = before @ about(unit(turn), np.linalg.norm(turn))
    mixed[hips] = angles_of(local)[hips]
    return mixed


def _mixed_stance(first: Stance, second: Stance, share: float) -> Stance:
    update: dict[str, object] = {
        name: _mixed(getattr(first, name), getattr(second, name), share)
        for name in NUMBERS
        if getattr(first, name) is not None
    }
    for group in ("feet", "hands"):
        parts = {
            side: _mixed_part(getattr(getattr(first, group), side), getattr(getattr(second, group), side), share)
            for side in SIDES
        }
        update[group] = getattr(first, group).model_copy(update=parts)
    return first.model_copy(update=update)


def _mixed_part(first: Foot | Hand | None, second: Foot | Hand | None, share: float) -> Foot | Hand | None:
    if first is None or second is None:
        return None
    update = {name: _mixed(getattr(first, name), getattr(second, name), share) for name in type(first).model_fields}
    return first.model_copy(update=update)


def _mixed(first: float, second: float, share: float) -> float:
    return (1.0 - share) * first + share * second


def _mix_posed(skeleton: Skeleton, first: PoseTemplate, second: PoseTemplate, share: float) -> tuple[Array, Array]:
    stood = [stand(skeleton, template) for template in (first, second)]
    local = rotations(_mixed_angles(angles_of(stood[0][1]), angles_of(stood[1][1]), share))
    heights = [lowest_part(skeleton, posed, hips) for hips, posed in stood]
    hips = (1.0 - share) * stood[0][0] + share * stood[1][0]
    hips[2] += _mixed(heights[0], heights[1], share) - lowest_part(skeleton, local, hips)
    feet = _mixed_feet(plant(skeleton, first.stance), plant(skeleton, second.stance), share)
    both = first.stance.bears & second.stance.bears
    return hips, hold(skeleton, local, hips, feet, place_hands(skeleton, Stance()), bears=both)


def _mixed_feet(first: Feet, second: Feet, share: float) -> Feet:
    place, turn, heel = (
        (1.0 - share) * getattr(first, name) + share * getattr(second, name) for name in ("place", "turn", "heel")
    )
    return Feet(place=place, turn=turn, heel=heel, grip=np.ones(2))
