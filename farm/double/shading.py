"""Building materials from nodes: the one place where sockets are found by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import bpy
import numpy as np

from farm.errors import TemplateError
from farm.recipe.templates import Part

__all__ = ["Graph", "Shelf", "drop_materials", "give_material", "linear_colour", "linear_colours", "linear_value"]
__all__ += ["new_material"]


class Made(NamedTuple):
    """A node that was made: what it was asked for by, its name, and which of its inputs were fed, by number.

    It was asked for by its kind, its settings and where its inputs come from, but not by figures.
    """

    call: tuple[Any, ...]
    name: str
    places: list[int]


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


class Shelf:
    """Materials laid aside and taken again, so that what they have in common with the next ones is not built anew.

    Making and linking nodes is what takes long. A tree that is asked for the nodes it has gets other figures only; from
    the first node on that differs it is built anew. So each material is what it would be were it new, and what not all
    of a name have is best made last.
    """

    _in_use: Shelf | None = None

    def __init__(self, *, mark: str) -> None:
        """An empty shelf; what lies here carries `mark` as a custom property."""
        self._mark = mark
        self._free: dict[str, list[Any]] = {}
        self._names: dict[int, str] = {}
        self._made: dict[int, list[Made]] = {}

    @contextmanager
    def used(self) -> Iterator[None]:
        """Meanwhile `new_material` takes materials from here, and `drop_materials` lays them here."""
        before, Shelf._in_use = Shelf._in_use, self
        try:
            yield
        finally:
            Shelf._in_use = before

    def take(self, name: str) -> tuple[Any, Graph]:
        """A material made under a name, and its graph: one that lies here, else a new one."""
        free = self._free.get(name)
        material = free.pop() if free else _empty_material(name)
        material[self._mark] = True
        self._names[material.session_uid] = name
        return material, Graph(material.node_tree, self._made.setdefault(material.session_uid, []))

    def clear(self) -> None:
        """Remove what lies here."""
        bpy.data.batch_remove([material for free in self._free.values() for material in free])
        self._free.clear()

    def lay(self, materials: Iterable[Any]) -> list[Any]:
        """Lay aside those of some materials that were taken here; the others are returned."""
        others = []
        for material in materials:
            name = self._names.get(material.session_uid)
            if name is None:
                others.append(material)
            else:
                self._free.setdefault(name, []).append(material)
        return others


def new_material(name: str) -> tuple[Any, Graph]:
    """A material and its graph, to be filled up to its `surface`."""
    if Shelf._in_use is not None:
        return Shelf._in_use.take(name)
    material = _empty_material(name)
    return material, Graph(material.node_tree)


def drop_materials(materials: Iterable[Any]) -> None:
    """Remove those of some materials, or of empty slots, that nothing uses, or lay them on the shelf in use."""
    unused = [material for material in materials if material is not None and material.users == 0]
    bpy.data.batch_remove(unused if Shelf._in_use is None else Shelf._in_use.lay(unused))


def give_material(data: Any, slot: int, make: Callable[[], Any]) -> None:
    """Put a new material into a slot of a mesh or curves, the next one or one that has another material now."""
    if slot == len(data.materials):
        data.materials.append(make())
        return
    before, data.materials[slot] = data.materials[slot], None
    drop_materials([before])
    data.materials[slot] = make()


def _empty_material(name: str) -> Any:
    material = bpy.data.materials.new(name)
    material.node_tree.nodes.clear()
    return material


class Graph:
    """Adds nodes to a shader tree; an input's value is a number, a colour, a socket, or a node (its first output)."""

    def __init__(self, tree: Any, made: list[Made] | None = None) -> None:
        """A graph of a tree whose nodes were `made` before; what is asked for from now on is kept there."""
        self._tree = tree
        self._made: list[Made] = [] if made is None else made
        self._next = 0

    def node(self, kind: str, inputs: Mapping[Any, Any] | None = None, **settings: Any) -> Any:
        """A node `ShaderNode<kind>` with settings, then inputs by socket name, or by number where names repeat."""
        fed = {name: _source(value) for name, value in (inputs or {}).items()}
        call = (kind, *settings.items(), *((name, _origin(value)) for name, value in fed.items()))
        node = self._again(call)
        linked = node is not None
        if node is None:
            self._cut()
            node = self._tree.nodes.new(f"ShaderNode{kind}")
            for setting, value in settings.items():
                setattr(node, setting, value)
            self._made.append(Made(call, node.name, [_place(node, name) for name in fed]))
        places = self._made[self._next].places
        self._next += 1
        for place, value in zip(places, fed.values(), strict=True):
            if not _is_socket(value):
                _set(node.inputs[place], value)
            elif not linked:
                self._tree.links.new(value, node.inputs[place])
        return node

    def _again(self, call: tuple[Any, ...]) -> Any:
        """The node that was made next before, where it was asked for alike; else None."""
        if self._next == len(self._made):
            return None
        before = self._made[self._next]
        return self._tree.nodes.get(before.name) if before.call == call else None

    def _cut(self) -> None:
        """Remove the nodes that were made before and have not been asked for again."""
        for before in self._made[self._next :]:
            node = self._tree.nodes.get(before.name)
            if node is not None:
                self._tree.nodes.remove(node)
        del self._made[self._next :]

    def math(self, operation: str, *values: Any, clamp: bool = False) -> Any:
        """The socket of a Math node."""
        return self.node("Math", dict(enumerate(values)), operation=operation, use_clamp=clamp).outputs[0]

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
        self._cut()


def _source(value: Any) -> Any:
    """A node's first output; all else as it is."""
    return value.outputs[0] if isinstance(value, bpy.types.Node) else value


def _is_socket(value: Any) -> bool:
    return isinstance(value, bpy.types.NodeSocket)


def _origin(value: Any) -> tuple[str, str] | None:
    """The node and output that a socket is; None for a figure."""
    return (value.node.name, value.identifier) if _is_socket(value) else None


def _place(node: Any, name: str | int) -> int:
    """The number of an input that is given by its name, or by that."""
    return name if isinstance(name, int) else list(node.inputs).index(_socket(node.inputs, name))


def _set(socket: Any, value: Any) -> None:
    """Give a socket a number or colour; each change makes Blender look through the whole tree."""
    if isinstance(value, tuple):
        before = tuple(socket.default_value)
        value = (*value, 1.0) if len(value) < len(before) else value
        if before != tuple(np.array(value, dtype=np.float32).tolist()):
            socket.default_value = value
    elif socket.default_value != np.float32(value):
        socket.default_value = value


def _socket(sockets: Any, name: str) -> Any:
    """The enabled socket of a name: Mix nodes hold one of each type under the same name."""
    found = [socket for socket in sockets if socket.name == name and socket.enabled]
    if not found:
        raise LookupError(f"no socket '{name}'; this Blender has: {', '.join(socket.name for socket in sockets)}")
    return found[0]
