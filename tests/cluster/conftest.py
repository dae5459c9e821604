import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SMOKE = ROOT / "templates" / "recipes" / "smoke.yaml"
PATIENCE = 300


class Farm:
    """The command line as a user has it, in a process of its own."""

    smoke = SMOKE

    def start(self, *words):
        """A running `digidouble …`; `out` and `err` go to pipes."""
        command = [sys.executable, "-m", "farm.cli", *(str(word) for word in words)]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True
        )

    def run(self, *words):
        """A finished one: exit code, output, errors."""
        process = self.start(*words)
        out, err = process.communicate(timeout=PATIENCE)
        return process.returncode, out, err

    def wait_for_pairs(self, dataset, count, process):
        """Wait until so many pairs are committed by a process that is still at work."""
        deadline = time.monotonic() + PATIENCE
        while len(list(dataset.glob("pairs/*/*/record.json"))) < count:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def kill(self, process):
        """SIGKILL, as a crash or the memory killer would: the driver alone, not its workers."""
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture(scope="session")
def farm():
    pytest.importorskip("bpy", reason="renders need bpy")
    pytest.importorskip("ray", reason="the farm needs ray")
    return Farm()


@pytest.fixture(scope="session")
def undisturbed(farm, tmp_path_factory):
    """The smoke recipe's dataset, rendered in one go."""
    dataset = tmp_path_factory.mktemp("smoke") / "dataset"
    code, out, err = farm.run("render", SMOKE, "--out", dataset, "--workers", "1")
    assert code == 0, (out, err)
    return dataset


def image_hashes(dataset):
    """SHA-256 of every image by its place, from the records."""
    return {
        f"{file.parent.relative_to(dataset)}/{name}": entry["sha256"]
        for file in dataset.glob("pairs/*/*/record.json")
        for name, entry in json.loads(file.read_text())["files"].items()
    }


@pytest.fixture(scope="session")
def hashes():
    return image_hashes


@pytest.fixture(scope="session")
def engine():
    """What a worker says that it renders with."""
    from farm.dataset import Engine

    return Engine(blender="5.2.3 LTS", build_hash="e13b728c6880", device="cpu", device_name="CPU", digidouble="0" * 16)


@pytest.fixture(scope="session")
def build(engine):
    return engine.build


def patiently(start, tries=4):
    """What a function makes; again where Ray's processes did not come up within its half minute, on a busy machine."""
    for _ in range(tries - 1):
        try:
            return start()
        except Exception:
            time.sleep(10)
    return start()


@pytest.fixture(scope="session")
def start_cluster():
    """Starts a Ray cluster apart from this process: a head, and nodes of one CPU each."""
    pytest.importorskip("ray", reason="the farm needs ray")
    from ray.cluster_utils import Cluster

    def start(nodes=0, **head):
        cluster = patiently(lambda: Cluster(initialize_head=True, head_node_args={"include_dashboard": False} | head))
        cluster.add = lambda: patiently(lambda: cluster.add_node(num_cpus=1))
        cluster.workers = [cluster.add() for _ in range(nodes)]
        return cluster

    return start


@pytest.fixture(scope="module")
def head(start_cluster):
    """The address of a cluster of one node with two CPUs."""
    cluster = start_cluster(num_cpus=2)
    yield cluster.address
    cluster.shutdown()


@pytest.fixture(scope="session")
def pretending(engine):
    """Makes a factory of renderers that only pretend: `behave(index, advanced)` is what a pair does."""

    def make(behave=lambda index, advanced: None, opens=lambda: None, engine=engine):
        class Pretender:
            def __init__(self, advanced):
                self.advanced, self.seconds = advanced, {"apply": 0.25, "reference": 0.5}

            def engine(self):
                opens()
                return engine

            def render(self, task, root):
                behave(task.variant.index, self.advanced)
                return task.key

        return lambda scratch, advanced: Pretender(advanced)

    return make


@pytest.fixture
def watcher():
    """Writes down what it is told."""
    from farm.cluster.listener import Listener

    class Watcher(Listener):
        def __init__(self):
            self.pairs, self.failures, self.notices, self.statuses = [], {}, [], []

        def committed(self, task, seconds, phases):
            self.pairs.append(task.variant.index)

        def failed(self, task, failure):
            self.failures[task.variant.index] = failure

        def noticed(self, message):
            self.notices.append(message)

        def status(self, status):
            self.statuses.append(status)

    return Watcher()
