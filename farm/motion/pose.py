"""Poses: templates of them, and how they stand, sit, lie or fly on a body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from farm.errors import TemplateError
from farm.motion.anatomy import mirror_angles, read_bones, rotations
from farm.motion.contact import OUTWARD, Feet, balance, hips_height, solve_legs, support
from farm.motion.flesh import CAPSULES, surface_points
from farm.motion.hands import Hands, solve_arms
from farm.motion.mass import centre_of_mass
from farm.motion.settle import let_down, settle
from farm.motion.skeleton import INDEX, SIDES, Skeleton
from farm.recipe import templates
from farm.recipe.templates import Part

__all__ = ["LEG_BONES", "Foot", "Hand", "PoseTemplate", "Stance", "load_pose", "place_hands", "plant", "stand"]

Array = NDArray[np.float64]
Side = Literal["left", "right"]
BALL: Final = 1
TOLERANCE: Final = 1e-3
"""How far from its place a foot or hand may be, metres."""
BALANCE_STEPS: Final = 40
SEATED_ON: Final = tuple(
    2 * index + end for index, capsule in enumerate(CAPSULES) for end in range(2) if capsule.name.endswith("Buttock")
)
"""Which of `surface_points` are on a seat."""


def _limb(group: str) -> str:
    return group.replace("Hand", "Arm").replace("Thigh", "Leg").replace("Shin", "Leg")


LIMBS: Final = (
    *(_limb(capsule.group) for capsule in CAPSULES for _ in range(2)),
    *(f"{side}Leg" for side in SIDES for _ in range(3)),
)
"""The limb that each of `surface_points` belongs to."""
LEG_BONES: Final = ("UpperLeg", "LowerLeg", "Foot", "Toes")


class Foot(Part):
    """Where a foot stands: leg lengths from under its hip joint, `up` above the floor; angles in degrees."""

    ahead: float = Field(default=0.0, ge=-1, le=1)
    out: float = Field(default=0.0, ge=-0.5, le=1)
    up: float = Field(default=0.0, ge=0, le=1)
    turn: float = Field(default=7.0, ge=-30, le=60)
    heel: float = Field(default=0.0, ge=-40, le=70)


class Hand(Part):
    """Where a palm lies: leg lengths from under its shoulder in the T-pose, `up` above the floor; degrees inward."""

    ahead: float = Field(default=0.0, ge=-2, le=2)
    out: float = Field(default=0.0, ge=-0.5, le=1)
    up: float = Field(default=0.0, ge=0, le=3)
    turn: float = Field(default=0.0, ge=-90, le=90)


class _Feet(Part):
    left: Foot = Foot()
    right: Foot = Foot()


class _Hands(Part):
    left: Hand | None = None
    right: Hand | None = None


class Stance(Part):
    """What carries the body.

    knee      bend of the straighter knee, degrees: it sets the height of the hips
    forward   where the weight is along the feet, from 0 over the heels to 1 over the balls
    left      the left foot's share of the weight
    on_hands  the laid hands' share of the weight
    contact   the feet that stand; the joints of the other leg are posed by their angles
    rest      `body`: on what is lowest, rolled until it lies still, or steadied by the feet and hands that are planted
    seat      height of a seat in leg lengths, on which the body sits
    air       clearance of the lowest part in leg lengths: in the air, or as it is on the floor; no foot stands
    """

    knee: float = Field(default=5.0, ge=3, le=140)
    forward: float = Field(default=0.5, ge=-4, le=5)
    left: float = Field(default=0.5, ge=0, le=1)
    on_hands: float = Field(default=0.0, ge=0, le=1)
    feet: _Feet = _Feet()
    hands: _Hands = _Hands()
    contact: tuple[Side, ...] | None = None
    rest: Literal["body"] | None = None
    seat: float | None = Field(default=None, gt=0, le=1.5)
    air: float | None = Field(default=None, ge=0, le=2)

    @model_validator(mode="after")
    def _carried_once(self) -> Stance:
        lone = [name for name in ("rest", "seat", "air") if getattr(self, name) is not None]
        if len(lone) > 1:
            raise ValueError(f"{' and '.join(lone)} exclude each other; keep one")
        if self.air is not None and (self.contact or self.lays.any()):
            raise ValueError("no foot or hand is planted in the air; leave out contact and hands")
        if not lone and self.contact == ():
            raise ValueError("contact: name the feet that stand, or give rest, seat or air")
        return self

    @property
    def bears(self) -> NDArray[np.bool_]:
        """Which feet stand (2,), for SIDES."""
        alone = self.rest is not None or self.air is not None
        contact = self.contact if self.contact is not None else () if alone else SIDES
        return np.array([side in contact for side in SIDES])

    @property
    def lays(self) -> NDArray[np.bool_]:
        """Which hands are laid (2,), for SIDES."""
        return np.array([getattr(self.hands, side) is not None for side in SIDES])

    def mirrored(self) -> Stance:
        """Left and right swapped."""
        other = {"left": "right", "right": "left"}
        return self.model_copy(
            update={
                "feet": _Feet(left=self.feet.right, right=self.feet.left),
                "hands": _Hands(left=self.hands.right, right=self.hands.left),
                "left": 1.0 - self.left,
                "contact": None if self.contact is None else tuple(other[side] for side in self.contact),
            }
        )


class _File(Stance):
    description: str
    bones: dict[str, Any]


@dataclass(frozen=True)
class PoseTemplate:
    """A pose for any body: its angles (B, SLOTS) in degrees and its stance; `place` is what messages call it."""

    angles: Array
    stance: Stance
    place: str = "the pose"

    def mirrored(self) -> PoseTemplate:
        """Left and right swapped."""
        return PoseTemplate(mirror_angles(self.angles), self.stance.mirrored(), self.place)


def load_pose(name: str) -> PoseTemplate:
    """The template of a pose; TemplateError where it is missing or wrong."""
    data, place = templates.read(_File, "poses", name), templates.place("poses", name)
    return PoseTemplate(read_bones(data.bones, f"{place}: bones"), data, place)


def plant(skeleton: Skeleton, stance: Stance) -> Feet:
    """The feet () of a stance on the floor."""
    feet = [getattr(stance.feet, side) for side in SIDES]
    place = skeleton.soles[:, BALL].copy()
    place[:, 0] += [foot.out * sign * skeleton.leg for foot, sign in zip(feet, OUTWARD, strict=True)]
    place[:, 1] -= [foot.ahead * skeleton.leg for foot in feet]
    place[:, 2] += [foot.up * skeleton.leg for foot in feet]
    turn, heel = np.radians([[foot.turn for foot in feet], [foot.heel for foot in feet]])
    return Feet(place=place, turn=turn, heel=heel, grip=np.ones(2))


def place_hands(skeleton: Skeleton, stance: Stance) -> Hands:
    """The hands of a stance."""
    hands = [getattr(stance.hands, side) or Hand() for side in SIDES]
    place = np.stack([skeleton.joint(f"{side}UpperArm") * [1.0, 1.0, 0.0] for side in SIDES])
    place += skeleton.leg * np.array([[h.out * s, -h.ahead, h.up] for h, s in zip(hands, OUTWARD, strict=True)])
    return Hands(place=place, turn=np.radians([hand.turn for hand in hands]), laid=stance.lays)


def stand(skeleton: Skeleton, template: PoseTemplate) -> tuple[Array, Array]:
    """The hips' position (3,) and local rotations (B, 3, 3) of a pose.

    On feet, the centre of mass is over the stance's support, seen from above, and the hips are as high as its knees
    say. TemplateError where feet or hands are out of reach, or a resting body rolls over.
    """
    stance, local = template.stance, rotations(template.angles)
    if stance.rest is not None and not (stance.bears.any() or stance.lays.any()):
        try:
            local = settle(skeleton, local)
        except TemplateError as error:
            raise TemplateError(f"{template.place}: {error}") from None
        return let_down(skeleton, local), local
    if stance.air is not None:
        return let_down(skeleton, local, clearance=stance.air * skeleton.leg), local
    feet, hands = plant(skeleton, stance), place_hands(skeleton, stance)
    if stance.seat is not None or stance.rest is not None:
        hips = skeleton.joint("hips").copy()
        hips[2] = (stance.seat or 0.0) * skeleton.leg - _underneath(skeleton, local, stance)
    elif stance.bears.all() and not stance.lays.any():
        over = support(skeleton, feet, forward=np.array(stance.forward), left=np.array(stance.left))
        hips = balance(skeleton, local, feet, np.array([*over, 0.0]), knee=np.radians(stance.knee))
    else:
        hips = _balance(skeleton, local, stance, feet, hands)
    local = hold(skeleton, local, hips, feet, hands, bears=stance.bears)
    _check_reach(skeleton, local, hips, feet, hands, template)
    return hips, local


def _underneath(skeleton: Skeleton, local: Array, stance: Stance) -> float:
    """The height of the lowest part that rests on seat or floor, with the hips at the origin."""
    points = surface_points(skeleton, *skeleton.pose(local, np.zeros(3)))
    if stance.seat is not None:
        return float(points[list(SEATED_ON), 2].min())
    planted = [f"{side}Arm" for side, lays in zip(SIDES, stance.lays, strict=True) if lays]
    planted += [f"{side}Leg" for side, bears in zip(SIDES, stance.bears, strict=True) if bears]
    return float(points[[limb not in planted for limb in LIMBS], 2].min())


def hold(skeleton: Skeleton, local: Array, hips: Array, feet: Feet, hands: Hands, *, bears: NDArray[np.bool_]) -> Array:
    """Local rotations (B, 3, 3) with the legs that bear at the feet, and the laid hands in place."""
    solved = local.copy()
    if bears.any():
        with_legs = solve_legs(skeleton, local, hips, feet)
        for side, bear in zip(SIDES, bears, strict=True):
            legs = [INDEX[side + bone] for bone in LEG_BONES] if bear else []
            solved[legs] = with_legs[legs]
    return solve_arms(skeleton, solved, hips, hands) if hands.laid.any() else solved


def _balance(skeleton: Skeleton, local: Array, stance: Stance, feet: Feet, hands: Hands) -> Array:
    """The hips' position (3,) over one foot, or over feet and hands, as `contact.balance` finds it over two feet."""
    bears, pelvis, knee = stance.bears, local[INDEX["hips"]], np.radians(stance.knee)
    left = np.array(stance.left if bears.all() else float(bears[0]))
    over = support(skeleton, feet, forward=np.array(stance.forward), left=left)
    if hands.laid.any():
        over = over + stance.on_hands * (hands.place[hands.laid, :2].mean(axis=0) - over)
    hips = np.array([*over, 0.0])
    for _ in range(BALANCE_STEPS):
        hips[2] = hips_height(skeleton, pelvis, hips[:2], feet, knee, bearing=bears.astype(np.float64))
        _, places = skeleton.pose(hold(skeleton, local, hips, feet, hands, bears=bears), hips)
        hips[:2] += over - centre_of_mass(places)[:2]
    return hips


def _check_reach(
    skeleton: Skeleton, local: Array, hips: Array, feet: Feet, hands: Hands, template: PoseTemplate
) -> None:
    _, places = skeleton.pose(local, hips)
    bears = template.stance.bears
    ankles = places[[INDEX[f"{side}Foot"] for side in SIDES]]
    if bears.any() and np.abs(ankles - feet.ankles(skeleton))[bears].max() > TOLERANCE:
        raise TemplateError(f"{template.place}: the legs do not reach the feet; bring those nearer")
    wrists = places[[INDEX[f"{side}Hand"] for side in SIDES]]
    if hands.laid.any() and np.abs(wrists - hands.wrists(skeleton))[hands.laid].max() > TOLERANCE:
        raise TemplateError(f"{template.place}: the arms do not reach the hands; bring those nearer")
