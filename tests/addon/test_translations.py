"""Translations: what a table has is what the interface says, and Blender shows it."""

import ast
import re
from pathlib import Path

import pytest

ADDON = Path(__file__).parents[2] / "addon"
TELLING = ADDON.parent / "farm" / "recipe" / "telling.py"
"""Words for settings and conditions, which the add-on puts into the language of the interface."""


@pytest.fixture(scope="module")
def said(addon):
    """Every text of the interface: names of what is registered, and words in the add-on's source."""
    from addon.registration import CLASSES

    found = set()
    for each in CLASSES:
        found |= {getattr(each, "bl_label", ""), *(made.name for made in each.bl_rna.properties)}
        for made in each.bl_rna.properties:
            if made.type == "ENUM":
                found |= {item.name for item in made.enum_items_static}
    for file in (*ADDON.glob("*.py"), TELLING):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found | templates_said()


def templates_said():
    """What the interface calls the templates that it lists."""
    from addon.state import label
    from farm.recipe import PARAMETERS, templates
    from farm.recipe.settings import known_names

    named = {name for each in PARAMETERS.values() if each.type is str for name in known_names(each)}
    return {label(name.replace("-", " ")) for name in (*named, *templates.names("recipes"))}


AS_IT_IS = re.compile(r"[1-4][A-C]|CMU MB|Cmu Mb|Game Engine|Rigify|Mixamo|Digidouble.*")
"""Names of hair types, rigs and ours, which every language has."""


@pytest.fixture(scope="module")
def shown(addon):
    """What panels show of themselves: titles, buttons, parameters and what they choose from."""
    from addon.parameters import title, title_of
    from addon.registration import CLASSES
    from farm.recipe import AXES, PARAMETERS

    titles = {each.bl_label for each in CLASSES if getattr(each, "bl_label", "")}
    told = titles | {title(axis) for axis in AXES if axis != "rig"} | {title_of(each) for each in PARAMETERS.values()}
    return {text for text in told | templates_said() if not AS_IT_IS.fullmatch(text)}


def tables():
    from addon.translations import read_tables

    return read_tables().items()


def test_every_text_of_a_table_is_in_the_interface(said):
    for language, table in tables():
        assert re.fullmatch(r"[a-z]{2,3}(_[A-Z]{2})?", language)
        unknown = sorted({english for _, english in table} - said)
        assert not unknown, f"{language}: nobody says {unknown}"


def test_german_lacks_nothing(shown):
    table = dict(tables())["de_DE"]
    lacking = sorted(shown - {english for _, english in table})
    assert not lacking, f"add to addon/languages/de_DE.json: {lacking}"


def test_values_are_kept_in_translations():
    for language, table in tables():
        for (_, english), text in table.items():
            assert english.count("{}") == text.count("{}"), f"{language}: {english}"


def test_blender_shows_it(addon):
    import bpy

    from addon.state import said

    view = bpy.context.preferences.view
    before = view.language
    if "de_DE" not in bpy.app.translations.locales:
        pytest.skip("this Blender was built without translations")
    try:
        view.language = "de_DE"
        view.use_translate_interface = True
        assert bpy.app.translations.pgettext_iface("New Double", "Operator") == "Neues Double"
        assert said("Variant {} of {}", 2, 7) == "Variante 2 von 7"
    finally:
        view.language = before
