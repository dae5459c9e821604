"""What holds for every test: how examples are drawn, and whether the renderer may be absent."""

from __future__ import annotations

import importlib.util
import os

import pytest
from hypothesis import HealthCheck, settings

RENDERER = ("bpy", "ray", "anny", "scipy", "aiohttp_cors")
REQUIRED = "DIGIDOUBLE_REQUIRE_RENDERER"

# Equal examples in every run, and none failed for the time it takes.
settings.register_profile("suite", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@pytest.fixture(autouse=True, scope="session")
def _cache_of_their_own(tmp_path_factory):
    """Keep tests, and the processes they start, out of the user's cache folder and off the user's own templates."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIGIDOUBLE_TEMPLATES", str(tmp_path_factory.mktemp("templates")))
        patch.setenv("DIGIDOUBLE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def _s3_server():
    pytest.importorskip("moto", reason="an S3 server needs moto")
    pytest.importorskip("s3fs", reason="its client needs s3fs")
    from tests.s3 import served

    with served() as server:
        yield server


@pytest.fixture
def s3(_s3_server, monkeypatch):
    """A bucket of a real S3 server that this process and those it starts may use; `s3.faults` harms requests."""
    import fsspec

    for name, value in _s3_server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DIGIDOUBLE_STORE_PATIENCE", "20")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    _s3_server.faults.clear()
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    yield _s3_server
    _s3_server.faults.clear()
    fsspec.get_filesystem_class("s3").clear_instance_cache()


@pytest.fixture(scope="module")
def cluster():
    """A Ray of one node on loopback that asks for a token; what it was sent and remembers is the module's own."""
    pytest.importorskip("ray", reason="a cluster needs ray")
    pytest.importorskip("aiohttp_cors", reason="Ray's Jobs API needs ray[default]")
    from tests.ray_head import running

    with running() as started:
        yield started


def pytest_configure():
    """Refuse to skip what needs the renderer where it is required."""
    missing = [name for name in RENDERER if importlib.util.find_spec(name) is None]
    if os.environ.get(REQUIRED) and missing:
        raise pytest.UsageError(
            f"this Python has no {', '.join(missing)}, so that tests would be skipped: run `make setup`,"
            f" or unset {REQUIRED} to test what needs no renderer"
        )
