"""Building materials from nodes: the one place where sockets are found by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import bpy

from farm.errors import TemplateError
from farm.recipe.templates import Part

__all__ = ["Graph", "linear_colour", "linear_colours", "linear_value", "new_material"]


def linear_value(value: float) -> float:
    """The scene-linear value of an sRGB one, 0..1 (IEC 61966-2-1)."""
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def linear_colour(code: str, *, place: str) -> tuple[float, float, float]:
    """The scene-linear Rec.709 colour of an sRGB code as `#a07e56`; `place` names where it stands in an error."""
    digits = code.removeprefix("#")
    try:
        values = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    except ValueError:
        values = []
    if len(digits) != 6 or not values:
        raise TemplateError(f"{place}: '{code}' is not a colour; write it as '#a07e56'")
    red, green, blue = (linear_value(value) for value in values)
    return red, green, blue


def linear_colours(part: Part, names: Sequence[str], *, place: str) -> dict[str, tuple[float, float, float]]:
    """The scene-linear colours of a template's sRGB codes by key; `place` names the template in an error."""
    return {name: linear_colour(getattr(part, name), place=f"{place}: {name}") for name in names}


def new_material(name: str) -> tuple[Any, Graph]:
    """A material and its graph, empty but for the output."""
    material = bpy.data.materials.new(name)
    material.node_tree.nodes.clear()
    return material, Graph(material.node_tree)


class Graph:
    """Adds nodes to a shader tree; an input's value is a number, a colour, a socket, or a node (its first output)."""

    def __init__(self, tree: Any) -> None:
        self._tree = tree

    def node(self, kind: str, inputs: Mapping[Any, Any] | None = None, **settings: Any) -> Any:
        """A node `ShaderNode<kind>` with settings, then inputs by socket name, or by number where names repeat."""
        node = self._tree.nodes.new(f"ShaderNode{kind}")
        for setting, value in settings.items():
            setattr(node, setting, value)
        for name, value in (inputs or {}).items():
            self._feed(node.inputs[name] if isinstance(name, int) else _socket(node.inputs, name), value)
        return node

    def math(self, operation: str, *values: Any, clamp: bool = False) -> Any:
        """The socket of a Math node."""
        node = self.node("Math", operation=operation, use_clamp=clamp)
        for socket, value in zip(node.inputs, values, strict=False):
            self._feed(socket, value)
        return node.outputs[0]

    def mix(self, factor: Any, first: Any, second: Any, *, blend: str = "MIX") -> Any:
        """The colour socket of a Mix node."""
        inputs = {"Factor": factor, "A": first, "B": second}
        return _socket(self.node("Mix", inputs, data_type="RGBA", blend_type=blend).outputs, "Result")

    def ramp(self, factor: Any, start: float, end: float) -> Any:
        """A smooth step of a value: 0 up to `start`, 1 from `end` on; falling where `start` is above `end`."""
        inputs = {"Value": factor, "From Min": start, "From Max": end}
        return self.node("MapRange", inputs, interpolation_type="SMOOTHSTEP").outputs[0]

    def attribute(self, name: str, output: str = "Factor") -> Any:
        """The socket of a geometry attribute: `Factor`, `Vector` or `Color`."""
        return _socket(self.node("Attribute", attribute_name=name).outputs, output)

    def noise(self, position: Any, *, size: float, detail: float = 2.0, roughness: float = 0.5) -> Any:
        """The value socket, 0..1, of noise whose features are about `size` metres."""
        inputs = {"Vector": position, "Scale": 1 / size, "Detail": detail, "Roughness": roughness}
        return self.node("TexNoise", inputs).outputs[0]

    def cells(self, position: Any, *, size: float) -> tuple[Any, Any, Any, Any]:
        """Voronoi cells about `size` metres wide: distance to its point, in cells, and three figures 0..1."""
        node = self.node("TexVoronoi", {"Vector": position, "Scale": 1 / size}, feature="F1")
        return (_socket(node.outputs, "Distance"), *self.parts(_socket(node.outputs, "Color")))

    def shake(self, position: Any, *, size: float, by: float) -> Any:
        """A position moved at random by up to about `by` metres, differently every `size` metres."""
        noise = self.node("TexNoise", {"Vector": position, "Scale": 1 / size, "Detail": 0.0})
        moved = self._vector("SUBTRACT", _socket(noise.outputs, "Color"), (0.5, 0.5, 0.5))
        return self._vector("MULTIPLY_ADD", moved, (2 * by, 2 * by, 2 * by), position)

    def scaled(self, vector: Any, by: tuple[float, float, float]) -> Any:
        """A vector times another, axis by axis."""
        return self._vector("MULTIPLY", vector, by)

    def dot(self, vector: Any, other: tuple[float, ...]) -> Any:
        """The dot product of a vector's socket and a constant vector."""
        node = self.node("VectorMath", {0: vector, 1: other}, operation="DOT_PRODUCT")
        return _socket(node.outputs, "Value")

    def parts(self, vector: Any) -> tuple[Any, Any, Any]:
        """The three sockets of a vector's or colour's parts."""
        outputs = self.node("SeparateXYZ", {"Vector": vector}).outputs
        return outputs[0], outputs[1], outputs[2]

    def _vector(self, operation: str, *values: Any) -> Any:
        return self.node("VectorMath", dict(enumerate(values)), operation=operation).outputs[0]

    def surface(self, shader: Any) -> None:
        """End the graph with this shader."""
        self.node("OutputMaterial", {"Surface": shader})

    def _feed(self, socket: Any, value: Any) -> None:
        if hasattr(value, "outputs"):
            value = value.outputs[0]
        if hasattr(value, "is_output"):
            self._tree.links.new(value, socket)
        elif isinstance(value, tuple) and len(value) == 3 and len(socket.default_value) == 4:
            socket.default_value = (*value, 1.0)
        else:
            socket.default_value = value


def _socket(sockets: Any, name: str) -> Any:
    """The enabled socket of a name: Mix nodes hold one of each type under the same name."""
    found = [socket for socket in sockets if socket.name == name and socket.enabled]
    if not found:
        raise LookupError(f"no socket '{name}'; this Blender has: {', '.join(socket.name for socket in sockets)}")
    return found[0]
