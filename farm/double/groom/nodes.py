"""Blender's own hair node assets as modifiers: the one place where their sockets are looked up.

Identifiers of sockets are irregular and change between versions; names are what the assets' users see, so inputs are
given by name.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import bpy

from farm.errors import DigidoubleError

__all__ = ["MARK", "Attribute", "add_asset", "set_inputs"]

ASSETS: Final = ("assets", "nodes", "procedural_hair_node_assets.blend")
MARK: Final = "digidouble_hair_asset"
"""A property of node groups that were appended here: the asset's name."""


class Attribute(str):
    """An input's value that is read from a named attribute instead of being one figure."""


def add_asset(thing: Any, asset: str, **inputs: Any) -> Any:
    """Add a hair asset by its name as a modifier of a hair object; see `set_inputs`."""
    modifier = thing.modifiers.new(asset, "NODES")
    modifier.node_group = _group(asset)
    set_inputs(modifier, **inputs)
    return modifier


def set_inputs(modifier: Any, **inputs: Any) -> None:
    """Set inputs by socket name with underscores for spaces, as `Guide_Distance=0.01`."""
    sockets = {
        item.name: item.identifier
        for item in modifier.node_group.interface.items_tree
        if item.item_type == "SOCKET" and item.in_out == "INPUT"
    }
    for key, value in inputs.items():
        name = key.replace("_", " ")
        if name not in sockets:
            raise DigidoubleError(
                f"Blender {bpy.app.version_string}: '{modifier.node_group.name}' has no input '{name}'"
            )
        socket = getattr(modifier.properties.inputs, sockets[name])
        if isinstance(value, Attribute):
            socket.type = "ATTRIBUTE"
            socket.attribute_name = str(value)
        else:
            socket.value = value
    modifier.id_data.update_tag()


def _group(asset: str) -> Any:
    """The node group of an asset, appended once per file and shared by all grooms."""
    for group in bpy.data.node_groups:
        if group.get(MARK) == asset:
            return group
    path = Path(bpy.utils.system_resource("DATAFILES")).joinpath(*ASSETS)
    with bpy.data.libraries.load(str(path), assets_only=True) as (available, wanted):
        if asset not in available.node_groups:
            raise DigidoubleError(f"Blender {bpy.app.version_string} has no hair asset '{asset}' in {path}")
        wanted.node_groups = [asset]
    group = wanted.node_groups[0]
    group[MARK] = asset
    return group
