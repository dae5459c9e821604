"""Populations: who people are where a recipe says nothing of them.

A population is a template of layers, applied in order. A layer sets parameters to values or distributions, in the
words of a recipe; a later layer replaces what an earlier one set. `where` limits a layer to those people whose values
meet its conditions (`farm.recipe.conditions`), and `one_of` adds one of several kinds of people, drawn by their shares:

    layers:
      - set: {body.age: {uniform: [18, 80]}}
      - one_of:
          women: {share: 1, set: {body.gender: 0, body.height: {normal: {mean: 159 cm, sd: 6.5 cm}}}}
          men: {share: 1, set: {body.gender: 1, body.height: {normal: {mean: 171 cm, sd: 7 cm}}}}
      - where: {body.age: [50, 80]}
        set: {hair.grey: {uniform: [0.2, 1]}}

Everything is drawn from streams of the identity, one per layer and parameter: one seed is one person, and what a
recipe fixes, as the age, changes nothing else but what is limited to other ages.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pydantic import Field
from pydantic_core import PydanticCustomError

from farm.errors import TemplateError
from farm.recipe import templates
from farm.recipe.conditions import Condition, at_path, parse_condition, suits
from farm.recipe.distributions import Choose, Setting
from farm.recipe.faults import fault, spell
from farm.recipe.parameters import PARAMETERS, Parameter, Value
from farm.recipe.settings import parse_setting
from farm.recipe.templates import Part, nearest
from farm.recipe.variant import stream

__all__ = ["KIND", "Population", "load_population"]

KIND: Final = "populations"
COVERED_AXES: Final = ("body", "skin", "hair", "beard")
SEEDS: Final = ("body.identity", "body.face", "hair.seed")

Parsed = TypeVar("Parsed")


class _Kind(Part):
    """One kind of people among several."""

    share: float = Field(gt=0)
    set: dict[str, Any]


class _Layer(Part):
    where: dict[str, Any] = Field(default_factory=dict)
    set: dict[str, Any] = Field(default_factory=dict)
    one_of: dict[str, _Kind] = Field(default_factory=dict)


class _Template(Part):
    format: str = Field(pattern="^digidouble-population/1$")
    description: str
    sources: tuple[str, ...] = Field(min_length=1)
    layers: tuple[_Layer, ...] = Field(min_length=1)


@dataclass(frozen=True)
class _Drawn:
    """A layer whose settings have been checked: who it is for, what it sets, and the kinds that it chooses from."""

    where: dict[str, Condition]
    settings: dict[str, Setting]
    kinds: Choose | None
    of_kind: dict[str, dict[str, Setting]]


@dataclass(frozen=True)
class Population:
    """Distributions of people."""

    name: str
    layers: tuple[_Drawn, ...]

    @property
    def paths(self) -> frozenset[str]:
        """The parameters that it draws."""
        return frozenset(path for layer in self.layers for path in _paths(layer))

    def draw(self, identity: int, known: Mapping[str, Value]) -> dict[str, Value]:
        """One person: a value for each of `paths` that is not in `known`, which holds what the recipe says.

        A parameter that no layer sets for this person has its default.
        """
        values = {path: parameter.default for path, parameter in PARAMETERS.items()} | dict(known)
        for number, layer in enumerate(self.layers):
            if not suits(layer.where, values):
                continue
            settings = dict(layer.settings)
            if layer.kinds:
                settings |= layer.of_kind[str(layer.kinds.draw(stream(identity, "population", number)))]
            for path, setting in settings.items():
                if path not in known:
                    values[path] = setting.draw(stream(identity, "population", number, path))
        return {path: values[path] for path in self.paths if path not in known}


def _paths(layer: _Drawn) -> Iterator[str]:
    yield from layer.settings
    for settings in layer.of_kind.values():
        yield from settings


@functools.cache
def load_population(name: str) -> Population:
    """A population of templates/populations.

    Raises:
        TemplateError: there is none of that name, or something in it is wrong.
    """
    template = templates.read(_Template, KIND, name)
    place = templates.place(KIND, name)
    layers = [_read(layer, f"{place}: layers[{number}]") for number, layer in enumerate(template.layers)]
    return Population(name, tuple(layers))


def _read(layer: _Layer, place: str) -> _Drawn:
    shares = tuple((name, kind.share) for name, kind in layer.one_of.items())
    return _Drawn(
        where=_parsed(layer.where, parse_condition, f"{place}.where"),
        settings=_parsed(layer.set, parse_setting, f"{place}.set"),
        kinds=Choose(shares) if shares else None,
        of_kind={
            name: _parsed(kind.set, parse_setting, f"{place}.one_of.{name}.set") for name, kind in layer.one_of.items()
        },
    )


def _covered(path: str) -> Parameter:
    known = [each for each in PARAMETERS if each.split(".")[0] in COVERED_AXES and each not in SEEDS]
    if path not in known:
        raise fault(f"'{path}' cannot be drawn by a population{nearest(path, known)}")
    return PARAMETERS[path]


def _parsed(raw: Mapping[str, Any], parse: Callable[[Parameter, Any], Parsed], place: str) -> dict[str, Parsed]:
    try:
        return {path: at_path(path, written, _covered, parse) for path, written in raw.items()}
    except PydanticCustomError as error:
        below = spell((error.context or {}).get("place", ()))
        raise TemplateError(f"{place}{f'.{below}' if below else ''}: {error.message()}") from None
