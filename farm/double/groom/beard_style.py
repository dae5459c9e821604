"""What a beard template says: which regions of the face bear hair, how long it is and how it is combed."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from farm.double.beard_area import BEARD_REGIONS
from farm.double.groom.style import Clump, Comb, Curl, Hairstyle, Region, Texture, Wave
from farm.errors import TemplateError
from farm.recipe import templates
from farm.recipe.templates import Part

__all__ = ["BeardRegion", "Beardstyle", "load_beard"]

KIND: Final = "beards"


class BeardRegion(Part):
    """How the hair of one region grows; directions are those of `Comb`, `whorl` and `swirl` left out."""

    length: float = Field(gt=0, le=0.4, description="Length of a strand in metres.")
    density: float = Field(default=1.0, ge=0, le=1, description="How densely hair grows, relative to the head's.")
    lift: float = Field(default=30.0, ge=0, le=90, description="Angle between strand and skin at the root.")
    comb: Comb = Comb(down=1.0)


class Beardstyle(Part):
    """One style. Without regions the face is clean shaven."""

    format: Literal["digidouble-beard/1"]
    description: str
    regions: dict[str, BeardRegion]
    share: float = Field(default=0.4, gt=0, le=1.5, description="Strands, as a share of the head's.")
    gravity: float = Field(default=0.3, ge=0, description="Pull of gravity relative to the comb's.")
    bend: float = Field(default=0.02, gt=0, description="Length over which a strand turns to where it is pulled.")
    disorder: float = Field(default=0.25, ge=0, le=1, description="How far single guides leave the common direction.")
    guides: int = Field(default=900, ge=50, le=4000)
    points: int = Field(default=9, ge=4, le=32, description="Points of a strand.")
    blend: int = Field(default=3, ge=1, le=8, description="Guides that a strand is interpolated from.")
    clumps: tuple[Clump, ...] = ()
    curl: Curl | None = None
    wave: Wave = Wave()
    frizz: float = Field(default=0.003, ge=0, description="How far strays of fully frizzy hair leave their lock.")
    uneven: float = Field(default=0.0, ge=0, description="Strands are shorter at random by up to this length.")
    thickness: float = Field(default=1.3, gt=0, description="Thickness of a strand relative to the head's.")
    taper: float = Field(default=0.5, ge=0, le=1, description="Thickness at the tip relative to the root's.")
    texture: Texture = Texture()

    @property
    def shaven(self) -> bool:
        """Whether no hair grows at all."""
        return not self.regions

    @property
    def longest(self) -> float:
        """Length of the longest region in metres."""
        return max(region.length for region in self.regions.values())

    def hairstyle(self) -> Hairstyle:
        """What the strands between guides need to know, as a hairstyle whose regions are all the longest one."""
        common = Region(length=self.longest, lift=45.0, volume=0.0, comb=Comb())
        same = ("guides", "points", "blend", "clumps", "curl", "wave", "frizz", "uneven", "taper", "texture")
        set_here = {name: getattr(self, name) for name in same if name in self.model_fields_set or name != "wave"}
        return Hairstyle(
            format="digidouble-hairstyle/1",
            description=self.description,
            regions={"all": common},
            thickness=self.thickness * self.share**0.5,
            **set_here,
        )


def load_beard(name: str) -> Beardstyle:
    """Read a style of `templates/beards`; TemplateError names file, place and value where it is wrong."""
    style = templates.read(Beardstyle, KIND, name)
    for region in style.regions:
        if region not in BEARD_REGIONS:
            known = templates.nearest(region, list(BEARD_REGIONS))
            raise TemplateError(f"{templates.place(KIND, name)}: regions: unknown region '{region}'{known}")
    return style
