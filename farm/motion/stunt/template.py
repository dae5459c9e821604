"""What a stunt's file in templates/stunts may say, checked as it is read.

A stunt is a row of keys: moments with a posture, what the body stands on, and where. Between keys that stand on
something the body moves over its contacts; a run of keys that stand on nothing is a flight, whose path is a free fall.
templates/stunts/jump.yaml explains each word where it is first used.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from farm.recipe import templates
from farm.recipe.templates import Part

__all__ = ["KIND", "Foothold", "Handhold", "Hips", "Key", "Move", "Prop", "StuntTemplate", "load_stunt"]

KIND: Final = "stunts"

Limb = Literal["left", "right", "leftHand", "rightHand", "body"]
Turns = Annotated[float, Field(ge=-4, le=4)]


class Foothold(Part):
    """Where a foot stands, in leg lengths from under its hip joint; degrees. What is left out stays as it was.

    ahead, out  where the ball of the foot is
    turn        toes outward
    heel        heel lifted about the toes, or, if negative, toes about the heel
    """

    ahead: float | None = Field(default=None, ge=-2, le=2)
    out: float | None = Field(default=None, ge=-1, le=2)
    turn: float | None = Field(default=None, ge=-60, le=120)
    heel: float = Field(default=0.0, ge=-45, le=75)


class Handhold(Part):
    """Where a hand is laid flat, in leg lengths from the middle between the feet; degrees.

    ahead, out, up  where the middle of the palm is
    turn            the fingers inward, 0 being straight ahead
    """

    ahead: float = Field(ge=-2, le=3)
    out: float = Field(ge=-1, le=2)
    up: float = Field(default=0.0, ge=0, le=2)
    turn: float = Field(default=0.0, ge=-120, le=120)


class Feet(Part):
    """Footholds; a foot that is left out keeps its own."""

    left: Foothold | None = None
    right: Foothold | None = None


class Hands(Part):
    """Handholds."""

    left: Handhold | None = None
    right: Handhold | None = None


class Hips(Part):
    """Where the hips are, in leg lengths from the middle between the feet."""

    ahead: float = 0.0
    left: float = 0.0
    up: float = Field(ge=0, le=3)


class Move(Part):
    """How far the ground that footholds are measured from has moved since the key before.

    ahead, left  leg lengths
    distance     shares of the stunt's distance, ahead
    sideways     shares of the stunt's distance, to the left
    up           metres
    height       shares of the stunt's height, up
    """

    ahead: float = 0.0
    left: float = 0.0
    distance: float = 0.0
    sideways: float = 0.0
    up: float = 0.0
    height: float = 0.0


class Key(Part):
    """One moment of a stunt.

    time      seconds since the key before; before a take-off and after a landing the force of the legs sets it
    rest      this time is scaled by the stunt's `timing` and not by its `speed`
    at        in a flight: which share of it has passed
    contact   what the body stands on; left out: what it stood on before
    here      the ground is measured from under the hips of the key before
    move      how far that ground is from the last one
    feet      footholds of `left` and `right`
    hands     handholds of `left` and `right`
    knee      bend of the straighter supporting leg in degrees: sets the height of the hips
    forward   where the weight is along the supporting feet, 0 heels to 1 balls
    weight    the left foot's share of the weight
    ahead     the weight before the feet, leg lengths; around a flight its speed sets it where this is left out
    hips      where the hips are, in place of knee and weight
    slide     resting on the body: how far it is dragged before it rolls or lies still, leg lengths
    soften    resting on the body after a flight: seconds in which what it falls on gives way
    leap      how far the centre of mass rises in the flight that begins here: shares of the stunt's height
    flip      turns forward about the body's left-right axis so far
    tip       turns to the left about the front-back axis
    spin      turns to the left about the vertical
    bones     angles in degrees as in poses, over those of the key before
    """

    time: float | None = Field(default=None, gt=0.02, le=10)
    rest: bool = False
    at: float | None = Field(default=None, gt=0, lt=1)
    contact: tuple[Limb, ...] | None = None
    here: bool = False
    move: Move = Move()
    feet: Feet = Feet()
    hands: Hands = Hands()
    knee: float | None = Field(default=None, ge=3, le=140)
    forward: float = Field(default=0.5, ge=-0.5, le=1.5)
    weight: float = Field(default=0.5, ge=0, le=1)
    ahead: float | None = Field(default=None, ge=-1.5, le=1.5)
    hips: Hips | None = None
    slide: float | None = Field(default=None, ge=0, le=4)
    soften: float | None = Field(default=None, gt=0, le=0.5)
    leap: float | None = Field(default=None, gt=0, le=4)
    flip: Turns | None = None
    tip: Turns | None = None
    spin: Turns | None = None
    bones: dict[str, Any] = Field(default_factory=dict)


Length = Annotated[float, Field(ge=0, le=10)]
Share = Annotated[float, Field(ge=0, le=1)]


class Prop(Part):
    """A box on the set, along the stunt's direction.

    What is level is measured in leg lengths, as footholds are, so that the box lies under or before a tall body as it
    does a small one; what is upright in metres, as falls are.

    at      its middle, from the ground that the stunt begins on
    size    across and along in leg lengths, and how tall in metres
    tall    shares of the stunt's height by which it is taller
    colour  linear RGB
    soft    whether it is a mat: rounder and duller
    """

    at: Move = Move()
    size: tuple[Length, Length, Length]
    tall: float = Field(default=0.0, ge=0, le=2)
    colour: tuple[Share, Share, Share] = (0.18, 0.2, 0.24)
    soft: bool = False


class StuntTemplate(Part):
    """templates/stunts, the kind that is planned from keys.

    height, distance  the stunt's own, in metres
    start, end        pose that it begins or ends in; none: it begins or ends as its keys say
    begins, ends      what it begins or ends as, so that chained stunts fit
    from_height       shares of its height above the floor at which it begins
    rotates           its last turns are as many as the stunt's `rotations`
    settle            seconds from the last key to the pose at the end
    props             boxes that it is done on, over or onto
    half_effort       metres: the keys are of a stunt of full effort, and a lower one goes less far from its start, in
                      proportion to height / (height + half_effort)
    """

    kind: Literal["keys"] = "keys"
    description: str
    start: str | None = None
    end: str | None = None
    begins: Literal["standing", "supine", "prone"] = "standing"
    ends: Literal["standing", "supine", "prone"] = "standing"
    height: float = Field(default=0.0, ge=0, le=12)
    distance: float = Field(default=0.0, ge=0, le=12)
    half_effort: float | None = Field(default=None, gt=0, le=1)
    from_height: float = Field(default=0.0, ge=0, le=1)
    rotates: bool = False
    settle: float = Field(default=0.6, gt=0.05, le=4)
    props: tuple[Prop, ...] = ()
    keys: dict[str, Key] = Field(min_length=1)

    @model_validator(mode="after")
    def _grounded(self) -> StuntTemplate:
        keys = list(self.keys.values())
        if self.start is None and not keys[0].contact:
            raise ValueError("a stunt without a start pose must say in its first key what the body stands on")
        if keys[-1].contact == ():
            raise ValueError("a stunt must end on the ground; give its last key a contact")
        return self


def load_stunt(name: str) -> StuntTemplate:
    """The template of a stunt; TemplateError where it is missing or wrong."""
    return templates.read(StuntTemplate, KIND, name)
