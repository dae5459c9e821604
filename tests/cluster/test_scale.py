"""The driver with many tasks: its memory does not grow with what is done, and what was done is found again."""

import importlib.util
import sys
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="the farm needs ray")

BENCH = Path(__file__).parents[1] / "bench"
TASKS = 2000
MB = 2**20


@pytest.fixture
def scale_bench(monkeypatch):
    """The bench, whose workers find it as well."""
    monkeypatch.syspath_prepend(str(BENCH))
    monkeypatch.setenv("PYTHONPATH", f"{BENCH}:{Path(__file__).parents[2]}")
    spec = importlib.util.spec_from_file_location("scale_bench", BENCH / "scale_bench.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "scale_bench", module)
    spec.loader.exec_module(module)
    return module


def test_the_drivers_memory_stays_flat(scale_bench, monkeypatch):
    monkeypatch.setattr(scale_bench, "NAP", 0.001)
    measured = scale_bench.measure_driver(TASKS, 4)
    assert measured["tasks"] == TASKS
    assert measured["growth"] < 8 * MB


def test_what_is_committed_is_found_again(scale_bench):
    assert scale_bench.measure_scan(TASKS)["records"] == TASKS
