"""YAML text read into plain data, with the line and column of every key and value.

Scalars are read as in YAML 1.2's core schema, plus digits grouped by `_`: `no`, `off` and `12:30` stay text, `1e3` is
a number. A key given twice, a merge key, a tag that asks for anything but plain data and a value that holds itself
are errors.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import yaml

from farm.errors import RecipeError
from farm.recipe.faults import show

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


class _Problem(Exception):
    """Something wrong at a node."""

    def __init__(self, message: str, node: yaml.Node):
        super().__init__(message)
        self.node = node


@dataclass(frozen=True)
class Document:
    """Plain data and where in its source each part stands. Keys of mappings are text, as in JSON."""

    source: str
    data: Any
    root: yaml.Node

    def locate(self, path: tuple[str | int, ...], *, key: bool = False) -> tuple[int, int]:
        """Line and column, from 1, of what `path` leads to, or of as much of it as exists; its key if `key`."""
        node = self.root
        mark = node.start_mark
        for step in path:
            found = _child(node, step)
            if found is None:
                break
            name, node = found
            mark = (name if key else node).start_mark
        return mark.line + 1, mark.column + 1

    def where(self, path: tuple[str | int, ...], *, key: bool = False) -> str:
        """`source:line:column`."""
        line, column = self.locate(path, key=key)
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
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise RecipeError(f"{source}: not valid YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise RecipeError(f"{source}: not a recipe: its values are nested too deeply") from None
    if root is None:
        raise RecipeError(f"{source}:1: the file is empty; a recipe starts with `digidouble: recipe/1`")
    problems: list[_Problem] = []
    data = _Builder(problems).build(root)
    if problems:
        marks = [(problem, problem.node.start_mark) for problem in problems]
        raise RecipeError("\n".join(f"{source}:{mark.line + 1}:{mark.column + 1}: {text}" for text, mark in marks))
    return Document(source, data, root)


def _one_line(error: yaml.MarkedYAMLError) -> str:
    parts = [error.problem, error.context]
    return " ".join(" ".join(part for part in parts if part).split())


class _Builder:
    """Makes plain data of nodes; each node once, however often an alias names it."""

    def __init__(self, problems: list[_Problem]):
        self._problems = problems
        self._done: dict[int, Any] = {}
        self._open: set[int] = set()

    def build(self, node: yaml.Node) -> Any:
        """The node's data; None, and a problem more, where it has none."""
        if id(node) not in self._done:
            try:
                self._done[id(node)] = self._enter(node)
            except _Problem as problem:
                self._problems.append(problem)
                self._done[id(node)] = None
        return self._done[id(node)]

    def _enter(self, node: yaml.Node) -> Any:
        if id(node) in self._open:
            raise _Problem("a value that holds itself", node)
        if len(self._open) > _DEEPEST:
            raise _Problem("values nested too deeply", node)
        self._open.add(id(node))
        try:
            return self._plain(node)
        finally:
            self._open.discard(id(node))

    def _plain(self, node: yaml.Node) -> Any:
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            return self._mapping(node)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            return [self.build(item) for item in node.value]
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        raise _Problem(f"the tag {show(node.tag)} has no place in a recipe", node)

    def _mapping(self, node: yaml.MappingNode) -> dict[str, Any]:
        lines: dict[str, int] = {}
        data = {}
        for name, value in node.value:
            if not isinstance(name, yaml.ScalarNode):
                self._problems.append(_Problem("a key must be one word or number", name))
                continue
            if name.value in lines:
                first = lines[name.value]
                self._problems.append(
                    _Problem(f"the key {show(name.value)} is there twice, first in line {first}", name)
                )
                continue
            lines[name.value] = name.start_mark.line + 1
            data[_text(name)] = self.build(value)
        return data


def _text(node: yaml.ScalarNode) -> str:
    try:
        node.value.encode("utf-8")
    except UnicodeEncodeError:
        raise _Problem(f"{show(ascii(node.value))} is not valid text", node) from None
    return str(node.value)


def _scalar(node: yaml.ScalarNode) -> Any:
    text = _text(node)
    kind = node.tag.removeprefix(_TAG)
    if kind == "str":
        return text
    if kind == "null":
        return None
    if kind == "bool" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kind in ("int", "float"):
        return _number(node, text, kind)
    raise _Problem(f"the tag {show(node.tag)} has no place in a recipe", node)


def _number(node: yaml.ScalarNode, text: str, kind: str) -> int | float:
    if len(text) > _LONGEST_NUMBER:
        raise _Problem(f"{show(text)} has too many digits", node)
    try:
        return int(text.replace("_", "")) if kind == "int" else float(text.replace("_", ""))
    except ValueError:
        raise _Problem(f"{show(text)} is not a number", node) from None
