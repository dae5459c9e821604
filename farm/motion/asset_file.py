"""Assets of a library in Blender's own terms (an edge to Blender): marked data-blocks, with words and pictures.

An asset library is a folder with .blend files in it; its catalogues stand in `blender_assets.cats.txt`, a line each:
`UUID:path/of/catalogue:Simple name`.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np

from farm.errors import StorageError
from farm.quiet import silence

__all__ = ["CATALOGUES", "KINDS", "MADE_OF", "TAG", "catalogue_id", "mark_asset", "write_assets"]

KINDS: Final = {"hairstyle": "Digidouble/Hairstyles", "pose": "Digidouble/Poses", "stunt": "Digidouble/Stunts"}
"""What an asset is, which is one of its tags -> its catalogue."""
CATALOGUES: Final = "blender_assets.cats.txt"
HEAD: Final = "# This is an Asset Catalog Definition file for Blender.\n\nVERSION 1\n"
TAG: Final = "digidouble"
MADE_OF: Final = "digidouble_asset"
"""Property of an asset and of its data-block: its kind and the template that it is made of, as `pose/kneeling`."""
AUTHOR: Final = "Digidouble"
LICENCE: Final = "GPL-3.0-or-later"
"""As the templates have it that assets are made from."""


def catalogue_id(kind: str) -> str:
    """The UUID of a kind's catalogue."""
    return _identity(KINDS[kind])


def _identity(catalogue: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, catalogue.lower()))


def mark_asset(
    block: Any, kind: str, *, description: str, picture: Path | None = None, title: str | None = None
) -> Any:
    """Make a data-block that is called as its template an asset.

    picture  an image, shown where it exists
    title    what the asset is called instead
    """
    made_of = f"{kind}/{block.name}"
    block[MADE_OF] = made_of
    block.name = title or block.name
    block.asset_mark()
    asset = block.asset_data
    asset[MADE_OF] = made_of
    asset.catalog_id, asset.description = catalogue_id(kind), description
    asset.author, asset.license = AUTHOR, LICENCE
    for tag in (TAG, kind):
        asset.tags.new(tag)
    if picture is not None and picture.is_file():
        _show(block, picture)
    return block


def _show(block: Any, picture: Path) -> None:
    image = bpy.data.images.load(str(picture))
    pixels = np.empty(len(image.pixels), dtype=np.float32)
    image.pixels.foreach_get(pixels)
    preview = block.preview_ensure()
    preview.image_size = image.size[:]
    preview.image_pixels_float.foreach_set(pixels)
    bpy.data.images.remove(image)


def write_assets(blocks: Collection[Any], kind: str, file: Path, *, library: Path | None = None) -> Path:
    """Write assets of a kind into a .blend of a library, and their catalogue, where those there are stay.

    library  its folder, where the catalogues stand; None for the file's own

    Raises StorageError where that cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with silence():
            bpy.data.libraries.write(str(file.absolute()), set(blocks), fake_user=True, compress=True)
        _add_catalogues((library or file.parent) / CATALOGUES, kind)
    except (OSError, RuntimeError) as error:
        raise StorageError(f"{file} cannot be written: {error}".rstrip()) from None
    return file


def _add_catalogues(file: Path, kind: str) -> None:
    """Add a kind's catalogue and the one that it is in, which Blender would else make and call unsaved."""
    before = text = file.read_text(encoding="utf-8") if file.exists() else HEAD
    for path in (KINDS[kind].partition("/")[0], KINDS[kind]):
        if _identity(path) not in text:
            text = f"{text.rstrip()}\n\n{_identity(path)}:{path}:{path.replace('/', '-')}\n"
    if text != before:
        file.write_text(text, encoding="utf-8")
