"""Rules: what is set where conditions are met, and that nothing else is touched."""

from __future__ import annotations

import io
import json
import pickle
import re
from collections import Counter

import numpy as np
import pytest
from rich.console import Console

from farm.dataset import EngineBuild, View, task_key
from farm.errors import RecipeError
from farm.recipe import PARAMETERS, Recipe, content_hash, parse_recipe
from farm.recipe.docs import PAGE
from farm.recipe.rules import apply_rules
from farm.recipe.table import plan_json, plan_rows, render_table

HEAD = "digidouble: recipe/1\nname: test\ncount: 2\n"
WITHOUT = """digidouble: recipe/1
name: plain
seed: 9
count: 5
population: world
axes:
  body: {age: {uniform: [18, 78]}}
  stunt: {name: {choose: {none: 4, jump: 1}}}
  camera: {azimuth: {uniform: [-40 deg, 40 deg]}, focal_length: {choose: [50 mm, 85 mm]}}
capture: {resolution: [64, 64], samples: [1, 4], reference: 64, frames: 2}
"""
AXES = {
    "body": {"age": {"uniform": [20, 80]}, "gender": {"uniform": [0, 1]}},
    "hair": {"style": {"choose": ["afro", "bob", "short"]}, "melanin": {"uniform": [0, 1]}},
    "stunt": {"name": {"choose": ["none", "back_flip", "cartwheel"]}},
}
TIED = {"where": {"stunt.name": ["back_flip", "cartwheel"]}, "set": {"hair.style": {"choose": ["buzz", "crew", "bun"]}}}
GREY = {"where": {"body.age": [60, 80], "body.gender": [0, 0.5]}, "set": {"hair.grey": {"uniform": [0.5, 1]}}}
CONSTANTS = ["24d3951399cf9f35", "cc50aad58b5f5cb8", "6427d8762a920b0f", "b6513429dc01bf92"]


@pytest.fixture
def make(make_recipe):
    def make(*rules, **others) -> Recipe:
        return make_recipe(**{"axes": AXES, "count": 60, "rules": list(rules), **others})

    return make


def flats(recipe: Recipe) -> list[dict]:
    return [variant.flat() for variant in recipe.draw()]


def changed(before: dict, after: dict) -> set[str]:
    return {path for path in before if before[path] != after[path]}


def test_a_recipe_without_rules_is_what_it_was_before_there_were_any() -> None:
    """The constants are of the version before: digest, YAML, variants and keys of tasks."""
    recipe = parse_recipe(WITHOUT)
    settings = recipe.capture.model_dump(mode="json")
    build = EngineBuild(renderer="cycles", blender="", build_hash="", device="", digidouble="")
    keys = [task_key(each, View(frame=1, resolution=(64, 64)), settings, build) for each in recipe.draw()]
    found = [recipe.digest, content_hash(recipe.to_yaml()), content_hash([each.id for each in recipe.draw()])]
    assert [*found, content_hash(keys)] == CONSTANTS
    assert parse_recipe(f"{WITHOUT}rules: []\n").digest == recipe.digest


def test_a_rule_sets_what_it_says_where_it_holds_and_nothing_else(make) -> None:
    plain, ruled = flats(make()), flats(make(TIED, GREY))
    met = Counter()
    for before, after in zip(plain, ruled, strict=True):
        stunt = before["stunt.name"] != "none"
        old = before["body.age"] >= 60 and before["body.gender"] <= 0.5
        met.update(stunt=stunt, old=old)
        wanted = ({"hair.style"} if stunt else set()) | ({"hair.grey"} if old else set())
        assert changed(before, after) == wanted
        if stunt:
            assert after["hair.style"] in ("buzz", "crew", "bun")
        if old:
            assert 0.5 <= after["hair.grey"] <= 1
    assert 10 < met["stunt"] < 50
    assert 3 < met["old"] < 40


def test_draws_do_not_depend_on_other_rules_nor_on_how_wide_a_condition_is(make) -> None:
    """Also where another rule in front sets the same in the same variants."""
    front = {"where": {"hair.melanin": [0, 0.9]}, "set": {"hair.grey": {"uniform": [0, 0.2]}, "hair.style": "braid"}}
    wide = {**GREY, "where": {"body.age": [40, 80], "body.gender": [0, 0.5]}}
    alone = make(GREY)
    grey = {index: alone.variant(index).hair.grey for index in range(60) if alone.suited(index)}
    assert len(set(grey.values())) == len(grey) > 3
    for rules, number in (((front, GREY), 1), ((GREY, TIED), 0), ((TIED, front, GREY), 2), ((wide,), 0)):
        recipe = make(*rules)
        for index, value in grey.items():
            assert number in recipe.suited(index)
            assert recipe.variant(index).hair.grey == value, rules


def test_a_later_rule_replaces_an_earlier_one_and_sees_what_it_set(make) -> None:
    first = {"where": {"stunt.name": "none"}, "set": {"hair.style": "braid"}}
    second = {"where": {"hair.style": "braid"}, "set": {"hair.style": "bun", "camera.framing": "bust"}}
    styles = {each["stunt.name"] == "none": each for each in flats(make(first, second))}
    assert (styles[True]["hair.style"], styles[True]["camera.framing"]) == ("bun", "bust")
    assert styles[False]["camera.framing"] == "full"
    assert {each["hair.style"] for each in flats(make(second, first)) if each["stunt.name"] == "none"} == {"braid"}


def test_a_value_drawn_again_is_independent_of_the_one_that_it_replaces(make) -> None:
    """Equal conditions and parameters, one rule after the other: the second is no echo of the first."""
    spread = {"uniform": [0, 1]}
    again = [
        {"where": {"hair.grey": [0, 1]}, "set": {"hair.grey": spread}},
        {"where": {"hair.grey": [0.5, 1]}, "set": {"hair.grey": spread}},
    ]
    recipe = make(*again, count=400)
    values = [recipe.variant(index).hair.grey for index in range(400) if len(recipe.suited(index)) == 2]
    assert len(values) > 150
    assert np.mean(values) == pytest.approx(0.5, abs=0.06)


def test_rules_come_after_the_population(make_recipe) -> None:
    rule = {"where": {"body.gender": [0.5, 1]}, "set": {"beard.style": "full_beard"}}
    plain, ruled = (flats(make_recipe({}, population="world", count=40, rules=rules)) for rules in ([], [rule]))
    assert {each["beard.style"] for each in ruled} == {"clean_shaven", "full_beard"}
    for before, after in zip(plain, ruled, strict=True):
        assert changed(before, after) <= {"beard.style"}
        assert (after["beard.style"] == "full_beard") == (before["body.gender"] >= 0.5)


def test_a_spread_that_a_rule_sets_has_a_seed_of_its_own_in_each_variant(make) -> None:
    rule = {"where": {"stunt.name": "none"}, "set": {"pose.spread": 5}}
    recipe = make(rule)
    still = [each for each in recipe.draw() if each.stunt.name == "none"]
    assert len({each.pose.seed for each in still}) == len(still)
    assert {each.pose.seed for each in recipe.draw() if each.stunt.name != "none"} == {0}
    assert {"pose.spread", "pose.seed"} <= set(recipe.varied)
    said = make({**rule, "set": {"pose.spread": 5, "pose.seed": 4}})
    assert {each.pose.seed for each in said.draw()} == {0, 4}


def test_the_spelling_of_a_rule_says_nothing_and_yaml_keeps_it(make) -> None:
    one = make({**TIED, "why": "safety"}, GREY)
    turned = {"set": TIED["set"], "where": {"stunt.name": ["cartwheel", "back_flip"]}}
    other = make(turned, {**GREY, "where": {"body.gender": [0, 0.5], "body.age": ["60 years", 80]}})
    assert one.digest == other.digest
    assert one.digest not in (make(GREY, TIED).digest, make(TIED).digest)
    assert parse_recipe(one.to_yaml()) == one
    assert "why: safety" in one.to_yaml()
    assert Recipe.model_validate(json.loads(json.dumps(one.model_dump(mode="json")))) == one
    assert pickle.loads(pickle.dumps(one)) == one


def test_splits_go_by_what_rules_made_of_the_variants(make) -> None:
    same = {"where": {"stunt.name": "none"}, "set": {"hair.style": "bun", "hair.seed": 7}}
    recipe = make(same)
    variants = recipe.draw()
    splits = recipe.splits(variants)
    assert len({splits[each.id] for each in variants if each.stunt.name == "none"}) == 1
    assert len(set(splits.values())) == 3


WRONG = {
    "rules: 3": "r.yaml:4:8: rules: expected a list of rules, found 3",
    "rules: {where: {body.age: 60}, set: {hair.grey: 1}}": "r.yaml:4:8: rules: expected a list of rules;"
    " begin each with a dash, `- where: …`",
    "rules:\n- set: {hair.grey: 1}": "r.yaml:5:3: rules[0].where: the key is missing; add `where: …`",
    "rules: [{where: {}, set: {hair.grey: 1}}]": "r.yaml:4:17: rules[0].where: expected at least one parameter,"
    " found an empty one; write `where: {stunt.name: jump}`",
    "rules: [{where: {body.age: 60}, sat: {}, set: {hair.grey: 1}}]": "r.yaml:4:33: rules[0].sat: unknown key 'sat';"
    " did you mean 'set'?",
}

AT = "r.yaml:4:"
WRONG_WHERE = {
    "hair.stlye: buzz": "18: rules[0].where.hair.stlye: unknown parameter 'hair.stlye'; did you mean 'hair.style'?",
    "hiar.style: buzz": "18: rules[0].where.hiar.style: unknown parameter 'hiar.style'; did you mean 'hair.style'?",
    "style: buzz": "18: rules[0].where.style: unknown parameter 'style'; did you mean 'hair.style' or 'beard.style'?",
    "hair: {style: buzz}": "18: rules[0].where.hair: unknown parameter 'hair';"
    " write `hair.style` or another of its parameters",
    "hair.style: bzz": "30: rules[0].where.hair.style: no 'bzz' in hairstyles; did you mean 'buzz'?",
    "hair.style: [buzz, afr0]": "37: rules[0].where.hair.style[1]: no 'afr0' in hairstyles; did you mean 'afro'?",
    "hair.style: [buzz, buzz]": "37: rules[0].where.hair.style[1]: 'buzz' is there twice",
    "hair.style: []": "30: rules[0].where.hair.style: an empty list; give it at least one value",
    "hair.style: {choose: [buzz, crew]}": "30: rules[0].where.hair.style: a condition has values, and no distribution;"
    " write [buzz, crew]",
    "body.age:": "27: rules[0].where.body.age: no value; give one or delete the line",
    "body.age: 90": "28: rules[0].where.body.age: 90 is outside the range of body.age, 18 to 80 year",
    "body.age: [60 kg, 80]": "29: rules[0].where.body.age[0]: '60 kg' has the wrong unit; body.age accepts month, year",
    "body.age: [80, 60]": "28: rules[0].where.body.age: impossible range: least 80 is above most 60; swap them",
    "body.age: [20, 30, 40]": "28: rules[0].where.body.age: expected one value or [least, most], found a list of 3",
    "body.height: [150, 2]": "32: rules[0].where.body.height[0]: 150 is outside the range of body.height,"
    " 1.45 to 2.05 m; did you mean '150 cm'?",
    "stunt.rotations: 1.5": "35: rules[0].where.stunt.rotations: expected a whole number, found 1.5",
    "pose.mirror: maybe": "31: rules[0].where.pose.mirror: expected true or false, found 'maybe'",
}

WRONG_SET = {
    "body.identity: 3": "39: rules[0].set.body.identity: body.identity is drawn before any rule is looked at;"
    " set it in axes",
    "hair.style: {uniform: [0, 1]}": "52: rules[0].set.hair.style.uniform: uniform does not suit hair.style,"
    " a name from hairstyles; use choose",
    "hair.grey: 2": "50: rules[0].set.hair.grey: 2 is outside the range of hair.grey, 0 to 1",
    "body.african: 0, body.asian: 0, body.caucasian: 0": "39: rules[0].set.body.african: african, asian and caucasian"
    " are all 0; give one of them a share",
}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        *WRONG.items(),
        *((f"rules: [{{where: {{{part}}}, set: {{hair.grey: 1}}}}]", AT + said) for part, said in WRONG_WHERE.items()),
        *((f"rules: [{{where: {{body.age: 60}}, set: {{{part}}}}}]", AT + said) for part, said in WRONG_SET.items()),
    ],
)
def test_what_is_wrong_is_one_line_with_place_and_remedy(text: str, message: str) -> None:
    with pytest.raises(RecipeError) as raised:
        parse_recipe(HEAD + text, source="r.yaml")
    assert str(raised.value) == message


def test_everything_wrong_in_a_rule_is_told_at_once() -> None:
    text = "rules:\n  - where: {hair.style: bzz, body.aeg: 3}\n    set: {hair.grey: 2, body.identity: 1}\n"
    with pytest.raises(RecipeError) as raised:
        parse_recipe(HEAD + text, source="r.yaml")
    assert [line.split(":")[1] for line in str(raised.value).splitlines()] == ["5", "5", "6", "6"]


def test_what_an_artists_double_brings_no_rule_asks_or_sets() -> None:
    for rule in (
        "{where: {body.age: 60}, set: {light.strength: 2}}",
        "{where: {stunt.name: jump}, set: {body.age: 60}}",
    ):
        with pytest.raises(RecipeError, match=r"rules\[0\].(where|set).body.age: the double brings its own; delete it"):
            parse_recipe(f"{HEAD}double: hero.blend\nrules: [{rule}]")
    kept = "double: {file: hero.blend, keep_hair: true}\nrules: [{where: {stunt.name: jump}, set: {hair.style: bun}}]"
    with pytest.raises(RecipeError, match=r"rules\[0\].set.hair.style: the double brings its own"):
        parse_recipe(HEAD + kept)
    parse_recipe(f"{HEAD}double: hero.blend\nrules: [{{where: {{stunt.name: jump}}, set: {{hair.style: bun}}}}]")


def test_an_impossible_variant_names_the_rule(make) -> None:
    axes = {"body": {"asian": 0, "caucasian": 0}, "stunt": AXES["stunt"]}
    rule = {"where": {"stunt.name": "none"}, "set": {"body.african": 0}, "why": "no reason"}
    with pytest.raises(
        RecipeError, match=r"variant \d+: african, asian .* all 0.* or what rules\[1\] \(no reason\) sets"
    ):
        make(TIED, rule, axes=axes).draw()


def test_rules_that_nobody_can_suit_are_known(make) -> None:
    never = [
        ({"hair.style": ["braid", "bun"]}, "hair.style"),
        ({"stunt.name": "none", "body.age": [18, 19]}, "body.age"),
        ({"hair.grey": [0.1, 1]}, "hair.grey"),
        ({"stunt.rotations": 2}, "stunt.rotations"),
        ({"pose.mirror": True}, "pose.mirror"),
    ]
    rules = [{"where": where, "set": {"light.strength": 2}} for where, _ in never]
    assert make(*rules).never_met() == {number: path for number, (_, path) in enumerate(never)}
    met = [{"hair.style": ["bun", "bob"]}, {"body.age": [18, 20]}, {"hair.seed": [0, 9]}, {"body.gender": 1}]
    assert make(*({"where": where, "set": {"light.strength": 2}} for where in met)).never_met() == {}


def test_what_an_earlier_rule_can_set_or_a_population_can_draw_may_be_met(make, make_recipe) -> None:
    tied, bun = TIED, {"where": {"hair.style": "bun"}, "set": {"hair.frizz": 0}}
    assert make(tied, bun).never_met() == {}
    assert make(bun, tied).never_met() == {0: "hair.style"}
    assert make_recipe({}, population="world", rules=[bun]).never_met() == {}


def test_whole_numbers_are_never_between_two(make_recipe) -> None:
    axes = {"body": {"age": {"integers": [20, 40]}}}
    rules = [{"where": {"body.age": ends}, "set": {"hair.frizz": 0}} for ends in ([30.2, 30.8], [39.5, 50], [41, 50])]
    assert make_recipe(axes, rules=rules).never_met() == {0: "body.age", 2: "body.age"}


def test_the_plan_says_whom_each_rule_suits(make) -> None:
    never = {"where": {"hair.style": "braid"}, "set": {"hair.frizz": 0}}
    recipe = make({**TIED, "why": "safety first"}, never, count=12)
    out = io.StringIO()
    render_table(recipe, Console(file=out, width=140))
    suited = [each.index for each in recipe.draw() if each.stunt.name != "none"]
    text = out.getvalue()
    assert re.search(
        rf"rules\[0\] +{len(suited)} of 12 +stunt.name back_flip or cartwheel → hair.style bun, buzz or crew"
        r"\s+safety first",
        text,
    )
    assert re.search(r"rules\[1\] +0 of 12 .*\n +no variant can suit it: hair.style is never braid", text)
    tied, never = plan_json(recipe)["rules"]
    assert {key: tied[key] for key in ("where", "why", "variants", "never")} == {
        "where": TIED["where"], "why": "safety first", "variants": suited, "never": None,
    }  # fmt: skip
    assert (never["variants"], never["never"]) == ([], "hair.style")
    assert "hair.frizz" in plan_rows(recipe)[0]
    assert "rules" not in plan_json(make())


def test_the_plan_draws_each_variant_once(make, monkeypatch) -> None:
    drawn: list[int] = []

    def counting(rules, values, seed, index):
        drawn.append(index)
        return apply_rules(rules, values, seed, index)

    monkeypatch.setattr("farm.recipe.recipe.apply_rules", counting)
    recipe = make(TIED, count=7)
    for tell in (plan_json, plan_rows, lambda each: render_table(each, Console(file=io.StringIO()))):
        drawn.clear()
        tell(recipe)
        assert drawn == list(range(7))


def test_the_example_of_the_page_draws_what_the_page_says() -> None:
    text = PAGE.read_text(encoding="utf-8")
    example = next(each for each in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "rules:" in each)
    recipe = parse_recipe(example)
    for variant in recipe.draw():
        moving = variant.stunt.name != "none"
        assert not (moving and variant.hair.style in ("long_straight", "long_wavy"))
        assert (variant.hair.grey >= 0.5) == (variant.body.age >= 60)
        assert variant.camera.framing == ("full" if moving else "bust")
    assert all(sum(number in recipe.suited(index) for index in range(100)) > 10 for number in range(3))
    assert recipe.never_met() == {}


def test_every_parameter_can_be_asked_and_all_but_the_identity_set(make_recipe) -> None:
    for path, parameter in PARAMETERS.items():
        values = {"where": {path: parameter.default}, "set": {"light.strength": 2}}
        assert make_recipe({}, rules=[values]).rules[0].where[path].holds(parameter.default)
        if path != "body.identity":
            made = make_recipe(
                {}, count=1, rules=[{"where": {"light.preset": "studio"}, "set": {path: parameter.default}}]
            )
            assert made.variant(0).flat()[path] == parameter.default
