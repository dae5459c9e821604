"""Ray's Jobs REST API over plain HTTP: what it is asked, and what its refusals mean.

Its routes and fields are those of Ray 2.60's `dashboard/modules/job`. Requests carry no Origin, Referer or browser's
User-Agent, which Ray answers with 405, and follow no redirection, which could carry the token elsewhere.
"""

from __future__ import annotations

import json
import os
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import (
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    build_opener,
    getproxies,
    proxy_bypass,
)

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from farm import __version__
from farm.cluster.jobs.address import Address, check_authentication, check_token_line
from farm.cluster.jobs.refusals import refusal, silence
from farm.cluster.jobs.tokens import Token, find_token
from farm.cluster.jobs.websocket import NoWebSocketError, listen
from farm.errors import BadInput, ClusterError

__all__ = ["Job", "JobsClient", "Resources", "connect"]

TIMEOUT: Final = 30.0
"""Seconds that a cluster may take for one answer."""
UPLOAD_TIMEOUT: Final = 600.0
OLDEST: Final = (2, 54)
"""The first Ray without CVE-2025-62593 and CVE-2026-27482."""
NOT_READY: Final = "No available agent"
"""What Ray says while the head node's agent, which begins jobs, does not answer."""
PATIENCE: Final = 60.0
POLL: Final = 2.0
"""Seconds between two looks at a job's log, at least."""
ENDED: Final = frozenset({"STOPPED", "SUCCEEDED", "FAILED"})

State = Literal["PENDING", "RUNNING", "STOPPED", "SUCCEEDED", "FAILED"]


class Job(BaseModel):
    """A job as the cluster tells it. Times are milliseconds since 1970."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    type: str = "SUBMISSION"
    submission_id: str | None = None
    status: State
    message: str | None = None
    error_type: str | None = None
    start_time: int | None = None
    end_time: int | None = None
    metadata: dict[str, str] | None = Field(default=None)

    @property
    def ended(self) -> bool:
        """Whether it has come to an end, good or bad."""
        return self.status in ENDED

    @property
    def root(self) -> str | None:
        """The dataset that it writes; None for a job that is not Digidouble's."""
        return (self.metadata or {}).get("digidouble_root")


class Resources(NamedTuple):
    """What a cluster has now: nodes, CPUs and GPUs, those in use included."""

    nodes: int
    cpus: int
    gpus: int


class _NoRedirection(HTTPRedirectHandler):
    """Redirections are errors."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none."""


class _AbsentError(ClusterError):
    """What was asked for is not there (404)."""


class _Upload:
    """A file's bytes on their way: says before each piece how many have been read."""

    def __init__(self, file: BinaryIO, sent: Callable[[int], None]) -> None:
        self._file, self._sent = file, sent

    def __len__(self) -> int:
        return os.fstat(self._file.fileno()).st_size

    def read(self, count: int = -1) -> bytes:
        """The next piece; empty at the end."""
        self._sent(self._file.tell())
        return self._file.read(count)


class JobsClient:
    """One cluster's Jobs API. Every failure is a ClusterError of one line, or BadInput where a job is unknown."""

    def __init__(self, address: Address, token: Token | None = None, *, timeout: float = TIMEOUT) -> None:
        """A client that sends `token`, if there is one, with each request."""
        self.address = address
        self._token = token
        self._timeout = timeout
        proxies = ProxyHandler({}) if address.loopback else ProxyHandler()
        secure = HTTPSHandler(context=ssl.create_default_context())
        self._opener: OpenerDirector = build_opener(_NoRedirection(), proxies, secure)

    def authentication_mode(self) -> str:
        """`token`, `disabled` or what else the cluster asks for; it is asked without the token."""
        answer = self._ask("GET", "/api/authentication_mode", with_token=False, absent={})
        return str(answer.get("authentication_mode", "disabled"))

    def ray_version(self) -> str:
        """The cluster's version of Ray."""
        answer = self._ask("GET", "/api/version")
        if not isinstance(answer, dict) or "ray_version" not in answer:
            raise ClusterError(f"{self.address.url} answers, but is no Ray dashboard")
        return str(answer["ray_version"])

    def resources(self) -> Resources:
        """What the cluster's living nodes bring."""
        answer = self._ask("GET", "/api/v0/nodes?limit=10000&detail=true")
        try:
            nodes = [node for node in answer["data"]["result"]["result"] if node["state"] == "ALIVE"]
            totals = [node["resources_total"] for node in nodes]
            return Resources(len(nodes), *(round(sum(each.get(kind, 0) for each in totals)) for kind in ("CPU", "GPU")))
        except (KeyError, TypeError, AttributeError):
            raise ClusterError(f"{self.address.url} tells of its nodes what this Digidouble does not know") from None

    def has_package(self, name: str) -> bool:
        """Whether a package was uploaded before, and is kept."""
        return self._ask("GET", f"/api/packages/gcs/{quote(name)}", absent=False) is not False

    def put_package(self, name: str, file: Path, sent: Callable[[int], None] = lambda count: None) -> None:
        """Upload a package: a zip under 100 MiB.

        `sent` is called with the bytes that are on their way, again and again; what it raises ends the upload, and Ray
        keeps nothing of a package that did not arrive whole.
        """
        with file.open("rb") as opened:
            self._ask("PUT", f"/api/packages/gcs/{quote(name)}", _Upload(opened, sent), timeout=UPLOAD_TIMEOUT)

    def submit(self, request: Mapping[str, Any]) -> bool:
        """Submit a job; False where its id is known already, and nothing was begun. A cluster that is just starting,
        or busy, is asked again for a minute.
        """
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self._ask("POST", "/api/jobs/", json.dumps(request).encode(), timeout=2 * self._timeout)
            except ClusterError as error:
                if self.job(request["submission_id"]) is not None:
                    return False
                if NOT_READY not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(POLL)
            else:
                return True

    def job(self, id_: str) -> Job | None:
        """A job, None where the cluster does not know it."""
        answer = self._ask("GET", f"/api/jobs/{quote(id_, safe='')}", absent=None)
        return None if answer is None else self._job(answer)

    def known_job(self, id_: str) -> Job:
        """A job; BadInput where the cluster does not know it."""
        job = self.job(id_)
        if job is None:
            raise BadInput(f"{self.address.url} knows no job '{id_}': `digidouble status` lists those that it knows")
        return job

    def jobs(self) -> list[Job]:
        """All jobs that were submitted, the latest first."""
        answer = self._ask("GET", "/api/jobs/")
        jobs = [self._job(entry) for entry in answer if entry.get("submission_id")]
        return sorted(jobs, key=lambda job: job.start_time or 0, reverse=True)

    def logs(self, id_: str) -> str:
        """What a job has printed so far."""
        return str(self._ask("GET", f"/api/jobs/{quote(id_, safe='')}/logs")["logs"])

    def tail(self, id_: str, lines: int) -> str:
        """The last lines that a job has printed, without the log before them where the cluster allows that."""
        place = f"/api/v0/logs/file?submission_id={quote(id_, safe='')}&lines={lines}"
        try:
            return self._fetch("GET", place).decode("utf-8", "replace")
        except ClusterError:  # a job that has no driver yet; a dashboard without logs of nodes
            return "".join(self.logs(id_).splitlines(keepends=True)[-lines:])

    def follow(self, id_: str, wait: Callable[[float], None] = time.sleep) -> Iterator[str]:
        """What a job prints, piece by piece, until it ends: over a WebSocket, and fetched once more at its end.

        Where a proxy on the way takes none, the log is fetched anew each time, a long one less often.
        """
        self.known_job(id_)
        seen = 0
        if self._direct():
            place = f"{self.address.url}/api/jobs/{quote(id_, safe='')}/logs/tail"
            try:
                for piece in listen(
                    place, self._headers(), timeout=self._timeout, quiet=lambda: not self.known_job(id_).ended
                ):
                    seen += len(piece)
                    yield piece
            except NoWebSocketError:
                pass
        yield from self._poll(id_, seen, wait)

    def _poll(self, id_: str, seen: int, wait: Callable[[float], None]) -> Iterator[str]:
        """What a job prints behind the first `seen` characters, until it ends."""
        while True:
            ended = self.known_job(id_).ended
            began = time.monotonic()
            text = self.logs(id_)
            if len(text) > seen:
                yield text[seen:]
                seen = len(text)
            if ended:
                return
            wait(max(POLL, 10 * (time.monotonic() - began)))

    def stop(self, id_: str) -> None:
        """Ask a job to end: SIGTERM, and SIGKILL a few seconds later."""
        self._ask("POST", f"/api/jobs/{quote(id_, safe='')}/stop", b"")

    def delete(self, id_: str) -> None:
        """Let the cluster forget a job that has ended, and its log."""
        self._ask("DELETE", f"/api/jobs/{quote(id_, safe='')}")

    def _job(self, data: Any) -> Job:
        try:
            return Job.model_validate(data)
        except ValidationError as error:
            what = error.errors()[0]
            raise ClusterError(
                f"{self.address.url} tells of a job what this Digidouble does not understand ({what['loc']}: "
                f"{what['msg']}); is its Ray newer?"
            ) from None

    def _direct(self) -> bool:
        """Whether requests go to the cluster without a proxy of this machine's settings."""
        host = self.address.host
        scheme = "https" if self.address.secure else "http"
        return self.address.loopback or scheme not in getproxies() or bool(proxy_bypass(host))

    def _headers(self, *, with_token: bool = True) -> dict[str, str]:
        headers = {"User-Agent": f"digidouble/{__version__}"}
        if self._token is not None and with_token:
            headers["Authorization"] = f"Bearer {self._token.value}"
        return headers

    def _ask(self, *request: Any, absent: Any = ..., **more: Any) -> Any:
        """As `_fetch`, the answer from JSON, None for an empty one; `absent` stands for 404 where it is given."""
        try:
            text = self._fetch(*request, **more)
        except _AbsentError:
            if absent is ...:
                raise
            return absent
        try:
            return json.loads(text) if text else None
        except ValueError:
            raise ClusterError(f"{self.address.url} answers, but not as Ray's dashboard: is that its port?") from None

    def _fetch(
        self,
        method: str,
        path: str,
        body: bytes | _Upload | None = None,
        *,
        timeout: float | None = None,
        with_token: bool = True,
    ) -> bytes:
        """One request and its answer."""
        headers = {**self._headers(with_token=with_token), "Accept": "*/*"}
        if body is not None:
            headers["Content-Type"] = "application/json" if path.startswith("/api/jobs") else "application/octet-stream"
            headers["Content-Length"] = str(len(body))
        request = Request(f"{self.address.url}{path}", data=body, headers=headers, method=method)
        try:
            with self._opener.open(request, timeout=timeout or self._timeout) as answer:
                found: bytes = answer.read()
                return found
        except HTTPError as error:
            with error:
                said = error.read(1 << 16).decode("utf-8", "replace")
            kind = _AbsentError if error.code == 404 else ClusterError
            raise kind(
                refusal(self.address, self._token, error.code, said, location=error.headers.get("Location"))
            ) from None
        except (URLError, OSError, HTTPException) as error:
            raise ClusterError(silence(self.address, error, timeout or self._timeout)) from None


def connect(
    address: Address,
    find: Callable[[], Token | None] = find_token,
    *,
    allow_open_cluster: bool = False,
    allow_plain_token: bool = False,
    timeout: float = TIMEOUT,
) -> JobsClient:
    """A client of a cluster that may be talked to.

    The cluster is asked, without the token, whether it wants one; only then the token is looked for and sent. Raises
    BadInput as `check_authentication`, `check_token_line` and `find_token` do, and ClusterError for a cluster that
    cannot be reached, does not take the token or runs a Ray that is open to known attacks.
    """
    mode = JobsClient(address, timeout=timeout).authentication_mode()
    check_authentication(address, mode, allow_open_cluster=allow_open_cluster)
    token = None if mode == "disabled" else find()
    if token is not None:
        check_token_line(address, allow_plain_token=allow_plain_token)
    client = JobsClient(address, token, timeout=timeout)
    version = client.ray_version()
    found = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if found < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise ClusterError(f"{address.url} runs Ray {version}, open to known attacks: update it to {oldest} or later")
    return client
