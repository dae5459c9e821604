"""Everything Digidouble raises on purpose.

    DigidoubleError            the work or a check failed                      exit code 1
    ├── RenderError            a pair could not be made as the contract asks
    ├── FarmError              workers or Ray failed
    ├── ClusterError           a cluster did not answer, or refused
    ├── StorageError           a dataset cannot be written or its store not used: disk full, permission, device
    │   └── StoreAccessError   an object store refuses who asks, or has no such bucket      exit code 2
    └── BadInput               what the user gave cannot be used               exit code 2
        ├── RecipeError        a recipe is wrong: names line, value and remedy
        ├── TemplateError      a file in templates/ is missing or wrong
        └── DatasetError       a folder is not the dataset that was meant

A message is one line that names the value, where it came from and the remedy.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "BadInput",
    "ClusterError",
    "DatasetError",
    "DigidoubleError",
    "FarmError",
    "RecipeError",
    "RenderError",
    "StorageError",
    "StoreAccessError",
    "TemplateError",
]


class DigidoubleError(Exception):
    """The work, or a check of it, failed."""

    exit_code: ClassVar[int] = 1


class RenderError(DigidoubleError):
    """A pair could not be made as the pair contract asks."""


class FarmError(DigidoubleError):
    """Workers or Ray failed."""


class ClusterError(DigidoubleError):
    """A cluster did not answer, or refused what it was asked."""


class StorageError(DigidoubleError):
    """A dataset cannot be written or its store not used: disk full, permission, device."""


class StoreAccessError(StorageError):
    """An object store refuses who asks, has no such bucket, or cannot be spoken to at all."""

    exit_code: ClassVar[int] = 2


class BadInput(DigidoubleError):
    """What the user gave cannot be used."""

    exit_code: ClassVar[int] = 2


class RecipeError(BadInput):
    """A recipe is wrong; the message names its line, the value and the remedy."""


class TemplateError(BadInput):
    """A file in templates/ is missing or wrong."""


class DatasetError(BadInput):
    """A folder is not the dataset that was meant."""
