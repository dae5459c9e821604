from __future__ import annotations

import pytest

from farm.double.expression import expression_weights
from farm.double.face import UNITS
from farm.errors import TemplateError
from farm.recipe import templates
from farm.recipe.parameters import Face


def test_the_eight_expressions_ship():
    assert {"neutral", "smile", "shout", "pain", "fear", "focus", "surprise", "exhale"} <= set(
        templates.names("expressions")
    )


@pytest.mark.parametrize("name", templates.names("expressions"))
def test_an_expression_weighs_units_between_0_and_1(name):
    weights = expression_weights(Face(expression=name))
    assert set(weights) <= set(UNITS)
    assert all(0 < weight <= 1 for weight in weights.values())
    assert bool(weights) == (name != "neutral")


def test_strength_and_blend_are_linear():
    smile = expression_weights(Face(expression="smile"))
    fear = expression_weights(Face(expression="fear"))
    mixed = expression_weights(Face(expression="smile", second="fear", blend=0.25, strength=0.8))
    assert set(mixed) == set(smile) | set(fear)
    for unit, weight in mixed.items():
        assert weight == pytest.approx(0.8 * (0.75 * smile.get(unit, 0.0) + 0.25 * fear.get(unit, 0.0)), abs=1e-12)
    assert expression_weights(Face(expression="smile", strength=0.0)) == {}


def test_an_unknown_unit_is_answered_with_the_nearest(monkeypatch):
    made = {"description": "wrong", "units": {"mouthSmileLeff": 0.5}}
    monkeypatch.setattr(templates, "load", lambda kind, name: made)
    with pytest.raises(TemplateError, match="templates/expressions/smile.yaml.*mouthSmileLeff.*'mouthSmileLeft'"):
        expression_weights(Face(expression="smile"))


def test_a_weight_above_1_is_refused(monkeypatch):
    made = {"description": "wrong", "units": {"jawOpen": 1.5}}
    monkeypatch.setattr(templates, "load", lambda kind, name: made)
    with pytest.raises(TemplateError, match="units.jawOpen"):
        expression_weights(Face(expression="shout"))
