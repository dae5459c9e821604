"""Who is on stage: the built-in double, or an artist's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from farm.double.body import Double, Look, build_double
from farm.double.own.guest import Guest, invite
from farm.errors import BadInput
from farm.recipe.character import asset_name
from farm.recipe.variant import Variant

__all__ = ["Cast", "bring_double"]

Cast = Double | Guest


def bring_double(variant: Variant, collection: Any, assets: Path | None) -> Cast:
    """The double of a variant in `collection`, which must be linked to the scene; `remove` takes it away again.

    `assets` is the folder of packed doubles; BadInput where it lacks the one that the variant names.
    """
    own = variant.double
    if own is None:
        return build_double(Look.of(variant), collection)
    if own.sha256 is None or assets is None:
        raise BadInput("the variant has a double of an artist's, and no packed file of it is at hand")
    return invite(assets / asset_name(own.sha256), collection, keep_hair=own.keep_hair)
