"""A recipe's own double, packed: made once for equal content, and named by what is in it (pure Python).

Blender packs in a process of its own (`farm.double.own.character`). The packed files lie in the user's cache, each with
a note of the files that went into it, so that an unchanged double is not opened again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from farm.errors import BadInput, FarmError, StorageError
from farm.places import cache_folder
from farm.recipe import Recipe
from farm.recipe.character import ASSETS_FOLDER, CharacterFile, asset_name

__all__ = ["packed_character", "seal_double", "sha256_of"]

MODULE: Final = "farm.double.own.character"
NOTE_FORMAT: Final = "digidouble-packed/1"
KEPT: Final = 16
"""Packed doubles that the cache holds, the latest used."""


def seal_double(recipe: Recipe) -> tuple[Recipe, Path | None]:
    """A recipe that names its double by the content of its packed file, and that file.

    The file is None where the recipe has no double of an artist's, and where it names a packed one that is not here: a
    dataset or a job may hold it.

    BadInput where the file cannot be used, and where it is not the packed one that the recipe means.
    """
    double = recipe.double
    if double is None:
        return recipe, None
    path = Path(double.file)
    if double.sha256 is None:
        if not path.is_file():
            raise BadInput(f"double.file: {path} is not there; a relative path begins at the recipe's folder")
        path = packed_character(path, armature=double.armature)
        return _sealed(recipe, path.stem), path
    if not path.is_file():
        return _sealed(recipe, double.sha256), None
    found = sha256_of(path)
    if found != double.sha256:
        raise BadInput(
            f"double.file: {path} is not the packed double that the recipe means: its SHA-256 is {found[:12]}…, not "
            f"{double.sha256[:12]}…; name your own .blend and leave sha256 out to pack it anew"
        )
    return _sealed(recipe, found), path


def _sealed(recipe: Recipe, sha256: str) -> Recipe:
    keep = {"keep_hair": True} if recipe.double is not None and recipe.double.keep_hair else {}
    double = CharacterFile.model_validate({"file": f"{ASSETS_FOLDER}/{asset_name(sha256)}", "sha256": sha256, **keep})
    return recipe.model_copy(update={"double": double})


def packed_character(source: Path, *, armature: str | None = None, shelf: Path | None = None) -> Path:
    """The packed character of an artist's file, `<SHA-256>.blend` in the user's cache.

    Where a `shelf` is given, it lies in that folder instead, from which nothing is ever removed.

    Raises BadInput as `farm.double.own.character.pack_character` does, StorageError where the cache cannot be written.
    """
    cached = shelf is None
    shelf = shelf or (cache_folder() or Path(tempfile.gettempdir()) / "digidouble") / "characters"
    key = hashlib.sha256(f"{sha256_of(source)} {armature or ''} {source.resolve()}".encode()).hexdigest()
    note = shelf / f"{key[:32]}.json"
    packed = _known(note, shelf)
    if packed is None:
        packed = _pack(source, armature, shelf, note)
    for path in (packed, note):
        os.utime(path)
    if cached:
        _forget_old(shelf)
    return packed


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes; BadInput where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from None


def _known(note: Path, shelf: Path) -> Path | None:
    """The packed file that a note tells of, where all that went into it is as it was, and it is itself."""
    try:
        told: dict[str, Any] = json.loads(note.read_text(encoding="utf-8"))
        packed = shelf / asset_name(told["sha256"])
        whole = told["format"] == NOTE_FORMAT and sha256_of(packed) == told["sha256"]
        if whole and all(sha256_of(Path(path)) == digest for path, digest in told["files"].items()):
            return packed
    except (OSError, ValueError, KeyError, TypeError, BadInput):
        return None
    return None


def _pack(source: Path, armature: str | None, shelf: Path, note: Path) -> Path:
    try:
        shelf.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".packing-", dir=shelf) as folder:
            draft = Path(folder, "character.blend")
            files = _run_blender([str(source), str(draft), *([armature] if armature else [])], source)
            packed = shelf / asset_name(sha256_of(draft))
            draft.replace(packed)
            digests = {path: sha256_of(Path(path)) for path in files[1:]}
            told = json.dumps({"format": NOTE_FORMAT, "sha256": packed.stem, "files": digests}, indent=1)
            partial = Path(folder, "note.json")
            partial.write_text(told, encoding="utf-8")
            partial.replace(note)
    except OSError as error:
        raise StorageError(f"{shelf} cannot be written: {error.strerror}") from None
    return packed


def _run_blender(words: Sequence[str], source: Path) -> list[str]:
    """Run the packing in a Blender of its own; the files that it used."""
    done = subprocess.run(_command(words), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode == 0:
        line = next(line for line in reversed(done.stdout.splitlines()) if line.startswith("["))
        files: list[str] = json.loads(line)
        return files
    said = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    if done.returncode == BadInput.exit_code and said:
        raise BadInput(said[-1].removeprefix("error: "))
    told = said or [line for line in done.stderr.splitlines() if line.strip()] or [f"it ended with {done.returncode}"]
    raise FarmError(f"{source} cannot be packed: {told[-1].removeprefix('error: ')}")


def _command(words: Sequence[str]) -> list[str]:
    """How the packing is started: by the Python that has the module bpy, or by the Blender that runs here."""
    binary = getattr(getattr(sys.modules.get("bpy"), "app", None), "binary_path", "")
    if not binary:
        return [sys.executable, "-m", MODULE, *words]
    code = f"import sys, runpy; sys.path[:0] = {sys.path!r}; runpy.run_module({MODULE!r}, run_name='__main__')"
    start = ["--background", "--factory-startup", "--python-exit-code", "1"]
    return [str(binary), *start, "--python-expr", code, "--", *words]


def _forget_old(shelf: Path) -> None:
    """Keep the packed doubles that were used last."""
    for pattern in ("*.blend", "*.json"):
        for old in sorted(shelf.glob(pattern), key=lambda each: each.stat().st_mtime, reverse=True)[KEPT:]:
            with contextlib.suppress(OSError):
                old.unlink()
