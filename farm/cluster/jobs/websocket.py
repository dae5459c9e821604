"""As much of WebSocket (RFC 6455) as following a job's log takes: text that a server sends until it closes the line."""

from __future__ import annotations

import base64
import os
import socket
import ssl
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

__all__ = ["NoWebSocketError", "listen"]

TEXT: Final = (0, 1)
"""Frames of text, and those that go on with one."""
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10
LONGEST_HEAD: Final = 1 << 16


class NoWebSocketError(Exception):
    """The server, or what lies between, speaks no WebSocket; or the line broke."""


def listen(url: str, headers: Mapping[str, str], *, timeout: float, quiet: Callable[[], bool]) -> Iterator[str]:
    """What a server sends, piece by piece, until it closes.

    `quiet` is called when nothing came for `timeout` seconds, and says whether to wait on. NoWebSocketError where there
    is no such line, or it breaks.
    """
    try:
        with _connect(url, timeout) as line:
            buffer = _Buffer(line, _shake_hands(line, url, headers), quiet)
            while True:
                code, data = buffer.frame()
                if code == CLOSE:
                    return
                if code == PING:
                    line.sendall(_masked(PONG, data))
                elif code in TEXT:
                    yield data.decode("utf-8", "replace")
    except (OSError, EOFError) as error:
        raise NoWebSocketError(str(error)) from error


class _Buffer:
    """What came and was not looked at yet."""

    def __init__(self, line: socket.socket, data: bytes, quiet: Callable[[], bool]) -> None:
        self._line = line
        self._data = data
        self._quiet = quiet

    def frame(self) -> tuple[int, bytes]:
        """The next frame's code and data; a line that is quiet for good counts as closed."""
        try:
            first, second = self._take(2)
            size = second & 0x7F
            if size == 126:
                (size,) = struct.unpack(">H", self._take(2))
            elif size == 127:
                (size,) = struct.unpack(">Q", self._take(8))
            return first & 0x0F, self._take(size)
        except _SilenceError:
            return CLOSE, b""

    def _take(self, count: int) -> bytes:
        while len(self._data) < count:
            try:
                more = self._line.recv(1 << 16)
            except TimeoutError:
                if not self._quiet():
                    raise _SilenceError from None
                continue
            if not more:
                raise EOFError("the line was closed within a message")
            self._data += more
        taken, self._data = self._data[:count], self._data[count:]
        return taken


class _SilenceError(Exception):
    """Nothing comes any more."""


def _connect(url: str, timeout: float) -> socket.socket:
    parts = urlsplit(url)
    line = socket.create_connection((parts.hostname, parts.port), timeout)
    if parts.scheme != "https":
        return line
    return ssl.create_default_context().wrap_socket(line, server_hostname=parts.hostname)


def _shake_hands(line: socket.socket, url: str, headers: Mapping[str, str]) -> bytes:
    """Ask for a WebSocket; returns what came behind the answer's head."""
    parts = urlsplit(url)
    words = {
        "Host": parts.netloc,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Sec-WebSocket-Version": "13",
        **headers,
    }
    asked = [f"GET {parts.path} HTTP/1.1", *(f"{name}: {value}" for name, value in words.items()), "", ""]
    line.sendall("\r\n".join(asked).encode())
    answer = b""
    while b"\r\n\r\n" not in answer and len(answer) < LONGEST_HEAD:
        more = line.recv(4096)
        if not more:
            break
        answer += more
    head, _, rest = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 101"):
        raise EOFError(head.split(b"\r\n")[0].decode("latin-1"))
    return rest


def _masked(code: int, data: bytes) -> bytes:
    """A short frame from a client: masked, as clients must."""
    mask = os.urandom(4)
    hidden = bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))
    return bytes((0x80 | code, 0x80 | len(data))) + mask + hidden
