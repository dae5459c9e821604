"""Strands between frames: baked hair curves hold one frame, and what lies before and after is made by nodes.

Motion blur and motion vectors ask for moments around a frame. The nodes move every point in a straight line from where
it is at the frame before, through the frame, to where it is at the frame after.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray

__all__ = ["strands_in_motion"]

BEFORE: Final = "frame_before"
AFTER: Final = "frame_after"
FRAME: Final = "Frame"
GROUP: Final = "Strands Between Frames"


@contextmanager
def strands_in_motion(
    thing: Any, frame: int, before: NDArray[np.float32], now: NDArray[np.float32], after: NDArray[np.float32]
) -> Iterator[None]:
    """Meanwhile the strands of a hair curves object move about a frame, where they lie as they are.

    before, now, after  (N, P, 3) the points at frame − 1, frame and frame + 1, in the object's space
    """
    curves = thing.data
    for name, points in ((BEFORE, before), (AFTER, after)):
        attribute = curves.attributes.new(name, "FLOAT_VECTOR", "POINT")
        attribute.data.foreach_set("vector", np.ascontiguousarray(points - now, dtype=np.float32).ravel())
    group = _group()
    modifier = thing.modifiers.new(GROUP, "NODES")
    modifier.node_group = group
    socket = next(item for item in group.interface.items_tree if item.name == FRAME)
    getattr(modifier.properties.inputs, socket.identifier).value = float(frame)
    thing.update_tag()
    try:
        yield
    finally:
        thing.modifiers.remove(modifier)
        bpy.data.node_groups.remove(group)
        for name in (BEFORE, AFTER):
            curves.attributes.remove(curves.attributes[name])
        curves.update_tag()


def _group() -> Any:
    """Nodes that add `BEFORE` and `AFTER` to the positions, each by the frames that have passed on its side."""
    group = bpy.data.node_groups.new(GROUP, "GeometryNodeTree")
    group.interface.new_socket("Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
    group.interface.new_socket(FRAME, in_out="INPUT", socket_type="NodeSocketFloat")
    group.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    add, link = group.nodes.new, group.links.new
    given, moved, result = add("NodeGroupInput"), add("GeometryNodeSetPosition"), add("NodeGroupOutput")
    passed = _math(group, "SUBTRACT", add("GeometryNodeInputSceneTime").outputs["Frame"], given.outputs[FRAME])
    back = _math(group, "MAXIMUM", _math(group, "MULTIPLY", passed, -1.0), 0.0)
    ahead = _math(group, "MAXIMUM", passed, 0.0)
    total = add("ShaderNodeVectorMath")
    total.operation = "ADD"
    for place, (name, share) in enumerate(((BEFORE, back), (AFTER, ahead))):
        offset, scaled = add("GeometryNodeInputNamedAttribute"), add("ShaderNodeVectorMath")
        offset.data_type = "FLOAT_VECTOR"
        offset.inputs["Name"].default_value = name
        scaled.operation = "SCALE"
        link(offset.outputs["Attribute"], scaled.inputs["Vector"])
        link(share, scaled.inputs["Scale"])
        link(scaled.outputs["Vector"], total.inputs[place])
    link(given.outputs["Geometry"], moved.inputs["Geometry"])
    link(total.outputs["Vector"], moved.inputs["Offset"])
    link(moved.outputs["Geometry"], result.inputs["Geometry"])
    return group


def _math(group: Any, operation: str, first: Any, second: Any) -> Any:
    """The result of a calculation with a socket, and another one or a number."""
    node = group.nodes.new("ShaderNodeMath")
    node.operation = operation
    for place, value in enumerate((first, second)):
        if isinstance(value, float):
            node.inputs[place].default_value = value
        else:
            group.links.new(value, node.inputs[place])
    return node.outputs["Value"]
