"""Packs a .blend for another machine: a folder with a copy of it, of what it links and of every file that they use.

    NAME.blend                 the copy, whose paths lead into
    files/<12 hex>/NAME        images, sequences, tiles, fonts, sounds, clips, volumes, caches: their bytes as they are
    files/<12 hex>/LIB.blend   linked libraries, whose paths lead to their own
    blendcache_NAME/           a simulation's disk cache, beside its .blend as Blender wants it

The folder lies in the user's cache by the hash of all bytes that went into it: packing an unchanged file again gives
the very same folder, though Blender never saves twice alike. Nothing in the files runs, and the originals stay.

Blender's paths are those that `bpy.data.file_path_foreach` knows.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import bpy

from farm.double.own.blend import open_blend, save_copy
from farm.double.own.sealing import sha256_of
from farm.errors import BadInput, DigidoubleError, StorageError
from farm.places import cache_folder

__all__ = ["pack_blend"]

EXPANDED: Final = frozenset(
    {"SKIP_LINKED", "SKIP_PACKED", "SKIP_WEAK_REFERENCES", "EXPAND_TOKENS", "EXPAND_SEQUENCES", "EXPAND_CACHES"}
)
"""Every single file: tiles, frames and caches one by one."""
AS_WRITTEN: Final = frozenset({"SKIP_LINKED", "SKIP_PACKED", "SKIP_WEAK_REFERENCES"})
VERSION: Final = b"packing/1"
KEPT: Final = 8
"""Packed files that the cache holds, the latest used."""


@dataclass
class _Blend:
    """One .blend of the tree: its libraries, the paths that stand in it, and where each file behind them goes."""

    path: Path
    libraries: set[Path] = field(default_factory=set)
    written: dict[str, Path] = field(default_factory=dict)
    files: dict[Path, Path] = field(default_factory=dict)
    bakes: dict[Path, str] = field(default_factory=dict)


def pack_blend(source: Path) -> Path:
    """The folder with `source` and all that it uses.

    Raises BadInput where it cannot be opened or files are missing, all of which are named, and StorageError where the
    cache cannot be written.
    """
    tree, missing = _survey(source.resolve())
    if missing:
        raise BadInput(f"{source} uses files that are not there: {', '.join(sorted(missing))}")
    digests = _digests(tree)
    key = hashlib.sha256(VERSION)
    for path, digest in sorted((str(path.relative_to(path.anchor)), digest) for path, digest in digests.items()):
        key.update(f"{digest} {path}\n".encode())
    key.update(source.name.encode())
    shelf = (cache_folder() or Path(tempfile.gettempdir()) / "digidouble") / "packed"
    folder = shelf / key.hexdigest()[:32]
    if not folder.is_dir():
        try:
            shelf.mkdir(parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(prefix=".packing-", dir=shelf))
        except OSError as error:
            raise StorageError(f"{shelf} cannot be written: {error.strerror}") from None
        try:
            _write(tree, draft)
            draft.replace(folder)
        except OSError as error:
            if not folder.is_dir():
                raise StorageError(f"{folder} cannot be written: {error.strerror}") from None
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    os.utime(folder)
    for old in sorted(shelf.glob("[0-9a-f]*"), key=lambda each: each.stat().st_mtime, reverse=True)[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
    return folder


def _survey(source: Path) -> tuple[list[_Blend], set[str]]:
    """The file and the libraries that it links, near and far, each opened once; and what is missing of them."""
    tree: list[_Blend] = []
    missing: set[str] = set()
    seen = {source}
    waiting = [source]
    while waiting:
        path = waiting.pop(0)
        blend = _read(path, missing)
        tree.append(blend)
        new = sorted(blend.libraries - seen)
        seen |= set(new)
        waiting += new
    return tree, missing


def _read(path: Path, missing: set[str]) -> _Blend:
    """Open a .blend and find what it uses; what is not there joins `missing`."""
    open_blend(path)
    blend = _Blend(path)

    def find(block: Any, written: str, meta: Any) -> None:
        del meta
        full = _absolute(written, path)
        if isinstance(block, bpy.types.Library):
            if full.is_file():
                blend.libraries.add(full)
            elif block.parent is None:
                missing.add(f"library {full}")
        elif full.is_dir():
            if full != path.parent and full.is_relative_to(path.parent):
                home = _file_home(full)
                blend.files |= {each: home / each.relative_to(full) for each in full.rglob("*") if each.is_file()}
        elif full.is_file():
            blend.files[full] = _file_home(full)
        elif not isinstance(block, bpy.types.Object):  # a point cache that has never been baked
            missing.add(f"{block.bl_rna.name.lower()} {full}")

    def remember(block: Any, written: str, meta: Any) -> None:
        del block, meta
        blend.written[written] = _absolute(written, path)

    bpy.data.file_path_foreach(find, flags=set(EXPANDED))
    bpy.data.file_path_foreach(remember, flags=set(AS_WRITTEN))
    bakes = path.parent / f"blendcache_{path.stem}"
    blend.bakes = {each: each.relative_to(path.parent).as_posix() for each in bakes.rglob("*") if each.is_file()}
    return blend


def _absolute(written: str, blend: Path) -> Path:
    """The place that a path in a .blend means."""
    return Path(os.path.normpath(bpy.path.abspath(written.replace("\\", "/"), start=str(blend.parent))))


def _digests(tree: list[_Blend]) -> dict[Path, str]:
    """SHA-256 of every file of the tree."""
    paths = {path for blend in tree for path in (blend.path, *blend.files, *blend.bakes)}
    return {path: sha256_of(path) for path in sorted(paths)}


def _write(tree: list[_Blend], folder: Path) -> None:
    """Copies of everything under `folder`, each .blend saved with paths that lead there."""
    main, *libraries = tree
    homes = {main.path: Path(main.path.name)} | {blend.path: _file_home(blend.path) for blend in libraries}
    for blend in tree:
        home = folder / homes[blend.path]
        for file, name in blend.bakes.items():
            _copy(file, home.parent / name)
        for file, place in blend.files.items():
            _copy(file, folder / place)
        home.parent.mkdir(parents=True, exist_ok=True)
        open_blend(blend.path)
        places = _places(blend, homes, homes[blend.path].parent)
        bpy.data.file_path_foreach(lambda block, written, meta, at=places: at.get(written), flags=set(AS_WRITTEN))
        save_copy(home, relative_remap=False)


def _places(blend: _Blend, homes: dict[Path, Path], start: Path) -> dict[str, str]:
    """For each path that stands in a .blend the one that stands in its copy in the folder `start`."""
    kept = set(homes.values())
    for place in blend.files.values():
        kept |= {place, *place.parents}
    goals = {written: homes.get(full, _file_home(full)) for written, full in blend.written.items()}
    return {
        written: f"//{Path(os.path.relpath(goal, start)).as_posix()}"
        for written, goal in goals.items()
        if goal in kept or (goal.parent in kept and goal.suffix)
    }


def _file_home(path: Path) -> Path:
    """Where a file goes: a folder for all that lay beside it, so that tiles and frames stay together."""
    return Path("files") / hashlib.sha256(str(path.parent).encode()).hexdigest()[:12] / path.name


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        shutil.copyfile(source, target)


def _main() -> int:
    try:
        print(pack_blend(Path(sys.argv[1])))  # noqa: T201
    except DigidoubleError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(_main())
