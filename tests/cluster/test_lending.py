"""Cores of workers that are done go to those that still render."""

import os
import time

import pytest

from farm.cluster.lending import borrowed, lend, places_lent, raised


@pytest.mark.parametrize(
    ("threads", "cores", "raised_to"),
    [
        ([1], 2, [2]),
        ([1, 1, 1], 8, [3, 3, 2]),
        ([3, 3], 8, [3, 3]),
        ([3], 8, [8]),
        ([1, 1, 1, 1], 4, [1, 1, 1, 1]),
        ([3, 1], 4, [3, 1]),
        ([1, 4], 16, [8, 8]),
        ([2, 1, 1], 8, [2, 3, 3]),
    ],
)
def test_cores_are_shared_and_none_twice(threads, cores, raised_to):
    assert raised(threads, cores) == raised_to
    assert sum(raised_to) <= cores


@pytest.mark.parametrize(("threads", "share", "lent"), [([1, 1], 1, 0), ([2], 1, 1), ([3, 3, 2], 2, 1), ([16], 4, 3)])
def test_lent_cores_leave_no_room_for_more_workers(threads, share, lent):
    assert places_lent(threads, share) == lent


def test_a_worker_has_its_own_until_it_is_lent_more(tmp_path):
    assert borrowed(tmp_path, 4) == 4
    lend(tmp_path, 6)
    assert borrowed(tmp_path, 4) == 6


class Waiting:
    """Pair 0 takes until its worker may use two threads, and kills it then, the first time; others take a moment."""

    def __init__(self, scratch, told, engine):
        self.scratch, self.told, self._engine = scratch, told, engine
        self.seconds = {"reference": 1.0}

    def engine(self):
        return self._engine

    def render(self, task, root):
        deadline = time.monotonic() + 60
        while task.variant.index == 0 and borrowed(self.scratch, 1) == 1:
            assert time.monotonic() < deadline, "no core was lent"
            time.sleep(0.05)
        name = f"{task.variant.index}-{borrowed(self.scratch, 1)}"
        if task.variant.index == 0 and not (self.told / name).exists():
            (self.told / name).touch()
            os._exit(1)
        (self.told / name).touch()
        return task.key


def test_the_last_pair_gets_all_cores_and_is_tried_again(engine, watcher, monkeypatch, tmp_path):
    pytest.importorskip("ray", reason="the farm needs ray")
    from farm.cluster import driver
    from farm.cluster.machine import Pool
    from farm.recipe import Recipe, load_recipe, templates

    smoke = load_recipe(templates.path("recipes", "smoke"))
    recipe = Recipe.model_validate(smoke.model_dump(exclude_unset=True) | {"count": 4})
    monkeypatch.setattr(driver, "_publish", lambda dataset, splits: None)
    monkeypatch.setattr(driver, "cpu_count", lambda: 2)
    monkeypatch.setattr(driver, "size_pool", lambda *_, **__: Pool(workers=2, threads=1))
    told = tmp_path / "told"
    told.mkdir()
    summary = driver.run(
        recipe,
        tmp_path / "dataset",
        watcher,
        driver.Farm(device="cpu"),
        renderer=lambda scratch, advanced: Waiting(scratch, told, engine),
    )
    assert summary.complete, summary.failures
    assert sorted(path.name for path in told.iterdir()) == ["0-2", "1-1", "2-1", "3-1"]
    assert watcher.pairs[-1] == 0
