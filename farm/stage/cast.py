"""Who is on stage: the built-in double, or an artist's own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from farm.double.body import Double, Look, build_double
from farm.double.own.guest import Guest, invite
from farm.errors import BadInput
from farm.recipe.character import asset_name
from farm.recipe.variant import Variant
from farm.stage.spares import Spares

__all__ = ["Cast", "bring_double"]

Cast = Double | Guest


def bring_double(
    variant: Variant, collection: Any, *, assets: Path | None, spares: Spares | None
) -> tuple[Cast, Callable[[], None]]:
    """The double of a variant in `collection`, which must be linked to the scene, and what takes it away again.

    `assets` is the folder of packed doubles; BadInput where it lacks the one that the variant names. `spares`, of a
    preview, make the next built-in double of one before.
    """
    own = variant.double
    if own is None and spares is not None:
        double = spares.build(Look.of(variant))
        return double, functools.partial(spares.lay, double)
    if own is None:
        double = build_double(Look.of(variant), collection)
        return double, double.remove
    if own.sha256 is None or assets is None:
        raise BadInput("the variant has a double of an artist's, and no packed file of it is at hand")
    guest = invite(assets / asset_name(own.sha256), collection, keep_hair=own.keep_hair)
    return guest, guest.remove
