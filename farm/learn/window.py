"""A window of an EXR, decoded without the rest of the frame: only the blocks of its rows are read and unpacked.

An EXR of scan lines is a header, a table of where each block of rows lies, and the blocks, each packed by itself. A
smaller EXR is put together of the header with fewer rows, the wanted blocks as they are, and their table; OpenEXR's
own reader decodes that. Rows come in blocks of 16 (ZIP), and a block holds all channels, so columns and channels are
cut after unpacking. Format: "OpenEXR File Layout", openexr.com.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import OpenEXR

from farm.errors import DatasetError

__all__ = ["HEAD", "Bytes", "OpenImage", "Window", "channel_names", "open_image", "read_window"]

HEAD: Final = 8192
"""Bytes read at first; they hold the header and, up to some 10,000 rows, the table."""

_MAGIC: Final = 20000630
_OTHER_LAYOUTS: Final = 0x200 | 0x800 | 0x1000
"""Flags of tiles, deep data and several parts."""
_ROWS_A_BLOCK: Final = {0: 1, 1: 1, 2: 1, 3: 16, 4: 32, 5: 16, 6: 32, 7: 32, 8: 32, 9: 256}
"""By compression: none, RLE, ZIPS, ZIP, PIZ, PXR24, B44, B44A, DWAA, DWAB."""

Bytes = Callable[[int, int], bytes]
"""Reads a range of a file: (first byte, byte after the last). Past the end it gives less."""


class Window(NamedTuple):
    """Rows and columns of an image."""

    row: int
    column: int
    height: int
    width: int


class _Header(NamedTuple):
    """What is read of a header: its bytes, where the data window stands in them, and what it says."""

    raw: bytes
    window_at: int
    box: tuple[int, int, int, int]
    channels: tuple[str, ...]
    rows: int


@dataclass(frozen=True)
class OpenImage:
    """An EXR whose header has been read, once for all that is asked of it; `place` is what messages call it."""

    place: str
    _read: Bytes
    _head: bytes
    _header: _Header

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        x0, y0, x1, y1 = self._header.box
        return y1 - y0 + 1, x1 - x0 + 1

    @property
    def channels(self) -> tuple[str, ...]:
        """The names of its channels."""
        return self._header.channels

    def window(self, channels: Iterable[str], window: Window | None) -> dict[str, np.ndarray]:
        """The named float32 channels, (height, width) each, inside a window or whole.

        Raises DatasetError for a broken file, a missing channel, a window that does not lie within the image, and
        values that are NaN or infinite.
        """
        height, width = self.size
        window = Window(0, 0, height, width) if window is None else window
        if min(window) < 0 or window.row + window.height > height or window.column + window.width > width:
            wanted = f"{window.width}×{window.height} at column {window.column}, row {window.row}"
            raise DatasetError(f"{self.place}: a window of {wanted} does not lie within its {width}×{height} pixels")
        small, above = _cut(self._header, self._head, self._read, window, self.place)
        pixels = _decode(small, self.place)
        rows = slice(window.row - above, window.row - above + window.height)
        columns = slice(window.column, window.column + window.width)
        names = _all_finite(pixels, channels, self.place)
        return {name: pixels[name][rows, columns] for name in names}


def open_image(read: Bytes, *, place: str) -> OpenImage:
    """Reads the header; DatasetError, naming `place`, for a file that is broken, or of tiles or parts."""
    head = read(0, HEAD)
    return OpenImage(place, read, head, _header(head, read, place))


def read_window(read: Bytes, channels: Iterable[str], window: Window | None, *, place: str) -> dict[str, np.ndarray]:
    """`OpenImage.window` of an image that is opened for it alone."""
    return open_image(read, place=place).window(channels, window)


def channel_names(read: Bytes, *, place: str) -> tuple[str, ...]:
    """The channels of an EXR, from its header."""
    return open_image(read, place=place).channels


def _header(head: bytes, read: Bytes, place: str) -> _Header:
    if not head:
        raise DatasetError(f"{place} is empty")
    if len(head) < 8 or struct.unpack_from("<i", head)[0] != _MAGIC:
        raise DatasetError(f"{place}: not a readable EXR: it does not begin as one")
    if struct.unpack_from("<i", head, 4)[0] & _OTHER_LAYOUTS:
        raise DatasetError(f"{place}: an EXR of tiles or several parts; a dataset's images have one part of scan lines")
    try:
        return _attributes(head)
    except (struct.error, ValueError, KeyError):
        try:
            return _attributes(read(0, 64 * HEAD))
        except (struct.error, ValueError, KeyError) as error:
            raise DatasetError(f"{place}: not a readable EXR: its header is broken") from error


def _attributes(head: bytes) -> _Header:
    at, found = 8, {}
    while head[at : at + 1] != b"\0":
        name_end = head.index(b"\0", at)
        type_end = head.index(b"\0", name_end + 1)
        (size,) = struct.unpack_from("<i", head, type_end + 1)
        found[head[at:name_end]] = type_end + 5
        at = type_end + 5 + size
    box = struct.unpack_from("<4i", head, found[b"dataWindow"])
    if box[2] < box[0] or box[3] < box[1]:
        raise ValueError("an empty data window")
    return _Header(
        raw=head[: at + 1],
        window_at=found[b"dataWindow"],
        box=box,
        channels=tuple(_channel_list(head, found[b"channels"])),
        rows=_ROWS_A_BLOCK[head[found[b"compression"]]],
    )


def _channel_list(head: bytes, at: int) -> Iterator[str]:
    while head[at : at + 1] != b"\0":
        end = head.index(b"\0", at)
        yield head[at:end].decode("utf-8")
        at = end + 17


def _cut(header: _Header, head: bytes, read: Bytes, window: Window, place: str) -> tuple[bytes, int]:
    """The EXR of the blocks that hold the window's rows, and how many rows of the image lie above it."""
    x0, y0, x1, y1 = header.box
    count = -(-(y1 - y0 + 1) // header.rows)
    begin = len(header.raw)
    table = head[begin : begin + 8 * count] if len(head) >= begin + 8 * count else read(begin, begin + 8 * count)
    if len(table) < 8 * count:
        raise DatasetError(f"{place}: not a readable EXR: it ends early")
    offsets = struct.unpack(f"<{count}Q", table)
    first, last = window.row // header.rows, (window.row + window.height - 1) // header.rows
    wanted = offsets[first : last + 1]
    after = min((each for each in offsets if each > max(wanted)), default=None)
    blocks = _blocks(read, min(wanted), max(wanted), after)
    top = y0 + first * header.rows
    raw = bytearray(header.raw)
    struct.pack_into("<4i", raw, header.window_at, x0, top, x1, min(y1, y0 + (last + 1) * header.rows - 1))
    moved = len(raw) + 8 * len(wanted) - min(wanted)
    return bytes(raw) + struct.pack(f"<{len(wanted)}Q", *(each + moved for each in wanted)) + blocks, top - y0


def _blocks(read: Bytes, first: int, last: int, after: int | None) -> bytes:
    """The bytes from the first block to the end of the last."""
    if after is not None:
        return read(first, after)
    size = struct.unpack("<i", read(last + 4, last + 8).ljust(4, b"\0"))[0]
    return read(first, last + 8 + max(size, 0))


def _decode(small: bytes, place: str) -> dict[str, np.ndarray]:
    try:
        with OpenEXR.File(io.BytesIO(small), separate_channels=True) as image:
            return {name: channel.pixels for name, channel in image.channels().items()}
    except Exception as error:  # OpenEXR raises whatever it likes
        said = (str(error).splitlines() or ["it cannot be decoded"])[0]
        raise DatasetError(f"{place}: not a readable EXR: {said}") from error


def _channel(pixels: dict[str, np.ndarray], name: str, place: str) -> np.ndarray:
    try:
        found = pixels[name]
    except KeyError:
        raise DatasetError(f"{place}: has no channel '{name}', only {', '.join(sorted(pixels))}") from None
    if found is None or found.dtype != np.float32:
        raise DatasetError(f"{place}: channel {name} is not float32")
    return found


def _all_finite(pixels: dict[str, np.ndarray], channels: Iterable[str], place: str) -> list[str]:
    names = list(channels)
    for name in names:
        values = _channel(pixels, name, place)
        if not np.isfinite(values).all():
            word = "NaN" if np.isnan(values).any() else "infinite"
            raise DatasetError(f"{place}: channel {name} holds {word} values; `digidouble check` names the pixels")
    return names
