"""What a hairstyle template says about tied hair: gathered in a tail, a bun or a plait, or parted into rows or locks.

Lengths are metres, angles degrees. `hair.length` of a recipe multiplies what hangs free.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from farm.recipe.templates import Part

__all__ = ["Braid", "Bun", "Gather", "Locks", "Rows", "Tail", "Tie"]


class Gather(Part):
    """Hair combed over the scalp to one point, or to one on either side, and held there by a band."""

    azimuth: float = Field(
        default=180.0, ge=0, le=180, description="Direction of the tie from the head's centre: 0 front, 180 back."
    )
    elevation: float = Field(default=20.0, ge=-40, le=85, description="Its height: 0 level with the centre, 90 on top.")
    both: bool = Field(default=False, description="Whether there is one on either side of a parting.")
    band: float = Field(default=0.011, ge=0.004, le=0.025, description="Radius of the hair inside the band.")
    lay: float = Field(
        default=0.005, ge=0.002, le=0.02, description="Thickness of the hair that lies on the scalp: low is sleek."
    )
    stand: float = Field(
        default=0.016, ge=0.0, le=0.04, description="How far the band stands off the skin at the tie's middle."
    )
    up: float = Field(
        default=0.3, ge=-2, le=2, description="How far the hair leaves the band upwards, against the skin's normal."
    )


class Tail(Gather):
    """A ponytail."""

    kind: Literal["tail"]
    length: float = Field(default=0.32, ge=0.05, le=0.9, description="Length from the band to the tips.")
    bloom: float = Field(default=0.7, ge=0, le=3, description="How much the tail widens below the band.")
    bend: float = Field(default=0.06, gt=0, description="Length over which the tail turns to hang down.")
    uneven: float = Field(default=0.25, ge=0, le=0.9, description="How much strands differ in length.")


class Bun(Gather):
    """A bun: hair that leaves the band, rolls outward over a ring and is tucked under it."""

    kind: Literal["bun"]
    radius: float = Field(default=0.02, ge=0.008, le=0.04, description="Radius of the ring's middle line.")
    roll: float = Field(default=0.017, ge=0.006, le=0.03, description="Radius of the roll itself.")
    swirl: float = Field(default=0.45, ge=-2, le=2, description="How far hair goes around the bun, in turns.")
    loose: float = Field(default=0.35, ge=0, le=1, description="How much its locks differ: 0 is a dancer's bun.")


class Braid(Gather):
    """A plait of three strands."""

    kind: Literal["braid"]
    length: float = Field(default=0.34, ge=0.05, le=0.9, description="Length from the tie to the lower band.")
    strand: float = Field(default=0.0066, ge=0.002, le=0.012, description="Radius of one of its strands at the top.")
    tight: float = Field(
        default=0.5, ge=0, le=1, description="How close its crossings follow each other: 0 is loose, 1 tight."
    )
    taper: float = Field(default=0.45, ge=0, le=0.9, description="How much thinner it is at the lower band.")
    brush: float = Field(default=0.05, ge=0, le=0.2, description="Length of the free hair under the lower band.")


class Rows(Part):
    """Cornrows: rows braided along the scalp from the forehead to the nape, with bare skin between them."""

    kind: Literal["rows"]
    count: int = Field(default=11, ge=4, le=20, description="Rows across the head.")
    parting: float = Field(default=0.0024, ge=0.001, le=0.006, description="Width of the bare skin between rows.")
    strand: float = Field(
        default=0.0021, ge=0.001, le=0.004, description="Radius of one strand of a braid where it hangs from the nape."
    )
    fill: float = Field(default=0.8, ge=0.3, le=1, description="How much of its row's width a braid takes.")
    tight: float = Field(default=0.6, ge=0, le=1, description="How close crossings follow each other.")
    hang: float = Field(default=0.16, ge=0.0, le=0.5, description="Length of the braids that hang from the nape.")


class Locks(Part):
    """Separate locks, rope-like or braided, each from its own cell of the scalp; combed as the regions say."""

    kind: Literal["locks"]
    size: float = Field(default=0.018, ge=0.01, le=0.04, description="Distance between neighbouring locks.")
    parting: float = Field(default=0.001, ge=0.0, le=0.004, description="Width of the bare skin between cells.")
    radius: float = Field(default=0.004, ge=0.0015, le=0.008, description="Radius of a lock.")
    taper: float = Field(default=0.35, ge=0, le=0.9, description="How much thinner a lock is at its tip.")
    mat: float = Field(default=0.5, ge=0, le=1, description="How matted and lumpy a lock is.")
    braided: bool = Field(default=False, description="Whether each lock is a plait of three strands.")
    tight: float = Field(default=0.6, ge=0, le=1, description="How close crossings of braided locks follow.")


Tie = Annotated[Tail | Bun | Braid | Rows | Locks, Field(discriminator="kind")]
