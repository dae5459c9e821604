"""Rules in the add-on: edited in words, kept whole, and giving way to locks."""

import json

import pytest

TIED = {"where": {"stunt.name": ["back_flip", "cartwheel"]}, "set": {"hair.style": {"choose": ["buzz", "crew", "bun"]}}}
GREY = {"where": {"body.age": [60, 80], "pose.mirror": True}, "set": {"hair.grey": {"uniform": [0.5, 1]}}}
KEPT = {
    "where": {"camera.azimuth": [-20, 20]},
    "set": {
        "hair.melanin": {"normal": {"mean": 0.5, "sd": 0.1}},
        "camera.framing": {"choose": {"full": 3, "bust": 1}},
        "light.strength": {"uniform": [1, 2]},
        "hair.seed": {"integers": [1, 9]},
    },
    "why": "soft light from the front",
}
STUNTS = {
    "axes": {"stunt": {"name": {"choose": ["none", "back_flip"]}}, "hair": {"style": {"choose": ["afro", "bob"]}}}
}


def put(state, *rules, **others):
    """A document of few words in a scene."""
    data = {"digidouble": "recipe/1", "name": "ruled", "count": 30, **STUNTS, **others}
    state.document = json.dumps({**data, "rules": list(rules)} if rules else data)


def written(state):
    return json.loads(state.document).get("rules", [])


@pytest.fixture
def stage(addon, monkeypatch):
    """The scene that the window shows, with a document; nothing is built in it."""
    import bpy

    from addon import document, preview

    monkeypatch.setattr(preview, "show", lambda _: None)
    window = bpy.context.window
    before = window.scene.name
    window.scene = bpy.data.scenes.new("ruled")
    window.scene.digidouble.document = document.fresh()
    yield window.scene
    bpy.context.window.scene = bpy.data.scenes[before]
    bpy.data.scenes.remove(bpy.data.scenes["ruled"])


@pytest.fixture
def part(addon):
    """A part of a rule as a dialog has it."""
    import bpy

    from addon.rule_dialog import DIGIDOUBLE_PG_rule_part

    bpy.types.WindowManager.tried = bpy.props.PointerProperty(type=DIGIDOUBLE_PG_rule_part)
    yield bpy.context.window_manager.tried
    del bpy.types.WindowManager.tried


def names(*used, of=()):
    return [{"name": name, "used": name in used, "weight": 0.0} for name in (*used, *of)]


def test_a_rule_is_added_edited_moved_and_removed(stage):
    import bpy

    from addon.state import shown_variant

    state, run = stage.digidouble, bpy.ops.digidouble
    put(state)
    first = next(n for n in range(30) if shown_at(state, n).stunt.name == "back_flip")
    state.index = first
    asked = {"part": "where", "path": "stunt.name", "names": names("back_flip", of=("none",))}
    made = {"part": "set", "path": "hair.style", "names": names("buzz", "crew")}
    assert run.add_rule(asked=asked, made=made, why="short in the air") == {"FINISHED"}
    short = {"hair.style": {"choose": ["buzz", "crew"]}}
    assert written(state) == [{"where": {"stunt.name": "back_flip"}, "set": short, "why": "short in the air"}]
    assert shown_variant(stage).hair.style in ("buzz", "crew")
    number = {"part": "set", "path": "camera.azimuth", "between": True, "low": -20.0, "high": 20.0}
    assert run.edit_rule(number=0, part="set", path="", edited=number) == {"FINISHED"}
    age = {"part": "where", "path": "body.age", "between": False, "low": 30.0}
    assert run.edit_rule(number=0, part="where", path="stunt.name", edited=age) == {"FINISHED"}
    assert run.explain_rule(number=0, why="") == {"FINISHED"}
    assert written(state) == [{"where": {"body.age": 30}, "set": {**short, "camera.azimuth": {"uniform": [-20, 20]}}}]
    whole = {"part": "set", "path": "hair.seed", "between": False, "whole_low": 5}
    assert run.add_rule(asked=asked, made=whole) == {"FINISHED"}
    assert run.move_rule(number=1, by=-1) == {"FINISHED"}
    assert [list(rule["set"]) for rule in written(state)] == [["hair.seed"], ["hair.style", "camera.azimuth"]]
    assert run.remove_rule(number=1, part="set", path="hair.style") == {"FINISHED"}
    assert run.remove_rule(number=1, part="set", path="camera.azimuth") == {"FINISHED"}
    assert [list(rule["set"]) for rule in written(state)] == [["hair.seed"]]
    assert run.remove_rule(number=0) == {"FINISHED"}
    assert "rules" not in json.loads(state.document)


def shown_at(state, index):
    from addon import document

    return document.draw(state.document, state.held, index)


def test_what_is_wrong_is_refused_and_said_in_the_panel(stage):
    import bpy

    state, run = stage.digidouble, bpy.ops.digidouble
    put(state, TIED)
    before = state.document
    asked = {"part": "where", "path": "stunt.name", "names": names("back_flip")}
    for made, message in (
        ({"part": "set", "path": "hair.style", "names": names(of=("bun",))}, "Hair Style: choose at least one"),
        ({"part": "set", "path": "", "parameter": "Hair: Stlye"}, "'Hair: Stlye' is no parameter; choose one"),
        (
            {"part": "set", "path": "hair.grey", "between": False, "low": 4.0},
            "Grey: 4 is outside the range of hair.grey",
        ),
        ({"part": "set", "path": "hair.grey", "between": True, "low": 0.8, "high": 0.2}, "swap them"),
    ):
        with pytest.raises(RuntimeError, match=message):
            run.add_rule(asked=asked, made=made)
        assert message in state.problem
        assert state.document == before
    assert state.problem_at == "rules"
    with pytest.raises(RuntimeError, match="Stunt stands in this rule already"):
        put(state, {**TIED, "where": {**TIED["where"], "body.age": 30}})
        run.edit_rule(number=0, part="where", path="body.age", edited=asked)
    for call in (run.remove_rule, run.edit_rule, run.explain_rule, run.move_rule):
        with pytest.raises(RuntimeError, match="There is no rule 6"):
            call(number=5)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        (
            "add_rule",
            {
                "asked": {"part": "where", "path": "stunt.name", "names": names("back_flip")},
                "made": {"part": "set", "path": "hair.style", "names": names("buzz")},
            },
        ),
        ("edit_rule", {"part": "set", "path": "", "edited": {"part": "set", "path": "hair.grey", "low": 0.5}}),
        ("explain_rule", {"why": "safety"}),
        ("move_rule", {"by": 1}),
        ("remove_rule", {}),
    ],
)
def test_undo_and_redo(stage, name, given):
    import bpy

    put(stage.digidouble, TIED, GREY)
    before = stage.digidouble.document
    bpy.ops.ed.undo_push(message="before")
    assert getattr(bpy.ops.digidouble, name)(**given) == {"FINISHED"}
    after = stage.digidouble.document
    assert after != before
    bpy.ops.ed.undo_push(message="after")
    bpy.ops.ed.undo()
    assert bpy.data.scenes["ruled"].digidouble.document == before
    bpy.ops.ed.redo()
    assert bpy.data.scenes["ruled"].digidouble.document == after


def test_a_dialog_shows_a_part_and_writes_it_as_it_was(stage, part):
    from addon import document, rules

    put(stage.digidouble, TIED, GREY, KEPT)
    text = stage.digidouble.document
    shown = 0
    for number, rule in enumerate(rules.rules_of(text)):
        for kind in (rules.WHERE, rules.SET):
            for path, made in getattr(rule, kind).items():
                if rules.simple(path, made):
                    part.show(stage, kind, path, made)
                    again = rules.write_part(text, number, kind, path, part.written())
                    assert document.read(again) == document.read(text), path
                    shown += 1
    assert shown == 8


def test_another_parameter_begins_with_what_the_variant_has(stage, part):
    from addon import rules
    from addon.state import shown_variant

    put(stage.digidouble)
    part.show(stage, rules.WHERE, "stunt.name")
    now = shown_variant(stage)
    assert [item.name for item in part.names if item.used] == [now.stunt.name]
    listed = rules.may_stand(stage.digidouble.document, rules.WHERE)
    assert next(iter(listed)) == "Body: Identity"
    assert "Body: Identity" not in rules.may_stand(stage.digidouble.document, rules.SET)
    assert part.parameter == "Stunt"
    part.parameter = "Body: Age"
    assert (part.path, part.between, part.low, part.high, len(part.names)) == ("body.age", True, 18, 80, 0)
    assert part.written() == ("body.age", [18, 80])


def test_what_no_dialog_shows_stays_as_it_is(stage):
    import bpy

    from addon import rules

    state = stage.digidouble
    put(state, KEPT)
    made = rules.rules_of(state.document)[0].set
    assert [path for path in made if not rules.simple(path, made[path])] == ["hair.melanin", "camera.framing"]
    bpy.ops.digidouble.move_rule(number=0, by=1)
    state.count = 31
    narrow = {"part": "where", "path": "camera.azimuth", "between": True, "low": -10.0, "high": 10.0}
    bpy.ops.digidouble.edit_rule(number=0, part="where", path="camera.azimuth", edited=narrow)
    assert written(state) == [{**KEPT, "where": {"camera.azimuth": [-10, 10]}}]


def told(text):
    """Every part of a document's rules in words, conditions and settings apart."""
    from addon import rules

    parts = [(kind, getattr(rule, kind)) for rule in rules.rules_of(text) for kind in (rules.WHERE, rules.SET)]
    return [
        [rules.tell_part(kind, path, made[path], first=place == 0) for place, path in enumerate(made)]
        for kind, made in parts
    ]


def test_rules_are_told_in_words(state):
    put(state, TIED, GREY, KEPT)
    assert told(state.document) == [
        ["If Stunt is Back Flip or Cartwheel"],
        ["then Hair Style is Bun, Buzz or Crew"],
        ["If Age is 60 to 80 years", "and Pose Mirror is Yes"],
        ["then Grey is 0.5 to 1"],
        ["If Azimuth is -20 to 20°"],
        [
            "then Melanin is around 0.5, ±\N{NO-BREAK SPACE}0.1",
            "and Framing is Bust (1) or Full (3)",
            "and Light Strength is 1 to 2",
            "and Hair Seed is 1 to 9",
        ],
    ]
    styles = ["afro", "bob", "buzz", "crew", "bun", "bald", "lob"]
    put(state, {"where": {"stunt.name": "none"}, "set": {"hair.style": {"choose": styles}}})
    assert told(state.document)[1] == ["then Hair Style is Afro, Bald, Bob, Bun, Buzz or 2 more"]


def test_the_panel_knows_which_rules_hold_and_what_they_decide(state):
    from addon import rules

    never = {"where": {"hair.style": "braid"}, "set": {"hair.grey": 1}}
    put(state, TIED, never)
    for index in range(6):
        state.index = index
        flips = shown_at(state, index).stunt.name == "back_flip"
        assert rules.standing(state.document, state.held, index) == (
            rules.HOLDS if flips else rules.NOT_HERE,
            rules.NOT_HERE,
        )
        assert rules.ruling(state.id_data, "hair.style") == (0 if flips else None)
    assert rules.idle(state.document, state.held) == {1: "hair.style"}


def test_a_lock_wins_over_rules_in_the_panel_and_on_the_farm(state):
    """What is held stays, whatever rules say; the recipe that is rendered and saved draws the same."""
    from addon import document, rules
    from farm.recipe import parse_recipe

    both = {**TIED, "set": {**TIED["set"], "light.strength": 2}}
    put(state, TIED, both)
    state.index = next(n for n in range(30) if shown_at(state, n).stunt.name == "none")
    before = [shown_at(state, index) for index in range(30)]
    state.hair.locked = True
    kept = before[state.index].hair
    for index, other in enumerate(before):
        variant = shown_at(state, index)
        assert variant == other.model_copy(update={"hair": kept})
        if variant.stunt.name == "back_flip":
            assert rules.standing(state.document, state.held, index) == (rules.HELD, rules.HOLDS)
    sent = parse_recipe(document.effective(state.document, state.held).to_yaml())
    assert sent.draw() == [shown_at(state, index) for index in range(30)]
    state.hair.locked = False
    assert [shown_at(state, index) for index in range(30)] == before
    assert written(state) == [TIED, both]


def test_dice_mind_the_rules_of_what_is_shown_and_move_no_lock(state):
    from addon import document

    put(state, TIED)
    flip, still = (
        next(n for n in range(30) if shown_at(state, n).stunt.name == name) for name in ("back_flip", "none")
    )
    rolled = {
        index: {
            json.loads(document.roll(state.document, state.held, index, "hair", 30 + roll))["hair"]["style"]
            for roll in range(20)
        }
        for index in (flip, still)
    }
    assert rolled == {flip: {"buzz", "crew", "bun"}, still: {"afro", "bob"}}
    state.index = still
    state.hair.locked = True
    kept = shown_at(state, still).hair
    for roll in range(20):
        state.held = document.roll(state.document, state.held, still, "stunt", 30 + roll)
        assert shown_at(state, still).hair == kept
    put(state)
    held = document.roll(state.document, "{}", 3, "hair", 40)
    assert json.loads(held)["hair"] == document.draw(state.document, "{}", 40).hair.model_dump(mode="json")


def test_do_without_takes_a_rule_out_that_names_what_is_gone(state):
    from addon import document

    gone = {"where": {"stunt.name": "moonwalk"}, "set": {"hair.style": "bun"}}
    put(state, gone, TIED)
    assert "moonwalk" in document.trouble(state.document)
    assert json.loads(document.without_trouble(state.document))["rules"] == [TIED]


def test_an_artists_double_brings_what_rules_cannot_name(state):
    from addon import rules

    put(state, double="hero.blend")
    assert not any(each.axis in ("body", "rig") for each in rules.may_stand(state.document, rules.WHERE).values())
    assert rules.may_stand(state.document, rules.SET)["Hair: Style"].path == "hair.style"
