"""A stunt's keys laid out in the world for one body: postures, footholds, and where the centre of mass is.

Keys are laid out one after the other. What depends on how fast the body flies or how far it rolls is taken from a
`Guess`, which `farm.motion.stunt.plan` improves until it no longer changes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.motion.anatomy import ANGLES, read_bones, rotations
from farm.motion.arms import PALM_THICK, Wanted, arm_angles, closer, set_arms, with_arms
from farm.motion.contact import OUTWARD, Feet, hips_height, support
from farm.motion.flesh import lowest, stature
from farm.motion.joint_angles import angles_of
from farm.motion.limbs import Grips, hold, palm_rotation
from farm.motion.mass import centre_of_mass
from farm.motion.pose import LEG_BONES, PoseTemplate, plant, stand
from farm.motion.rotation import about
from farm.motion.skeleton import INDEX, SIDES, Skeleton
from farm.motion.stunt.template import Foothold, Handhold, Key, Move

__all__ = ["Entry", "Guess", "Laid", "Scale", "displacement", "lay_out", "root_rotation"]

Array = NDArray[np.float64]
BALL: Final = 1
LIMBS: Final = ("left", "right", "leftHand", "rightHand")
ROUNDS: Final = 12
ENOUGH: Final = 1e-4
"""Metres: the weight is over its support when it is off by less."""
HALF: Final = 0.5
"""Turns beyond which a key counts all rotations of the stunt, before which none but its own share."""
PALM_MIDDLE: Final = 0.6
"""Where the palm's middle lies on the way from the wrist to the first knuckle."""
X, Y, Z = np.eye(3)
ELBOW_ROUNDS: Final = 30
"""Steps in which arms come to where hands lie, without a guess."""
EASY: Final = 0.5
"""Radians: how easily arms' angles change in such a step."""
STILL: Final = 1e-3
"""Radians: arms that move by less have come there."""
ELBOWS: Final = np.radians(
    [
        [0, 0, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 40, 30, 0, 0, 0],
        [0, 0, 0, 0, -40, 30, 0, 0, 0],
        [0, 0, 0, -40, 0, 40, 0, 0, 0],
        [0, 0, 40, 0, 0, 40, 0, 0, 0],
        [0, 0, 0, -40, -60, 40, 40, 0, 0],
    ]
)
"""Radians by which arms' angles differ where it is begun to lay hands: turns of upper arm and elbow."""


@dataclass(frozen=True)
class Scale:
    """What the stunt's parameters come to: metres, turns, shares."""

    height: float
    distance: float
    rotations: int
    effort: float


@dataclass(frozen=True)
class Entry:
    """A key of a template, or a pose at the beginning or end (`pose`), with where it stands in the files."""

    key: Key
    place: str
    scale: Scale
    pose: PoseTemplate | None = None


@dataclass
class Guess:
    """What the layout of keys takes from an earlier round, by key.

    ahead  (2,) how far the weight is before its support around a flight
    moved  (2,) how far the centre of mass has rolled since the key before
    hips   (3,) where the hips were, less the place that the weight was over
    arms   (2, 9) angles of arms whose hands lie, radians
    stood  a pose on the ground: its feet, hips and local rotations
    """

    ahead: dict[int, Array] = field(default_factory=dict)
    moved: dict[int, Array] = field(default_factory=dict)
    hips: dict[int, Array] = field(default_factory=dict)
    arms: dict[int, Array] = field(default_factory=dict)
    stood: dict[int, tuple[Feet, Array, Array]] = field(default_factory=dict)

    def changes(self, better: Guess) -> Array:
        """What a better guess moves (2 K,), metres."""
        still = np.zeros(2)
        pairs = ((self.ahead, better.ahead), (self.moved, better.moved))
        moves = [new.get(key, still) - old.get(key, still) for old, new in pairs for key in sorted({*old, *new})]
        return np.concatenate(moves) if moves else np.zeros(0)

    def towards(self, better: Guess, share: float) -> Guess:
        """A guess that goes a share of the way to a better one, which may be more than all of it."""
        still = np.zeros(2)
        ahead, moved = (
            {key: old.get(key, still) + share * (new[key] - old.get(key, still)) for key in new}
            for old, new in ((self.ahead, better.ahead), (self.moved, better.moved))
        )
        return replace(better, ahead=ahead, moved=moved)


@dataclass(frozen=True)
class Laid:
    """A key in the world.

    angles    (B, SLOTS) degrees, legs included where they stand
    turns     (3,) flip, tip and spin in radians
    bears     (4,) which of LIMBS stand; body: whether the trunk rests on something
    place     (2, 3) balls of the feet, turn (2,) with the spin, heel (2,); radians
    wrists    (2, 3), palm (2,) direction of the fingers with the spin
    centre    (3,) of mass; in a flight nan
    ground    (3,) what footholds are measured from
    """

    angles: Array
    turns: Array
    bears: NDArray[np.bool_]
    body: bool
    place: Array
    turn: Array
    heel: Array
    wrists: Array
    palm: Array
    centre: Array
    hips: Array
    ground: Array

    @property
    def base(self) -> float:
        """Height of the ground, metres."""
        return float(self.ground[2])

    @property
    def flying(self) -> bool:
        """Whether it stands on nothing."""
        return not self.body and not self.bears.any()


def root_rotation(turns: Array) -> Array:
    """Rotations (..., 3, 3) of the whole body by flip, tip and spin (..., 3) in radians."""
    turned: Array = about(Z, turns[..., 2]) @ about(X, turns[..., 0]) @ about(Y, turns[..., 1])
    return turned


def displacement(move: Move, scale: Scale, skeleton: Skeleton) -> Array:
    """How far (3,) a move goes, metres."""
    ahead = move.ahead * skeleton.leg + move.distance * scale.distance
    left = move.left * skeleton.leg + move.sideways * scale.distance
    return np.array([left, -ahead, move.up + move.height * scale.height])


def posture(angles: Array, turns: Array) -> Array:
    """Local rotations (..., B, 3, 3) of angles (..., B, SLOTS) in degrees with the whole body turned."""
    local = rotations(angles)
    local[..., INDEX["hips"], :, :] = root_rotation(turns) @ local[..., INDEX["hips"], :, :]
    return local


def lay_out(entries: list[Entry], skeleton: Skeleton, guess: Guess) -> list[Laid]:
    """Every key in the world; TemplateError where one says what cannot be."""
    layer = _Layer(skeleton)
    return [layer.lay(index, entry, guess) for index, entry in enumerate(entries)]


class _Layer:
    """Lays keys, each from where the one before has left feet, hands and ground."""

    def __init__(self, skeleton: Skeleton) -> None:
        self._skeleton = skeleton
        self._origin = np.zeros(3)
        self._angles = np.zeros((len(ANGLES), 3))
        self._rest = self._angles
        self._turns = np.zeros(3)
        self._bears = np.zeros(4, dtype=bool)
        self._body = False
        self._place = skeleton.soles[:, BALL].copy()
        self._turn, self._heel = np.zeros(2), np.zeros(2)
        self._wrists, self._palm = np.zeros((2, 3)), np.zeros(2)
        self._hips, self._centre = skeleton.joint("hips").copy(), np.zeros(3)

    def lay(self, index: int, entry: Entry, guess: Guess) -> Laid:
        key, scale = entry.key, entry.scale
        if key.here and entry.pose is None:
            self._origin[:2] = self._hips[:2] + guess.moved.get(index, np.zeros(2))
        self._step(key, scale)
        if entry.pose is not None:
            if index not in guess.stood:
                guess.stood[index] = plant(self._skeleton, entry.pose.stance), *stand(self._skeleton, entry.pose)
            return self._lay_pose(entry.pose, guess.stood[index], here=key.here)
        self._angles = read_bones(key.bones, f"{entry.place}.bones", onto=self._angles)
        turns = np.array([key.flip, key.tip, key.spin], dtype=np.float64)
        turned = self._turns / (2 * np.pi)
        more = np.where(np.abs(turns) > HALF, np.sign(turns) * (scale.rotations - 1), 0.0)
        whole = np.where(np.isnan(turns), turned, turns + more)
        self._turns = 2 * np.pi * whole
        if key.contact is not None:
            self._bears = np.array([limb in key.contact for limb in LIMBS])
            self._body = "body" in key.contact
        self._set_feet(key, scale)
        self._set_hands(key)
        angles = self._rest + scale.effort * (self._angles - self._rest)
        flying = not self._body and not self._bears.any()
        if not flying:
            angles = self._settle(index, key, scale, angles, guess)
        return self._laid(angles, np.full(3, np.nan) if flying else self._centre)

    def _step(self, key: Key, scale: Scale) -> None:
        self._origin = self._origin + displacement(key.move, scale, self._skeleton)

    def _lay_pose(self, pose: PoseTemplate, stood: tuple[Feet, Array, Array], *, here: bool) -> Laid:
        """A pose on the ground; `here`: over the footholds that there are, as they are turned."""
        self._turns[:2] = 2 * np.pi * np.round(self._turns[:2] / (2 * np.pi))
        spin = self._turns[2]
        heading = about(Z, np.array(spin))
        feet, hips, local = stood[0], stood[1], stood[2].copy()
        if here and self._bears[:2].any():
            on = self._bears[:2]
            self._origin[:2] = (self._place[on] - feet.place[on] @ heading.T).mean(axis=0)[:2]
        self._angles, self._rest = pose.angles, pose.angles
        self._bears, self._body = np.array([True, True, False, False]), False
        self._place = feet.place @ heading.T + self._origin
        self._turn, self._heel = feet.turn + spin * OUTWARD, feet.heel
        self._hips = heading @ hips + self._origin
        told = _with_legs(pose.angles, local, self._bears)
        local[INDEX["hips"]] = heading @ local[INDEX["hips"]]
        _, places = self._skeleton.pose(local, self._hips)
        self._centre = centre_of_mass(places)
        return self._laid(told, self._centre)

    def _set_feet(self, key: Key, scale: Scale) -> None:
        skeleton, spin = self._skeleton, self._turns[2]
        heading = about(Z, np.array(spin))
        for side, name in enumerate(SIDES):
            foothold: Foothold | None = getattr(key.feet, name)
            if foothold is None:
                if self._bears[side]:
                    self._heel[side] = 0.0
                continue
            if foothold.ahead is not None or foothold.out is not None:
                reach = skeleton.leg * np.array([(foothold.out or 0.0) * OUTWARD[side], -(foothold.ahead or 0.0), 0.0])
                self._place[side] = self._origin + heading @ (skeleton.soles[side, BALL] + reach)
            if foothold.turn is not None:
                self._turn[side] = np.radians(foothold.turn) + spin * OUTWARD[side]
            self._heel[side] = scale.effort * np.radians(foothold.heel)

    def _set_hands(self, key: Key) -> None:
        skeleton, spin = self._skeleton, self._turns[2]
        heading = about(Z, np.array(spin))
        for side, name in enumerate(SIDES):
            hold_: Handhold | None = getattr(key.hands, name)
            if hold_ is None:
                continue
            self._palm[side] = np.radians(hold_.turn) + spin * OUTWARD[side]
            reach = skeleton.leg * np.array([hold_.out * OUTWARD[side], -hold_.ahead, hold_.up])
            fingers = palm_rotation(self._palm)[side] @ [OUTWARD[side], 0.0, 0.0]
            palm = PALM_MIDDLE * skeleton.length(f"{name}Hand", f"{name}MiddleProximal")
            thick = PALM_THICK * stature(skeleton)
            self._wrists[side] = self._origin + heading @ reach - palm * fingers + [0.0, 0.0, thick]

    def _settle(self, index: int, key: Key, scale: Scale, angles: Array, guess: Guess) -> Array:
        """Find hips and centre of mass of a key that stands on something; returns its angles with the legs' own."""
        skeleton = self._skeleton
        local = posture(angles, self._turns)
        grips = self._grips()
        if self._body:
            self._rest_on_body(index, key, local, guess)
        elif key.hips is not None:
            heading = about(Z, self._turns[2:])[0]
            at = np.array([key.hips.left, -key.hips.ahead, key.hips.up]) * skeleton.leg
            self._hips = self._origin + heading @ at
        else:
            self._stand_up(index, key, scale, local, guess)
        solved = hold(skeleton, local, self._hips, grips)
        hands = [side for side in range(2) if self._bears[2 + side]]
        if hands:
            arms = _lay_hands(skeleton, solved, angles, self._hips, grips, guess.arms.get(index))
            guess.arms[index] = arms
            angles = with_arms(angles, arms, hands)
            set_arms(solved, arm_angles(angles))
        _, places = skeleton.pose(solved, self._hips)
        self._centre = centre_of_mass(places)
        return _with_legs(angles, solved, self._bears)

    def _rest_on_body(self, index: int, key: Key, local: Array, guess: Guess) -> None:
        skeleton = self._skeleton
        before = self._centre[:2] if np.isfinite(self._centre).all() else self._hips[:2]
        turned, places = skeleton.pose(local, np.zeros(3))
        low, _ = lowest(skeleton, turned, places)
        offset = centre_of_mass(places)
        over = before + guess.moved.get(index, np.zeros(2))
        if key.ahead is not None:
            over = self._origin[:2] + skeleton.leg * key.ahead * about(Z, self._turns[2:])[0, :2, 1] * -1.0
        self._hips = np.array([*(over - offset[:2]), self._origin[2] - low])

    def _stand_up(self, index: int, key: Key, scale: Scale, local: Array, guess: Guess) -> None:
        skeleton = self._skeleton
        feet, grips = self._feet(), self._grips()
        bearing = self._bears[:2]
        share = key.weight if bearing.all() else float(bearing[0])
        over = support(skeleton, feet, forward=np.array(key.forward), left=np.array(share))
        if key.ahead is None:
            over = over + guess.ahead.get(index, np.zeros(2))
        else:
            over = over - key.ahead * skeleton.leg * about(Z, self._turns[2:])[0, :2, 1]
        rest = np.radians(5.0)
        knee = np.array(rest + scale.effort * (np.radians(key.knee or 5.0) - rest))
        hips = np.array([*over, 0.0]) + guess.hips.get(index, np.zeros(3))
        for _ in range(ROUNDS):
            hips[2] = hips_height(skeleton, local[INDEX["hips"]], hips[:2], feet, knee, bearing=bearing)
            _, places = skeleton.pose(hold(skeleton, local, hips, grips), hips)
            step = over - centre_of_mass(places)[:2]
            hips[:2] += step
            if np.abs(step).max() < ENOUGH:
                break
        guess.hips[index] = hips - [*over, 0.0]
        self._hips = hips

    def _feet(self) -> Feet:
        return Feet(place=self._place, turn=self._turn, heel=self._heel, grip=np.ones(2))

    def _grips(self) -> Grips:
        return Grips(
            feet=self._feet(),
            planted=self._bears[:2].astype(np.float64),
            easy=np.zeros(2),
            wrists=self._wrists,
            palms=palm_rotation(self._palm),
            laid=self._bears[2:].astype(np.float64),
            floor=np.array(-100.0),
        )

    def _laid(self, angles: Array, centre: Array) -> Laid:
        return Laid(
            angles=angles,
            turns=self._turns.copy(),
            bears=self._bears.copy(),
            body=self._body,
            place=self._place.copy(),
            turn=self._turn.copy(),
            heel=self._heel.copy(),
            wrists=self._wrists.copy(),
            palm=self._palm.copy(),
            centre=centre.copy(),
            hips=self._hips.copy(),
            ground=self._origin.copy(),
        )


def _lay_hands(
    skeleton: Skeleton, local: Array, angles: Array, hips: Array, grips: Grips, guess: Array | None
) -> Array:
    """The arms' angles (2, 9) in radians with which hands lie: from a guess, or of least effort from several elbows."""
    keyed = arm_angles(angles)
    arms = keyed + ELBOWS[:, None] if guess is None else guess[None]
    many = len(arms)
    locals_, places = np.repeat(local[None], many, axis=0), np.repeat(hips[None], many, axis=0)
    wanted = Wanted(
        keyed=np.repeat(keyed[None], many, axis=0),
        free=np.zeros((many, 2, 3)),
        wrists=np.repeat(grips.wrists[None], many, axis=0),
        palms=np.repeat(grips.palms[None], many, axis=0),
        laid=np.repeat(grips.laid[None], many, axis=0),
        floor=np.full(many, grips.floor),
    )
    for _ in range(ELBOW_ROUNDS if guess is None else ELBOW_ROUNDS // 3):
        set_arms(locals_, arms)
        before = arms
        arms, off = closer(skeleton, arms, skeleton.pose(locals_, places), wanted, steady=EASY)
        if np.abs(arms - before).max() < STILL:
            break
    best = off.argmin(axis=0)
    return np.stack([arms[best[side], side] for side in range(2)])


def _with_legs(angles: Array, local: Array, bears: NDArray[np.bool_]) -> Array:
    """Angles with those of the legs that stand read from their rotations."""
    legs = [f"{name}{part}" for name, stands in zip(SIDES, bears, strict=False) if stands for part in LEG_BONES]
    chosen, told = [INDEX[bone] for bone in legs], angles.copy()
    told[chosen] = angles_of(local, legs)[chosen]
    return told
