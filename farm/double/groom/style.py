"""What a hairstyle template says: how guides are combed and what happens to the strands between them.

Lengths are metres, angles degrees, and directions are those of a head that stands upright. A file in
`templates/hairstyles` is one style; adding one needs no code.
"""

from __future__ import annotations

import math
from typing import Any, Final, Literal

from pydantic import Field

from farm.errors import TemplateError
from farm.recipe import templates
from farm.recipe.templates import Part

__all__ = ["REGIONS", "Clump", "Comb", "Curl", "Fall", "Hairstyle", "Parting", "Region", "load_hairstyle"]

KIND: Final = "hairstyles"

REGIONS: Final[dict[str, tuple[tuple[float, float], ...]]] = {
    "front": ((0, 42), (22, 40), (-22, 40)),
    "top": ((0, 75), (60, 62), (-60, 62)),
    "temples": ((55, 22), (-55, 22)),
    "sides": ((90, 14), (-90, 14)),
    "sideburns": ((66, -22), (-66, -22)),
    "crown": ((180, 68), (130, 55), (-130, 55)),
    "back": ((180, 18), (140, 12), (-140, 12)),
    "nape": ((180, -42), (140, -38), (-140, -38), (112, -30), (-112, -30)),
}
"""Where each region of the scalp lies: (azimuth, elevation) in degrees from the head's centre; azimuth 0 is the front,
90 the left. A point belongs to the regions around it by how near their centres are."""


class Comb(Part):
    """Which way hair is combed: shares of directions, each laid into the scalp's tangent plane.

    `aside` leads away from the parting (or the middle), `whorl` away from the crown's whorl, `swirl` around it.
    """

    forward: float = 0.0
    back: float = 0.0
    up: float = 0.0
    down: float = 0.0
    left: float = 0.0
    right: float = 0.0
    aside: float = 0.0
    whorl: float = 0.0
    swirl: float = 0.0


class Region(Part):
    """How the hair of one region grows; what is left out is taken from `all`."""

    length: float | None = Field(default=None, gt=0, le=1.2, description="Length of a strand in metres.")
    lift: float | None = Field(default=None, ge=0, le=90, description="Angle between strand and skin at the root.")
    volume: float | None = Field(default=None, ge=0, le=0.3, description="How high over the skin the combed hair lies.")
    comb: Comb | None = None


class Parting(Part):
    """The line from which hair falls to both sides."""

    side: Literal["none", "centre", "left", "right"] = "none"
    offset: float = Field(default=0.045, ge=0, le=0.07, description="Distance of a side parting from the middle.")
    waviness: float = Field(default=0.0012, ge=0, le=0.01, description="How far the line wanders.")


class Whorl(Part):
    """The point on the crown around which hair grows."""

    azimuth: float = Field(default=170.0, ge=-180, le=180)
    elevation: float = Field(default=62.0, ge=-90, le=90)


class Fall(Part):
    """How strands bend under gravity once the comb lets go."""

    hold: float = Field(default=0.08, gt=0, description="Length of hair from the root that stays as it was combed.")
    bend: float = Field(
        default=0.02, gt=0, description="Length over which a strand turns to where it is pulled: stiffness."
    )
    gravity: float = Field(default=1.0, ge=0, description="Pull of gravity relative to the comb's; 0 stands by itself.")
    rise: float = Field(default=0.03, gt=0, description="Length over which hair rises to the volume over the skin.")
    disorder: float = Field(default=0.15, ge=0, le=1, description="How far single guides leave the common direction.")
    layers: float = Field(default=0.5, ge=0, le=1, description="How much guides differ in height over the skin.")


class Clump(Part):
    """Strands that gather into locks."""

    size: float = Field(gt=0, description="Distance between neighbouring locks.")
    strength: float = Field(ge=0, le=1)
    shape: float = Field(
        default=0.5, ge=-1, le=1, description="-1 gathers at the root only, 0 evenly, 1 at the tip only."
    )
    spread: float = Field(default=0.0, ge=0, description="How far tips spread again.")


class Curl(Part):
    """Helical locks."""

    radius: float = Field(gt=0)
    turns: float = Field(gt=0, description="Turns per metre of strand.")
    size: float = Field(gt=0, description="Distance between locks that curl together.")
    start: float = Field(default=0.05, ge=0, le=1, description="Part of the strand that stays straight at the root.")
    tip: float = Field(default=1.0, ge=0, description="Radius at the tip as a multiple of that at the root.")
    disorder: float = Field(default=0.4, ge=0, le=1)


class Wave(Part):
    """Smooth waviness of the combed guides, alike in neighbouring ones."""

    angle: float = Field(default=0.0, ge=0, le=80, description="How far a wave leaves the straight line.")
    length: float = Field(default=0.06, gt=0, description="Length of a wave along the strand.")
    own: float = Field(default=0.3, ge=0, le=1, description="How much each guide's wave is its own.")


class Hairstyle(Part):
    """One style."""

    format: Literal["digidouble-hairstyle/1"]
    description: str
    fringe: bool = Field(False, description="Whether hair may lie over the forehead down to the brows.")
    parting: Parting = Parting()
    whorl: Whorl = Whorl()
    regions: dict[str, Region]
    fall: Fall = Fall()
    guides: int = Field(default=700, ge=50, le=4000)
    points: int = Field(default=16, ge=4, le=64, description="Points of a strand.")
    blend: int = Field(default=4, ge=1, le=8, description="Guides that a strand is interpolated from.")
    clumps: tuple[Clump, ...] = ()
    curl: Curl | None = None
    wave: Wave = Wave()
    frizz: float = Field(
        default=0.01, ge=0, description="How far strays of fully frizzy hair leave their lock, in metres."
    )
    uneven: float = Field(default=0.0, ge=0, description="Strands are cut shorter at random by up to this length.")
    thickness: float = Field(default=1.0, gt=0, description="Thickness of a strand relative to common hair.")
    taper: float = Field(default=0.25, ge=0, le=1, description="Thickness at the tip relative to the root's.")

    def table(self, quantity: str) -> list[float]:
        """One figure per region, in the order of REGIONS, from the region or from `all`."""
        return [float(getattr(self._region(name), quantity)) for name in REGIONS]

    def combs(self) -> list[Comb]:
        """The comb of each region, in the order of REGIONS."""
        return [comb for comb in (self._region(name).comb for name in REGIONS) if comb is not None]

    @property
    def longest(self) -> float:
        """Length of the longest region in metres."""
        return max(self.table("length"))

    def _region(self, name: str) -> Region:
        given = self.regions.get(name, Region())
        common = self.regions.get("all", Region())
        merged = {key: getattr(common, key) if value is None else value for key, value in given}
        return Region(**merged)

    def check(self, place: str) -> None:
        """TemplateError where a region is unknown, or a figure is given neither for a region nor for `all`."""
        for name in self.regions:
            if name != "all" and name not in REGIONS:
                raise TemplateError(
                    f"{place}: regions: unknown region '{name}'{templates.nearest(name, list(REGIONS))}"
                )
        for name in REGIONS:
            for quantity, value in self._region(name):
                if value is None:
                    raise TemplateError(
                        f"{place}: regions.{name}.{quantity} is missing: give it there or in regions.all"
                    )


def directions() -> list[tuple[str, tuple[float, float, float]]]:
    """Each region's centres as unit vectors of the head: x left, y back, z up."""
    found = []
    for name, centres in REGIONS.items():
        for azimuth, elevation in centres:
            found.append((name, direction(azimuth, elevation)))
    return found


def direction(azimuth: float, elevation: float) -> tuple[float, float, float]:
    """The unit vector of the head (x left, y back, z up) at angles in degrees."""
    around, above = math.radians(azimuth), math.radians(elevation)
    return math.sin(around) * math.cos(above), -math.cos(around) * math.cos(above), math.sin(above)


def load_hairstyle(name: str) -> Hairstyle:
    """Read a style of `templates/hairstyles`; TemplateError names file, place and value where it is wrong."""
    return parse_hairstyle(templates.load(KIND, name), place=templates.place(KIND, name))


def parse_hairstyle(data: dict[str, Any], *, place: str) -> Hairstyle:
    """A style from plain data; `place` is what error messages call its source."""
    style = templates.validate(Hairstyle, data, source=place)
    style.check(place)
    return style
