"""YAML text read into plain data, with the line and column of every key and value.

Scalars are read as in YAML 1.2's core schema, plus digits grouped by `_`: `no`, `off` and `12:30` stay text, `1e3` is
a number. A key given twice, a merge key, a tag that asks for anything but plain data and a value that holds itself
are errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import yaml

from farm.errors import RecipeError
from farm.recipe.faults import Key, Place, show, spell

__all__ = ["Document", "read_document"]

_TAG: Final = "tag:yaml.org,2002:"
_DEEPEST: Final = 40
_LONGEST_NUMBER: Final = 60


class _Loader(yaml.SafeLoader):
    """Composes nodes; its own table of plain scalars takes the place of YAML 1.1's."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own form


for _name, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9][0-9_]*", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9][0-9_]*\.?[0-9_]*)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
):
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(rf"^(?:{_pattern})$"), _first)


@dataclass(frozen=True)
class _Problem:
    """Something wrong at a mark."""

    message: str
    mark: yaml.Mark
    place: Place

    def line(self, source: str) -> str:
        """The problem as one line."""
        place = f"{spell(self.place)}: " if self.place else ""
        return f"{source}:{self.mark.line + 1}:{self.mark.column + 1}: {place}{self.message}"


@dataclass(frozen=True)
class Document:
    """Plain data and where in its source each part stands. Keys of mappings are text, as in JSON."""

    source: str
    data: Any
    root: yaml.Node

    def locate(self, path: Place) -> tuple[int, int]:
        """Line and column, from 1, of what `path` leads to, or of as much of it as exists."""
        node = self.root
        mark = node.start_mark
        for step in path:
            found = _child(node, step)
            if found is None:
                break
            name, node = found
            mark = (name if isinstance(step, Key) else node).start_mark
        return mark.line + 1, mark.column + 1

    def where(self, path: Place) -> str:
        """`source:line:column`."""
        line, column = self.locate(path)
        return f"{self.source}:{line}:{column}"


def _child(node: yaml.Node, step: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """The key's and the value's node."""
    if isinstance(node, yaml.MappingNode):
        return next(((name, value) for name, value in node.value if name.value == str(step)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None


def read_document(text: str, source: str) -> Document:
    """Read YAML text.

    Args:
        text: The YAML.
        source: What errors call it, usually its path.

    Raises:
        RecipeError: one line for each thing wrong.
    """
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise RecipeError(f"{source}{place}: not valid YAML: {_one_line(error)}") from None
    except yaml.reader.ReaderError as error:
        place = f"{source}:{text.count(chr(10), 0, error.position) + 1}"
        raise RecipeError(f"{place}: not text: it holds the character {error.character:#04x}") from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise RecipeError(f"{source}: not valid YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise RecipeError(f"{source}: not a recipe: its values are nested too deeply") from None
    if root is None:
        raise RecipeError(f"{source}:1: the file is empty; a recipe starts with `digidouble: recipe/1`")
    builder = _Builder()
    data = builder.build(root)
    if builder.problems:
        raise RecipeError("\n".join(problem.line(source) for problem in builder.problems))
    return Document(source, data, root)


def _one_line(error: yaml.MarkedYAMLError) -> str:
    parts = [error.problem, error.context]
    return " ".join(" ".join(part for part in parts if part).split())


class _Builder:
    """Makes plain data of nodes; each node once, however often an alias names it."""

    def __init__(self) -> None:
        self.problems: list[_Problem] = []
        self._done: dict[int, Any] = {}
        self._open: list[int] = []
        self._place: list[str | int] = []

    def build(self, node: yaml.Node, *step: str | int) -> Any:
        """The node's data; None, and a problem more, where it has none. `step` leads to it from the one around it."""
        if id(node) in self._done:
            return self._done[id(node)]
        self._place.extend(step)
        if id(node) in self._open:
            self._report("a value that holds itself", node)
            data = None
        elif len(self._open) > _DEEPEST:
            self._report("values nested too deeply", node)
            data = None
        else:
            self._open.append(id(node))
            data = self._plain(node)
            self._open.pop()
        del self._place[len(self._place) - len(step) :]
        self._done[id(node)] = data
        return data

    def _report(self, message: str, node: yaml.Node, *step: str) -> None:
        self.problems.append(_Problem(message, node.start_mark, (*self._place, *step)))

    def _plain(self, node: yaml.Node) -> Any:
        kind = node.tag.removeprefix(_TAG)
        if isinstance(node, yaml.MappingNode) and kind == "map":
            return self._mapping(node)
        if isinstance(node, yaml.SequenceNode) and kind == "seq":
            return [self.build(item, place) for place, item in enumerate(node.value)]
        if not isinstance(node, yaml.ScalarNode) or kind not in _SCALARS:
            return self._report(f"the tag {show(node.tag)} has no place in a recipe", node)
        if not _is_text(node.value):
            return self._report(f"{show(ascii(node.value))} is not valid text", node)
        try:
            return _SCALARS[kind](node.value)
        except ValueError:
            return self._report(f"{show(node.value)} is no {kind}", node)

    def _mapping(self, node: yaml.MappingNode) -> dict[str, Any]:
        lines: dict[str, int] = {}
        data = {}
        for name, value in node.value:
            if not isinstance(name, yaml.ScalarNode):
                self._report("a key must be one word or number", name)
            elif not _is_text(name.value):
                self._report(f"the key {show(ascii(name.value))} is not valid text", name)
            elif name.value in lines:
                self._report(f"the key is there twice, first in line {lines[name.value]}", name, name.value)
            else:
                lines[name.value] = name.start_mark.line + 1
                data[name.value] = self.build(value, name.value)
        return data


def _is_text(value: str) -> bool:
    """Whether it can be written as UTF-8: an escape can make half a surrogate pair."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def _digits(text: str) -> str:
    if len(text) > _LONGEST_NUMBER:
        raise ValueError("too many digits")
    return text.replace("_", "")


_SCALARS: Final[dict[str, Callable[[str], Any]]] = {
    "str": str,
    "null": lambda text: None,
    "bool": _boolean,
    "int": lambda text: int(_digits(text)),
    "float": lambda text: float(_digits(text)),
}
