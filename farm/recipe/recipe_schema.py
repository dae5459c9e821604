"""The recipe's JSON Schema, made from the models, for editors and other tools.

It cannot say everything: the names of templates, and what values mean together, are left to `load_recipe`.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema

from farm.recipe.axes import PARAMETER_MARK
from farm.recipe.distributions import Setting
from farm.recipe.parameters import PARAMETERS, Parameter
from farm.recipe.recipe import Recipe
from farm.recipe.rules import FIRST_OF_ALL, PATHS_MARK, Rule
from farm.recipe.scalars import TRUTH_SCHEMAS
from farm.recipe.settings import BETA_SHAPE, distributions, value_range
from farm.recipe.units import DIMENSIONS, dimension

__all__ = ["json_schema", "setting_schema"]

_QUANTITIES: Final[dict[str, dict[str, Any]]] = {
    name: {
        "type": "string",
        "pattern": rf"^\s*[-+]?[0-9._]+([eE][-+]?[0-9]+)?\s*({'|'.join(units)})?\s*$",
        "description": f"A {name} with its unit: {', '.join(units)}.",
    }
    for name, units in DIMENSIONS.items()
}
"""Text such as `85 mm`, by dimension."""


class _Generator(GenerateJsonSchema):
    """Writes a default setting as recipes do, and no titles that repeat the keys."""

    def encode_default(self, dft: Any) -> Any:
        return dft.plain() if isinstance(dft, Setting) else super().encode_default(dft)

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a recipe file."""
    schema = Recipe.model_json_schema(mode="validation", schema_generator=_Generator)
    definitions = {**schema.pop("$defs"), **_QUANTITIES}
    for definition in definitions.values():
        for field in definition.get("properties", {}).values():
            if PARAMETER_MARK in field:
                field.update(setting_schema(PARAMETERS[field.pop(PARAMETER_MARK)]))
    rule = definitions[Rule.__name__]["properties"]
    for part, schemas in (("where", _conditions()), ("set", _settings())):
        del rule[part][PATHS_MARK]
        rule[part] |= {"type": "object", "minProperties": 1, "additionalProperties": False, "properties": schemas}
    return {"$schema": _Generator.schema_dialect, **schema, "$defs": definitions}


def setting_schema(parameter: Parameter) -> dict[str, Any]:
    """The schema of what may stand beside one parameter. Quantities with a unit refer to `$defs`."""
    values = _values(parameter)
    value = {"anyOf": values} if len(values) > 1 else values[0]
    bodies = _distribution_schemas(parameter, value)
    choices = [_mapping({kind: bodies[kind]}, [kind]) for kind in distributions(parameter)]
    marks = {"x-unit": parameter.unit, "x-template": parameter.template, "x-drawn": parameter.drawn}
    return {"anyOf": [*values, *choices], **{key: mark for key, mark in marks.items() if mark}}


def _conditions() -> dict[str, Any]:
    """The schema of what may stand beside each path in a rule's `where`."""
    return {
        path: {"description": parameter.description, "anyOf": [*_values(parameter), _several(parameter)]}
        for path, parameter in PARAMETERS.items()
    }


def _several(parameter: Parameter) -> dict[str, Any]:
    values = _values(parameter)
    items = {"anyOf": values} if len(values) > 1 else values[0]
    count = {"minItems": 1, "maxItems": 2} if parameter.type in (int, float) else {"minItems": 1, "uniqueItems": True}
    return {"type": "array", "items": items, **count}


def _settings() -> dict[str, Any]:
    """The schema of what may stand beside each path in a rule's `set`: the same as in the axes."""
    return {
        path: {"$ref": f"#/$defs/{parameter.axis.capitalize()}Settings/properties/{parameter.name}"}
        for path, parameter in PARAMETERS.items()
        if path != FIRST_OF_ALL
    }


def _values(parameter: Parameter) -> list[dict[str, Any]]:
    """Schemas of a single value, any of which may hold."""
    if parameter.type is bool:
        return TRUTH_SCHEMAS
    if parameter.type is str:
        return [{"type": "string"}]
    low, high = value_range(parameter)
    kind = "integer" if parameter.type is int else "number"
    return [{"type": kind, "minimum": low, "maximum": high}, *_quantity(parameter)]


def _quantity(parameter: Parameter) -> list[dict[str, Any]]:
    return [{"$ref": f"#/$defs/{dimension(parameter.unit)}"}] if parameter.unit else []


def _distribution_schemas(parameter: Parameter, value: dict[str, Any]) -> dict[str, dict[str, Any]]:
    pair = {"type": "array", "items": value, "minItems": 2, "maxItems": 2}
    ends = {"min": value, "max": value}
    free = {"anyOf": [{"type": "number"}, *_quantity(parameter)]}
    shape = {"type": "number", "minimum": BETA_SHAPE[0], "maximum": BETA_SHAPE[1]}
    weights = {"type": "number", "exclusiveMinimum": 0}
    return {
        "choose": {
            "anyOf": [
                {"type": "array", "items": value, "minItems": 1, "uniqueItems": True},
                {"type": "object", "additionalProperties": weights, "minProperties": 1},
            ]
        },
        "uniform": pair,
        "normal": _mapping({"mean": free, "sd": free, **ends}, ["mean", "sd"]),
        "beta": _mapping({"a": shape, "b": shape, **ends}, ["a", "b"]),
        "integers": pair,
    }


def _mapping(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
