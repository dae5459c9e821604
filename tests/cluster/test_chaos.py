"""One dataset, and what clusters do to a run: workers, a node and the driver killed, the disk full, at random points.

Real renders on a real Ray of several nodes on this machine. The points are drawn from a seed; what must come out does
not depend on them: every pair exactly once, and the bytes of a run that nobody disturbed.
"""

import contextlib
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.s3 import Fault

pytest.importorskip("ray", reason="the farm needs ray")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds processes with Linux's ps")

ROOT = Path(__file__).parents[2]
SMOKE = ROOT / "templates" / "recipes" / "smoke.yaml"
PATIENCE = 600
PAIRS = 6
MANY = 200
SEED = 20260
DISK = 16 * 2**20

QUICK = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 1000, "health_check_failure_threshold": 5}
"""Ray notices a dead node within five seconds."""


def children(pid):
    """Process ids under a process, with their command lines."""
    done = subprocess.run(["ps", "-o", "pid=,args=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return {int(line.split()[0]): line.split(None, 1)[1] for line in done.stdout.splitlines()}


@pytest.fixture
def disk(tmp_path):
    """A small disk of its own, where this user may mount one; else a folder."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(place)]
    mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    yield place, mounted
    if mounted:
        subprocess.run(["umount", "--lazy", str(place)], check=False)


@pytest.fixture
def cluster(start_cluster):
    """A head without CPUs and two nodes of one CPU each."""
    made = start_cluster(nodes=2, num_cpus=0, _system_config=QUICK)
    yield made
    made.shutdown()


@pytest.fixture
def cluster_on_disk(start_cluster, disk, monkeypatch):
    """The same, its nodes having their temporary files, renders on their way into a store among them, on that disk."""
    place, mounted = disk
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setenv("RAY_TMPDIR", "/tmp")
    made = start_cluster(nodes=2, num_cpus=0, _system_config=QUICK)
    yield made, place, mounted
    made.shutdown()


@pytest.fixture(scope="module")
def recipe(farm, tmp_path_factory):
    text = farm.smoke.read_text().replace("count: 2", f"count: {PAIRS}")
    path = tmp_path_factory.mktemp("chaos") / "chaos.yaml"
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def calm(farm, recipe, tmp_path_factory, hashes):
    """The hashes of a run that nobody disturbs, on this machine alone."""
    dataset = tmp_path_factory.mktemp("calm") / "dataset"
    code, out, err = farm.run("render", recipe, "--out", dataset, "--workers", "1")
    assert code == 0, (out, err)
    return hashes(dataset)


class Chaos:
    """A run on a cluster, what is done to it, and what it said."""

    def __init__(self, cluster, dataset, said, command, disk):
        self.cluster, self.dataset, self.said, self.command, self.disk = cluster, dataset, said, command, disk
        self.start()

    def start(self):
        words = [sys.executable, *map(str, self.command)]
        with self.said.open("ab") as stream:
            self.driver = subprocess.Popen(words, stdout=stream, stderr=stream, cwd=ROOT)

    def pairs(self):
        return len(list(self.dataset.glob("pairs/*/*/record.json")))

    def wait(self, what, holds):
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert self.driver.poll() is None, f"the driver ended before {what}: {self.said.read_text()[-3000:]}"
            assert time.monotonic() < deadline, f"{what} did not come: {self.said.read_text()[-3000:]}"
            time.sleep(0.05)

    def wait_for_pairs(self, count):
        self.wait(f"pair {count}", lambda: self.pairs() >= count)

    def kill_a_worker(self, choice):
        def hosts():
            raylets = [node.all_processes["raylet"][0].process.pid for node in self.cluster.workers]
            return [pid for raylet in raylets for pid, words in children(raylet).items() if "ray::Host.render" in words]

        self.wait("a worker that renders", hosts)
        os.kill(choice.choice(sorted(hosts())), signal.SIGKILL)

    def kill_a_node(self, choice):
        node = self.cluster.workers.pop(choice.randrange(len(self.cluster.workers)))
        os.kill(node.all_processes["raylet"][0].process.pid, signal.SIGKILL)
        self.cluster.workers.append(self.cluster.add())

    def kill_the_driver(self, choice):
        self.driver.kill()
        self.driver.wait()
        self.start()

    def fill_the_disk(self, choice):
        """Take all room, and what becomes free, until the run complains."""
        ballast = self.disk / "ballast"
        before = self.said.stat().st_size

        def complains():
            with contextlib.suppress(OSError), ballast.open("ab", buffering=0) as file:
                while True:
                    file.write(b"\0" * 4096)
            return b"no space left" in self.said.read_bytes()[before:].lower()

        self.wait("a full disk", complains)
        ballast.unlink()

    def end(self):
        """The events of a run that is to end well."""
        assert self.driver.wait(timeout=PATIENCE) == 0, self.said.read_text()[-3000:]
        events = [json.loads(line) for line in self.said.read_text().splitlines() if line.startswith("{")]
        assert events[-1]["event"] == "ended" and events[-1]["complete"]
        committed = [event["pair"] for event in events if event["event"] == "committed"]
        assert len(committed) == len(set(committed)), "a pair was rendered again that was there"
        return events


class StoreChaos(Chaos):
    """The same with the dataset in an object store."""

    def __init__(self, cluster, store, said, command, disk):
        self.store = store
        super().__init__(cluster, None, said, command, disk)

    def keys(self, ending):
        return [key for key in self.store.keys("chaos/") if key.endswith(ending)]

    def pairs(self):
        return len(self.keys("record.json"))

    def the_store_fails(self, choice):
        self.trouble(Fault("error", times=6), Fault("busy", times=6))

    def the_store_stalls(self, choice):
        self.trouble(Fault("stall", times=1), Fault("cut", times=1), Fault("lost", part="record.json", times=1))

    def trouble(self, *faults):
        self.store.faults += faults
        self.wait("trouble with the store", lambda: all(fault.hits for fault in faults))


def test_a_run_survives_what_clusters_do(farm, cluster, recipe, disk, calm, hashes, tmp_path):
    place, mounted = disk
    choice = random.Random(SEED)
    words = ["--threads", "1", "--workers", "2", "--device", "cpu", "--progress", "jsonl"]
    command = ["-m", "farm.cli", "render", recipe, "--out", place / "dataset", "--address", cluster.address, *words]
    run = Chaos(cluster, place / "dataset", tmp_path / "said", command, place)
    blows = [run.kill_a_worker, run.kill_a_node, run.kill_the_driver] + [run.fill_the_disk] * mounted
    choice.shuffle(blows)
    for count, blow in enumerate(blows, start=1):
        run.wait_for_pairs(count)
        time.sleep(choice.uniform(0, 1))
        blow(choice)
    run.end()
    assert run.pairs() == PAIRS
    assert not list(run.dataset.rglob("*.partial"))
    assert hashes(run.dataset) == calm
    code, out, err = farm.run("check", run.dataset)
    assert code == 0, (out, err)


def test_a_run_into_a_store_survives_all_of_it(farm, recipe, calm, hashes, s3, cluster_on_disk, tmp_path):
    """Workers, a node and the driver killed, the workers' disk full, the store failing and stalling, in one run."""
    cluster, place, mounted = cluster_on_disk
    choice = random.Random(SEED + 2)
    words = ["--threads", "1", "--workers", "2", "--device", "cpu", "--progress", "jsonl"]
    command = ["-m", "farm.cli", "render", recipe, "--out", s3.url("chaos"), "--address", cluster.address, *words]
    run = StoreChaos(cluster, s3, tmp_path / "said", command, place)
    blows = [run.kill_a_worker, run.kill_a_node, run.kill_the_driver, run.the_store_fails, run.the_store_stalls]
    blows += [run.fill_the_disk] * mounted
    choice.shuffle(blows)
    for number, blow in enumerate(blows):
        run.wait_for_pairs(number * (PAIRS - 3) // len(blows))
        time.sleep(choice.uniform(0, 1))
        blow(choice)
    run.end()
    assert run.pairs() == PAIRS
    assert not run.keys(".partial") and not run.keys(".lease")
    for key, data in s3.objects("chaos/").items():
        file = tmp_path / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    assert hashes(tmp_path / "chaos") == calm
    code, out, err = farm.run("check", s3.url("chaos"))
    assert code == 0, (out, err)


def test_many_blows_to_many_pairs(cluster, disk, hashes, tmp_path):
    """Pairs that are only pretended, each a moment; every blow several times."""
    place, mounted = disk
    choice = random.Random(SEED + 1)
    recipe = tmp_path / "many.yaml"
    recipe.write_text(SMOKE.read_text().replace("count: 2", f"count: {MANY // 10}") + "\n")
    recipe.write_text(recipe.read_text().replace("reference: 32", "reference: 32\n  frames: 10"))
    command = [ROOT / "tests" / "bench" / "simulated.py", recipe, place / "dataset", cluster.address, "0.2"]
    run = Chaos(cluster, place / "dataset", tmp_path / "said", command, place)
    blows = [run.kill_a_worker] * 3 + [run.kill_a_node, run.kill_the_driver] + [run.fill_the_disk] * mounted
    choice.shuffle(blows)
    for number, blow in enumerate(blows):
        run.wait_for_pairs(number * MANY // (len(blows) + 1))
        time.sleep(choice.uniform(0, 0.3))
        blow(choice)
    events = run.end()
    assert len(list(run.dataset.glob("pairs/*/*/record.json"))) == MANY
    for name, digest in hashes(run.dataset).items():
        assert hashlib.sha256((run.dataset / name).read_bytes()).hexdigest() == digest
    causes = {cause for event in events if event["event"] == "status" for cause in event["retries"]}
    assert {"crash", "lost"} <= causes
