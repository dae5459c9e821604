"""What a sheet of templates shows."""

import pytest

from farm.errors import TemplateError
from farm.recipe import templates
from farm.recipe.sheet import SHEETS, load_sheet


@pytest.mark.parametrize("kind", templates.names(SHEETS))
def test_every_shipped_sheet_can_be_made(kind):
    assert load_sheet(kind).description


def test_a_kind_without_a_sheet_is_told():
    with pytest.raises(TemplateError, match="lights have no sheet; known: "):
        load_sheet("lights")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"varies": "hair.stlye"}, r"varies: 'hair.stlye' names no hairstyles; did you mean 'hair.style'"),
        ({"views": ({"azimut": 3},)}, r"person 1, view 1: .*azimut"),
        ({"people": ({"body": {"age": 200}},)}, r"person 1, view 1: .*80"),
    ],
)
def test_a_wrong_sheet_is_one_line(monkeypatch, change, message):
    found = load_sheet("hairstyles")
    monkeypatch.setattr(templates, "read", lambda *_: found.model_copy(update=change))
    with pytest.raises(TemplateError, match=message) as caught:
        load_sheet("hairstyles")
    assert "\n" not in str(caught.value)
