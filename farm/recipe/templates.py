"""What ships ready to use in `templates/`, read by kind and name.

A kind is a folder, a name a file without its ending: `templates/hairstyles/afro.yaml` is the hairstyle `afro`.
In a checkout the folder stands beside `farm/`; in a wheel it travels inside the package.
"""

from __future__ import annotations

import difflib
import functools
from pathlib import Path
from typing import Any

import yaml

from farm.errors import TemplateError

__all__ = ["folder", "kinds", "load", "names", "nearest", "path"]


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
    return sorted(entry.stem for entry in (folder() / kind).glob("*.yaml"))


def nearest(word: str, known: list[str]) -> str:
    """`; did you mean 'x'?`, or the known names where none is near."""
    if not known:
        return "; there are none"
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; did you mean '{close[0]}'?" if close else f"; known: {', '.join(known)}"


def path(kind: str, name: str) -> Path:
    """The file of one template; TemplateError names the nearest where there is none."""
    file = folder() / kind / f"{name}.yaml"
    if not file.is_file():
        raise TemplateError(f"no template '{name}' in {kind}{nearest(name, names(kind))}")
    return file


@functools.cache
def _read(file: Path) -> Any:
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise TemplateError(f"{file}: not valid YAML: {error}".replace("\n", " ")) from error
    if not isinstance(data, dict):
        raise TemplateError(f"{file}: expected a mapping, found {type(data).__name__}")
    return data


def load(kind: str, name: str) -> dict[str, Any]:
    """One template's data. Do not change what is returned: it is cached."""
    data: dict[str, Any] = _read(path(kind, name))
    return data
