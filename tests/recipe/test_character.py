"""An artist's own double in a recipe: what it takes over, and that recipes without one mean what they meant."""

from __future__ import annotations

import pytest

from farm.errors import RecipeError
from farm.recipe import content_hash, load_recipe, parse_recipe, templates
from farm.recipe.parameters import AXES
from farm.stage.steps import step_keys

HEAD = "digidouble: recipe/1\nname: test\ncount: 3\n"
ONE, OTHER = "1" * 64, "2" * 64


def recipe(text):
    return parse_recipe(HEAD + text, source="r.yaml")


def packed(sha256, more="", file="hero.blend"):
    return recipe(f"double: {{file: {file}, sha256: '{sha256}'{more}}}\n")


def test_recipes_without_one_have_the_ids_that_they_had():
    smoke = load_recipe(templates.path("recipes", "smoke"))
    assert (smoke.digest, content_hash([variant.id for variant in smoke.draw()])) == (
        "371299385cea0b35",
        "e841f7bff3c0e969",
    )
    assert "double" not in smoke.draw()[0].model_dump(mode="json")
    assert "\ndouble" not in smoke.to_yaml()


def test_the_files_content_is_part_of_every_id_and_its_place_is_not():
    ids = [variant.id for variant in packed(ONE).draw()]
    assert len({*ids, *(variant.id for variant in packed(OTHER).draw())}) == 6
    moved = packed(ONE, file="/elsewhere/hero_v2.blend")
    assert [variant.id for variant in moved.draw()] == ids
    assert moved.digest == packed(ONE).digest != packed(OTHER).digest
    assert packed(ONE, ", keep_hair: true").digest != packed(ONE).digest


def test_a_file_alone_is_a_double():
    assert recipe("double: hero.blend").double == recipe("double: {file: hero.blend}").double
    assert recipe("double: hero.blend").to_yaml().count("hero.blend") == 1


@pytest.mark.parametrize("axis", ["body", "skin", "face", "wardrobe", "beard", "rig"])
def test_what_it_brings_cannot_be_set(axis):
    name, field = next(iter(AXES[axis].model_fields.items()))
    text = f"double: hero.blend\naxes:\n  {axis}: {{{name}: {field.default}}}"
    with pytest.raises(RecipeError) as caught:
        recipe(text)
    assert str(caught.value) == (f"r.yaml:6:3: axes.{axis}: the double brings its own; delete the line, or `double`")


def test_kept_hair_is_not_combed_over():
    with pytest.raises(RecipeError, match=r"axes.hair: the double brings its own; delete the line, or `keep_hair`"):
        recipe("double: {file: hero.blend, keep_hair: true}\naxes: {hair: {style: afro}}")
    kept = recipe("double: {file: hero.blend, keep_hair: true}\naxes: {camera: {azimuth: {uniform: [0, 9]}}}").draw()
    assert {(variant.hair.style, variant.hair.seed) for variant in kept} == {("bald", 0)}


def test_a_population_gives_it_hair_alone():
    worldly = recipe("double: hero.blend\npopulation: world").draw()
    plain = recipe("double: hero.blend").draw()
    for one, other in zip(worldly, plain, strict=True):
        assert (one.body, one.skin, one.beard) == (other.body, other.skin, other.beard)
    assert len({variant.hair.melanin for variant in worldly}) == 3
    assert all(path.startswith("hair.") for path in recipe("double: hero.blend\npopulation: world").left_to_population)


def test_one_face_is_never_parted():
    drawn = packed(ONE)
    assert set(drawn.splits(drawn.draw()).values()) == {"train"}
    assert len({variant.identity for variant in drawn.draw()}) == 1
    assert packed(OTHER).draw()[0].identity != drawn.draw()[0].identity


def test_another_hair_colour_keeps_it_on_the_stage():
    one, other = (
        recipe(f"double: {{file: h.blend, sha256: '{ONE}'}}\naxes: {{hair: {{melanin: {melanin}}}}}").draw()[0]
        for melanin in (0.1, 0.9)
    )
    keys, others = step_keys(one, range(1, 2)), step_keys(other, range(1, 2))
    assert keys["double"] == others["double"] != step_keys(packed(OTHER).draw()[0], range(1, 2))["double"]
    assert keys["groom"] != others["groom"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("double: 3", "4:9: double: expected a .blend file or a mapping, found 3; write `double: hero.blend`"),
        ("double: {armature: Rig}", "4:1: double.file: the key is missing; add `file: …`"),
        ("double: {file: a.blend, amature: R}", "4:25: double.amature: unknown key 'amature'; did you mean 'armature'"),
        ("double: {file: a.blend, keep_hair: 2}", "4:36: double.keep_hair: expected true or false, found 2"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(text, told):
    with pytest.raises(RecipeError) as caught:
        recipe(text)
    assert told in str(caught.value)
