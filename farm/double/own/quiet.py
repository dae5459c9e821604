"""Keeping what Blender prints by itself from the terminal."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["silence"]


@contextmanager
def silence() -> Iterator[list[str]]:
    """Keep what Blender prints from the terminal; the lines that name an error are in the list afterwards."""
    said: list[str] = []
    sys.stdout.flush()
    sys.stderr.flush()
    with tempfile.TemporaryFile() as spool:
        kept = [os.dup(1), os.dup(2)]
        try:
            os.dup2(spool.fileno(), 1)
            os.dup2(spool.fileno(), 2)
            yield said
        finally:
            for stream, own in enumerate(kept, start=1):
                os.dup2(own, stream)
                os.close(own)
            spool.seek(0)
            said += [line for line in spool.read().decode("utf-8", "replace").splitlines() if "rror" in line]
