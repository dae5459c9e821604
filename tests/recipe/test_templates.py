"""Templates are found by kind and name."""

from __future__ import annotations

from pathlib import Path

import pytest

from farm.errors import TemplateError
from farm.recipe import templates


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A templates folder of its own, with the hairstyles that the test writes."""
    (tmp_path / "hairstyles").mkdir()
    monkeypatch.setattr(templates, "folder", lambda: tmp_path)
    return tmp_path / "hairstyles"


def test_names_are_those_of_the_files(shelf: Path) -> None:
    for name in ("bob.yaml", "afro.yaml", "notes.txt"):
        (shelf / name).write_text("a: 1\n")
    assert templates.kinds() == ["hairstyles"]
    assert templates.names("hairstyles") == ["afro", "bob"]
    assert templates.names("nothing") == []
    assert templates.load("hairstyles", "bob") == {"a": 1}


def test_a_missing_template_names_the_nearest(shelf: Path) -> None:
    with pytest.raises(TemplateError, match="no template 'bop' in hairstyles; there are none"):
        templates.path("hairstyles", "bop")
    (shelf / "bob.yaml").write_text("a: 1\n")
    with pytest.raises(TemplateError, match="no template 'bop' in hairstyles; did you mean 'bob'?"):
        templates.path("hairstyles", "bop")
    with pytest.raises(TemplateError, match="no template 'xyz' in hairstyles; known: bob"):
        templates.path("hairstyles", "xyz")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- 1", "expected a mapping, found list"),
        ("", "expected a mapping, found NoneType"),
        ("a: b: c", "not valid YAML"),
    ],
)
def test_a_broken_template_is_named_on_one_line(shelf: Path, text: str, message: str) -> None:
    (shelf / "bob.yaml").write_text(text)
    with pytest.raises(TemplateError, match=message) as raised:
        templates.load("hairstyles", "bob")
    assert "bob.yaml" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_every_shipped_template_is_a_mapping() -> None:
    assert {"recipes", "hairstyles", "poses", "stunts", "lights", "framings", "eyes"} <= set(templates.kinds())
    for kind in templates.kinds():
        for name in templates.names(kind):
            assert templates.load(kind, name)
