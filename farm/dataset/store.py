"""An object store that datasets lie in: whole objects under names, through fsspec.

A store that fails or throttles is tried again for a while; what it was given is compared with what it says it holds.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import posixpath
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from farm.dataset.store_faults import is_damage, judge, missing_bucket, shown
from farm.errors import DatasetError, StorageError

__all__ = ["PATIENCE", "Store", "patience"]

PATIENCE: Final = "DIGIDOUBLE_STORE_PATIENCE"
"""In the environment: for how many seconds a store that fails or throttles is tried again."""
PATIENCE_DEFAULT: Final = 300.0

_PAUSE: Final = 0.2
_PAUSE_MAX: Final = 20.0
_TRIES: Final = 3
"""A store is asked so often at least, however short the patience."""
_SILENCE: Final = 60.0
"""Seconds without a byte from S3 after which a request is given up and made again; with less patience, so many."""
_UPLOADS: Final = 4
"""How often bytes are sent that arrive as others."""
_DOWNLOADS: Final = 4
"""How often bytes are asked for that arrive as others than their checksum in the store says."""
_PART: Final = 5 * 2**30
"""S3 takes an object of up to so many bytes in one piece, which is there at once or not at all."""
_READERS: Final = 32
"""Objects that are read at once."""

T = TypeVar("T")


def patience() -> float:
    """Seconds for which a store that fails is tried again; StorageError where the environment says no number."""
    said = os.environ.get(PATIENCE, str(PATIENCE_DEFAULT))
    try:
        return float(said)
    except ValueError:
        raise StorageError(f"{PATIENCE} is '{said}'; give seconds, such as {PATIENCE_DEFAULT:g}") from None


@dataclass(frozen=True, order=True)
class Store:
    """The objects under one URL, such as `s3://bucket/prefix`; keys are relative to it, with forward slashes.

    It holds no connection, so that any process may use a copy. Credentials and the endpoint are those that the store's
    own client finds in its environment. Every method raises StorageError where the store cannot be used, fails for
    longer than `patience`, or is full, and StoreAccessError where it refuses who asks or there is no such bucket.
    """

    url: str

    def place(self, key: str) -> str:
        """An object's full name, for messages."""
        return posixpath.join(self.url, key) if key else self.url

    def read(self, key: str, start: int | None = None, end: int | None = None) -> bytes:
        """An object's bytes, or a range of them; DatasetError where there is none, or a damaged one."""

        def read(system: Any, name: str) -> bytes:
            data: bytes = system.cat_file(name, start=start, end=end, **_one_stream(system))
            return data

        try:
            return self._patiently(key, read)
        except FileNotFoundError as error:
            raise DatasetError(f"{self.place(key)} is missing") from error

    def read_all(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The bytes of many small objects, several at once; those that are gone are left out."""
        from concurrent.futures import ThreadPoolExecutor

        def read(key: str) -> bytes | None:
            try:
                data: bytes = self._patiently(key, lambda system, name: system.cat_file(name, **_one_stream(system)))
            except FileNotFoundError:
                return None
            return data

        with ThreadPoolExecutor(_READERS) as pool:
            return {key: data for key, data in zip(keys, pool.map(read, keys), strict=True) if data is not None}

    def put(self, key: str, data: bytes) -> None:
        """Makes an object of these bytes, in the place of one that is there: at once, or not at all.

        It returns once the store says that it holds them: by their length, and by their MD5 where the store tells it;
        by reading them back where it does not.
        """
        for _ in range(_UPLOADS):
            try:
                self._patiently(key, lambda system, name: system.pipe_file(name, data, **self._whole))
            except FileNotFoundError as error:
                raise missing_bucket(self.place(key)) from error
            if self._holds(key, data):
                return
        raise StorageError(
            f"cannot write {self.place(key)}: the store holds other bytes than were sent, {_UPLOADS} times; check what"
            " lies between here and the store"
        )

    def create(self, key: str, data: bytes) -> bool:
        """Makes an object unless one is there, and says whether it did.

        Of several who try at once one succeeds, where the store has conditional writes: S3, Google and Azure do.
        """
        try:
            self._patiently(key, lambda system, name: system.pipe_file(name, data, mode="create", **self._whole))
        except FileExistsError:
            return False
        except FileNotFoundError as error:
            raise missing_bucket(self.place(key)) from error
        return True

    def size(self, key: str) -> int | None:
        """Length of an object in bytes, None where there is none."""
        found = self._info(key)
        return None if found is None or found.get("type") == "directory" else int(found["size"])

    def children(self, key: str = "") -> dict[str, int | None]:
        """What lies directly under a key: names with their lengths, None for what has more below."""
        try:
            found = self._patiently(key, lambda system, name: system.ls(name, detail=True))
        except (FileNotFoundError, NotADirectoryError):
            return {}
        names = {}
        for entry in found:
            inner = self._key(entry["name"])
            if inner != key:
                names[posixpath.basename(inner)] = None if entry["type"] == "directory" else int(entry["size"])
        return dict(sorted(names.items()))

    def sizes(self, under: str, begins: str = "") -> dict[str, int]:
        """All objects below a key, to any depth, with their lengths; those alone whose next name `begins` so.

        The store is asked page by page.
        """
        head = posixpath.join(under, begins)

        def find(system: Any, name: str) -> Any:
            return system.find(name, detail=True, **({"prefix": begins} if begins else {}))

        try:
            found = self._patiently(under, find)
        except FileNotFoundError:
            return {}
        keys = {self._key(name): int(entry["size"]) for name, entry in found.items() if entry["type"] != "directory"}
        return {key: size for key, size in sorted(keys.items()) if key.startswith(head)}

    def delete(self, key: str) -> None:
        """Removes an object; one that is gone already is well."""
        with contextlib.suppress(FileNotFoundError):
            self._patiently(key, lambda system, name: system.rm_file(name))

    @property
    def protocol(self) -> str:
        """The URL's scheme."""
        return self.url.partition("://")[0]

    @property
    def _whole(self) -> dict[str, Any]:
        """What keeps a store's client from sending an object in parts."""
        return {"chunksize": _PART} if self.protocol in ("s3", "s3a") else {}

    def _key(self, name: str) -> str:
        """An object's key, from the name that fsspec gives it."""
        return str(name).removeprefix(_system(self.url)[1]).strip("/")

    def _info(self, key: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._patiently(key, lambda system, name: system.info(name, **_fresh(system)))
        except FileNotFoundError:
            return None
        return found

    def _holds(self, key: str, data: bytes) -> bool:
        found = self._info(key)
        if found is None or found["size"] != len(data):
            return False
        if hashlib.md5(data, usedforsecurity=False).hexdigest() == _md5(found):
            return True
        try:
            there: bytes = self._patiently(key, lambda system, name: system.cat_file(name, **_one_stream(system)), 1)
            return there == data
        except (FileNotFoundError, DatasetError):
            return False

    def _patiently(self, key: str, call: Callable[[Any, str], T], downloads: int = _DOWNLOADS) -> T:
        """A call's result, tried again while the store fails; FileNotFoundError and FileExistsError are answers."""
        began, pause, tries = time.monotonic(), _PAUSE, 0
        limit = patience()
        while True:
            tries += 1
            try:
                system, root = _system(self.url)
                return call(system, posixpath.join(root, key).rstrip("/"))
            except Exception as error:
                refusal = judge(error, self.place(key), self.protocol)
                if refusal is error:
                    raise
                if refusal is not None:
                    raise refusal from error
                if is_damage(error) and tries >= downloads:
                    raise DatasetError(
                        f"{self.place(key)}: its bytes are not those that the store took, {tries} times: {shown(error)}"
                    ) from error
                waited = time.monotonic() - began
                if waited + pause > limit and tries >= _TRIES:
                    raise StorageError(
                        f"{self.place(key)}: the store failed for {waited:.0f} s ({tries} tries): {shown(error)}; "
                        f"try again later, or wait longer with {PATIENCE}=SECONDS"
                    ) from error
            time.sleep(random.uniform(pause / 2, pause))
            pause = min(pause * 2, _PAUSE_MAX)


def _options(protocol: str) -> dict[str, Any]:
    """What fsspec is told about a store: to keep no listings, and to leave waiting to us."""
    if protocol not in ("s3", "s3a"):
        return {"use_listings_cache": False} if protocol in ("gs", "gcs", "az", "abfs", "abfss") else {}
    longest = max(1.0, min(patience(), _SILENCE))
    calm = {"retries": {"max_attempts": 0}, "connect_timeout": longest, "read_timeout": longest}
    return {"use_listings_cache": False, "config_kwargs": calm}


def _system(url: str) -> tuple[Any, str]:
    """The file system of fsspec, which it keeps one of for each process, and the URL's name in it."""
    try:
        import fsspec
    except ImportError as error:
        raise StorageError(f"{url}: an object store needs fsspec; install digidouble[store]") from error
    system, root = fsspec.core.url_to_fs(url, **_options(url.partition("://")[0]))
    if hasattr(system, "retries"):
        system.retries = 1
    return system, str(root).rstrip("/")


def _one_stream(system: Any) -> dict[str, int]:
    """How S3 is asked for an object with one request, not with one for its length first."""
    return {"max_concurrency": 1} if "s3" in system.protocol else {}


def _fresh(system: Any) -> dict[str, bool]:
    """How `info` is asked for what the store says now."""
    return {"refresh": True} if "s3" in system.protocol else {}


def _md5(info: dict[str, Any]) -> str | None:
    """The MD5 of an object in hex as its store tells it, None where it does not."""
    google, azure = info.get("md5Hash"), (info.get("content_settings") or {}).get("content_md5")
    if google:
        return base64.b64decode(google).hex()
    if azure:
        return bytes(azure).hex()
    return str(info.get("ETag", "")).strip('"') or None
