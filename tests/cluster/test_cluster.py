"""Runs on a cluster that is there: two of them that share it, a node that is bad, and what Prometheus reads."""

import importlib.util
import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="the farm needs ray")

ROOT = Path(__file__).parents[2]
SMOKE = (ROOT / "templates" / "recipes" / "smoke.yaml").read_text()
PATIENCE = 300
DASHBOARD = importlib.util.find_spec("aiohttp_cors") is not None


@pytest.fixture(scope="module")
def cluster(start_cluster):
    """A head without CPUs and two nodes of one CPU each, with Ray's dashboard where that is installed."""
    made = start_cluster(nodes=2, num_cpus=0, include_dashboard=DASHBOARD)
    yield made
    made.shutdown()


class Run:
    """A pretended run in a process of its own, and what it says."""

    def __init__(self, cluster, folder, *, count, nap, priority=0):
        folder.mkdir()
        self.said, self.dataset = folder / "said", folder / "dataset"
        recipe = folder / "recipe.yaml"
        text = SMOKE.replace("count: 2", f"count: {count // 10}").replace("name: smoke", f"name: {folder.name}")
        recipe.write_text(text.replace("reference: 32", "reference: 32\n  frames: 10"))
        words = [recipe, self.dataset, cluster.address, nap, priority]
        command = [sys.executable, ROOT / "tests" / "bench" / "simulated.py", *map(str, words)]
        with self.said.open("wb") as stream:
            self.driver = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT, cwd=ROOT)

    def events(self):
        return [json.loads(line) for line in self.said.read_text().splitlines() if line.startswith("{")]

    def committed(self):
        return [event for event in self.events() if event["event"] == "committed"]

    def wait_for(self, pairs):
        deadline = time.monotonic() + PATIENCE
        while len(self.committed()) < pairs:
            assert self.driver.poll() is None and time.monotonic() < deadline, self.said.read_text()[-2000:]
            time.sleep(0.1)

    def stop(self):
        """SIGTERM, as from Ray's Jobs or a drained node."""
        self.driver.terminate()
        assert self.driver.wait(timeout=PATIENCE) == 1, self.said.read_text()[-2000:]
        assert self.events()[-1]["event"] == "ended"

    def end(self):
        assert self.driver.wait(timeout=PATIENCE) == 0, self.said.read_text()[-2000:]
        return self.events()


def test_a_run_of_higher_priority_gets_the_workers_first(cluster, tmp_path):
    low = Run(cluster, tmp_path / "low", count=2000, nap=0.5)
    low.wait_for(4)
    high = Run(cluster, tmp_path / "high", count=40, nap=0.5, priority=5)
    times = [event["time"] for event in high.end() if event["event"] == "committed"]
    low.wait_for(len(low.committed()) + 4)
    low.stop()
    without = [
        event["time"]
        for event in low.events()
        if event["event"] == "status" and not event["workers"] and times[0] < event["time"] < times[-1]
    ]
    assert without, "the low run gave its workers back while the high one went on"
    assert not [event for event in low.committed() if without[0] < event["time"] < times[-1]]


def test_a_node_that_kills_its_workers_is_avoided(monkeypatch, cluster, pretending, watcher, tmp_path):
    from ray import get_runtime_context

    from farm.cluster import driver
    from farm.cluster.driver import Farm, run
    from farm.recipe import load_recipe

    bad = cluster.list_all_nodes()[-1].node_id
    recipe = tmp_path / "many.yaml"
    recipe.write_text(SMOKE.replace("count: 2", "count: 12"))

    crashes = tmp_path / "crashes"
    crashes.mkdir()

    def behave(index, advanced):
        if get_runtime_context().get_node_id() == bad:
            (crashes / str(os.getpid())).touch()
            os._exit(1)
        deadline = time.monotonic() + PATIENCE
        while len(list(crashes.iterdir())) < 3 and time.monotonic() < deadline:
            time.sleep(0.1)

    monkeypatch.setattr(driver, "_publish", lambda dataset, splits: None)
    farm = Farm(device="cpu", workers=2, threads=1, address=cluster.address)
    summary = run(load_recipe(recipe), tmp_path / "dataset", watcher, farm, renderer=pretending(behave))
    assert summary.complete
    assert sorted(watcher.pairs) == list(range(12))
    assert sum("is not used any more" in notice for notice in watcher.notices) == 1
    last = watcher.statuses[-1]
    assert [node.failures_in_a_row for node in last.nodes if node.avoided] == [3]
    assert last.retries["crash"] == 3


def test_a_node_that_is_drained_finishes_its_pairs_and_gets_no_more(start_cluster, tmp_path):
    """As Ray's autoscaler does with a spot instance that is about to be reclaimed."""
    cluster = start_cluster(nodes=2, num_cpus=0)
    try:
        run = Run(cluster, tmp_path / "drained", count=60, nap=1.0)
        run.wait_for(4)
        node = cluster.workers[0].node_id
        drain = ["drain-node", "--address", cluster.address, "--node-id", node, "--deadline-remaining-seconds", "600"]
        drain += ["--reason", "DRAIN_NODE_REASON_PREEMPTION", "--reason-message", "reclaimed"]
        subprocess.run([sys.executable, "-m", "ray.scripts.scripts", *drain], check=True, capture_output=True)
        events = run.end()
    finally:
        cluster.shutdown()
    assert len({event["pair"] for event in run.committed()}) == 60
    assert not any(event["retries"] for event in events if event["event"] == "status"), "no pair was lost"
    said = [number for number, event in enumerate(events) if "is being drained" in event.get("message", "")]
    assert len(said) == 1
    working = [
        {worker["name"] for worker in event["workers"] if worker["state"] == "rendering"}
        for event in events[said[0] :]
        if event["event"] == "status" and event["state"] == "running"
    ]
    assert any(working) and all(len(names) <= 1 for names in working), "the other node does the rest"


def metrics(cluster):
    """What the nodes' agents serve, as Prometheus would read it."""
    import ray

    ray.init(address=cluster.address, logging_level="ERROR", log_to_driver=False)
    try:
        places = {(node["NodeManagerAddress"], node["MetricsExportPort"]) for node in ray.nodes() if node["Alive"]}
    finally:
        ray.shutdown()
    pages = []
    for host, port in places:
        with urllib.request.urlopen(f"http://{host}:{port}/metrics", timeout=10) as answer:
            pages.append(answer.read().decode())
    return "\n".join(pages)


@pytest.mark.skipif(not DASHBOARD, reason="Ray serves metrics with ray[default] only")
def test_prometheus_reads_how_a_run_stands(cluster, tmp_path):
    run = Run(cluster, tmp_path / "watched", count=60, nap=0.5)
    run.wait_for(3)
    deadline, found = time.monotonic() + 60, set()
    wanted = {"digidouble_pairs_committed_total", "digidouble_phase_seconds_bucket", "digidouble_pairs_waiting"}
    while found < wanted and time.monotonic() < deadline:
        assert run.driver.poll() is None, "the run ended before its metrics came"
        lines = [line for line in metrics(cluster).splitlines() if 'run="watched-' in line]
        found = {name for name in wanted if any(line.startswith(f"ray_{name}{{") for line in lines)}
        time.sleep(1)
    assert found == wanted
    run.stop()
