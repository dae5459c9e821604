"""What the driver does when work fails: real Ray, renderers that only pretend."""

import contextlib
import faulthandler
import os
import signal
import time
from dataclasses import replace

import pytest

pytest.importorskip("ray", reason="the farm needs ray")

from farm.cluster import control, driver
from farm.cluster.driver import Farm, run
from farm.cluster.policy import Policy
from farm.cluster.status import read_status
from farm.dataset import create_dataset, open_dataset
from farm.errors import BadInput, DatasetError, FarmError, RenderError, StorageError, TemplateError
from farm.recipe import Recipe, load_recipe, templates

SMOKE = load_recipe(templates.path("recipes", "smoke"))
RECIPE = Recipe.model_validate(SMOKE.model_dump(exclude_unset=True) | {"count": 4})
ALONE = Farm(device="cpu", workers=1)


@pytest.fixture
def one(head):
    """One worker on a cluster that is there."""
    return Farm(device="cpu", workers=1, threads=1, address=head)


@pytest.fixture(autouse=True)
def _unpublished(monkeypatch):
    """Pairs that are only pretended make no index."""
    monkeypatch.setattr(driver, "_publish", lambda dataset, splits: None)


def counting(folder):
    """Counts calls by pair, over processes: gives how many there were before."""
    folder.mkdir()

    def count(index):
        before = len(list(folder.glob(f"{index}-*")))
        (folder / f"{index}-{before}-{os.getpid()}").touch()
        return before

    return count


def test_an_error_of_the_pairs_own_is_reported_and_the_rest_is_done(pretending, one, watcher, tmp_path):
    count = counting(tmp_path / "tries")

    def behave(index, advanced):
        count(index)
        if index == 1:
            raise RenderError("not committed: black")
        if index == 2:
            os.write(1, b"what the renderer says")
            raise ValueError("odd")

    summary = run(RECIPE, tmp_path / "dataset", watcher, replace(one, workers=2), renderer=pretending(behave))
    assert sorted(watcher.pairs) == [0, 3]
    assert {index: failure.reason for index, failure in watcher.failures.items()} == {
        1: "not committed: black",
        2: "ValueError: odd",
    }
    assert {failure.cause for failure in watcher.failures.values()} == {"scene"}
    assert not summary.complete
    assert len(summary.failures) == 2
    assert len(list((tmp_path / "tries").iterdir())) == 4
    log = (tmp_path / "dataset" / watcher.failures[2].log).read_text()
    assert "what the renderer says" in log
    assert 'raise ValueError("odd")' in log


def test_a_pair_that_kills_blender_is_quarantined_with_its_log(pretending, one, watcher, tmp_path):
    """Once more on another worker, then in a process of its own; one that crashes once is done."""
    count = counting(tmp_path / "tries")

    def behave(index, advanced):
        before = count(index)
        if index == 1 or (index == 2 and before == 0):
            faulthandler._sigsegv()

    summary = run(RECIPE, tmp_path / "dataset", watcher, one, renderer=pretending(behave))
    assert sorted(watcher.pairs) == [0, 2, 3]
    (failure,) = watcher.failures.values()
    assert (failure.cause, failure.tries) == ("crash", 3)
    tries = [path.name.split("-") for path in (tmp_path / "tries").iterdir()]
    assert sorted(index for index, *_ in tries) == ["0", "1", "1", "1", "2", "2", "3"]
    last = next(pid for index, number, pid in tries if (index, number) == ("1", "2"))
    assert [index for index, _, pid in tries if pid == last] == ["1"], "the last try had its process for itself"
    assert not summary.complete
    log = (tmp_path / "dataset" / failure.log).read_text()
    assert log.count("Segmentation fault") == 3
    assert "in behave" in log
    status = read_status(tmp_path / "dataset")
    assert (status.state, status.done, status.failed) == ("incomplete", 3, 1)
    assert (status.failures, status.retries) == ({"crash": 1}, {"crash": 3})
    assert status.given_up == (failure,)
    assert status.phases == {"apply": 0.75, "reference": 1.5}


def test_a_worker_that_hangs_is_ended(pretending, one, watcher, tmp_path):
    """One that only takes long, and shows that it goes on, is left alone."""
    count = counting(tmp_path / "tries")

    def behave(index, advanced):
        before = count(index)
        if index == 0:
            for _ in range(80):
                advanced()
                time.sleep(0.1)
        if index == 1 and before == 0:
            time.sleep(600)

    farm = replace(one, workers=2, policy=Policy(stall=5.0))
    summary = run(RECIPE, tmp_path / "dataset", watcher, farm, renderer=pretending(behave))
    assert summary.complete
    assert read_status(tmp_path / "dataset").retries == {"hang": 1}
    assert any("no progress" in notice for notice in watcher.notices)


def test_a_store_that_cannot_be_written_is_waited_for(pretending, one, watcher, tmp_path):
    count = counting(tmp_path / "tries")

    def behave(index, advanced):
        if index == 1 and count(index) < 2:
            raise StorageError("cannot write x: No space left on device")

    summary = run(RECIPE, tmp_path / "dataset", watcher, one, renderer=pretending(behave))
    assert summary.complete
    assert sorted(watcher.pairs) == [0, 1, 2, 3]
    assert read_status(tmp_path / "dataset").retries == {"store": 2}


def test_a_store_that_cannot_be_written_for_long_ends_the_work(pretending, one, watcher, tmp_path):
    def behave(index, advanced):
        if index == 1:
            raise StorageError("cannot write x: No space left on device")

    farm = replace(one, policy=Policy(patience=0))
    summary = run(RECIPE, tmp_path / "dataset", watcher, farm, renderer=pretending(behave))
    assert watcher.pairs == [0]
    assert list(summary.failures.values()) == ["cannot write x: No space left on device"]
    assert not summary.complete
    assert read_status(tmp_path / "dataset").state == "failed"


def test_workers_are_recycled(pretending, one, watcher, tmp_path):
    count = counting(tmp_path / "tries")
    farm = replace(one, policy=Policy(recycle_pairs=2))
    behave = lambda index, advanced: count(index)  # noqa: E731
    assert run(RECIPE, tmp_path / "dataset", watcher, farm, renderer=pretending(behave)).complete
    assert len({path.name.split("-")[2] for path in (tmp_path / "tries").iterdir()}) == 2


def test_a_run_is_paused_and_goes_on(monkeypatch, pretending, one, watcher, tmp_path):
    monkeypatch.setattr(control, "POLL", 0.0)
    dataset = tmp_path / "dataset"

    def behave(index, advanced):
        time.sleep(0.5)

    class Pausing(type(watcher)):
        def committed(self, task, seconds, phases):
            super().committed(task, seconds, phases)
            if len(self.pairs) == 1:
                control.pause(open_dataset(dataset))

        def status(self, status):
            super().status(status)
            if status.state == "paused" and not status.workers:
                control.resume(open_dataset(dataset))

    pausing = Pausing()
    assert run(RECIPE, dataset, pausing, one, renderer=pretending(behave)).complete
    states = [status.state for status in pausing.statuses]
    assert states.index("paused") < states.index("complete")
    assert sorted(pausing.pairs) == [0, 1, 2, 3]


def test_a_worker_that_cannot_open_blender(pretending, one, watcher, tmp_path):
    with pytest.raises(FarmError, match="digidouble doctor"):
        run(RECIPE, tmp_path / "dataset", watcher, one, renderer=pretending(opens=lambda: os._exit(1)))
    assert not (tmp_path / "dataset").exists()


def test_a_device_that_is_not_there_is_said_at_once(pretending, one, watcher, tmp_path):
    def opens():
        raise BadInput("no OptiX device")

    with pytest.raises(BadInput, match="no OptiX device"):
        run(RECIPE, tmp_path / "dataset", watcher, one, renderer=pretending(opens=opens))
    assert not (tmp_path / "dataset").exists()


def test_workers_that_choose_another_kind_of_gpu_do_as_the_first_one_chose(engine, start_cluster, watcher, tmp_path):
    """Two that are opened at once may measure differently; the dataset is of one kind."""
    marks = tmp_path / "marks"
    marks.mkdir()

    def wait_for(mark):
        deadline = time.monotonic() + 120
        while not (marks / mark).exists():
            assert time.monotonic() < deadline, mark
            time.sleep(0.05)

    class Pretender:
        """The first opens before the second, and renders until a third has taken the second's place."""

        def __init__(self):
            self.seconds = {}
            for self.name in ("first", "second", "third"):
                with contextlib.suppress(FileExistsError):
                    (marks / self.name).touch(exist_ok=False)
                    break

        @property
        def kind(self):
            return "optix" if self.name == "second" else "cuda"

        def engine(self):
            if self.name == "second":
                wait_for("rendering")
            return engine.model_copy(update={"device": self.kind})

        def render(self, task, root):
            assert self.kind == open_dataset(root).info.engine.device
            (marks / "rendering").touch()
            wait_for("third")
            return task.key

    cluster = start_cluster(num_cpus=2, num_gpus=2)
    try:
        farm = Farm(device="gpu", workers=2, threads=1, address=cluster.address)
        summary = run(RECIPE, tmp_path / "dataset", watcher, farm, renderer=lambda scratch, advanced: Pretender())
    finally:
        cluster.shutdown()
    assert summary.complete
    assert not watcher.failures


def test_another_build_does_not_go_on_with_a_dataset(pretending, one, watcher, engine, tmp_path):
    create_dataset(tmp_path / "dataset", RECIPE, engine=engine.build)
    other = engine.model_copy(update={"build_hash": "0123456789ab"})
    with pytest.raises(DatasetError, match="0123456789ab"):
        run(RECIPE, tmp_path / "dataset", watcher, one, renderer=pretending(engine=other))


@pytest.mark.parametrize(
    "load", ["load_light_set", "load_hairstyle", "load_hairtype", "load_beard", "load_outfit", "load_expression"]
)
def test_a_broken_template_is_found_before_anything_starts(monkeypatch, one, watcher, tmp_path, load):
    def refuse(name):
        raise TemplateError(f"templates/{name}.yaml: broken")

    monkeypatch.setattr(driver, load, refuse)
    with pytest.raises(TemplateError, match="broken"):
        run(RECIPE, tmp_path / "dataset", watcher, one)
    assert not (tmp_path / "dataset").exists()


def test_a_complete_dataset_gets_its_recipe_back(monkeypatch, watcher, build, tmp_path):
    file = create_dataset(tmp_path / "dataset", RECIPE, engine=build).root / "recipe.yaml"
    before = file.read_bytes()
    file.unlink()
    published = []
    monkeypatch.setattr(driver, "_missing", lambda dataset, plan: [])
    monkeypatch.setattr(driver, "_publish", lambda dataset, splits: published.append(dataset))
    assert run(RECIPE, tmp_path / "dataset", watcher).complete
    assert file.read_bytes() == before
    assert [dataset.info.engine for dataset in published] == [build]


def test_no_scratch_is_left(monkeypatch, pretending, watcher, build, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(driver.tempfile, "tempdir", str(scratch))
    run(RECIPE, tmp_path / "dataset", watcher, ALONE, renderer=pretending())
    assert list(scratch.iterdir()) == []
    assert open_dataset(tmp_path / "dataset").info.engine == build


def test_an_interrupt_is_not_lost_where_its_exception_is_dropped(pretending, watcher, tmp_path):
    """As where Ctrl-C comes while Ray frees an object: Python then only says that it ignored an exception."""

    class Dropping(type(watcher)):
        def committed(self, task, seconds, phases):
            super().committed(task, seconds, phases)
            with contextlib.suppress(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(5)

    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's job in the background begins without
    dropping = Dropping()
    summary = run(RECIPE, tmp_path / "dataset", dropping, ALONE, renderer=pretending())
    assert summary.interrupted and not summary.complete
    assert dropping.pairs == [0]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert read_status(tmp_path / "dataset").state == "stopped"
