"""Spellings that recipes accept, and text of any kind."""

from __future__ import annotations

import copy
import itertools
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from farm.errors import RecipeError
from farm.recipe import Recipe, load_recipe, parse_recipe
from farm.recipe.distributions import Choose, Fixed, Normal, Uniform

HEAD = "digidouble: recipe/1\nname: test\ncount: 2\n"


def setting(axis: str, line: str) -> Any:
    name = line.split(":", maxsplit=1)[0]
    return getattr(getattr(parse_recipe(f"{HEAD}axes:\n  {axis}:\n    {line}\n").axes, axis), name)


@pytest.mark.parametrize(
    ("axis", "line", "value"),
    [
        ("camera", "focal_length: 85", 85.0),
        ("camera", "focal_length: 85 mm", 85.0),
        ("camera", "focal_length: 85mm", 85.0),
        ("camera", "focal_length: 8.5 cm", 85.0),
        ("camera", "focal_length: '5e1'", 50.0),
        ("camera", "azimuth: -45 deg", -45.0),
        ("camera", "azimuth: 90°", 90.0),
        ("camera", "azimuth: 0.5 rad", 28.6478897565),
        ("body", "height: 180 cm", 1.8),
        ("body", "height: 1_800 mm", 1.8),
        ("body", "height: 6 ft", 1.8288),
        ("body", "age: 30 years", 30.0),
        ("body", "age: 360 months", 30.0),
        ("hair", "strands: 2e4", 20_000),
        ("hair", "strands: 20_000", 20_000),
        ("hair", "strands: 20000.0", 20_000),
        ("hair", "melanin: .5", 0.5),
        ("hair", "melanin: -0", 0.0),
        ("pose", "mirror: yes", True),
        ("pose", "mirror: off", False),
        ("pose", "mirror: TRUE", True),
        ("stunt", "name: none", "none"),
    ],
)
def test_a_value_may_be_spelled_in_several_ways(axis: str, line: str, value: Any) -> None:
    found = setting(axis, line)
    assert found == Fixed(value)
    assert type(found.value) is type(value)
    assert str(found.value) != "-0.0"


def test_units_reach_into_distributions() -> None:
    assert setting("body", "height: {uniform: [160 cm, 1.8]}") == Uniform(1.6, 1.8)
    assert setting("body", "height: {normal: {mean: 170 cm, sd: 80 mm, max: 6 ft}}") == Normal(1.7, 0.08, 1.45, 1.8288)
    assert setting("body", "height: {choose: {170 cm: 2, 1.8: 1}}") == Choose(((1.7, 2.0), (1.8, 1.0)))
    assert setting("pose", "mirror: {choose: {true: 1, no: 3}}") == Choose(((False, 3.0), (True, 1.0)))


def test_an_alias_stands_for_what_it_names() -> None:
    recipe = parse_recipe(HEAD + "axes:\n  hair: {melanin: &any {uniform: [0, 1]}, redness: *any}")
    assert recipe.axes.hair.redness == recipe.axes.hair.melanin == Uniform(0, 1)


def test_a_file_may_start_with_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "bom.yaml"
    file.write_text(HEAD, encoding="utf-8-sig")
    assert load_recipe(str(file)) == parse_recipe(HEAD)


def test_short_forms_say_the_same_as_long_ones() -> None:
    short = parse_recipe(HEAD + "capture: {reference: 100, frames: 3}")
    long = parse_recipe(HEAD + "capture: {reference: {samples: 100, chunk: 50}, frames: {start: 1, count: 3, step: 1}}")
    assert short == long
    assert short.digest == long.digest


FULL = """\
# A comment
digidouble: recipe/1
name: full
seed: 12
count: 5
axes:
  body:
    age: {normal: {mean: 40, sd: 10, min: 20}}   # another
    gender: {choose: {0: 1, 1: 3}}
    height: {uniform: [1.6, 1.9]}
    identity: {integers: [0, 1000]}
  hair: {style: {choose: [short, afro]}, melanin: {beta: {a: 2, b: 1}}, frizz: 0.1}
  pose: {mirror: {choose: {true: 1, false: 3}}}
capture:
  resolution: [64, 48]
  samples: [2, 8]
  replicas: 3
  reference: {samples: 64, residual: 0.02}
  frames: {start: 5, count: 3, step: 2}
  caustics: true
split: {train: 3, test: 1}
"""

SHUFFLED = """\
split: {test: 1, train: 3.0}
capture: {caustics: on, samples: [2, 8], replicas: 3, frames: {count: 3, step: 2, start: 5},
  reference: {residual: 0.02, samples: 64, chunk: 32}, resolution: [64, 48]}
axes:
  pose: {mirror: {choose: {false: 3, true: 1}}}
  camera: {framing: full}
  hair:
    frizz: 1e-1
    melanin: {beta: {max: 1, b: 1, a: 2, min: 0}}
    style: {choose: {afro: 1, short: 1}}
  body:
    identity: {integers: [0, 1_000]}
    gender: {choose: {1: 3, 0: 1}}
    age: {normal: {sd: 10 years, mean: 40, min: 20, max: 80}}
    height: {uniform: [160 cm, 190 cm]}
seed: 12
count: 5
name: "full"
digidouble: "recipe/1"
"""


def test_the_digest_is_that_of_the_meaning() -> None:
    recipe = parse_recipe(FULL)
    assert parse_recipe(SHUFFLED).digest == recipe.digest
    assert parse_recipe(SHUFFLED).draw() == recipe.draw()


@pytest.mark.parametrize(
    ("old", "new"),
    [("seed: 12", "seed: 13"), ("count: 5", "count: 6"), ("name: full", "name: fool"), ("frizz: 0.1", "frizz: 0.2"),
     ("replicas: 3", "replicas: 4"), ("train: 3", "train: 4"), ("step: 2", "step: 3"),
     ("{0: 1, 1: 3}", "{0: 1, 1: 2}")],
)  # fmt: skip
def test_the_digest_tells_recipes_apart(old: str, new: str) -> None:
    assert old in FULL
    assert parse_recipe(FULL.replace(old, new)).digest != parse_recipe(FULL).digest


def test_yaml_out_and_in_is_the_same_recipe() -> None:
    recipe = parse_recipe(FULL)
    again = parse_recipe(recipe.to_yaml())
    assert again == recipe
    assert again.digest == recipe.digest
    assert again.to_yaml() == recipe.to_yaml()
    assert "strands" not in recipe.to_yaml()


def test_a_recipe_can_be_copied_and_sent() -> None:
    recipe = parse_recipe(FULL)
    assert pickle.loads(pickle.dumps(recipe)) == recipe
    assert copy.deepcopy(recipe) == recipe


def test_plain_data_makes_the_same_recipe() -> None:
    axes = {"hair": {"melanin": Uniform(0, 1), "style": "afro"}}
    recipe = Recipe(digidouble="recipe/1", name="test", count=2, axes=axes)
    assert recipe == parse_recipe(HEAD + "axes: {hair: {melanin: {uniform: [0, 1]}, style: afro}}")


def is_handled(text: str) -> None:
    try:
        recipe = parse_recipe(text, source="r.yaml")
    except RecipeError as error:
        assert all(line.startswith("r.yaml:") for line in str(error).splitlines())
    else:
        assert parse_recipe(recipe.to_yaml()) == recipe


@given(st.text())
@example('"\\UFFFFFFFF"')
@example("\x85")
@example("%YAML 99999999999999999999999.1\n--- a")
@example("? a\n: b")
@example("!!int a: 1")
@example("&a [&b [*a, *b]]")
def test_any_text_is_a_recipe_or_an_error(text: str) -> None:
    is_handled(text)


WORDS = [
    "digidouble", "recipe/1", "recipe/2", "name", "seed", "count", "axes", "hair", "body", "melanin", "style", "age",
    "choose", "uniform", "normal", "beta", "integers", "mean", "sd", "min", "max", "capture", "samples", "reference",
    "frames", "split", "train", "none", "afro", "0", "1", "-1", "0.5", "1e3", "85 mm", "1e999", ".nan", "null", "~",
    "yes", "true", "2001-01-01", "0x10", "0o7", "1:30", "!!set", "<<", "*a", "&a", "é", '"\\ud800"', "9" * 30,
]  # fmt: skip
LEAVES = st.sampled_from(WORDS)
YAML = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.lists(st.tuples(LEAVES, inner), max_size=4).map(
            lambda items: "{" + ", ".join(f"{key}: {value}" for key, value in items) + "}"
        ),
    ),
    max_leaves=12,
)


@given(YAML, st.sampled_from(["", "seed: ", "axes: ", "axes: {hair: ", "capture: ", "axes: {body: {age: ", "split: "]))
def test_any_yaml_of_familiar_words_is_a_recipe_or_an_error(text: str, place: str) -> None:
    is_handled(HEAD + place + text + "}" * place.count("{"))


@given(st.integers(0, len(FULL) - 1), st.sampled_from([*"{}[]:,-#&*!|>'\"%@`\t\n 0", "é", "\x00"]), st.booleans())
def test_a_slip_of_the_finger_is_a_recipe_or_an_error(place: int, key: str, replaces: bool) -> None:
    is_handled(FULL[:place] + key + FULL[place + replaces :])


def test_dense_aliases_do_not_multiply() -> None:
    names = [f"a{number}" for number in range(60)]
    lines = [f"{after}: &{after} [{', '.join([f'*{name}'] * 9)}]" for name, after in itertools.pairwise(names)]
    with pytest.raises(RecipeError):
        parse_recipe("a0: &a0 [1]\n" + "\n".join(lines))


@pytest.mark.parametrize("resolution", [(256, 64), (8, 32)])
def test_a_picture_may_be_four_times_as_wide_or_high(resolution: tuple[int, int]) -> None:
    capture = parse_recipe(f"{HEAD}capture: {{resolution: {list(resolution)}}}\n").capture
    assert capture.resolution == resolution
