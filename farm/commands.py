"""What the commands of several rooms do alike."""

from __future__ import annotations

from pathlib import Path

from farm.doctor import require_renderer
from farm.errors import StorageError
from farm.quiet import load_blender

__all__ = ["load_renderer", "write_text"]


def load_renderer() -> None:
    """Load Blender; BadInput says what it takes where it is not installed."""
    require_renderer()
    load_blender()


def write_text(path: Path, text: str) -> None:
    """Write the file that was asked for; StorageError where it cannot be."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}") from None
