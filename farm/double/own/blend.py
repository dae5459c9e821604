"""A .blend file: whether it is one, who wrote it, and opening it so that nothing in it runs.

The header's grammar: `BLENDER`, then before 5.0 a pointer mark (`_` or `-`), an endian mark (`v` or `V`) and three
digits of the version; since 5.0 two digits of the header's size, `-`, two of the format, `v` and four of the version.
A compressed file is that in Zstandard frames (since 3.0) or in gzip (before).
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import bpy

from farm.errors import BadInput, StorageError
from farm.quiet import silence

__all__ = ["BlendFile", "check_target", "open_blend", "read_version", "save_copy"]

HEADER: Final = re.compile(rb"BLENDER(?:[_-][vV](?P<old>\d{3})|\d\d-\d\dv(?P<new>\d{4}))")
ZSTANDARD: Final = b"\x28\xb5\x2f\xfd"
GZIP: Final = b"\x1f\x8b"
PLAIN_EXPRESSION: Final = re.compile(r"[\w\s.+\-*/%(),<>=!]*")


@dataclass(frozen=True)
class BlendFile:
    """An opened file and what in it was kept from running or is not there.

    version    Blender that wrote it, as `5.2`
    scripts    texts registered to run on load, and drivers whose expressions need Python: none of them ran
    libraries  linked .blend files
    missing    linked libraries, images and other files that are not where the file says
    """

    path: Path
    version: str
    scripts: tuple[str, ...]
    libraries: tuple[str, ...]
    missing: tuple[str, ...]


def read_version(path: Path) -> tuple[int, int]:
    """The Blender version (major, minor) that wrote a file; BadInput, one line, where it is no .blend that opens here.

    A compressed file whose header cannot be unpacked here counts as version (0, 0).
    """
    if path.is_dir():
        raise BadInput(f"{path} is a folder; give the .blend file in it")
    if not path.exists():
        raise BadInput(f"{path} does not exist")
    try:
        with path.open("rb") as file:
            start = file.read(1 << 16)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from None
    if not start:
        raise BadInput(f"{path} is empty (0 bytes): copy it again from where it came from")
    header = _unpacked(path, start)
    if header is None:
        return 0, 0
    found = HEADER.match(header)
    if not found:
        raise BadInput(f"{path} is no .blend file: it begins with {header[:12]!r} instead of b'BLENDER'")
    number = int(found["new"] or found["old"])
    version = number // 100, number % 100
    if version > bpy.app.version[:2]:
        ours = ".".join(str(part) for part in bpy.app.version[:2])
        raise BadInput(
            f"{path} was written by Blender {version[0]}.{version[1]}, which is newer than {ours}: "
            f"save it again with Blender {ours}"
        )
    return version


def _unpacked(path: Path, start: bytes) -> bytes | None:
    """The first bytes of a file after decompression; None where nothing here can tell."""
    if start.startswith(GZIP):
        try:
            with gzip.open(path) as file:
                return file.read(32)
        except (OSError, EOFError):
            raise BadInput(f"{path} is damaged: its gzip data end early; copy or save it again") from None
    if not start.startswith(ZSTANDARD):
        return start[:32]
    try:
        import zstandard
    except ImportError:
        return None
    try:
        unpacked: bytes = zstandard.ZstdDecompressor().decompressobj().decompress(start)
    except zstandard.ZstdError:
        raise BadInput(f"{path} is damaged: its compressed data cannot be read; copy or save it again") from None
    return unpacked[:32] or None


def open_blend(path: Path) -> BlendFile:
    """Open a .blend in this process's Blender in place of what is open; no script, driver code or handler of it runs.

    BadInput where it is missing, damaged, newer than this Blender or no .blend at all.
    """
    read_version(path)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    preferences = bpy.context.preferences.filepaths
    preferences.use_scripts_auto_execute = False
    preferences.save_version = 0
    with silence() as said:
        try:
            done = bpy.ops.wm.open_mainfile(filepath=str(path.absolute()), load_ui=False, use_scripts=False)
        except RuntimeError as error:
            done = {str(error)}
    if done != {"FINISHED"} or not bpy.data.scenes:
        raise BadInput(f"{path} is damaged: {_reason(done, said)}; copy or save it again")
    return BlendFile(
        path=path,
        version=".".join(str(part) for part in bpy.data.version[:2]),
        scripts=tuple(_scripts()),
        libraries=tuple(library.filepath for library in bpy.data.libraries),
        missing=tuple(_missing()),
    )


def check_target(path: Path, *, original: Path) -> None:
    """Refuse a place where no copy can be saved, before there is work to lose; BadInput names why."""
    if path.exists() and original.exists() and path.samefile(original):
        raise BadInput(f"{path} is the file that was read, which is never changed: give --out another name")
    if path.suffix != ".blend":
        raise BadInput(f"{path} must end in .blend")
    if not path.parent.is_dir():
        raise BadInput(f"the folder {path.parent} does not exist")


def save_copy(path: Path, *, relative_remap: bool = True) -> None:
    """Save what is open as a new file, links and images relative to it; StorageError where it cannot be written.

    Without `relative_remap`, relative paths stay as they are, because they mean places about the new file already.
    """
    with silence() as said:
        try:
            bpy.ops.wm.save_as_mainfile(
                filepath=str(path.absolute()),
                copy=True,
                compress=True,
                check_existing=False,
                relative_remap=relative_remap,
            )
        except RuntimeError as error:
            raise StorageError(f"{path} cannot be written: {_reason({str(error)}, said)}") from None


def _reason(done: set[str], said: list[str]) -> str:
    lines = [*" ".join(done).splitlines(), *said]
    text = next((line for line in lines if line.strip() and line != "FINISHED"), "Blender cannot read it")
    return text.strip().removeprefix("Error: ").rstrip(".")


def _scripts() -> Iterator[str]:
    for text in bpy.data.texts:
        if text.use_module:
            yield f"text '{text.name}', registered to run on load"
    for block in _blocks():
        animation = getattr(block, "animation_data", None)
        for curve in animation.drivers if animation else ():
            driver = curve.driver
            if driver.type == "SCRIPTED" and not driver.is_simple_expression:
                yield f"driver of {block.name}.{curve.data_path}: {driver.expression}"


def _blocks() -> Iterator[Any]:
    for kind in bpy.data.bl_rna.properties:
        if kind.type == "COLLECTION":
            for block in getattr(bpy.data, kind.identifier):
                yield block
                tree = getattr(block, "node_tree", None)
                if tree is not None:
                    yield tree


def _missing() -> Iterator[str]:
    for library in bpy.data.libraries:
        if not Path(bpy.path.abspath(library.filepath)).exists():
            yield f"library {library.filepath}"
    for image in bpy.data.images:
        if image.source not in ("FILE", "SEQUENCE", "MOVIE") or image.packed_file or not image.filepath:
            continue
        if not Path(bpy.path.abspath(image.filepath, library=image.library)).exists():
            yield f"image {image.filepath}"
