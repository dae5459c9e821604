"""The JSON Schema says what the reader says, as far as a schema can."""

from __future__ import annotations

import pytest
import yaml

from farm.errors import RecipeError
from farm.recipe import PARAMETERS, json_schema, parse_recipe, templates
from farm.recipe.schema import SCHEMA_FILE, schema_text

jsonschema = pytest.importorskip("jsonschema")

HEAD = "digidouble: recipe/1\nname: test\ncount: 2\n"


@pytest.fixture(scope="module")
def validator():
    return jsonschema.Draft202012Validator(json_schema())


def test_the_schema_is_a_schema(validator) -> None:
    validator.check_schema(validator.schema)


def test_the_published_file_is_in_step() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), "run: python -m farm.recipe.schema"


@pytest.mark.parametrize("name", templates.names("recipes"))
def test_shipped_recipes_pass(validator, name: str) -> None:
    data = yaml.safe_load(templates.path("recipes", name).read_text(encoding="utf-8"))
    assert list(validator.iter_errors(data)) == []


GOOD = [
    "",
    "axes: {hair: {melanin: 0.5, strands: 1000, style: afro}}",
    "axes: {hair: {melanin: {choose: [0, 0.5]}, style: {choose: {afro: 2, short: 1}}}}",
    "axes: {body: {height: 180 cm, age: {normal: {mean: 40, sd: 5 years, max: 60}}}}",
    "axes: {body: {gender: {beta: {a: 1, b: 2}}, identity: {integers: [1, 5]}}}",
    "axes: {camera: {azimuth: {uniform: [-40 deg, 0.5 rad]}}, pose: {mirror: true}}",
    "capture: {resolution: [64, 64], samples: [1], replicas: 2, reference: 64, frames: 3, caustics: false}",
    "capture: {reference: {samples: 64, chunk: 8, residual: 0.1}, frames: {start: 2, count: 2, step: 3}}",
    "split: {train: 1}",
    "rules: []",
    "rules: [{where: {stunt.name: [jump, none], body.height: [1.5, 180 cm]}, set: {hair.grey: 1}, why: x}]",
    "rules: [{where: {pose.mirror: true, body.age: 60}, set: {camera.azimuth: {choose: [9, 0.5 rad]}}}]",
]


@pytest.mark.parametrize("text", GOOD)
def test_what_the_reader_takes_the_schema_takes(validator, text: str) -> None:
    parse_recipe(HEAD + text)
    assert list(validator.iter_errors(yaml.safe_load(HEAD + text))) == []


BAD = [
    "foo: 1",
    "count: 0",
    "seed: -1",
    "name: a b",
    "digidouble: recipe/2",
    "axes: {hiar: {}}",
    "axes: {hair: {melanine: 1}}",
    "axes: {hair: {melanin: 2}}",
    "axes: {hair: {melanin: 0.5 m}}",
    "axes: {hair: {melanin: {choose: []}}}",
    "axes: {hair: {melanin: {choose: [1, 1]}}}",
    "axes: {hair: {melanin: {choose: {0.5: 0}}}}",
    "axes: {hair: {melanin: {unifrom: [0, 1]}}}",
    "axes: {hair: {melanin: {uniform: [0]}}}",
    "axes: {hair: {melanin: {normal: {mean: 0.5}}}}",
    "axes: {hair: {melanin: {beta: {a: 0, b: 1}}}}",
    "axes: {hair: {strands: {uniform: [1000, 2000]}}}",
    "axes: {hair: {style: {uniform: [0, 1]}}}",
    "axes: {hair: {style: 5}}",
    "axes: {camera: {focal_length: 85 kg}}",
    "capture: {resolution: [64]}",
    "capture: {samples: []}",
    "capture: {samples: [0]}",
    "capture: {frames: 0}",
    "capture: {reference: {chunk: 4}}",
    "split: {train: -1}",
    "rules: {where: {body.age: 60}, set: {hair.grey: 1}}",
    "rules: [{where: {body.age: 60}}]",
    "rules: [{where: {}, set: {hair.grey: 1}}]",
    "rules: [{where: {body.aeg: 60}, set: {hair.grey: 1}}]",
    "rules: [{where: {body.age: [20, 30, 40]}, set: {hair.grey: 1}}]",
    "rules: [{where: {hair.style: [bun, bun]}, set: {hair.grey: 1}}]",
    "rules: [{where: {hair.style: 3}, set: {hair.grey: 1}}]",
    "rules: [{where: {body.age: 60}, set: {hair.grey: 2}}]",
    "rules: [{where: {body.age: 60}, set: {body.identity: 2}}]",
    "rules: [{where: {body.age: 60}, set: {hair.grey: 1}, why: 3}]",
]


@pytest.mark.parametrize("text", BAD)
def test_what_the_schema_refuses_the_reader_refuses(validator, text: str) -> None:
    lines = [line for line in HEAD.splitlines() if line.split(":")[0] != text.split(":", maxsplit=1)[0]]
    whole = "\n".join([*lines, text])
    with pytest.raises(RecipeError):
        parse_recipe(whole)
    assert list(validator.iter_errors(yaml.safe_load(whole)))


def test_every_parameter_is_described_with_its_default(validator) -> None:
    for path, parameter in PARAMETERS.items():
        definition = validator.schema["$defs"][f"{parameter.axis.capitalize()}Settings"]
        field = definition["properties"][parameter.name]
        assert field["description"] == parameter.description, path
        assert field.get("x-unit", "") == parameter.unit
        assert (
            list(validator.evolve(schema={**field, "$defs": validator.schema["$defs"]}).iter_errors(field["default"]))
            == []
        )
