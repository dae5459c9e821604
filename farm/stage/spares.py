"""What a preview lays aside of the variants that it has shown, to make the next ones of.

A body that wears another outfit has other faces, and one on another rig other bones: of each pair one double is kept,
out of sight, and takes the next look that has both. It stays in the scene, in a collection that is not shown, for there
Blender keeps what it found of a mesh's faces, which takes it longer than all else. What is kept is marked, so that it
can be told from an artist's own data.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Final

import bpy

from farm.double.body import Double, Look, build_double, remove_double
from farm.double.shading import Shelf

__all__ = ["SPARE", "Spares"]

SPARE: Final = "digidouble_spare"
"""The mark of materials that are kept."""


COLLECTION: Final = "Digidouble Spares"
ASIDE: Final = "spare "
"""What stands before the names of objects that are kept."""


class Spares:
    """Doubles by rig and outfit, and materials."""

    def __init__(self, scene: Any, collection: Any) -> None:
        """Nothing is kept yet; what is seen is in `collection`, which must be linked to the scene."""
        self._scene = scene
        self._collection = collection
        self._aside: Any = None
        self._shelf = Shelf(mark=SPARE)
        self._doubles: dict[tuple[str, str], Double] = {}
        self._seen: Double | None = None

    def materials(self) -> AbstractContextManager[None]:
        """Meanwhile materials are taken from here and laid here."""
        return self._shelf.used()

    def build(self, look: Look) -> Double:
        """`build_double`, of a double that is kept where one will do."""
        kept = self._doubles.pop((look.rig.name, look.wardrobe.outfit), None)
        if self._seen is not None and self._seen is not kept:
            self._put_aside(self._seen)
        if kept is not None and self._seen is not kept:
            self._take_out(kept)
        self._seen = None
        return build_double(look, self._collection, into=kept)

    def lay(self, double: Double) -> None:
        """Keep a double; it stays where it is seen until the next one is built."""
        self._doubles[double.rig, double.outfit] = self._seen = double

    def clear(self) -> None:
        """Remove all that is kept but what is seen."""
        kept = [double for double in self._doubles.values() if double is not self._seen]
        self._doubles = {} if self._seen is None else {(self._seen.rig, self._seen.outfit): self._seen}
        for double in kept:
            remove_double(double)
        if self._aside is not None:
            bpy.data.collections.remove(self._aside)
            self._aside = None
        self._shelf.clear()

    def _put_aside(self, double: Double) -> None:
        if self._aside is None:
            self._aside = bpy.data.collections.new(COLLECTION)
            self._aside.hide_render = True
            self._collection.children.link(self._aside)
            layers = self._scene.view_layers[0].layer_collection.children
            layers[self._collection.name].children[self._aside.name].hide_viewport = True
        for thing in double.objects:
            thing.name = ASIDE + thing.name
            self._aside.objects.link(thing)
            self._collection.objects.unlink(thing)

    def _take_out(self, double: Double) -> None:
        for thing in double.objects:
            thing.name = thing.name.removeprefix(ASIDE)
            self._collection.objects.link(thing)
            self._aside.objects.unlink(thing)
