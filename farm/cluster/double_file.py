"""The packed double of a recipe's on its way into the dataset, from where it was packed or came along."""

from __future__ import annotations

from pathlib import Path

from farm.cluster.jobs.packages import asset
from farm.dataset import Dataset
from farm.dataset.assets import asset_names, holds_asset, put_asset
from farm.double.own.sealing import sha256_of
from farm.errors import BadInput
from farm.recipe import Recipe
from farm.recipe.character import asset_name

__all__ = ["find_double", "place_double"]


def find_double(recipe: Recipe, there: Dataset | None, file: Path | None) -> Path | None:
    """The packed double that a run takes: `file`, or one that came with the job; None where none is needed any more.

    BadInput where it is nowhere, with nothing written.
    """
    if recipe.double is not None and recipe.double.sha256 is None:
        raise BadInput(f"recipe '{recipe.name}': its double is not packed; `digidouble render` does that first")
    for sha256 in asset_names(recipe):
        if file is not None:
            return file
        if there is not None and holds_asset(there.root, sha256):
            return None
        try:
            found = asset(asset_name(sha256))
        except BadInput:
            raise BadInput(
                f"recipe '{recipe.name}': the packed double {sha256[:12]}… is neither at '{recipe.double.file}', "  # type: ignore[union-attr]
                f"nor in the dataset; render with the recipe that names your own .blend"
            ) from None
        if sha256_of(found) != sha256:
            raise BadInput(f"recipe '{recipe.name}': the packed double that came with the job is damaged: {found}")
        return found
    return None


def place_double(dataset: Dataset, recipe: Recipe, file: Path | None) -> None:
    """Let a dataset hold the double that its recipe names; DatasetError where what is there is damaged."""
    for sha256 in asset_names(recipe):
        put_asset(dataset.root, sha256, file)
