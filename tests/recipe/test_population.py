from __future__ import annotations

import numpy as np
import pytest

from farm.errors import RecipeError, TemplateError
from farm.recipe import templates
from farm.recipe.parameters import PARAMETERS
from farm.recipe.population import KIND, Population, load_population
from farm.recipe.reading import parse_recipe

PEOPLE = 2000


def recipe(axes="", count=4, population="world", seed=3):
    return parse_recipe(
        f"digidouble: recipe/1\nname: people\nseed: {seed}\ncount: {count}\npopulation: {population}\n{axes}"
    )


@pytest.fixture
def read(monkeypatch):
    """A population from layers."""

    def read(*layers, **extra) -> Population:
        data = {
            "format": "digidouble-population/1",
            "description": "x",
            "sources": ["y"],
            "layers": list(layers),
            **extra,
        }
        monkeypatch.setattr(templates, "load", lambda kind, name: data)
        load_population.cache_clear()
        return load_population("x")

    yield read
    load_population.cache_clear()


@pytest.fixture(scope="module")
def world():
    """Everybody's values by path, of many people."""
    people = [load_population("world").draw(identity, {"body.identity": identity}) for identity in range(PEOPLE)]
    return {path: np.array([person[path] for person in people]) for path in people[0]}


def test_one_seed_is_one_person():
    one, other = (
        recipe("axes: {body: {identity: 7}, camera: {azimuth: {uniform: [-40, 40]}}}", seed=seed).variant(0)
        for seed in (1, 2)
    )
    assert (one.body, one.skin) == (other.body, other.skin)
    assert one.camera != other.camera


def test_other_seeds_are_other_people():
    people = {variant.body.model_dump_json() for variant in recipe(count=50).draw()}
    assert len(people) == 50


def test_what_a_recipe_says_stands_and_changes_nothing_else():
    free, fixed = (recipe(f"axes: {{body: {{identity: 7{rest}}}}}").variant(0) for rest in ("", ", height: 1.9"))
    assert fixed.body.height == 1.9
    assert fixed.body.height != free.body.height
    assert fixed.body.model_copy(update={"height": free.body.height}) == free.body
    assert fixed.skin == free.skin


def test_layers_follow_what_the_recipe_fixes():
    """The old are grey and the young are not, also where the recipe gave the age."""
    young, old = (
        np.mean([variant.hair.grey for variant in recipe(f"axes: {{body: {{age: {age}}}}}", count=60).draw()])
        for age in (22, 75)
    )
    assert young == 0
    assert old > 0.4


def test_without_a_population_the_defaults_stand():
    variant = parse_recipe("digidouble: recipe/1\nname: a\ncount: 1\n").variant(0)
    assert variant.body.age == PARAMETERS["body.age"].default


@pytest.mark.parametrize(("gender", "mean", "sd"), [("women", 1.59, 0.066), ("men", 1.71, 0.071)], ids=["women", "men"])
def test_heights_are_the_published_ones(world, gender, mean, sd):
    chosen = (world["body.gender"] < 0.5) == (gender == "women")
    heights = world["body.height"][chosen & (world["body.age"] < 60)]
    assert heights.mean() == pytest.approx(mean, abs=0.012)
    assert heights.std() == pytest.approx(sd, abs=0.01)


def test_the_sexes_are_even_and_ages_those_of_the_world(world):
    assert np.mean(world["body.gender"] < 0.5) == pytest.approx(0.5, abs=0.04)
    assert np.mean(world["body.age"] < 40) == pytest.approx(0.46, abs=0.04)
    assert np.median(world["body.age"]) == pytest.approx(42, abs=3)


def test_all_skin_tones_occur_and_go_with_ancestry(world):
    counts, _ = np.histogram(world["skin.tone"], bins=np.arange(0.5, 11))
    assert counts.min() > 0
    assert np.corrcoef(world["skin.tone"], world["body.african"])[0, 1] > 0.5
    assert np.mean(world["skin.eyes"] == "brown") == pytest.approx(0.87, abs=0.06)


def test_styles_go_with_the_hair_that_wears_them(world):
    coily, women = np.isin(world["hair.type"], ["4A", "4B", "4C"]), world["body.gender"] < 0.5
    assert not np.isin(world["hair.style"][~coily], ["cornrows", "box_braids"]).mean() > 0.05
    young = world["body.age"] < 60
    assert np.isin(world["hair.style"][coily & women & young], ["box_braids", "cornrows", "locs", "afro"]).mean() > 0.3
    assert len(set(world["hair.style"])) >= 20


def test_men_wear_beards_of_every_style_and_women_none(world):
    men = world["body.gender"] > 0.5
    assert set(world["beard.style"][~men]) == {"clean_shaven"}
    assert set(world["beard.style"][men]) == set(templates.names("beards"))
    bearded = world["beard.style"] != "clean_shaven"
    assert 0.25 < bearded[men].mean() < 0.55
    assert bearded[men & (world["body.asian"] > 0.7)].mean() < bearded[men & (world["body.asian"] < 0.3)].mean() - 0.2


def test_hair_goes_with_ancestry_and_greys_with_age(world):
    african, asian = world["body.african"] > 0.7, world["body.asian"] > 0.7
    coily = np.char.startswith(world["hair.type"].astype(str), "4")
    assert coily[african].mean() > 0.5
    assert not coily[asian].any()
    assert world["hair.melanin"][african | asian].mean() > 0.9
    light = world["hair.melanin"] < 0.6
    assert light[world["body.caucasian"] > 0.7].mean() > 0.2
    assert not light[african | asian].any()
    decades = (world["body.age"] // 10).astype(int)
    means = [world["hair.grey"][decades == decade].mean() for decade in range(3, 8)]
    assert means == sorted(means)
    assert means[0] < 0.05
    assert means[-1] > 0.5


def test_a_kind_is_drawn_by_its_share(read):
    kinds = {"old": {"share": 3, "set": {"body.age": 70}}, "young": {"share": 1, "set": {"body.age": 20}}}
    population = read({"one_of": kinds})
    ages = [population.draw(identity, {})["body.age"] for identity in range(2000)]
    assert set(ages) == {20.0, 70.0}
    assert np.mean(np.array(ages) == 70) == pytest.approx(0.75, abs=0.03)


def test_later_layers_replace_earlier_ones_for_those_they_are_for(read):
    population = read(
        {"set": {"body.age": {"choose": [20, 70]}, "hair.grey": 0}},
        {"where": {"body.age": [50, 80]}, "set": {"hair.grey": 0.9}},
    )
    people = [population.draw(identity, {}) for identity in range(50)]
    assert {(person["body.age"], person["hair.grey"]) for person in people} == {(20.0, 0.0), (70.0, 0.9)}


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ({"set": {"body.hight": 1.7}}, r"set: 'body.hight' cannot be drawn .*did you mean 'body.height'"),
        ({"set": {"camera.azimuth": 3}}, r"'camera.azimuth' cannot be drawn"),
        ({"set": {"body.age": 200}}, r"set.body.age: 200 is outside the range"),
        (
            {"where": {"body.age": [18, 20, 30]}},
            r"where.body.age: expected one value or \[least, most\], found a list of 3",
        ),
        ({"where": {"hair.type": ["3A", "5C"]}}, r"where.hair.type\[1\]: no '5C' in hairtypes"),
        ({"one_of": {"a": {"share": 0, "set": {}}}}, r"layers\[0\].one_of.a.share: .*"),
        ({"sets": {}}, r"unknown key 'layers\[0\].sets'; did you mean 'set'"),
    ],
)
def test_a_wrong_population_is_one_line(read, layer, message):
    with pytest.raises(TemplateError, match=message) as caught:
        read(layer)
    assert "\n" not in str(caught.value)


def test_an_unknown_population_names_the_nearest():
    with pytest.raises(RecipeError, match=r"population: no 'wrld' in populations; did you mean 'world'"):
        recipe(population="wrld")


@pytest.mark.parametrize("name", templates.names(KIND))
def test_every_shipped_population_draws_valid_people(name):
    for variant in recipe(count=200, population=name).draw():
        assert 18 <= variant.body.age <= 80
