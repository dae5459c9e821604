"""What a hairstyle template says: how guides are combed and what happens to the strands between them.

Lengths are metres, angles degrees, and directions are those of a head that stands upright. A file in
`templates/hairstyles` is one style; adding one needs no code.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any, Final, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from farm.double.groom.tie import Locks, Tie
from farm.errors import TemplateError
from farm.recipe import templates
from farm.recipe.templates import Part

__all__ = [
    "REGIONS",
    "SECTION",
    "Border",
    "Clipped",
    "Clump",
    "Comb",
    "Curl",
    "Cut",
    "Fall",
    "Free",
    "Hairstyle",
    "Landmark",
    "Parting",
    "Region",
    "Sway",
    "Texture",
    "WalkerType",
    "Wave",
    "load_hairstyle",
    "parse_hairstyle",
]

KIND: Final = "hairstyles"
CURL_ROOM: Final = 8.0
"""Length of hair that takes the full radius of a curl, in radii."""
SECTION: Final = "section"
"""What `regions` call the hair that is sectioned off."""

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


Landmark = Literal["brows", "eyes", "nose", "lips", "jaw", "chin"]
WalkerType = Literal["1A", "1B", "1C", "2A", "2B", "2C", "3A", "3B", "3C", "4A", "4B", "4C"]


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
    taut: float = Field(
        default=0.0, ge=0, le=1, description="How far hair bridges hollows that it is drawn over, as behind an ear."
    )
    layers: float = Field(default=0.5, ge=0, le=1, description="How much guides differ in height over the skin.")


class Cut(Part):
    """A line or a shape that hair is cut to, with the head upright: hair that does not reach it stays as it is.

    A line lies at the height of a landmark of the face and falls towards the face by `tilt`; a shape is a ball about
    the head's centre. Both grow with the head, and with the `hair.length` of a recipe.
    """

    height: Landmark | None = Field(default=None, description="Landmark of the face that the line is level with.")
    offset: float = Field(default=0.0, ge=-0.4, le=0.2, description="How far over the landmark the line lies.")
    tilt: float = Field(default=0.0, ge=-60, le=60, description="How steeply the line falls from back to front.")
    radius: float | None = Field(default=None, gt=0.08, le=0.4, description="Radius of the ball.")
    ragged: float = Field(default=0.002, ge=0, le=0.05, description="How unevenly it is cut: a standard deviation.")
    regions: tuple[str, ...] = Field(default=(), description="Regions that are cut; all when left out.")
    section: bool = Field(default=False, description="Cut the section alone; other cuts leave it.")

    @model_validator(mode="after")
    def _is_one_thing(self) -> Cut:
        if (self.height is None) == (self.radius is None):
            raise ValueError("give height (a line) or radius (a ball), one of them")
        return self


class Border(Part):
    """A sharp border on the scalp: a line around the head with a part below it, or the edges of a strip along the
    middle with a part on either side of it.
    """

    line: tuple[tuple[float, float], ...] = Field(
        default=(), description="Azimuth (0 front, 90 ear, 180 back) and elevation of points of the line."
    )
    strip: float | None = Field(default=None, gt=0.005, le=0.08, description="Half the width of the strip.")

    @model_validator(mode="after")
    def _is_one_border(self) -> Self:
        if (len(self.line) > 1) == (self.strip is not None):
            raise ValueError("give line (two points or more) or strip, one of them")
        if any(one[0] >= following[0] for one, following in itertools.pairwise(self.line)):
            raise ValueError("line: azimuths must increase")
        return self


class Clipped(Border):
    """Hair cropped by the clipper up to a sharp border, over which longer hair begins."""

    length: float = Field(gt=0, le=0.05, description="Length of clipped hair at the hairline.")
    top: float | None = Field(default=None, gt=0, le=0.05, description="Its length at the border, for a fade.")
    lift: float = Field(default=35.0, ge=0, le=90, description="Angle between clipped hair and skin.")


class Free(Part):
    """What a recipe or the panel may sensibly vary, from and to; a style is kept inside of it.

    `length` bounds `hair.length`, `frizz` bounds `hair.frizz`; `type` is advice: the loosest and the tightest Walker
    type that wears the style.
    """

    length: tuple[float, float] = (0.5, 1.5)
    frizz: tuple[float, float] = (0.0, 1.0)
    type: tuple[WalkerType, WalkerType] = ("1A", "4C")

    @model_validator(mode="after")
    def _is_in_order(self) -> Free:
        for name, (low, high) in self:
            if low > high:
                raise ValueError(f"{name}: {low} is more than {high}; give the lower end first")
        for name, (least, most) in {"length": (0.5, 1.5), "frizz": (0.0, 1.0)}.items():
            if getattr(self, name)[0] < least or getattr(self, name)[1] > most:
                raise ValueError(f"{name}: must lie between {least} and {most}")
        return self


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
    turns: float = Field(gt=0, description="Turns per metre of strand as seen, not stretched.")
    size: float = Field(gt=0, description="Distance between locks that curl together.")
    start: float = Field(default=0.05, ge=0, le=1, description="Part of the strand that stays straight at the root.")
    tip: float = Field(default=1.0, ge=0, description="Radius at the tip as a multiple of that at the root.")
    disorder: float = Field(default=0.4, ge=0, le=1, description="How far strands leave their lock's curl.")
    gather: float = Field(default=0.7, ge=0, le=1, description="How firmly strands gather into their lock.")

    def share(self, length: Any) -> Any:
        """How much of the radius hair of a length takes, 0..1, figure or array: short hair has no room for it."""
        return np.minimum(1.0, length / (CURL_ROOM * self.radius))


class Wave(Part):
    """Smooth waviness of the combed guides, alike in neighbouring ones."""

    angle: float = Field(default=0.0, ge=0, le=80, description="How far a wave leaves the straight line.")
    length: float = Field(default=0.06, gt=0, description="Length of a wave along the strand.")
    own: float = Field(default=0.3, ge=0, le=1, description="How much each guide's wave is its own.")


class Texture(Part):
    """What texture the hair is set towards: permed, blown out, flat-ironed, or left as it grows.

    A style's own `curl`, `wave`, `frizz` and lengths are those of hair of type `like`. Hair of another type wears the
    style by `hold` as it was set and by the rest as it grows (farm.double.groom.texture).
    """

    like: WalkerType = Field(default="1B", description="Walker type that the style's figures are given for.")
    hold: float = Field(
        default=0.0, ge=0, le=1, description="0 lets the natural type show fully, 1 sets hair wholly to the style."
    )


class Sway(Part):
    """How hair moves with the head (`farm.double.groom.dynamics`)."""

    stiffness: float = Field(
        default=0.5,
        ge=0,
        le=100,
        description="How much more the roots keep to their combed direction than hair weighs; 100 never moves.",
    )
    hold: float = Field(default=0.08, gt=0, description="Length of hair from the root that keeps to it.")
    bend: float = Field(default=0.03, ge=0, le=0.5, description="Length of hair that stands out by itself.")
    damping: float = Field(default=4.0, ge=0, le=50, description="How fast motion against the head dies, per second.")
    drag: float = Field(default=1.0, ge=0, le=20, description="How fast the air stops it, per second.")


class Hairstyle(Part):
    """One style. Without guides it is a bald head, and needs no regions.

    `free` says what may vary: `comb_guides` brings a `hair.length` outside of it to the nearest end.
    """

    format: Literal["digidouble-hairstyle/1"]
    description: str
    fringe: bool = Field(False, description="Whether hair may lie over the forehead down to the brows.")
    parting: Parting = Parting()
    whorl: Whorl = Whorl()
    regions: dict[str, Region] = Field(default={}, description="How each region grows.")
    clipped: Clipped | None = None
    section: Border | None = Field(None, description="Hair sectioned off, as a fringe: combed by regions.section.")
    cuts: tuple[Cut, ...] = ()
    tie: Tie | None = None
    free: Free = Free()
    fall: Fall = Fall()
    guides: int = Field(default=700, ge=0, le=4000, description="Combed guides; 0 is a bald head.")
    points: int = Field(default=16, ge=4, le=64, description="Points of a strand.")
    blend: int = Field(default=4, ge=1, le=8, description="Guides that a strand is interpolated from.")
    clumps: tuple[Clump, ...] = ()
    curl: Curl | None = None
    wave: Wave = Wave()
    texture: Texture = Texture()
    frizz: float = Field(
        default=0.01, ge=0, description="How far strays of fully frizzy hair leave their lock, in metres."
    )
    uneven: float = Field(default=0.0, ge=0, description="Strands are cut shorter at random by up to this length.")
    thickness: float = Field(default=1.0, gt=0, description="Thickness of a strand relative to common hair.")
    taper: float = Field(default=0.25, ge=0, le=1, description="Thickness at the tip relative to the root's.")
    sway: Sway = Sway()

    def table(self, quantity: str) -> list[float]:
        """One figure per region, in the order of REGIONS, from the region or from `all`."""
        return [float(getattr(self.region(name), quantity)) for name in REGIONS]

    def comb_table(self) -> dict[str, NDArray[np.float64]]:
        """Each figure of the combs, by name: those of the regions that have one, in the order of REGIONS."""
        return _comb_table(_Same(self.regions))

    @property
    def longest(self) -> float:
        """Length of the longest region in metres."""
        return max(self.table("length"))

    @property
    def bald(self) -> bool:
        """Whether no hair grows at all."""
        return self.guides == 0

    @property
    def divided(self) -> bool:
        """Whether the scalp is cut into parts whose strands do not mix: by parting, clipper or section."""
        return self.parting.side != "none" or self.clipped is not None or self.section is not None

    def within(self, quantity: Literal["length", "frizz"], value: float) -> float:
        """A figure of the recipe, brought to the nearest end of the style's own free range."""
        low, high = self.free.length if quantity == "length" else self.free.frizz
        return min(max(value, low), high)

    def region(self, name: str) -> Region:
        """A region's figures, with those of `all` where it gives none."""
        return _region(_Same(self.regions), name)

    def check(self, place: str) -> None:
        """TemplateError where a region is unknown, or a figure is given neither for a region nor for `all`."""
        regions = [name for name in self.regions if name != "all" and not (name == SECTION and self.section)]
        named = {f"cuts[{index}].regions": cut.regions for index, cut in enumerate(self.cuts)}
        for where, names in {"regions": regions, **named}.items():
            for name in names:
                if name not in REGIONS:
                    known = templates.nearest(name, list(REGIONS))
                    raise TemplateError(f"{place}: {where}: unknown region '{name}'{known}")
        if self.bald or (self.tie is not None and not isinstance(self.tie, Locks)):
            return
        for name in [*REGIONS, *([SECTION] if self.section else [])]:
            for quantity, value in self.region(name):
                if value is None:
                    raise TemplateError(
                        f"{place}: regions.{name}.{quantity} is missing: give it there or in regions.all"
                    )


class _Same:
    """A style's regions as a key: equal to itself only."""

    def __init__(self, regions: dict[str, Region]) -> None:
        self.regions = regions

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.regions is self.regions

    def __hash__(self) -> int:
        return id(self.regions)


@functools.lru_cache(maxsize=256)
def _region(same: _Same, name: str) -> Region:
    given = same.regions.get(name, Region())
    common = same.regions.get("all", Region())
    merged = {key: getattr(common, key) if value is None else value for key, value in given}
    return Region(**merged)


@functools.lru_cache(maxsize=64)
def _comb_table(same: _Same) -> dict[str, NDArray[np.float64]]:
    combs = [comb for comb in (_region(same, name).comb for name in REGIONS) if comb is not None]
    return {word: np.array([getattr(comb, word) for comb in combs]) for word in Comb.model_fields}


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
