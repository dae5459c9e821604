"""What a preview lays aside of the variants that it has shown, to make the next ones of.

A body that wears another outfit has other faces, and one on another rig other bones: of each pair one double is kept,
out of sight, and takes the next look that has both. All that is kept is marked, so that it can be told from an artist's
own unused data.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Final

import bpy

from farm.double.body import Double, Look, build_double
from farm.double.shading import Shelf

__all__ = ["SPARE", "Spares"]

SPARE: Final = "digidouble_spare"
"""The mark of objects and materials that are kept."""


class Spares:
    """Doubles by rig and outfit, and materials."""

    def __init__(self) -> None:
        """Nothing is kept yet."""
        self._shelf = Shelf(mark=SPARE)
        self._doubles: dict[tuple[str, str], Double] = {}
        self._seen: Double | None = None

    def materials(self) -> AbstractContextManager[None]:
        """Meanwhile materials are taken from here and laid here."""
        return self._shelf.used()

    def build(self, look: Look, collection: Any) -> Double:
        """`build_double`, of a double that is kept where one will do."""
        kept = self._doubles.pop((look.rig.name, look.wardrobe.outfit), None)
        if self._seen is not None and self._seen is not kept:
            for thing in self._seen.objects:
                collection.objects.unlink(thing)
        if kept is not None and self._seen is not kept:
            for thing in kept.objects:
                collection.objects.link(thing)
        self._seen = None
        double = build_double(look, collection, into=kept)
        for thing in double.objects:
            thing[SPARE] = True
        return double

    def lay(self, double: Double) -> None:
        """Keep a double; it stays where it is seen until the next one is built."""
        self._doubles[double.rig, double.outfit] = self._seen = double

    def clear(self) -> None:
        """Remove all that is kept but what is seen."""
        left = [double for double in self._doubles.values() if double is not self._seen]
        self._doubles = {} if self._seen is None else {(self._seen.rig, self._seen.outfit): self._seen}
        things = [thing for double in left for thing in double.objects]
        data = {thing.data for thing in things}
        bpy.data.batch_remove(things)
        materials = {material for block in data for material in getattr(block, "materials", ()) if material is not None}
        bpy.data.batch_remove([block for block in data if block.users == 0])
        bpy.data.batch_remove([material for material in materials if material.users == 0])
        self._shelf.clear()
