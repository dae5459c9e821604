"""Where this user's own files lie on this machine, by each platform's custom."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

__all__ = ["TEMPLATES", "cache_folder", "config_folder", "keep", "template_folder"]

CACHE: Final = "DIGIDOUBLE_CACHE"
TEMPLATES: Final = "DIGIDOUBLE_TEMPLATES"


def cache_folder() -> Path | None:
    """Where what can be made again is kept: `$DIGIDOUBLE_CACHE`, else the platform's own; None where that is empty."""
    given = os.environ.get(CACHE)
    if given is not None:
        return Path(given) if given else None
    return _own("LOCALAPPDATA", "AppData/Local", mac="Library/Caches", unix=("XDG_CACHE_HOME", ".cache"))


def config_folder() -> Path:
    """Where the user's settings are."""
    return _own("APPDATA", "AppData/Roaming", mac="Library/Application Support", unix=("XDG_CONFIG_HOME", ".config"))


def template_folder() -> Path:
    """Where the user's own templates are, a folder a kind: `$DIGIDOUBLE_TEMPLATES`, else beside the settings."""
    given = os.environ.get(TEMPLATES)
    return Path(given) if given else config_folder() / "templates"


def keep(file: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file of the cache, whole or not at all; one that cannot be written is not kept."""
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=".part", dir=file.parent)
        try:
            with os.fdopen(handle, "wb") as part:
                write(part)
            Path(name).replace(file)
        finally:
            Path(name).unlink(missing_ok=True)


def _own(variable: str, windows: str, *, mac: str, unix: tuple[str, str]) -> Path:
    """Digidouble's folder in the platform's: a variable names it on Windows and Unix, or it lies below the home."""
    home = Path("~").expanduser()
    place = {
        "win32": Path(os.environ.get(variable) or home / windows),
        "darwin": home / mac,
    }.get(sys.platform, Path(os.environ.get(unix[0]) or home / unix[1]))
    return place / "digidouble"
