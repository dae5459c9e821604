"""Float32 OpenEXR images: written so that equal pixels give equal bytes, read so that a broken file is one message.

One part, scan lines, ZIP compression (lossless, 16 lines a block), primaries of Rec.709 with linear light.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import numpy as np
import OpenEXR

from farm.dataset.files import read_bytes, replacing
from farm.dataset.layers import COLOUR_SPACE
from farm.dataset.place import Place
from farm.errors import DatasetError, StorageError

__all__ = ["REC709_CHROMATICITIES", "ImageStamp", "decode_image", "read_image", "write_image"]

REC709_CHROMATICITIES: Final = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)

_SIDE_MAX: Final = 16_384
_ZIP_RATIO_MAX: Final = 1_100
"""Deflate never packs better than 1032 : 1, so a file cannot hold more pixels than that."""

_stderr_lock = threading.Lock()


class ImageStamp(NamedTuple):
    """What was written: the digest and length of the file's bytes."""

    sha256: str
    bytes: int


def write_image(
    path: Place, channels: Mapping[str, np.ndarray], metadata: Mapping[str, str | int | float]
) -> ImageStamp:
    """Writes named float32 channels of one shape (height, width) as one EXR, whole or not at all.

    `metadata` becomes attributes of the header. Equal channels and metadata give equal bytes, whatever the
    order they come in. The file is read back and compared bit for bit before it takes its place.
    Raises DatasetError for wrong channels, StorageError when the file cannot be written.
    """
    ordered = _ordered(path, channels)
    header: dict[str, Any] = {
        "compression": OpenEXR.ZIP_COMPRESSION,
        "type": OpenEXR.scanlineimage,
        "chromaticities": REC709_CHROMATICITIES,
        "colorInteropID": COLOUR_SPACE,
        **dict(sorted(metadata.items())),
    }
    with replacing(path) as partial:
        with OpenEXR.File(header, dict(ordered)) as image:  # it changes the dict it is given
            try:
                image.write(str(partial))
            except RuntimeError as error:
                said = _first_line(str(error)).replace(str(partial), path.name)
                raise StorageError(f"cannot write {path}: {said}") from error
        _compare(path, ordered, partial)
        data = partial.read_bytes()
    return ImageStamp(hashlib.sha256(data).hexdigest(), len(data))


def read_image(path: Place) -> dict[str, np.ndarray]:
    """All channels of an EXR as float32 arrays (height, width), sorted by name.

    Raises DatasetError for a file that is missing, broken, of several parts, or not float32.
    """
    return decode_image(read_bytes(path), path)


def decode_image(data: bytes, path: Place) -> dict[str, np.ndarray]:
    """`read_image` of bytes that were read from `path`."""
    with _decoding(path):
        _refuse_oversized(path, data)
        with OpenEXR.File(io.BytesIO(data), separate_channels=True) as image:
            found = {name: channel.pixels for name, channel in image.channels().items()}
            parts = len(image.parts)
    if parts != 1:
        raise DatasetError(f"{path}: has {parts} parts, expected 1")
    for name, pixels in found.items():
        if pixels is None or pixels.dtype != np.float32:
            kind = "nothing" if pixels is None else pixels.dtype
            raise DatasetError(f"{path}: channel {name} holds {kind}, expected float32")
    return {name: found[name] for name in sorted(found)}


def _ordered(path: Place, channels: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    if not channels:
        raise DatasetError(f"{path}: no channels to write")
    shape = next(iter(channels.values())).shape
    for name, pixels in channels.items():
        if pixels.dtype != np.float32 or pixels.ndim != 2 or pixels.shape != shape or not pixels.size:
            raise DatasetError(
                f"{path}: channel {name} is {pixels.dtype} {pixels.shape}, expected float32 (height, width) {shape}"
            )
    return {name: np.ascontiguousarray(channels[name]) for name in sorted(channels)}


def _compare(path: Place, wanted: dict[str, np.ndarray], partial: Path) -> None:
    try:
        found = read_image(partial)
    except DatasetError as error:
        raise StorageError(f"cannot write {path}: what was written cannot be read back: {error}") from error
    same = wanted.keys() == found.keys() and all(
        np.array_equal(wanted[name].view(np.uint32), found[name].view(np.uint32)) for name in wanted
    )
    if not same:
        raise StorageError(f"cannot write {path}: what was read back differs from what was written; check the disk")


def _refuse_oversized(path: Place, data: bytes) -> None:
    with OpenEXR.File(io.BytesIO(data), header_only=True) as image:
        header = dict(image.header())
    low, high = header["dataWindow"]
    width, height = (int(side) for side in np.asarray(high, np.int64) - np.asarray(low, np.int64) + 1)
    size = width * height * 4 * len(header["channels"])
    if not (0 < width <= _SIDE_MAX and 0 < height <= _SIDE_MAX) or size > len(data) * _ZIP_RATIO_MAX:
        raise DatasetError(f"{path}: not a readable EXR: its header claims {width}×{height} pixels")


@contextlib.contextmanager
def _decoding(path: Place) -> Iterator[None]:
    """Turns whatever the EXR library raises into one DatasetError that carries what it printed."""
    said = ""
    with tempfile.TemporaryFile() as heard:
        try:
            with _stderr_into(heard), contextlib.redirect_stdout(io.StringIO()):
                yield
            return
        except DatasetError:
            raise
        except Exception as error:
            heard.seek(0)
            said = _first_line(heard.read(4_000).decode("utf-8", "replace")) or _first_line(str(error))
            cause = error
    raise DatasetError(f"{path}: not a readable EXR: {said.removeprefix(f'{path}: ')}") from cause


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


@contextlib.contextmanager
def _stderr_into(heard: IO[bytes]) -> Iterator[None]:
    """The EXR library prints to the process's standard error on its own: keep that for the message."""
    with _stderr_lock:
        kept = os.dup(2)
        os.dup2(heard.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
