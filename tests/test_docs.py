"""What the pages show is true: commands are taken, recipes and hairstyles are valid, pictures are there."""

import itertools
import re
import shlex
import shutil
from pathlib import Path

import click
import pytest
import yaml

from farm.cli import cli
from farm.double.groom.style import Hairstyle, parse_hairstyle
from farm.motion.anatomy import read_bones
from farm.motion.pose import load_pose
from farm.motion.stunt.template import load_stunt
from farm.recipe import parse_recipe, templates

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("templates/recipes/*.yaml"))]
TEXTS = {str(page.relative_to(ROOT)): page.read_text(encoding="utf-8") for page in PAGES}
TEXTS |= {f"{name} --help": command.help or "" for name, command in cli.commands.items()}
TEXTS["--help"] = cli.help

BEGINNING = r"^[ #$]*(digidouble [a-z].*)$"
"""A line of a shell block, indented or fenced, or of a comment."""
INLINE = r"`(digidouble [a-z][^`]*)`"


def commands(text):
    """Every command in a text, without what follows in a pipe."""
    return re.findall(BEGINNING, text, re.MULTILINE) + re.findall(INLINE, text)


def words(command):
    """A command's arguments, up to a comment, a pipe or a redirection."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="|>&;")
    lexer.whitespace_split = True
    _, *found = lexer
    return list(itertools.takewhile(lambda word: not re.match(r"[|>&;]", word), found))


def parse(command):
    """Let the command line read a command without running it; a name alone is only looked up."""
    name, known, rest = cli.resolve_command(click.Context(cli), words(command))
    if rest:
        known.make_context(name, rest)


@pytest.mark.parametrize("source", TEXTS)
def test_commands_are_taken(source):
    for command in commands(TEXTS[source]):
        try:
            parse(command)
        except click.UsageError as error:
            pytest.fail(f"{source}: `{command}`: {error.format_message()}")


def test_commands_are_found():
    text = "```sh\ndigidouble plan a.yaml   # what\n```\n\n    digidouble doctor\n\nRun `digidouble check out`.\n"
    assert commands(text) == ["digidouble plan a.yaml   # what", "digidouble doctor", "digidouble check out"]
    assert words("digidouble plan a.yaml --json | jq '.variants[0]'  # why") == ["plan", "a.yaml", "--json"]
    assert words("digidouble templates recipes demo > mine.yaml") == ["templates", "recipes", "demo"]
    for page in ("README.md", "docs/recipes.md", "docs/dataset.md", "templates/recipes/demo.yaml", "plan --help"):
        assert commands(TEXTS[page]), page


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("digidouble render haircuts.yaml OUT", "unexpected extra argument"),
        ("digidouble render haircuts.yaml --outt OUT", "No such option"),
        ("digidouble render --out OUT", "Missing parameter: recipe"),
        ("digidouble polish", "No such command"),
        ("digidouble render a.yaml --device abacus", "'abacus' is not one of"),
    ],
)
def test_a_wrong_command_is_noticed(command, reason):
    with pytest.raises(click.UsageError, match=f"(?i){reason}"):
        parse(command)


def blocks(text):
    """The YAML blocks of a page, in order."""
    return re.findall(r"^```yaml\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


SHOWN = [(name, block) for name, text in TEXTS.items() for block in blocks(text)]
OWN = "# templates/"
"""What a block begins with that is a whole template, in the file that follows."""


@pytest.mark.parametrize(("source", "block"), SHOWN, ids=[name for name, _ in SHOWN])
def test_recipes_and_templates_of_the_pages_are_valid(source, block, monkeypatch, tmp_path):
    if block.startswith(OWN):
        assert _own_template(block, monkeypatch, tmp_path)
    elif "digidouble-hairstyle" in block:
        assert parse_hairstyle(yaml.safe_load(block), place=source).description
    else:
        assert parse_recipe(block, source=source).draw()


def _own_template(block, monkeypatch, tmp_path):
    """A pose or stunt of a page, read from a folder of templates that it is put into."""
    kind, name = re.match(rf"{OWN}(\w+)/(\w+)\.yaml\n", block).groups()
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    (tmp_path / "templates" / kind / f"{name}.yaml").write_text(block, encoding="utf-8")
    monkeypatch.setattr(templates, "folder", lambda: tmp_path / "templates")
    if kind == "poses":
        return load_pose(name)
    stunt = load_stunt(name)
    for label, key in stunt.keys.items():
        read_bones(key.bones, f"{name}: {label}")
    return stunt


def test_the_page_about_hair_names_every_key_of_a_hairstyle():
    table = " ".join(re.findall(r"^\| (.*?) \|", TEXTS["docs/hair.md"], re.MULTILINE))
    assert set(re.findall(r"`(\w+)`", table)) == set(Hairstyle.model_fields)


@pytest.mark.parametrize("page", [page for page in PAGES if page.suffix == ".md"], ids=lambda page: page.name)
def test_pictures_and_pages_that_a_page_links_are_there(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", TEXTS[str(page.relative_to(ROOT))]):
        assert (page.parent / target).is_file(), target
