"""What a cluster's refusals and silences are explained as: a server that misbehaves on a real socket."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from farm.cluster.jobs import JobsClient, Token, connect, parse_address
from farm.cluster.jobs.progress import run_status
from farm.errors import BadInput, ClusterError

HUSH = "hush-hush-hush"


class Server(ThreadingHTTPServer):
    """Answers each path as it is told, and remembers what came."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = {}
        self.requests = []
        self.released = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def client(self, token=None, timeout=5.0):
        return JobsClient(parse_address(f"127.0.0.1:{self.server_port}"), token, timeout=timeout)


class Handler(BaseHTTPRequestHandler):
    def answer(self):
        self.server.requests.append((self.command, self.path, dict(self.headers)))
        code, text, headers = self.server.answers.get(self.path, (404, "not there", {}))
        if code == "hang":
            self.server.released.wait(20)
            return
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    server = Server()
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("code", "text", "said"),
    [
        (401, "", "asks for a token, and none was sent"),
        (403, "", "does not take the token from the test"),
        (405, "", "a proxy on the way adds Origin"),
        (413, "", "a limit under 100 MiB"),
        (500, 'Traceback:\n  File "x"\nValueError: the disk is full\n', "failed: ValueError: the disk is full"),
        (502, "<html>", "does not reach the cluster"),
        (200, "<html>hello</html>", "not as Ray's dashboard"),
    ],
)
def test_each_refusal_is_one_line(server, code, text, said):
    server.answers["/api/jobs/"] = (code, text, {})
    with pytest.raises(ClusterError, match=said) as caught:
        server.client(Token(HUSH, "the test")).jobs()
    assert "\n" not in str(caught.value)
    assert HUSH not in str(caught.value)
    assert f"127.0.0.1:{server.server_port}" in str(caught.value)


def test_a_redirection_does_not_take_the_token_along(server):
    other = Server()
    server.answers["/api/jobs/"] = (302, "", {"Location": f"http://127.0.0.1:{other.server_port}/api/jobs/"})
    other.answers["/api/jobs/"] = (200, "[]", {})
    with pytest.raises(ClusterError, match="redirects to http://127.0.0.1"):
        server.client(Token(HUSH, "the test")).jobs()
    assert other.requests == []
    other.shutdown()
    other.server_close()


def test_silence_is_explained(server):
    server.answers["/api/jobs/"] = ("hang", "", {})
    with pytest.raises(ClusterError, match="no answer within"):
        server.client(timeout=0.3).jobs()


def test_nobody_there_is_explained():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(ClusterError, match="connection refused"):
        JobsClient(parse_address(f"127.0.0.1:{port}")).jobs()


def test_a_host_that_is_not_known_is_explained():
    with pytest.raises(ClusterError, match="'nowhere.invalid' is not known"):
        JobsClient(parse_address("http://nowhere.invalid")).jobs()


def test_requests_are_none_of_a_browser(server):
    server.answers["/api/jobs/"] = (200, "[]", {})
    assert server.client(Token(HUSH, "the test")).jobs() == []
    ((_, _, headers),) = server.requests
    assert headers["User-Agent"].startswith("digidouble/")
    assert headers["Authorization"] == f"Bearer {HUSH}"
    assert not {"Origin", "Referer"} & set(headers)


def test_a_cluster_that_wants_no_token_gets_none(server):
    server.answers["/api/authentication_mode"] = (200, '{"authentication_mode": "disabled"}', {})
    server.answers["/api/version"] = (200, '{"ray_version": "2.60.0"}', {})
    connect(parse_address(f"127.0.0.1:{server.server_port}"), lambda: pytest.fail("the token was looked for"))
    assert len(server.requests) == 2
    assert all("Authorization" not in headers for _, _, headers in server.requests)


def test_an_old_ray_is_refused(server):
    server.answers["/api/authentication_mode"] = (404, "", {})
    server.answers["/api/version"] = (200, '{"ray_version": "2.48.1"}', {})
    with pytest.raises(ClusterError, match=r"Ray 2\.48\.1, open to known attacks.*2\.54"):
        connect(parse_address(f"127.0.0.1:{server.server_port}"), lambda: None)


STATUS = '{"event": "status", "state": "running", "done": 3}'


def test_the_latest_status_is_that_of_the_logs_end_alone(server):
    """An unfinished last line is passed over; the log as a whole is not asked for."""
    server.answers["/api/v0/logs/file?submission_id=x&lines=100"] = (200, f'{STATUS}\n{{"event": "status", "st', {})
    assert run_status(server.client(), "x") == {"event": "status", "state": "running", "done": 3}
    assert [path for _, path, _ in server.requests] == ["/api/v0/logs/file?submission_id=x&lines=100"]


def test_a_status_before_many_other_lines_is_found(server):
    server.answers["/api/v0/logs/file?submission_id=x&lines=100"] = (200, "notice\n" * 100, {})
    server.answers["/api/v0/logs/file?submission_id=x&lines=2000"] = (200, f"{STATUS}\n" + "notice\n" * 150, {})
    assert run_status(server.client(), "x")["done"] == 3


def test_a_job_without_a_driver_has_the_log_that_there_is(server):
    server.answers["/api/jobs/x/logs"] = (200, '{"logs": "one\\ntwo\\nthree\\n"}', {})
    assert server.client().tail("x", 2) == "two\nthree\n"
    assert run_status(server.client(), "x") == {}


def test_a_cluster_that_tells_nothing_of_its_nodes_is_explained(server):
    server.answers["/api/v0/nodes?limit=10000&detail=true"] = (200, '{"data": 3}', {})
    with pytest.raises(ClusterError, match="tells of its nodes what"):
        server.client().resources()


def test_a_log_is_followed_anew_where_no_websocket_is_spoken(server):
    job = '{"status": "SUCCEEDED", "submission_id": "x"}'
    server.answers |= {"/api/jobs/x": (200, job, {}), "/api/jobs/x/logs": (200, '{"logs": "all of it"}', {})}
    assert list(server.client().follow("x")) == ["all of it"]
    assert "/api/jobs/x/logs/tail" in [path for _, path, _ in server.requests]


def test_a_job_that_is_not_there(server):
    assert server.client().job("nothing") is None
    with pytest.raises(BadInput, match="knows no job 'nothing'"):
        server.client().known_job("nothing")


def test_a_job_of_another_form_is_told(server):
    server.answers["/api/jobs/x"] = (200, '{"status": "DREAMING"}', {})
    with pytest.raises(ClusterError, match="does not understand"):
        server.client().job("x")
