"""A variant: one draw with no randomness left in it, as plain data.

Alone it rebuilds the same scene on any machine with the same Blender build and assets.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from farm.recipe.character import Character
from farm.recipe.parameters import Beard, Body, Camera, Face, Hair, Light, Pose, Rig, Skin, Stunt, Wardrobe

__all__ = ["VARIANT_FORMAT", "Variant", "content_hash", "stream"]

VARIANT_FORMAT: Final = "digidouble-variant/1"


def content_hash(data: Any, length: int = 16) -> str:
    """Hex digest of plain data: equal content, equal hash, whatever the order of keys."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:length]


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """The named stream of random numbers of a seed: equal seed and names, equal numbers, independent otherwise."""
    digest = hashlib.sha256("/".join([str(seed), *map(str, names)]).encode("utf-8")).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))


class Variant(BaseModel):
    """One draw of a recipe. `index` is its number in the recipe and not part of its content.

    `double` is an artist's character in place of the built-in double, which the axes of what it brings say nothing of.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["digidouble-variant/1"] = VARIANT_FORMAT
    index: int
    double: Character | None = Field(default=None, exclude_if=lambda double: double is None)
    body: Body
    skin: Skin
    face: Face = Face()
    wardrobe: Wardrobe = Wardrobe()
    hair: Hair
    beard: Beard = Beard()
    rig: Rig = Rig()
    pose: Pose
    stunt: Stunt
    light: Light
    camera: Camera

    @property
    def id(self) -> str:
        """Hash of the content."""
        return content_hash(self.model_dump(mode="json", exclude={"index"}))

    @property
    def identity(self) -> str:
        """Hash of who it is (body and skin, or the artist's double): a split never parts equal ones."""
        if self.double is not None:
            return content_hash(self.double.sha256)
        return content_hash([self.body.model_dump(mode="json"), self.skin.model_dump(mode="json")])

    @property
    def groom(self) -> str:
        """Hash of the hair and beard: a split never parts equal ones."""
        return content_hash([self.hair.model_dump(mode="json"), self.beard.model_dump(mode="json")])

    def flat(self) -> dict[str, Any]:
        """Every parameter as `axis.name`."""
        data = self.model_dump(mode="json", exclude={"format", "index", "double"})
        return {f"{axis}.{name}": value for axis, values in data.items() for name, value in values.items()}
