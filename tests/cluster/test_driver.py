"""What the driver does when work fails: real Ray, workers that only pretend to render."""

import contextlib
import os
import signal
import time

import pytest

pytest.importorskip("ray", reason="the farm needs ray")

from farm.cluster import driver
from farm.cluster.driver import run
from farm.dataset import create_dataset, open_dataset
from farm.errors import DatasetError, FarmError, RenderError, StorageError, TemplateError
from farm.recipe import Recipe, load_recipe, templates

SMOKE = load_recipe(templates.path("recipes", "smoke"))
RECIPE = Recipe.model_validate(SMOKE.model_dump(exclude_unset=True) | {"count": 4})


class Watcher:
    """Writes down what it is told."""

    def __init__(self):
        self.committed_pairs, self.failures, self.pool = [], {}, None

    def starting(self, pool):
        self.pool = pool

    def began(self, *, total, done, engine):
        self.total, self.done = total, done

    def tick(self, running):
        pass

    def committed(self, task, seconds):
        self.committed_pairs.append(task.variant.index)

    def failed(self, task, reason):
        self.failures[task.variant.index] = reason


def pretend(monkeypatch, engine, behave, *, opens=lambda: None):
    """Let workers do `behave(index, tries)` instead of rendering; `tries` counts in a file, over processes."""

    class Pretender:
        def __init__(self, recipe, device, threads, scratch):
            pass

        def engine(self):
            opens()
            return engine

        def render(self, task, root):
            behave(task.variant.index)
            return task.key

    monkeypatch.setattr(driver, "Worker", Pretender)
    monkeypatch.setattr(driver, "_publish", lambda dataset: None)


def test_a_failure_is_reported_and_the_rest_is_done(monkeypatch, engine, tmp_path):
    def behave(index):
        if index == 1:
            raise RenderError("not committed: black")
        if index == 2:
            raise ValueError("odd")

    pretend(monkeypatch, engine, behave)
    watcher = Watcher()
    summary = run(RECIPE, tmp_path / "dataset", watcher, device="cpu", workers=2)
    assert sorted(watcher.committed_pairs) == [0, 3]
    assert watcher.failures == {1: "not committed: black", 2: "ValueError: odd"}
    assert not summary.complete
    assert len(summary.failures) == 2


def test_a_crash_is_tried_once_more(monkeypatch, engine, tmp_path):
    tries = tmp_path / "tries"
    tries.mkdir()

    def behave(index):
        count = len(list(tries.glob(f"{index}-*")))
        (tries / f"{index}-{count}").touch()
        if index == 1 or (index == 2 and count == 0):
            os._exit(1)

    pretend(monkeypatch, engine, behave)
    watcher = Watcher()
    summary = run(RECIPE, tmp_path / "dataset", watcher, device="cpu", workers=1)
    assert sorted(watcher.committed_pairs) == [0, 2, 3]
    assert watcher.failures == {1: "its worker died 2 times"}
    assert sorted(path.name for path in tries.iterdir()) == ["0-0", "1-0", "1-1", "2-0", "2-1", "3-0"]
    assert not summary.complete


def test_a_store_that_cannot_be_written_ends_the_work(monkeypatch, engine, tmp_path):
    def behave(index):
        if index == 1:
            raise StorageError("cannot write x: No space left on device")

    pretend(monkeypatch, engine, behave)
    watcher = Watcher()
    summary = run(RECIPE, tmp_path / "dataset", watcher, device="cpu", workers=1)
    assert watcher.committed_pairs == [0]
    assert list(summary.failures.values()) == ["cannot write x: No space left on device"]
    assert not summary.complete


def test_an_interrupt_is_not_lost_where_its_exception_is_dropped(monkeypatch, engine, tmp_path):
    """As where Ctrl-C comes while Ray frees an object: Python then only says that it ignored an exception."""

    class Dropping(Watcher):
        def committed(self, task, seconds):
            super().committed(task, seconds)
            with contextlib.suppress(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(5)

    pretend(monkeypatch, engine, lambda index: None)
    watcher = Dropping()
    summary = run(RECIPE, tmp_path / "dataset", watcher, device="cpu", workers=1)
    assert summary.interrupted and not summary.complete
    assert watcher.committed_pairs == [0]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_worker_that_cannot_open_blender(monkeypatch, engine, tmp_path):
    pretend(monkeypatch, engine, lambda index: None, opens=lambda: os._exit(1))
    with pytest.raises(FarmError, match="digidouble doctor"):
        run(RECIPE, tmp_path / "dataset", Watcher(), device="cpu", workers=1)
    assert not (tmp_path / "dataset").exists()


def test_another_build_does_not_go_on_with_a_dataset(monkeypatch, engine, tmp_path):
    pretend(monkeypatch, engine, lambda index: None)
    run(RECIPE, tmp_path / "dataset", Watcher(), device="cpu", workers=1)
    pretend(monkeypatch, engine.model_copy(update={"build_hash": "0123456789ab"}), lambda index: None)
    with pytest.raises(DatasetError, match="0123456789ab"):
        run(RECIPE, tmp_path / "dataset", Watcher(), device="cpu", workers=1)


@pytest.mark.parametrize(
    "load", ["load_light_set", "load_hairstyle", "load_hairtype", "load_beard", "load_outfit", "load_expression"]
)
def test_a_broken_template_is_found_before_anything_starts(monkeypatch, tmp_path, load):
    def refuse(name):
        raise TemplateError(f"templates/{name}.yaml: broken")

    monkeypatch.setattr(driver, load, refuse)
    with pytest.raises(TemplateError, match="broken"):
        run(RECIPE, tmp_path / "dataset", Watcher(), device="cpu")
    assert not (tmp_path / "dataset").exists()


def test_no_scratch_is_left(monkeypatch, engine, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(driver.tempfile, "tempdir", str(scratch))
    pretend(monkeypatch, engine, lambda index: None)
    run(RECIPE, tmp_path / "dataset", Watcher(), device="cpu", workers=1)
    assert list(scratch.iterdir()) == []
    assert open_dataset(tmp_path / "dataset").info.engine == engine.build


def test_a_complete_dataset_gets_its_recipe_back(monkeypatch, build, tmp_path):
    file = create_dataset(tmp_path / "dataset", RECIPE, engine=build).root / "recipe.yaml"
    before = file.read_bytes()
    file.unlink()
    published = []
    monkeypatch.setattr(driver, "_missing", lambda dataset, recipe: 0)
    monkeypatch.setattr(driver, "_publish", published.append)
    assert run(RECIPE, tmp_path / "dataset", Watcher()).complete
    assert file.read_bytes() == before
    assert [dataset.info.engine for dataset in published] == [build]
