"""Commands in the pages, the recipes' comments and the help are commands that the command line takes."""

import itertools
import re
import shlex
from pathlib import Path

import click
import pytest

from farm.cli import cli

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
        ("digidouble render a.yaml --device gpu", "'gpu' is not one of"),
    ],
)
def test_a_wrong_command_is_noticed(command, reason):
    with pytest.raises(click.UsageError, match=f"(?i){reason}"):
        parse(command)
