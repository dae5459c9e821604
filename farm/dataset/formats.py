"""Versioned JSON files: read into their model, any other format refused by name, written the same each time."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from farm.dataset.files import read_bytes, replace_bytes
from farm.dataset.place import Place
from farm.errors import DatasetError

__all__ = ["MalformedError", "NewerFormatError", "Table", "encode_json", "parse_json", "read_json", "write_json"]


class MalformedError(DatasetError):
    """A file is not valid JSON, or says it is of the expected format and is not."""


class NewerFormatError(DatasetError):
    """A file is of a format that a later digidouble wrote."""


class Table(BaseModel):
    """Frozen plain data; unknown names and numbers that are not finite are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


TableT = TypeVar("TableT", bound=Table)


def write_json(path: Place, table: Table) -> None:
    """Writes a table whole or not at all; equal tables give equal bytes."""
    replace_bytes(path, encode_json(table.model_dump(mode="json")))


def encode_json(data: Any) -> bytes:
    """Plain data as the bytes of a JSON file: equal data, equal bytes."""
    return (json.dumps(data, indent=1, sort_keys=True, allow_nan=False) + "\n").encode("ascii")


def read_json(path: Place, model: type[TableT], expected: str) -> TableT:
    """Reads a table whose `format` must be `expected`; DatasetError names the file and what is wrong with it.

    Raises MalformedError for broken content, NewerFormatError for a later version of the format.
    """
    return parse_json(path, read_bytes(path), model, expected)


def parse_json(path: Place, content: bytes, model: type[TableT], expected: str) -> TableT:
    """A table from the bytes of the file at `path`; errors as of `read_json`."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"{path}: not valid JSON: {error}") from error
    found = data.get("format") if isinstance(data, dict) else None
    if found != expected:
        if _is_newer(found, expected):
            newer = f"format '{found}' is newer than '{expected}', which this digidouble reads"
            raise NewerFormatError(f"{path}: {newer}; update digidouble")
        raise DatasetError(f"{path}: format is {found!r}, expected '{expected}'")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise MalformedError(f"{path}: {place}: {first['msg']}") from error


def _is_newer(found: object, expected: str) -> bool:
    kind, _, version = expected.rpartition("/")
    if not isinstance(found, str) or not found.startswith(f"{kind}/"):
        return False
    tail = found.removeprefix(f"{kind}/")
    return tail.isdecimal() and int(tail) > int(version)
