"""Properties are the recipe's own parameters, read from the document and written into it."""

import json
import math

import pytest

from farm.recipe import AXES, PARAMETERS, load_recipe, parse_recipe, templates


def properties_of(state, axis):
    return getattr(state, axis).bl_rna.properties


def test_every_parameter_has_a_property_with_its_help_range_and_default(state):
    from addon import thumbnails
    from addon.parameters import property_of

    for path, parameter in PARAMETERS.items():
        made = properties_of(state, parameter.axis)[property_of(parameter)]
        assert made.description == parameter.description.rstrip("."), path
        if parameter.type in (int, float):
            turn = math.degrees if parameter.unit == "deg" else float
            assert turn(made.hard_min) == pytest.approx(parameter.low), path
            assert turn(made.hard_max) == pytest.approx(parameter.high), path
        elif parameter.template and parameter.template not in thumbnails.PICTURED:
            assert set(templates.names(parameter.template)) >= {item.identifier for item in made.enum_items} - {
                "none",
                "own",
            }, path


def test_a_slider_shows_the_variant_and_fixes_what_is_set(state):
    from addon.state import shown_variant

    variant = shown_variant(state.id_data)
    assert state.body.height == pytest.approx(variant.body.height)
    assert state.body.mode_height == "AUTOMATIC"
    state.body.height = 1.8
    assert json.loads(state.document)["axes"]["body"]["height"] == 1.8
    assert state.body.mode_height == "FIXED"
    after = shown_variant(state.id_data)
    assert after.body.height == 1.8
    assert after.body.age == variant.body.age
    state.body.mode_height = "AUTOMATIC"
    assert shown_variant(state.id_data) == variant


def test_angles_are_degrees_in_the_recipe(state):
    state.camera.azimuth = math.radians(45)
    assert json.loads(state.document)["axes"]["camera"]["azimuth"] == 45.0


def test_a_range_keeps_its_ends_in_order(state):
    state.hair.mode_melanin = "VARIED"
    state.hair.high_melanin = 0.5
    state.hair.low_melanin = 0.25
    assert json.loads(state.document)["axes"]["hair"]["melanin"] == {"uniform": [0.25, 0.5]}
    state.hair.low_melanin = 0.75
    assert json.loads(state.document)["axes"]["hair"]["melanin"] == {"uniform": [0.75, 1.0]}


def test_what_is_wrong_is_refused_and_said(state):
    before = state.document
    state.capture.reference = 8
    assert state.document == before
    assert "the reference's 8 samples are no more than the noisy images' 16" in state.problem
    state.capture.reference = 64
    assert state.problem == ""
    assert state.capture.reference == 64
    state.capture.samples = "many"
    assert "no list of whole numbers" in state.problem
    assert state.capture.samples == "1, 4, 16"


def test_a_lock_holds_through_a_new_seed_and_gives_way(state):
    from addon import document
    from addon.state import shown_variant

    scene = state.id_data
    before = shown_variant(scene)
    state.hair.locked = True
    assert shown_variant(scene) == before
    state.document = document.write(state.document, ("seed",), 77)
    after = shown_variant(scene)
    assert after.hair == before.hair
    assert after.body != before.body
    state.hair.melanin = 0.125
    assert shown_variant(scene).hair.melanin == 0.125
    assert "melanin" not in json.loads(state.document)["axes"].get("hair", {})
    state.hair.locked = False
    assert shown_variant(scene).hair != before.hair


@pytest.mark.parametrize("name", templates.names("recipes"))
def test_recipes_that_ship_are_kept_whole(name):
    from addon import document

    recipe = load_recipe(templates.path("recipes", name))
    text = document.of_recipe(recipe)
    assert document.read(text).digest == recipe.digest
    assert parse_recipe(document.effective(text, "{}").to_yaml()) == recipe


def test_what_no_slider_shows_is_kept_when_another_is_moved(state):
    from addon import document

    recipe = load_recipe(templates.path("recipes", "demo"))
    state.document = document.of_recipe(recipe)
    state.skin.gloss = 0.75
    kept = json.loads(state.document)
    assert kept["axes"]["skin"].pop("gloss") == 0.75
    assert not kept["axes"].pop("skin")
    assert kept == json.loads(document.of_recipe(recipe))


def test_capture_is_read_and_written_in_either_form(state):
    from addon import document

    state.document = document.write(state.document, ("capture", "reference"), 512)
    state.capture.residual = 0.125
    assert document.read(state.document).capture.reference.samples == 512
    assert document.read(state.document).capture.reference.residual == 0.125
    state.capture.passes_denoise = True
    assert document.read(state.document).capture.passes == ("denoise",)
    state.capture.passes_denoise = False
    assert document.read(state.document).capture.passes == ()


@pytest.mark.parametrize("axis", AXES)
def test_labels_are_in_title_case(state, axis):
    for made in properties_of(state, axis):
        if made.identifier not in ("rna_type", "name"):
            assert all(word[:1].isupper() for word in made.name.split()), made.name


def test_a_menu_has_its_names_at_once_and_the_rest_a_few_at_a_time(state, monkeypatch):
    from types import SimpleNamespace

    from addon import thumbnails

    begun = []
    timers = SimpleNamespace(is_registered=lambda _: bool(begun), register=lambda work, **_: begun.append(work))
    window = SimpleNamespace(app=SimpleNamespace(background=False, timers=timers))
    monkeypatch.setattr(thumbnails, "bpy", window)
    monkeypatch.setattr(thumbnails, "PIECE", 0.0)
    monkeypatch.setattr(thumbnails, "_read", set())
    names = ["none", *templates.names("stunts")]

    assert not thumbnails.ready("stunts", names)
    assert begun == [thumbnails.read_some]
    steps = 0
    while thumbnails.read_some() is not None:
        steps += 1
        assert not thumbnails.ready("stunts", names)
    assert steps == len(names) - 1
    assert thumbnails.ready("stunts", names)
