"""An object store to test with: moto's S3 server on loopback, and a proxy before it that does what networks do."""

from __future__ import annotations

import contextlib
import http.client
import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BUCKET = "studio"
KEYS = {"AWS_ACCESS_KEY_ID": "test-key", "AWS_SECRET_ACCESS_KEY": "test-secret", "AWS_DEFAULT_REGION": "us-east-1"}

ANSWERS = {
    "busy": (503, "SlowDown", "Please reduce your request rate."),
    "error": (500, "InternalError", "We encountered an internal error. Please try again."),
    "denied": (403, "AccessDenied", "Access Denied"),
    "full": (507, "XMinioStorageFull", "Storage backend has reached its minimum free drive threshold."),
}


@dataclass
class Fault:
    """What goes wrong with requests: of one `method`, with `part` in their path, the first `times` after `skip`.

    busy, error, denied, full   the store's own answers
    stall    nothing for `seconds`, then a closed connection
    cut      a PUT whose connection closes before the store has it; a GET whose answer ends half-way
    lost     a request that the store carries out, and whose answer never comes
    corrupt  one bit of what is sent (PUT) or got (GET) is flipped
    """

    kind: str
    method: str = "PUT"
    part: str = ""
    times: float = 1
    skip: int = 0
    seconds: float = 5.0
    hits: int = 0

    def takes(self, method: str, path: str) -> bool:
        if method != self.method or self.part not in path or self.times <= 0:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        self.hits += 1
        return True


@dataclass
class FaultyS3:
    """The store as its users reach it, through the proxy at `endpoint`; `faults` may be set at any time."""

    endpoint: str
    direct: str
    bucket: str = BUCKET
    faults: list[Fault] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to use the store."""
        return {**KEYS, "AWS_ENDPOINT_URL": self.endpoint}

    def url(self, name: str) -> str:
        return f"s3://{self.bucket}/{name}"

    def fault(self, method: str, path: str) -> Fault | None:
        with self.lock:
            self.requests[method] += 1
            return next((each for each in self.faults if each.takes(method, path)), None)

    def client(self):
        """A client that goes past the proxy."""
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=self.direct,
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
            region_name=KEYS["AWS_DEFAULT_REGION"],
        )

    def keys(self, prefix: str = "") -> list[str]:
        """The keys of all objects, listed past the proxy."""
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def objects(self, prefix: str = "") -> dict[str, bytes]:
        """All objects by key, read past the proxy."""
        client = self.client()
        return {key: client.get_object(Bucket=self.bucket, Key=key)["Body"].read() for key in self.keys(prefix)}

    def ask_for_keys(self, after: int) -> None:
        """Let the server refuse keys that it does not know, after so many requests."""
        connection = http.client.HTTPConnection(self.direct.removeprefix("http://"))
        connection.request("POST", "/moto-api/reset-auth", body=str(after))
        assert connection.getresponse().status == 200
        connection.close()


def _handler(store: FaultyS3) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *words: object) -> None:
            del words

        def do_GET(self) -> None:
            self._serve()

        do_PUT = do_POST = do_HEAD = do_DELETE = do_GET  # noqa: N815

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            fault = store.fault(self.command, self.path)
            kind = fault.kind if fault else ""
            if fault and kind == "stall":
                time.sleep(fault.seconds)
            if kind in ANSWERS:
                self._refuse(*ANSWERS[kind])
            elif kind == "stall" or (kind == "cut" and self.command == "PUT"):
                self.close_connection = True
            else:
                self._forward(_flipped(body) if kind == "corrupt" and self.command == "PUT" else body, kind)

        def _forward(self, body: bytes, kind: str) -> None:
            upstream = http.client.HTTPConnection(store.direct.removeprefix("http://"), timeout=30)
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in ("connection", "expect"):
                    upstream.putheader(name, value)
            upstream.endheaders(body or None)
            answer = upstream.getresponse()
            data = answer.read()
            if kind == "lost":
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("connection", "transfer-encoding", "content-length", "date", "server"):
                    self.send_header(name, value)
            length = answer.getheader("Content-Length", "0") if self.command == "HEAD" else str(len(data))
            self.send_header("Content-Length", length)
            self.end_headers()
            if kind == "corrupt" and self.command == "GET":
                data = _flipped(data)
            if kind == "cut":
                data, self.close_connection = data[: len(data) // 2], True
            self.wfile.write(data)

        def _refuse(self, status: int, code: str, words: str) -> None:
            body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{words}</Message></Error>".encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    return Handler


def _flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :] if data else data


class _Proxy(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *where: object) -> None:
        """Connections that clients give up are no news."""


@contextlib.contextmanager
def served() -> Iterator[FaultyS3]:
    """An empty bucket on a server of its own, behind its proxy."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    store = FaultyS3("", "http://{}:{}".format(*server.get_host_and_port()))
    proxy = _Proxy(("127.0.0.1", 0), _handler(store))
    store.endpoint = f"http://127.0.0.1:{proxy.server_port}"
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    store.client().create_bucket(Bucket=BUCKET)
    try:
        yield store
    finally:
        proxy.shutdown()
        proxy.server_close()
        server.stop()
