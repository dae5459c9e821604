"""The token of a cluster, where Ray itself looks for it: `RAY_AUTH_TOKEN`, the file that `RAY_AUTH_TOKEN_PATH` names,
`~/.ray/auth_token`; the first that is set counts.

It is sent to the cluster and put nowhere else: not into a file, a job's environment, a message or a log.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from farm.errors import BadInput

__all__ = ["Token", "find_token"]

VALUE: Final = "RAY_AUTH_TOKEN"
FILE: Final = "RAY_AUTH_TOKEN_PATH"
LONGEST: Final = 8192


@dataclass(frozen=True)
class Token:
    """A token, and where it came from. Its value is not shown."""

    value: str = field(repr=False)
    source: str


def find_token(environment: Mapping[str, str] | None = None, home: Path | None = None) -> Token | None:
    """The token that applies, None where there is none; BadInput for one that others can read or that is damaged."""
    environment = os.environ if environment is None else environment
    value = environment.get(VALUE, "").strip()
    if value:
        return Token(_checked(value, VALUE), VALUE)
    named = environment.get(FILE, "").strip()
    if named:
        return _read(Path(named).expanduser(), f"the file that {FILE} names")
    usual = (home or Path.home()) / ".ray" / "auth_token"
    return _read(usual, str(usual)) if usual.exists() else None


def _read(path: Path, source: str) -> Token:
    try:
        mode = path.stat().st_mode
        if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
            raise BadInput(f"{path} can be read by others (mode {stat.S_IMODE(mode):04o}): chmod 600 {path}")
        value = path.read_bytes()[:LONGEST].decode("ascii").strip()
    except OSError as error:
        raise BadInput(f"{path}: cannot read the token: {(error.strerror or str(error)).lower()}") from None
    except UnicodeDecodeError:
        raise BadInput(f"{path} holds no token: `ray get-auth-token` on the head node prints it") from None
    return Token(_checked(value, str(path)), source)


def _checked(value: str, place: str) -> str:
    if not value or not value.isascii() or not value.isprintable() or any(letter.isspace() for letter in value):
        raise BadInput(f"{place} holds no token: `ray get-auth-token` on the head node prints it")
    return value
