"""`dataset.json`: which recipe a dataset holds, how its files are to be read, and the digests of its own files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, model_validator

from farm import __version__
from farm.dataset import layout
from farm.dataset.croissant import KEYS, describe
from farm.dataset.files import read_bytes, replace_bytes, sha256_of
from farm.dataset.formats import Table, encode_json, read_json
from farm.dataset.layers import COLOUR_SPACE, LAYERS, Layer
from farm.dataset.place import Place
from farm.dataset.record import EngineBuild
from farm.errors import DatasetError, RecipeError
from farm.recipe import Recipe, load_recipe, parse_recipe
from farm.recipe.variant import content_hash

__all__ = [
    "CONVENTIONS",
    "DATASET_FORMAT",
    "NOT_STATED",
    "DatasetInfo",
    "RecipeStamp",
    "read_info",
    "read_recipe",
    "seal",
    "self_digest",
]

DATASET_FORMAT: Final = "digidouble-dataset/1"

CONVENTIONS: Final = {
    "colour": f"scene-linear Rec.709 ({COLOUR_SPACE}), float32, film exposure 1, no view transform",
    "world": "metres; Z up; the double faces -Y, its left is +X; the floor is z = 0",
    "camera": "matrix_world is camera to world; +X right, +Y up, -Z forward; intrinsics in pixels, cx cy from top left",
    "image": "rows from top to bottom, columns from left to right",
    "motion": "pixels, X to the right, Y down; a pixel's place plus its motion is its place a frame before or after",
    "relmse": "mean((x - r)^2 / (r^2 + 0.01)) over all pixels and R, G, B",
}

NOT_STATED: Final = "not stated"
"""The licence of a dataset whose maker has not given one."""


class RecipeStamp(Table):
    """Which recipe a dataset holds."""

    name: str
    digest: str


class DatasetInfo(Table):
    """What `dataset.json` says, beside what readers of Croissant look for.

    `digest` covers everything else in it, `files` are SHA-256 of its neighbours, `license` is a licence's SPDX name or
    URL.
    """

    format: Literal["digidouble-dataset/1"] = DATASET_FORMAT
    recipe: RecipeStamp
    layers: tuple[Layer, ...] = LAYERS
    conventions: dict[str, str] = CONVENTIONS
    engine: EngineBuild
    license: str = NOT_STATED
    created_by: str = f"digidouble {__version__}"
    files: dict[str, str] = Field(default_factory=dict)
    digest: str = ""

    @model_validator(mode="before")
    @classmethod
    def _without_croissant(cls, data: Any) -> Any:
        """The description for Croissant is made from the rest, so that it need not be read."""
        return {key: value for key, value in data.items() if key not in KEYS} if isinstance(data, dict) else data


def self_digest(data: dict[str, Any]) -> str:
    """What the digest in a `dataset.json` must be, given its content as plain data."""
    return content_hash({key: value for key, value in data.items() if key != "digest"}, length=64)


def read_info(root: Place) -> DatasetInfo:
    """The `dataset.json` of a dataset; DatasetError names what is wrong with it."""
    return read_json(root / layout.DATASET_FILE, DatasetInfo, DATASET_FORMAT)


def read_recipe(root: Place) -> Recipe:
    """The `recipe.yaml` of a dataset; RecipeError where it is missing or wrong."""
    file = root / layout.RECIPE_FILE
    if isinstance(file, Path):
        return load_recipe(file)
    try:
        text = read_bytes(file).decode("utf-8")
    except (DatasetError, UnicodeDecodeError) as error:
        raise RecipeError(f"{file}: cannot read the recipe: {error}") from error
    return parse_recipe(text, source=str(file))


def seal(root: Place, info: DatasetInfo, *names: str) -> DatasetInfo:
    """Writes `dataset.json` with the digests of these files added, and gives what it says now."""
    files = {**info.files, **{name: sha256_of(root / name) for name in names}}
    bare = info.model_copy(update={"files": files, "digest": ""})
    data = bare.model_dump(mode="json")
    data |= describe(name=info.recipe.name, recipe=info.recipe.digest, layers=info.layers, files=files)
    digest = self_digest(data)
    replace_bytes(root / layout.DATASET_FILE, encode_json({**data, "digest": digest}))
    return bare.model_copy(update={"digest": digest})
