"""Populations: who people are where a recipe says nothing of them.

A population is a template of layers, applied in order. A layer sets parameters to values or distributions, in the
words of a recipe; a later layer replaces what an earlier one set. `where` limits a layer to those people whose values
lie in its ranges, and `one_of` adds one of several kinds of people, drawn by their shares:

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
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import Field
from pydantic_core import PydanticCustomError

from farm.errors import TemplateError
from farm.recipe import templates
from farm.recipe.distributions import Choose, Setting
from farm.recipe.parameters import PARAMETERS, Parameter, Value
from farm.recipe.settings import parse_setting, parse_value
from farm.recipe.templates import Part, nearest
from farm.recipe.variant import stream

__all__ = ["KIND", "Population", "load_population"]

KIND: Final = "populations"
COVERED_AXES: Final = ("body", "skin", "hair", "beard")
SEEDS: Final = ("body.identity", "body.face", "hair.seed")


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

    where: dict[str, tuple[Value, Value]]
    settings: dict[str, Setting]
    kinds: Choose | None
    of_kind: dict[str, dict[str, Setting]]

    def suits(self, values: Mapping[str, Value]) -> bool:
        """Whether the layer is for people with these values."""
        return all(low <= values[path] <= high for path, (low, high) in self.where.items())  # type: ignore[operator]


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
            if not layer.suits(values):
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
        where={path: _ends(path, ends, f"{place}.where") for path, ends in layer.where.items()},
        settings=_settings(layer.set, f"{place}.set"),
        kinds=Choose(shares) if shares else None,
        of_kind={name: _settings(kind.set, f"{place}.one_of.{name}.set") for name, kind in layer.one_of.items()},
    )


def _parameter(path: str, place: str) -> Parameter:
    known = [each for each in PARAMETERS if each.split(".")[0] in COVERED_AXES and each not in SEEDS]
    if path not in known:
        raise TemplateError(f"{place}: '{path}' cannot be drawn by a population{nearest(path, known)}")
    return PARAMETERS[path]


def _settings(raw: Mapping[str, Any], place: str) -> dict[str, Setting]:
    settings = {}
    for path, value in raw.items():
        parameter = _parameter(path, place)
        try:
            settings[path] = parse_setting(parameter, value)
        except PydanticCustomError as error:
            raise TemplateError(f"{place}.{path}: {error.message()}") from None
    return settings


def _ends(path: str, raw: Any, place: str) -> tuple[Value, Value]:
    """The range of a number, or a single value as both its ends."""
    parameter = _parameter(path, place)
    ends = raw if isinstance(raw, list) else [raw, raw]
    if len(ends) != 2:
        raise TemplateError(f"{place}.{path}: expected one value or [low, high], found {raw}")
    try:
        low, high = (parse_value(parameter, end) for end in ends)
    except PydanticCustomError as error:
        raise TemplateError(f"{place}.{path}: {error.message()}") from None
    return low, high
