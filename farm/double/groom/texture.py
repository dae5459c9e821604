"""Hair types: what Walker's types 1A to 4C do to a hairstyle.

The types are those of Andre Walker, "Andre Talks Hair!" (1997): 1 straight, 2 wavy, 3 curly, 4 coily, each from A,
loose, to C, tight. They are ranked by the diameter of the curve that a free strand takes, the measure of De la Mettrie
et al. 2007, "Shape variability and classification of human hair: a worldwide approach" (Human Biology 79:3), and of
Loussouarn et al. 2007, "Worldwide diversity of hair curliness" (International Journal of Dermatology 46:s1). Curled
hair hangs shorter than it is by the arc that its curls take up, tightly coiled hair more so because coils entangle.
"""

from __future__ import annotations

import math
from typing import Any, Final, Literal

from pydantic import Field

from farm.double.groom.style import Clump, Curl, Hairstyle, Region, Wave
from farm.double.groom.tie import Locks, Rows
from farm.recipe import templates
from farm.recipe.parameters import Hair
from farm.recipe.templates import Part

__all__ = ["HairType", "load_hairtype", "textured"]

KIND: Final = "hairtypes"
SLIGHTEST_CURL: Final = 0.0004
"""Radius in metres below which a curl does not show."""
POINTS_PER_WAVE: Final = (4.0, 5.5)
"""Points of a guide that a wave needs: a slight one, and one of `FULL_WAVE` degrees or more."""
FULL_WAVE: Final = 15.0
MOST_POINTS: Final = 40
"""Points of a guide at most; curls are resolved by the strands, only waves by guides."""
STANDING: Final = 86.0
"""Angle to the skin at which tight coils stand, in degrees."""


class HairType(Part):
    """How hair of one type grows, as worn loose."""

    format: Literal["digidouble-hairtype/1"]
    description: str
    wave: Wave
    curl: Curl | None = None
    clumping: float = Field(ge=0, le=2, description="How firmly strands gather into locks, relative to type 1B.")
    frizz: float = Field(ge=0, description="How far strays of fully frizzy hair leave their lock, in metres.")
    thickness: float = Field(gt=0, description="Thickness of a strand relative to common hair.")
    shrinkage: float = Field(ge=0, lt=0.9, description="Part of a strand's length that its curls take up.")
    volume: float = Field(gt=0, description="How high hair lies over the skin, relative to type 1B.")
    stand: float = Field(ge=0, le=1, description="How far hair holds itself up: 0 hangs, 1 stands away from the skin.")


def load_hairtype(name: str) -> HairType:
    """Read a type of `templates/hairtypes`; TemplateError names file, place and value where it is wrong."""
    return templates.read(HairType, KIND, name)


def textured(style: Hairstyle, hair: Hair) -> Hairstyle:
    """The style as hair of type `hair.type` wears it: between how it grows and how it was set, by `texture.hold`.

    Lengths become those that are seen: they shrink as much more than hair of type `texture.like` does. Coils do not
    show in rows and locks, which are plaited or matted.
    """
    if style.bald:
        return style
    grown, like = load_hairtype(hair.type), load_hairtype(style.texture.like)
    hold = style.texture.hold
    set_wave = style.wave if "wave" in style.model_fields_set else like.wave
    held = isinstance(style.tie, Rows | Locks)
    curl = None if held else _mixed_curl(grown.curl, style.curl or like.curl, hold)
    wave = _mixed_wave(grown.wave, set_wave, hold)
    stand = (1 - hold) * max(0.0, grown.stand - like.stand)
    length = _mix((1 - grown.shrinkage) / (1 - like.shrinkage), 1.0, hold)
    volume = _mix(grown.volume / like.volume, 1.0, hold)
    changes: dict[str, Any] = {
        "regions": {name: _region(region, length, volume, stand) for name, region in style.regions.items()},
        "fall": style.fall.model_copy(update={"gravity": style.fall.gravity * (1 - stand)}),
        "points": _points(style, wave, length),
        "clumps": _clumps(style, _mix(grown.clumping / like.clumping, 1.0, hold), curl),
        "curl": curl,
        "wave": wave,
        "frizz": _mix(grown.frizz, style.frizz, hold),
        "thickness": style.thickness * _mix(grown.thickness / like.thickness, 1.0, hold),
    }
    return style.model_copy(update=changes)


def _mix(grown: float, as_set: float, hold: float) -> float:
    return grown * (1 - hold) + as_set * hold


def _mixed_log(grown: float, as_set: float, hold: float) -> float:
    return float(grown ** (1 - hold) * as_set**hold)


def _mixed_curl(grown: Curl | None, as_set: Curl | None, hold: float) -> Curl | None:
    """Curls of both; where one of them is straight, its curl is the other's with no radius."""
    shapes = grown or as_set, as_set or grown
    if shapes[0] is None or shapes[1] is None:
        return None
    radius = _mix(grown.radius if grown else 0.0, as_set.radius if as_set else 0.0, hold)
    if radius < SLIGHTEST_CURL:
        return None
    scaled = {name: _mixed_log(getattr(shapes[0], name), getattr(shapes[1], name), hold) for name in ("turns", "size")}
    plain = {
        name: _mix(getattr(shapes[0], name), getattr(shapes[1], name), hold)
        for name in ("start", "tip", "disorder", "gather")
    }
    return Curl(radius=radius, **scaled, **plain)


def _mixed_wave(grown: Wave, as_set: Wave, hold: float) -> Wave:
    return Wave(
        angle=_mix(grown.angle, as_set.angle, hold),
        length=_mixed_log(grown.length, as_set.length, hold),
        own=_mix(grown.own, as_set.own, hold),
    )


def _region(region: Region, length: float, volume: float, stand: float) -> Region:
    changes = {}
    if region.length is not None:
        changes["length"] = region.length * length
    if region.volume is not None:
        changes["volume"] = region.volume * volume
    if region.lift is not None:
        changes["lift"] = region.lift + max(0.0, STANDING - region.lift) * stand
    return region.model_copy(update=changes)


def _points(style: Hairstyle, wave: Wave, length: float) -> int:
    """Points of guides that resolve their waves; those of tied hair lie as the tie says."""
    if style.tie is not None:
        return style.points
    waves = style.longest * length / wave.length if wave.angle else 0.0
    slight, full = POINTS_PER_WAVE
    each = slight + (full - slight) * min(1.0, wave.angle / FULL_WAVE)
    return max(style.points, min(MOST_POINTS, math.ceil(each * waves) + 1))


def _clumps(style: Hairstyle, clumping: float, curl: Curl | None) -> tuple[Clump, ...]:
    """The style's locks, less those that are finer than what curls together."""
    return tuple(
        clump.model_copy(update={"strength": min(1.0, clump.strength * clumping)})
        for clump in style.clumps
        if curl is None or clump.size > curl.size
    )
