"""Keeping what Blender prints by itself, past Python, from the terminal."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["load_blender", "silence"]


@contextmanager
def silence(*, stderr: bool = True) -> Iterator[list[str]]:
    """Keep what is printed on standard output, and on `stderr`, from the terminal.

    The lines that name an error are in the list afterwards.
    """
    said: list[str] = []
    streams = (1, 2) if stderr else (1,)
    sys.stdout.flush()
    sys.stderr.flush()
    with tempfile.TemporaryFile() as spool:
        kept = {stream: os.dup(stream) for stream in streams}
        try:
            for stream in streams:
                os.dup2(spool.fileno(), stream)
            yield said
        finally:
            for stream, own in kept.items():
                os.dup2(own, stream)
                os.close(own)
            spool.seek(0)
            said += [line for line in spool.read().decode("utf-8", "replace").splitlines() if "rror" in line]


def load_blender() -> None:
    """Import bpy without the line that it prints where OCIO names a colour configuration."""
    with silence():
        import bpy  # noqa: F401
