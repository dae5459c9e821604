"""An artist's own character as a recipe names it, and as a variant holds it."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from farm.recipe.faults import fault, show
from farm.recipe.scalars import Truth

__all__ = ["ASSETS_FOLDER", "BALD", "BROUGHT", "Character", "CharacterFile", "WrittenCharacter", "asset_name"]

ASSETS_FOLDER: Final = "assets"
"""The folder of packed files beside a recipe that came out of Digidouble, as in a dataset."""

BROUGHT: Final = ("body", "skin", "face", "wardrobe", "beard", "rig")
"""The axes of what an artist's character brings itself."""
BALD: Final = "bald"
"""The hairstyle of a character that keeps its own hair: nothing is combed over it."""
SHA256: Final = r"^[0-9a-f]{64}$"


def asset_name(sha256: str) -> str:
    """What the packed file of a character is called wherever it is kept."""
    return f"{sha256}.blend"


class CharacterFile(BaseModel):
    """Your own double: a .blend file with an armature and its meshes, in place of the built-in one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str = Field(min_length=1, description="The .blend file; a relative path begins at the recipe's folder.")
    armature: str | None = Field(
        default=None, description="The double's armature, where the file has several that could be."
    )
    keep_hair: Truth = Field(
        default=False, description="Keep the hair that the double has; the axis `hair` is left out then."
    )
    sha256: str | None = Field(
        default=None,
        pattern=SHA256,
        description="Of a packed file, written by Digidouble: only a file of this very content is taken.",
    )

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        full = handler.resolve_ref_schema(handler(core))
        return {"anyOf": [{"type": "string", "minLength": 1}, full], "description": full.pop("description", "")}


def _expand(raw: Any) -> Any:
    """A path alone is a file without more."""
    if isinstance(raw, str):
        return {"file": raw}
    if isinstance(raw, bool | int | float | list | tuple):
        raise fault(f"expected a .blend file or a mapping, found {show(raw)}; write `double: hero.blend`")
    return raw


WrittenCharacter = Annotated[CharacterFile | None, BeforeValidator(_expand)]


class Character(BaseModel):
    """An artist's character in a variant: the content of its packed file, and whether its own hair stays.

    `sha256` is None while the file has not been packed; only a preview of a recipe's figures is drawn then.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str | None = Field(default=None, pattern=SHA256)
    keep_hair: bool = False

    @property
    def brought(self) -> tuple[str, ...]:
        """The axes that say nothing, because the character brings what they would say."""
        return (*BROUGHT, "hair") if self.keep_hair else BROUGHT
