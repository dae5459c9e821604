import pytest

from farm.cluster import machine
from farm.cluster.machine import WORKER_MEMORY, Pool, available_memory, cpu_count, decide, gpu_count, size_pool

PLENTY = 1000 * WORKER_MEMORY


@pytest.mark.parametrize(
    ("asked", "pool"),
    [
        ({"tasks": 100, "cpus": 2}, Pool(2, 1)),
        ({"tasks": 1, "cpus": 8}, Pool(1, 8)),
        ({"tasks": 100, "cpus": 8, "memory": 2 * WORKER_MEMORY + 1}, Pool(2, 4)),
        ({"tasks": 100, "cpus": 8, "memory": WORKER_MEMORY // 2}, Pool(1, 8)),
        ({"tasks": 100, "cpus": 32, "gpus": 4}, Pool(4, 8, 4)),
        ({"tasks": 2, "cpus": 32, "gpus": 4}, Pool(2, 16, 2)),
        ({"tasks": 100, "cpus": 8, "workers": 3}, Pool(3, 2)),
        ({"tasks": 100, "cpus": 8, "gpus": 1, "workers": 4}, Pool(4, 2, 1)),
    ],
)
def test_a_pool_fits_the_machine_and_the_work(asked, pool):
    tasks = asked.pop("tasks")
    assert size_pool(tasks, **{"memory": PLENTY, **asked}) == pool


def test_a_gpu_is_taken_where_there_is_one_and_must_be_there_where_it_is_named():
    assert [decide("auto", gpus=gpus) for gpus in (True, False)] == ["gpu", "cpu"]
    assert [decide(named, gpus=False) for named in ("cpu", "gpu", "cuda")] == ["cpu", "gpu", "cuda"]


def test_workers_share_a_gpu_and_never_ask_for_more_than_there_are():
    pool = size_pool(100, cpus=8, memory=PLENTY, gpus=1, workers=4)
    assert pool.gpu_share * pool.workers == pool.gpus


def test_this_machine_has_cpus_and_memory():
    assert cpu_count() >= 1
    assert available_memory() > 2**28


def test_a_containers_limits_count(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    (tmp_path / "cpu.max").write_text("150000 100000\n")
    (tmp_path / "memory.max").write_text(str(4 * 2**20))
    (tmp_path / "memory.current").write_text(str(2**20))
    assert cpu_count() == 1
    assert available_memory() == 3 * 2**20
    (tmp_path / "memory.max").write_text("max\n")
    assert available_memory() > 2**28


def test_gpus_that_are_hidden_do_not_count(monkeypatch):
    for visible, count in (("", 0), ("-1", 0), ("0,1", 2)):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        assert gpu_count() == count
