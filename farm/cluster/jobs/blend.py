"""A .blend with all that it uses, as a folder that stands by itself; made once for equal content.

Blender does the work in a process of its own, `python -m farm.double.own.packing`, in which no script of the file runs.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from farm.errors import BadInput, ClusterError

__all__ = ["collect_blend"]


def collect_blend(path: Path) -> Path:
    """The folder with `path`'s copy and its files; BadInput names, all at once, the files that are missing."""
    command = [sys.executable, "-m", "farm.double.own.packing", str(path.resolve())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return Path(done.stdout.strip().splitlines()[-1])
    said = [line for line in done.stderr.splitlines() if line.strip()]
    error = BadInput if done.returncode == BadInput.exit_code else ClusterError
    raise error(said[-1].removeprefix("error: ") if said else f"{path}: Blender ended with {done.returncode}")
