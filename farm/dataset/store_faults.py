"""What an object store says against a request: whether to wait and ask again, or which one message ends the work."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from farm.errors import StorageError, StoreAccessError

__all__ = ["is_damage", "judge", "missing_bucket", "shown"]

_REMEDIES: Final = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; AWS_ENDPOINT_URL for a store not Amazon's",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
    "az": "AZURE_STORAGE_ACCOUNT_NAME with AZURE_STORAGE_ACCOUNT_KEY, or AZURE_STORAGE_CONNECTION_STRING",
}
"""What names credentials in the environment, by scheme."""
_SCHEMES: Final = {"s3a": "s3", "gcs": "gs", "abfs": "az", "abfss": "az"}
_EXTRAS: Final = {"s3": "store", "gs": "gcs", "az": "azure"}
"""Which extra of digidouble has a scheme's client."""

_STRANGER: Final = frozenset(
    {
        "ClientAuthenticationError",
        "CredentialRetrievalError",
        "DefaultCredentialsError",
        "NoCredentialsError",
        "PartialCredentialsError",
        "ProfileNotFound",
        "RefreshError",
        "SSOTokenLoadError",
        "TokenRetrievalError",
        "UnauthorizedSSOTokenError",
    }
)
"""Clients' errors that say that there are no credentials, or none that are taken."""
_MALFORMED: Final = frozenset({"InvalidRegionError", "NoRegionError", "ParamValidationError"})
_NO_BUCKET: Final = frozenset({"ContainerNotFound", "NoSuchBucket"})
_FULL: Final = frozenset(
    {"InsufficientStorage", "QuotaExceeded", "XMinioAdminBucketQuotaExceeded", "XMinioStorageFull"}
)
_DAMAGED: Final = frozenset(
    {
        "BadDigest",
        "IncompleteBody",
        "InvalidDigest",
        "RequestTimeout",
        "XAmzContentChecksumMismatch",
        "XAmzContentSHA256Mismatch",
    }
)
"""Answers that blame what was sent: it was harmed or cut on its way, and may arrive whole another time."""
_CHECKSUMS: Final = frozenset({"ChecksumError", "DataCorruption", "FlexibleChecksumError"})
_BUSY: Final = frozenset({408, 409, 425, 429})
_CLIENTS: Final = frozenset(
    {"adlfs", "aiobotocore", "aiohttp", "azure", "botocore", "fsspec", "gcsfs", "google", "requests", "s3fs", "urllib3"}
)


def judge(error: BaseException, place: str, protocol: str) -> Exception | None:
    """What an error of a store's client means for the work; None where the store may do better another time.

    FileNotFoundError and its kin come back as they are, where they are about the object and not the bucket.
    """
    said = _Said.read(error)
    if said.codes & _NO_BUCKET:
        return missing_bucket(place)
    if isinstance(error, (FileNotFoundError, FileExistsError, NotADirectoryError)):
        return error
    refusal = _refusal(error, said, place, protocol)
    if refusal is not None or said.codes & _DAMAGED or said.statuses & _BUSY:
        return refusal
    if any(400 <= status < 500 for status in said.statuses):
        return StoreAccessError(f"{place}: the store refuses the request: {shown(error)}")
    known = isinstance(error, (OSError, TimeoutError, EOFError)) or type(error).__module__.split(".")[0] in _CLIENTS
    return None if known else StorageError(f"{place}: {type(error).__name__}: {shown(error)}")


def _refusal(error: BaseException, said: _Said, place: str, protocol: str) -> StorageError | None:
    """The error of a store that will not do better by being asked again."""
    scheme = _SCHEMES.get(protocol, protocol)
    if said.names & _STRANGER or isinstance(error, PermissionError) or said.statuses & {401, 403}:
        remedy = f"; set {_REMEDIES[scheme]}" if scheme in _REMEDIES else ""
        return StoreAccessError(f"{place}: the store refuses access: {shown(error)}{remedy}")
    if said.numbers & {errno.ENOSPC, errno.EDQUOT} or said.codes & _FULL or 507 in said.statuses:
        return StorageError(f"cannot write {place}: the store is full: {shown(error)}; make room and run again")
    if isinstance(error, ImportError):
        extra = f"; install digidouble[{_EXTRAS[scheme]}]" if scheme in _EXTRAS else ""
        return StoreAccessError(f"{place}: this Python has no client for {protocol}://: {shown(error)}{extra}")
    if isinstance(error, ValueError) or said.names & _MALFORMED:
        return StoreAccessError(f"{place}: cannot be used: {shown(error)}")
    return None


@dataclass(frozen=True)
class _Said:
    """What an error and its causes say: classes' names, the store's own words, HTTP statuses, the system's numbers."""

    names: frozenset[str]
    codes: frozenset[str]
    statuses: frozenset[int]
    numbers: frozenset[int | None]

    @classmethod
    def read(cls, error: BaseException) -> _Said:
        chain = list(_causes(error))
        return cls(
            names=frozenset(type(each).__name__ for each in chain),
            codes=frozenset(map(_code, chain)),
            statuses=frozenset(map(_status, chain)),
            numbers=frozenset(each.errno for each in chain if isinstance(each, OSError)),
        )


def is_damage(error: BaseException) -> bool:
    """Whether a client found that what it got does not have the checksum that the store keeps of it."""
    return any(type(each).__name__ in _CHECKSUMS for each in _causes(error))


def missing_bucket(place: str) -> StoreAccessError:
    """The error of a place in a bucket that does not exist."""
    bucket = place.partition("://")[2].partition("/")[0]
    return StoreAccessError(f"{place}: there is no bucket '{bucket}'; make it first")


def shown(error: BaseException) -> str:
    """An error in one line."""
    lines = str(error).split("\n")
    return lines[0].strip() or type(error).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _code(error: Any) -> str:
    """The store's own word for an error: S3's, Azure's."""
    response = getattr(error, "response", None)
    said = response.get("Error", {}).get("Code") if isinstance(response, dict) else getattr(error, "error_code", None)
    return str(said or "")


def _status(error: Any) -> int:
    """The HTTP status of an answer, 0 where the error has none; aiohttp gives answers cut short a 400 of its own."""
    response = getattr(error, "response", None)
    said = response.get("ResponseMetadata", {}).get("HTTPStatusCode") if isinstance(response, dict) else None
    for name in ("status", "status_code", *(("code",) if type(error).__module__.startswith("gcsfs") else ())):
        said = said or getattr(error, name, None)
    return int(str(said)) if str(said).isdecimal() else 0
