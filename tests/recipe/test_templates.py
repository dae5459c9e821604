"""Templates are found by kind and name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
import yaml
from pydantic import AfterValidator, Field

from farm.errors import TemplateError
from farm.recipe import templates
from farm.recipe.faults import fault


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
            if kind != "cluster" or templates.path(kind, name).suffix == ".yaml":
                assert templates.load(kind, name)


def test_scripts_are_templates_too(shelf: Path) -> None:
    for name, text in (("run.sh", "#!/bin/sh\n# Runs it. And more\n"), ("Dockerfile", "# An image\n"), ("x.npz", "")):
        (shelf / name).write_text(text)
    (shelf / "bob.yaml").write_text("# A comment\ndescription: a bob\n")
    (shelf / "lob.yaml").write_text("# Longer than a bob\nlength: 1\n")
    assert templates.names("hairstyles") == ["Dockerfile", "bob", "lob", "run"]
    assert templates.path("hairstyles", "run").name == "run.sh"
    told = [templates.description("hairstyles", name) for name in templates.names("hairstyles")]
    assert told == ["An image", "a bob", "Longer than a bob", "Runs it"]


def _even(value: int) -> int:
    if value % 2:
        raise fault(f"{value} is odd")
    return value


class Bead(templates.Part):
    size: float = Field(gt=0, le=1)
    tint: Literal["red", "blue"] = "red"


class Necklace(templates.Part):
    string: str
    from_: float = Field(default=0.0, alias="from", ge=0, lt=1)
    beads: tuple[Bead, ...] = ()
    clasp: dict[str, str | Bead] = Field(default_factory=dict)
    count: Annotated[int, AfterValidator(_even)] = 2
    spare: Bead | None = None


def test_a_template_is_read_as_its_model(shelf: Path) -> None:
    (shelf / "bob.yaml").write_text("string: silk\nfrom: 0.5\nbeads: [{size: 1}]\nclasp: {left: hook}\n")
    necklace = templates.read(Necklace, "hairstyles", "bob")
    assert necklace == Necklace(string="silk", **{"from": 0.5}, beads=(Bead(size=1),), clasp={"left": "hook"})


WRONG = {
    "string: 5": "string: expected text, found 5; put it in quotes",
    "strng: silk": "'string' is missing; 'strng' is there instead",
    "from: 0.5": "'string' is missing",
    "string: silk\nfrom: 1": "from: must be below 1, found 1",
    "string: silk\nfrm: 0.1": "unknown key 'frm'; did you mean 'from'?",
    "string: silk\nxyz: 0.1": "unknown key 'xyz'; known: string, from, beads, clasp, count, spare",
    "string: silk\nbeads: 3": "beads: expected a list such as [1, 4], found 3",
    "string: silk\nbeads: [{size: 1}, {size: 2}]": "beads[1].size: must be at most 1, found 2",
    "string: silk\nbeads: [{size: .nan}]": "beads[0].size: expected a finite number, found nan",
    "string: silk\nbeads: [{size: wide}]": "beads[0].size: expected a number, found 'wide'",
    "string: silk\nbeads: [{size: 1, tnt: red}]": "unknown key 'beads[0].tnt'; did you mean 'tint'?",
    "string: silk\nbeads: [{size: 1, tint: rde}]": "beads[0].tint: expected 'red' or 'blue', found 'rde'",
    "string: silk\nbeads: [{tint: red}]": "'beads[0].size' is missing",
    "string: silk\nspare: {size: 1, tnt: red}": "unknown key 'spare.tnt'; did you mean 'tint'?",
    "string: silk\nspare: 3": "spare: expected a mapping of keys to values, found 3",
    "string: silk\ncount: 3": "count: 3 is odd",
    "string: silk\ncount: 2.5": "count: expected a whole number, found 2.5",
    "string: silk\nclasp: {left: {size: 1, tnt: red}}": "unknown key 'clasp.left.tnt'; did you mean 'tint'?",
    "string: silk\nclasp: {left: {size: 2}}": "clasp.left.size: must be at most 1, found 2",
    "string: silk\nclasp: {left: 3}": "clasp.left: expected text, found 3; put it in quotes",
    "string: silk\nclasp: [left]": "clasp: expected a mapping of keys to values, found a list",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_named_on_one_line(shelf: Path, text: str) -> None:
    (shelf / "bob.yaml").write_text(text)
    with pytest.raises(TemplateError) as raised:
        templates.read(Necklace, "hairstyles", "bob")
    assert str(raised.value) == f"templates/hairstyles/bob.yaml: {WRONG[text]}"


def test_data_from_elsewhere_are_called_what_they_are_called() -> None:
    with pytest.raises(TemplateError, match="^here: 'string' is missing$"):
        templates.validate(Necklace, yaml.safe_load("{count: 4}"), source="here")


def test_the_digest_covers_version_and_templates_but_no_recipe(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def digest() -> str:
        templates.templates_digest.cache_clear()
        return templates.templates_digest()

    try:
        (shelf / "bob.yaml").write_text("a: 1\n")
        before = digest()
        (shelf / "notes.txt").write_text("mine")
        (shelf.parent / "recipes").mkdir()
        (shelf.parent / "recipes" / "mine.yaml").write_text("seed: 1\n")
        assert digest() == before
        found = {before}
        (shelf / "bob.yaml").write_text("a: 2\n")
        found.add(digest())
        (shelf / "bob.yaml").rename(shelf / "afro.yaml")
        found.add(digest())
        monkeypatch.setattr(templates, "__version__", "9.9")
        found.add(digest())
        assert len(found) == 4
    finally:
        templates.templates_digest.cache_clear()


def test_the_users_own_templates_are_names_like_the_others_and_no_shipped_one_gives_way(
    shelf: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path_factory.mktemp("own")
    monkeypatch.setenv("DIGIDOUBLE_TEMPLATES", str(own))
    (shelf / "bob.yaml").write_text("a: 1\n")
    (own / "hairstyles").mkdir()
    (own / "hairstyles" / "bob.yaml").write_text("a: 2\n")
    templates.templates_digest.cache_clear()
    before = templates.templates_digest()
    (own / "hairstyles" / "mullet.yaml").write_text("a: 3\n")
    templates.templates_digest.cache_clear()
    try:
        assert templates.names("hairstyles") == ["bob", "mullet"]
        assert templates.load("hairstyles", "bob") == {"a": 1}
        assert templates.load("hairstyles", "mullet") == {"a": 3}
        assert templates.own("hairstyles") == {"mullet": own / "hairstyles" / "mullet.yaml"}
        assert templates.templates_digest() != before
    finally:
        templates.templates_digest.cache_clear()
