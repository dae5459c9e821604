"""Guides and their motion solved before, kept by the content of what they were solved from: guides in memory, and both
in a folder on disk.

The folder is `$DIGIDOUBLE_CACHE`, else the platform's own for caches. It is bounded in size, the files that were not
used for longest go first; a file that cannot be read or written is as good as none. Set `DIGIDOUBLE_CACHE=` (empty) to
keep nothing on disk.
"""

from __future__ import annotations

import hashlib
import os
import sys
import zipfile
from collections import OrderedDict
from contextlib import suppress
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import scipy
from numpy.typing import NDArray

from farm import __version__
from farm.double.groom.collider import Shell
from farm.double.groom.comb import Guides, comb_guides
from farm.double.groom.dynamics import Wearing, solve_guides
from farm.double.groom.style import Hairstyle, Sway
from farm.double.groom.surface import Head, Roots, Scalp
from farm.pieces import Pieces
from farm.places import cache_folder, keep

__all__ = ["forget_guides", "guides_key", "solved_guides", "solved_motion"]

Array = NDArray[np.float64]

IN_MEMORY: Final = 12
MOST_BYTES: Final = 1_000_000_000
"""Size of the folder at most: some thousand grooms' guides."""
PROBES: Final = 64
"""Points by which a head tells what its skin looks like as it is rendered."""

_memory: OrderedDict[str, Guides] = OrderedDict()


def solved_guides(
    head: Head, shells: list[Shell], style: Hairstyle, *, length: float, frizz: float, seed: int
) -> Guides:
    """`comb_guides`, or what it returned for the same content before: equal bit for bit."""
    key = guides_key(head, shells, style, length=length, frizz=frizz, seed=seed)
    found = _memory.get(key) or _read(key)
    if found is None:
        found = comb_guides(head, shells, style, length=length, frizz=frizz, seed=seed)
        _write(key, found)
    _memory[key] = found
    _memory.move_to_end(key)
    while len(_memory) > IN_MEMORY:
        _memory.popitem(last=False)
    return found


def solved_motion(
    rest: Array, worn: Wearing, sway: Sway, *, fps: float, lead: int = 0, held: int = 2, thickness: Array | None = None
) -> Pieces[Array]:
    """`solve_guides`, or what it returned for the same content before: equal bit for bit. Only the disk remembers."""
    room = np.zeros(rest.shape[:2]) if thickness is None else thickness
    arrays = [rest, room, worn.combed, worn.head, worn.surface, worn.normals]
    key = _digest(f"{_code()}/motion/{sway.model_dump_json()}/{fps!r}/{lead}/{held}", arrays)
    stored = _load(key)
    motion: Array | None = (stored or {}).get("motion")
    if motion is not None:
        return motion
    motion = yield from solve_guides(rest, worn, sway, fps=fps, lead=lead, held=held, thickness=thickness)
    _store(key, {"motion": motion})
    return motion


def forget_guides() -> None:
    """Forget what is kept in memory; the folder stays."""
    _memory.clear()


def guides_key(head: Head, shells: list[Shell], style: Hairstyle, *, length: float, frizz: float, seed: int) -> str:
    """Hex digest of all that guides depend on: who wears them, the style, the seed, and the code that combs."""
    arrays: list[Any] = [head.rest, head.posed, head.faces, head.uvs, head.scalp, head.eyes, head.chin]
    worn = head.posed[head.scalp > 0]
    arrays.append(head.settle(worn[:: max(1, len(worn) // PROBES)]))
    for shell in shells:
        arrays += [shell.vertices, shell.faces]
    return _digest(f"{_code()}/{style.model_dump_json()}/{length!r}/{frizz!r}/{seed}", arrays)


def _digest(text: str, arrays: list[Any]) -> str:
    digest = hashlib.sha256(text.encode())
    for array in arrays:
        digest.update(f"{array.shape}{array.dtype.str}".encode())
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()[:32]


@cache
def _code() -> str:
    """Digest of the code that combs and of what it calculates with."""
    digest = hashlib.sha256(f"{__version__}/{np.__version__}/{scipy.__version__}/{sys.platform}".encode())
    here = Path(__file__).resolve().parent
    for file in sorted([*here.glob("*.py"), *here.parent.glob("*.py")]):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _read(key: str) -> Guides | None:
    stored = _load(key)
    if stored is None:
        return None
    try:
        return Guides(
            points=stored["points"],
            roots=Roots(**{field.name: stored[f"roots.{field.name}"] for field in fields(Roots)}),
            scalp=Scalp(**{field.name: stored[f"scalp.{field.name}"] for field in fields(Scalp)}),
        )
    except KeyError:
        return None


def _write(key: str, guides: Guides) -> None:
    """Store guides; those of tied hair, which carry the tie itself, are kept in memory only."""
    if guides.tied is not None:
        return
    values: dict[str, Any] = {"points": guides.points}
    values |= {f"roots.{field.name}": getattr(guides.roots, field.name) for field in fields(Roots)}
    values |= {f"scalp.{field.name}": getattr(guides.scalp, field.name) for field in fields(Scalp)}
    _store(key, values)


def _load(key: str) -> dict[str, Any] | None:
    """The arrays of a file of the folder, by name; None where there is none that can be read."""
    folder = cache_folder()
    if folder is None:
        return None
    file = folder / f"{key}.npz"
    try:
        with np.load(file, allow_pickle=False) as stored:
            found = {name: stored[name] for name in stored.files}
        os.utime(file)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return found


def _store(key: str, values: dict[str, Any]) -> None:
    folder = cache_folder()
    if folder is None:
        return
    keep(folder / f"{key}.npz", lambda file: np.savez(file, **values))
    with suppress(OSError):
        _shrink(folder)


def _shrink(folder: Path) -> None:
    """Remove the files that were not used for longest until the rest is small enough."""
    aged = sorted(((file.stat().st_mtime, file.stat().st_size, file) for file in folder.glob("*.npz")), reverse=True)
    kept = 0
    for _, size, file in aged:
        kept += size
        if kept > MOST_BYTES:
            file.unlink(missing_ok=True)
