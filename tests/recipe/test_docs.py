"""The recipes' page is in step with the models and with itself."""

from __future__ import annotations

import re

import pytest

from farm.errors import RecipeError
from farm.recipe import PARAMETERS, parse_recipe
from farm.recipe.docs import PAGE, refresh

TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLE = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)[0]


def test_the_tables_are_in_step() -> None:
    assert refresh(TEXT) == TEXT, "run: python -m farm.recipe.docs"


def test_the_tables_name_every_parameter() -> None:
    for parameter in PARAMETERS.values():
        assert f"| `{parameter.name}` |" in TEXT
        assert parameter.description in TEXT


def test_a_stale_page_is_noticed() -> None:
    stale = TEXT.replace("Standing height", "Sitting height")
    assert stale != TEXT
    assert refresh(stale) == TEXT
    with pytest.raises(ValueError, match="no place for the table 'parameters'"):
        refresh("# Write a recipe")


def test_the_example_is_a_recipe() -> None:
    assert parse_recipe(EXAMPLE).count == 200


def test_the_errors_are_those_of_the_example_with_slips() -> None:
    slips = EXAMPLE.replace("[18, 65]", "[65, 18]").replace("short: 3", "shrt: 3").replace("framing", "framming")
    with pytest.raises(RecipeError) as raised:
        parse_recipe(slips, source="haircuts.yaml")
    assert all(f"    {line}\n" in TEXT for line in str(raised.value).splitlines())
