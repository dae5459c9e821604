"""What ships ready to use in `templates/`, read by kind and name.

A kind is a folder, a name a file without its ending: `templates/hairstyles/afro.yaml` is the hairstyle `afro`. Most are
YAML; those for clusters may also be scripts and a Dockerfile, which nobody here reads.
In a checkout the folder stands beside `farm/`; in a wheel it travels inside the package. The user's own templates
stand in a folder of theirs (`farm.places`), with the same kinds; one that is called as a shipped one is not seen.
"""

from __future__ import annotations

import difflib
import functools
import hashlib
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from farm import __version__
from farm.errors import TemplateError
from farm.places import template_folder
from farm.recipe.faults import Place, spell
from farm.recipe.messages import fault_place, keys_at, message, written
from farm.recipe.variant import content_hash

__all__ = [
    "Part",
    "description",
    "folder",
    "kinds",
    "load",
    "names",
    "nearest",
    "own",
    "path",
    "place",
    "read",
    "templates_digest",
    "validate",
]

NOT_BUILT_FROM: Final = ("recipes", "sheets", "populations", "cluster")
"""Kinds that say which variants there are, and not what a variant looks like."""

ENDINGS: Final = (".yaml", ".sh", "")
"""What a template's file may end in; a recording's payload, `.npz`, is none."""

LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Reads ten times as fast where PyYAML was built with libyaml: a menu of stunts shows the descriptions of all."""

Model = TypeVar("Model", bound=BaseModel)


class Part(BaseModel):
    """A template, or a part of one: frozen plain data; unknown keys and numbers that are not finite are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


@functools.cache
def folder() -> Path:
    """The templates' folder."""
    package = Path(__file__).resolve().parents[1]
    for candidate in (package / "_templates", package.parent / "templates"):
        if candidate.is_dir():
            return candidate
    raise TemplateError(f"templates/ is missing beside {package}; install digidouble again")


def kinds() -> list[str]:
    """The kinds of template, sorted."""
    return sorted(entry.name for entry in folder().iterdir() if entry.is_dir())


def names(kind: str) -> list[str]:
    """The names of a kind, sorted."""
    return sorted(_files(kind))


def own(kind: str) -> dict[str, Path]:
    """The user's own templates of a kind: name -> file."""
    shipped = _on(folder() / kind)
    return {name: file for name, file in _on(template_folder() / kind).items() if name not in shipped}


def _files(kind: str) -> dict[str, Path]:
    return {**_on(template_folder() / kind), **_on(folder() / kind)}


def _on(shelf: Path) -> dict[str, Path]:
    files = shelf.iterdir() if shelf.is_dir() else ()
    return {file.stem: file for file in files if file.suffix in ENDINGS and file.is_file() and file.name[0] != "."}


@functools.cache
def templates_digest() -> str:
    """Digest of digidouble's version and of every template's bytes but those that nothing is built from."""
    files = {
        f"{kind}/{name}": hashlib.sha256(path(kind, name).read_bytes()).hexdigest()
        for kind in kinds()
        if kind not in NOT_BUILT_FROM
        for name in names(kind)
    }
    return content_hash([__version__, files])


def nearest(word: str, known: list[str]) -> str:
    """`; did you mean 'x'?`, or the known names where none is near."""
    if not known:
        return "; there are none"
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; did you mean '{close[0]}'?" if close else f"; known: {', '.join(known)}"


def path(kind: str, name: str) -> Path:
    """The file of one template; TemplateError names the nearest where there is none."""
    file = folder() / kind / f"{name}.yaml"
    if file.is_file():
        return file
    known = _files(kind)
    if name not in known:
        raise TemplateError(f"no template '{name}' in {kind}{nearest(name, sorted(known))}")
    return known[name]


def description(kind: str, name: str) -> str:
    """What a template is, in a line: its `description`, or the first sentence of the comment that it begins with."""
    file = path(kind, name)
    said = load(kind, name).get("description") if file.suffix == ".yaml" else None
    if said is not None:
        return str(said)
    lines = file.read_text(encoding="utf-8").splitlines()
    comment = next((line for line in lines if line.startswith("# ")), "")
    return comment.removeprefix("# ").partition(". ")[0].rstrip(".")


@functools.cache
def _read(file: Path) -> Any:
    try:
        data = yaml.load(file.read_text(encoding="utf-8"), LOADER)
    except yaml.YAMLError as error:
        raise TemplateError(f"{file}: not valid YAML: {error}".replace("\n", " ")) from error
    if not isinstance(data, dict):
        raise TemplateError(f"{file}: expected a mapping, found {type(data).__name__}")
    return data


def load(kind: str, name: str) -> dict[str, Any]:
    """One template's data. Do not change what is returned: it is cached."""
    data: dict[str, Any] = _read(path(kind, name))
    return data


def place(kind: str, name: str) -> str:
    """What messages call a template: `templates/hairstyles/afro.yaml`."""
    return f"templates/{kind}/{name}.yaml"


def read(model: type[Model], kind: str, name: str) -> Model:
    """One template as `model`; TemplateError names the file, the place in it, what is wrong and the remedy."""
    return validate(model, load(kind, name), source=place(kind, name))


def validate(model: type[Model], data: dict[str, Any], *, source: str) -> Model:
    """Plain data as `model`; TemplateError is one line, which calls them `source`."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        text = _explain(model, data, error.errors(include_url=False))
        raise TemplateError(f"{source}: {' '.join(text.split())}") from None


def _explain(model: type[BaseModel], data: dict[str, Any], details: list[ErrorDetails]) -> str:
    """One line on the first thing wrong, or on what is wrong inside of it: a union's first branch may not be meant."""
    found = [(_place_in(data, detail), detail) for detail in details]
    outer = found[0][0]
    inside = [each for each in found if len(each[0]) > len(outer) and each[0][: len(outer)] == outer]
    where, first = (inside or found)[0]
    if first["type"] == "extra_forbidden":
        return f"unknown key '{spell(where)}'{nearest(str(where[-1]), keys_at(model, where[:-1]))}"
    if first["type"] == "missing":
        strangers = [each for each, detail in found if detail["type"] == "extra_forbidden" and each[:-1] == where[:-1]]
        hint = f"; '{spell(strangers[0])}' is there instead" if strangers else ""
        return f"'{spell(where)}' is missing{hint}"
    return f"{spell(where)}: {message(first)}" if where else message(first)


def _place_in(data: dict[str, Any], detail: ErrorDetails) -> Place:
    """Where an error stands in the data; a key that is missing or unknown is the last step."""
    where = fault_place(detail)
    if detail["type"] in ("missing", "extra_forbidden"):
        return (*written(data, where[:-1]), where[-1])
    return written(data, where)
