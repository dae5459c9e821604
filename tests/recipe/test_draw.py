"""Draws: what they depend on and what they do not."""

from __future__ import annotations

import json

import pytest

from farm.errors import RecipeError
from farm.recipe import AXES, PARAMETERS, Variant
from farm.recipe import parameters as definitions

ANY = {"uniform": [0, 1]}
AXES_A = {"hair": {"melanin": ANY, "redness": ANY}, "body": {"age": {"uniform": [20, 60]}}}


def values(recipe, *paths: str) -> list[list]:
    return [[variant.flat()[path] for path in paths] for variant in recipe.draw()]


def test_the_same_recipe_gives_the_same_variants(make_recipe) -> None:
    assert make_recipe(AXES_A, seed=4).draw() == make_recipe(AXES_A, seed=4).draw()


def test_the_draw_is_this_one_on_every_machine(make_recipe) -> None:
    axes = {
        "body": {"age": {"normal": {"mean": 40, "sd": 9}}, "gender": {"beta": {"a": 0.5, "b": 0.5}}},
        "hair": {"melanin": ANY, "strands": {"integers": [500, 900]}},
        "pose": {"mirror": {"choose": [True, False]}},
    }
    flat = make_recipe(axes, seed=11, count=3).draw()[2].flat()
    drawn = ("body.identity", "body.age", "body.gender", "hair.melanin", "hair.seed", "hair.strands", "pose.mirror")
    assert {path: flat[path] for path in drawn} == {
        "body.identity": 97764115,
        "body.age": 27.1841,
        "body.gender": 0.890421,
        "hair.melanin": 0.733367,
        "hair.seed": 772615784,
        "hair.strands": 855,
        "pose.mirror": False,
    }


def test_another_seed_gives_others(make_recipe) -> None:
    one, other = (make_recipe(AXES_A, seed=seed).draw() for seed in (1, 2))
    assert not {variant.id for variant in one} & {variant.id for variant in other}


def test_a_variant_does_not_depend_on_the_count(make_recipe) -> None:
    assert make_recipe(AXES_A, count=20).draw()[:5] == make_recipe(AXES_A, count=5).draw()
    assert make_recipe(AXES_A, count=20).variant(3) == make_recipe(AXES_A, count=5).draw()[3]


def test_the_order_of_keys_does_not_matter(make_recipe) -> None:
    turned = {axis: dict(reversed(settings.items())) for axis, settings in reversed(AXES_A.items())}
    assert make_recipe(turned).draw() == make_recipe(AXES_A).draw()


def test_changing_one_parameter_leaves_the_others(make_recipe) -> None:
    more = {**AXES_A, "camera": {"azimuth": {"uniform": [-9, 9]}}, "hair": {**AXES_A["hair"], "frizz": ANY}}
    fewer = {"hair": {"melanin": ANY}}
    other = {"hair": {"melanin": ANY, "redness": {"beta": {"a": 1, "b": 9}}}}
    base = values(make_recipe(AXES_A), "hair.melanin", "hair.seed")
    for axes in (more, fewer, other):
        assert values(make_recipe(axes), "hair.melanin", "hair.seed") == base


def test_a_new_parameter_leaves_the_draws_of_the_others(make_recipe, monkeypatch) -> None:
    """Streams go by name: reversing the whole order of parameters changes nothing."""
    recipe = make_recipe(AXES_A)
    expected = recipe.variant(1)
    monkeypatch.setattr("farm.recipe.recipe.AXES", dict(reversed(AXES.items())))
    assert recipe.variant(1) == expected


def test_parameters_do_not_share_a_stream(make_recipe) -> None:
    assert all(one != other for one, other in values(make_recipe(AXES_A), "hair.melanin", "hair.redness"))


def test_seeds_left_out_are_drawn_and_others_have_their_default(make_recipe) -> None:
    variants = make_recipe({"pose": {"spread": 5}}, count=30).draw()
    for path, parameter in PARAMETERS.items():
        found = {variant.flat()[path] for variant in variants}
        default = 5 if path == "pose.spread" else parameter.default
        assert len(found) == 30 if parameter.drawn else found == {default}
    drawn = {path for path, parameter in PARAMETERS.items() if parameter.drawn}
    assert drawn == {"body.identity", "hair.seed", "pose.seed"}


def test_poses_without_spread_have_no_seed_by_which_they_could_differ(make_recipe) -> None:
    assert {variant.pose.seed for variant in make_recipe(count=9).draw()} == {0}


def test_a_variant_survives_json(make_recipe) -> None:
    for variant in make_recipe(AXES_A).draw():
        again = Variant.model_validate(json.loads(json.dumps(variant.model_dump(mode="json"))))
        assert again == variant
        assert again.id == variant.id


def test_equal_variants_are_refused_by_number(make_recipe) -> None:
    axes = {"body": {"identity": 1}, "hair": {"seed": 1, "melanin": {"choose": [0.1, 0.9]}}}
    with pytest.raises(RecipeError, match=r"recipe 'test': variants \d and \d are equal \(id \w{16}\); leave body"):
        make_recipe(axes).draw()


def test_an_impossible_variant_is_named(make_recipe) -> None:
    axes = {"body": {name: {"choose": {"0": 9, "1": 1}} for name in ("african", "asian", "caucasian")}}
    with pytest.raises(RecipeError, match=r"variant \d: african, asian and caucasian are all 0.*; narrow"):
        make_recipe(axes, count=20).draw()


def test_each_parameter_is_defined_once(make_recipe) -> None:
    """The recipe's settings are those of the variant's axes, with nothing beside and nothing missing."""
    assert [path for path, _ in make_recipe().settings()] == list(PARAMETERS)
    assert list(make_recipe().draw()[0].flat()) == list(PARAMETERS)
    for parameter in PARAMETERS.values():
        assert parameter.description.endswith(".")
        assert (parameter.low is None) == (parameter.type in (bool, str))
        assert bool(parameter.template) == (parameter.type is str)
    assert definitions.PARAMETERS["camera.azimuth"].unit == "deg"


def test_a_changed_copy_has_hashes_of_its_own(make_recipe) -> None:
    recipe = make_recipe()
    variant = recipe.variant(0)
    before = (recipe.digest, variant.id, variant.groom)
    assert recipe.model_copy(update={"count": 9}).digest != before[0]
    other = variant.model_copy(update={"hair": variant.hair.model_copy(update={"style": "afro"})})
    assert other.id != before[1]
    assert other.groom != before[2]
    assert variant.model_copy(update={"index": 5}).id == before[1]
