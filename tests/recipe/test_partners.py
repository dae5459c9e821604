"""Partners of low resolution and single samples, as recipes ask for them."""

import io

import pytest
from rich.console import Console

from farm.errors import RecipeError
from farm.recipe import Capture, parse_recipe
from farm.recipe.table import plan_json, render_table

TEXT = """
digidouble: recipe/1
name: partners
count: 2
capture:
  resolution: [96, 64]
  {}
split: {{train: 1}}
"""


def read(line):
    return parse_recipe(TEXT.format(line), source="partners.yaml")


def test_a_factor_alone_is_a_partner_of_one_sample():
    partners = read("partners: 2").capture.partners
    assert (partners.factors, partners.samples) == ((2,), (1,))
    assert read("partners: {factors: [2, 4], samples: [1, 4]}").capture.partners.factors == (2, 4)
    assert Capture().partners.factors == ()


def test_a_recipe_with_partners_goes_round():
    recipe = read("partners: {factors: [2, 4], samples: 4}\n  per_sample: 8")
    again = parse_recipe(recipe.to_yaml(), source="again")
    assert again.digest == recipe.digest
    assert again.capture.per_sample == 8


def test_single_samples_bring_place_and_motion():
    assert read("per_sample: 4").capture.layers == ("position", "motion.world")
    assert read("samples: [1]").capture.layers == ()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("partners: 5", r"96 × 64 cannot be divided by 5; make it 100 × 65"),
        ("partners: {factors: [4, 2]}", r"factors\[1\].*2 follows 4; factors ascend, each once"),
        ("partners: {factors: [2], samples: [4, 1]}", r"samples\[1\].*1 follows 4; sample counts ascend"),
        ("partners: 1", r"must be at least 2, found 1$"),
        ("partners: 16", r"must be at most 8, found 16"),
        ("partners: {factor: 2}", r"factor.*factors"),
        ("partners: low", r"capture.partners: expected a whole number or a mapping, found 'low'"),
        ("per_sample: 65", r"capture.per_sample: must be at most 64, found 65"),
    ],
)
def test_what_cannot_be_is_refused_where_it_stands(line, words):
    with pytest.raises(RecipeError, match=rf"partners.yaml:7:.*{words}"):
        read(line)


def test_a_partner_too_small_is_refused():
    text = TEXT.replace("[96, 64]", "[32, 32]").format("partners: 8")
    with pytest.raises(RecipeError, match="32 pixels divided by 8 are fewer than 8; give a smaller factor"):
        parse_recipe(text, source="small.yaml")


def test_the_plan_counts_them():
    recipe = read("partners: {factors: [2, 4], samples: [1, 4]}\n  per_sample: 4")
    totals = plan_json(recipe)["totals"]
    assert (totals["partners"], totals["single_samples"]) == (8, 8)
    assert totals["images"] == totals["noisy_images"] + 2 + totals["data_images"] + 8 + 8
    assert totals["data_images"] == 2  # single samples bring the pass `position`
    console = Console(file=io.StringIO(), width=160)
    render_table(recipe, console)
    assert "+ 2 data images + 8 partners at 1/2, 1/4 + 8 single samples, about" in console.file.getvalue()
