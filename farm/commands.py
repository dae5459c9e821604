"""What the commands of several rooms do alike."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from farm.doctor import require_renderer
from farm.errors import StorageError
from farm.quiet import load_blender

__all__ = ["load_renderer", "note", "write_text"]


def load_renderer() -> None:
    """Load Blender; BadInput says what it takes where it is not installed."""
    require_renderer()
    load_blender()


def note(lines: Iterable[str]) -> None:
    """Say what people may want to know, beside what a command prints for programs."""
    for line in lines:
        click.echo(f"note: {line}", err=True)


def write_text(path: Path, text: str) -> None:
    """Write the file that was asked for; StorageError where it cannot be."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}") from None
