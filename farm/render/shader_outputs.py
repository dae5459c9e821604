"""What Cycles has no pass for: strands and materials' own values, written by shaders (arbitrary output variables)."""

from __future__ import annotations

from typing import Any, Final

import bpy
import numpy as np

__all__ = ["OUTPUTS", "write_outputs"]

OUTPUTS: Final = {
    "hair_mask": "VALUE",
    "strand_tangent": "COLOR",
    "strand_id": "VALUE",
    "base_color": "COLOR",
    "base_roughness": "VALUE",
    "base_known": "VALUE",
}
"""Name and kind of each output."""

STRAND: Final = "digidouble_strand"
MARK: Final = "digidouble_outputs"
FREE: Final = "BSDF_PRINCIPLED"


def write_outputs(scene: Any) -> None:
    """Let every material of the scene's rendered objects write OUTPUTS; what does already stays as it is.

    Strands are numbered from 1 over all hair objects in the order of their names.
    """
    hair = sorted((thing for thing in scene.objects if _is_hair(thing)), key=lambda thing: thing.name)
    first = 1
    for thing in hair:
        _number(thing.data, first)
        first += len(thing.data.curves)
    of_hair = {slot.material for thing in hair for slot in thing.material_slots if slot.material}
    others = {slot.material for thing in scene.objects for slot in thing.material_slots if slot.material}
    for material in of_hair | others:
        if MARK not in material:
            _extend(material, hair=material in of_hair)
            material[MARK] = True


def _is_hair(thing: Any) -> bool:
    return thing.type == "CURVES" and not thing.hide_render


def _number(curves: Any, first: int) -> None:
    numbers = np.arange(first, first + len(curves.curves), dtype=np.int32)
    attribute = curves.attributes.get(STRAND)
    if attribute is None:
        attribute = curves.attributes.new(STRAND, "INT", "CURVE")
    else:
        found = np.empty_like(numbers)
        attribute.data.foreach_get("value", found)
        if np.array_equal(found, numbers):
            return
    attribute.data.foreach_set("value", numbers)
    curves.update_tag()


def _extend(material: Any, *, hair: bool) -> None:
    tree = material.node_tree
    if hair:
        number = tree.nodes.new("ShaderNodeAttribute")
        number.attribute_name = STRAND
        _output(tree, "hair_mask", 1.0)
        _output(tree, "strand_tangent", tree.nodes.new("ShaderNodeNewGeometry").outputs["Tangent"])
        _output(tree, "strand_id", number.outputs["Fac"])
        return
    shader = _surface(tree)
    if shader is not None and shader.type == FREE:
        for name, source in (("base_color", "Base Color"), ("base_roughness", "Roughness")):
            socket = shader.inputs[source]
            _output(tree, name, socket.links[0].from_socket if socket.is_linked else socket.default_value)
        _output(tree, "base_known", 1.0)


def _surface(tree: Any) -> Any:
    """The shader that goes straight into the surface, or None."""
    end = tree.get_output_node("CYCLES")
    links = end.inputs["Surface"].links if end is not None else ()
    return links[0].from_node if links else None


def _output(tree: Any, name: str, source: Any) -> None:
    node = tree.nodes.new("ShaderNodeOutputAOV")
    node.aov_name = name
    socket = node.inputs["Color" if OUTPUTS[name] == "COLOR" else "Value"]
    if isinstance(source, bpy.types.NodeSocket):
        tree.links.new(source, socket)
    else:
        socket.default_value = source
