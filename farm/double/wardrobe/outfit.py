"""What an outfit's template says: how garments are cut from the base mesh's tights, how they hang, and their details.

Places are on the unshaped base mesh, in metres: heights count from its origin (soles −0.82, crotch −0.06, hip joints
0.05, shoulders 0.53, chin 0.62); `arm` counts from 0 at the shoulder joint over 0.5 at the elbow to 1 at the wrist.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from farm.double.base_mesh import base_mesh
from farm.errors import TemplateError
from farm.recipe import templates
from farm.recipe.templates import Part

__all__ = ["Curve", "Ease", "Garment", "Neck", "Outfit", "Pad", "Shoe", "Strap", "load_outfit"]

KIND: Final = "wardrobe"


def _rising(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    if not points or any(after[0] <= before[0] for before, after in pairwise(points)):
        raise ValueError("the places must rise from one pair to the next")
    if any(not 0 <= value <= 0.1 for _, value in points):
        raise ValueError("a distance from the skin is between 0 and 0.1 m")
    return points


Curve = Annotated[list[tuple[float, float]], AfterValidator(_rising)]
"""Pairs of place and distance in metres, rising; linear between."""


class Neck(Part):
    """A neckline: its height in the middle of front and back, half its width, and how square it is (2 is round)."""

    front: float = Field(ge=0.35, le=0.6)
    back: float = Field(ge=0.35, le=0.62)
    width: float = Field(gt=0.05, le=0.2)
    square: float = Field(default=2.0, ge=1, le=8)


class Strap(Part):
    """An armhole from the top of the shoulder at |x| = `top` to under the arm at |x| = `side`, at height `low`."""

    top: float = Field(gt=0.05, le=0.2)
    side: float = Field(gt=0.05, le=0.25)
    low: float = Field(ge=0.3, le=0.5)


class Ease(Part):
    """Distance from the skin: by height on trunk and legs, along the arm on sleeves."""

    body: Curve
    arm: Curve | None = None


class Pad(Part):
    """A raised pad: its centre seen from the left joint, radius and height in metres."""

    joint: str
    centre: tuple[float, float, float]
    radius: float = Field(gt=0, le=0.2)
    height: float = Field(gt=0, le=0.03)


class Shoe(Part):
    """sRGB codes of upper and sole; how thick the sole is in metres."""

    upper: str
    sole: str
    thick: float = Field(gt=0, le=0.05)


class Garment(Part):
    """One piece of clothing; garments later in the list are worn over the earlier ones.

    takes   which of the wardrobe's colours and cloths it has
    low     height of the lower hem: of the legs, or around the hips
    high    height of the waist or of a shoe's top
    collar  heights of the collar at the front and at the back
    neck    a neckline instead of a collar
    arm     where the sleeves end
    strap   armholes instead of sleeves
    bridge  how far cloth spans hollows, beyond its ease
    folds   depth of folds in the cloth's shape
    hem     depth of the seam allowance that is turned in, and `turn` how far inwards
    shows   how far into an opening skin is still there
    """

    name: str
    takes: Literal["upper", "lower", "shoe"]
    low: float | None = None
    high: float | None = None
    collar: tuple[float, float] | None = None
    neck: Neck | None = None
    arm: float | None = Field(default=None, gt=0.15, le=1.2)
    strap: Strap | None = None
    ease: Ease
    bridge: float = Field(default=0.0, ge=0, le=0.08)
    folds: float = Field(default=0.0, ge=0, le=0.02)
    hem: float = Field(default=0.015, gt=0, le=0.05)
    turn: float = Field(default=0.004, gt=0, le=0.01)
    shows: float = Field(default=0.03, gt=0, le=0.15)
    pads: tuple[Pad, ...] = ()
    shoe: Shoe | None = None


class Trim(Part):
    """The stunt suit's details: sRGB codes of piping, pads and zip; width of a seam in metres."""

    accent: str
    pad: str
    zip: str
    seam: float = Field(gt=0, le=0.02)


class Outfit(Part):
    """One file of templates/wardrobe.

    trim  makes the upper garment a suit with panels in the lower one's colour
    span  rounds of smoothing by which its cloth spans what is narrow and hollow, as between breasts; 0 clings
    """

    description: str
    trim: Trim | None = None
    span: int = Field(default=0, ge=0, le=200)
    garments: list[Garment] = Field(min_length=1)


def load_outfit(name: str) -> Outfit:
    """An outfit by its name; TemplateError names the place and the remedy."""
    outfit, place = templates.read(Outfit, KIND, name), templates.place(KIND, name)
    for at, garment in enumerate(outfit.garments):
        here = f"{place}: garments[{at}]"
        if (garment.takes == "shoe") != (garment.shoe is not None):
            raise TemplateError(f"{here}: a garment that takes 'shoe' needs the key shoe, and no other may have it")
        for pad in garment.pads:
            if f"joint-l-{pad.joint}" not in base_mesh().groups:
                joints = sorted(group[8:] for group in base_mesh().groups if group.startswith("joint-l-"))
                raise TemplateError(f"{here}: unknown joint '{pad.joint}'{templates.nearest(pad.joint, joints)}")
    return outfit
