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
    return found


def tables():
    from addon.translations import read_tables

    return read_tables().items()


def test_every_text_of_a_table_is_in_the_interface(said):
    for language, table in tables():
        assert re.fullmatch(r"[a-z]{2,3}(_[A-Z]{2})?", language)
        unknown = sorted({english for _, english in table} - said)
        assert not unknown, f"{language}: nobody says {unknown}"


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
