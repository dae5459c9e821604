"""Logs of pairs that were given up: kept while they are, dropped once the pair is there."""

from farm.cluster.listener import Listener
from farm.cluster.plan import plan_tasks
from farm.cluster.quarantine import Quarantine, drop_logs
from farm.dataset import create_dataset
from farm.recipe import load_recipe, templates

SMOKE = load_recipe(templates.path("recipes", "smoke"))


def test_logs_are_kept_until_the_pair_is_there(build, tmp_path):
    dataset = create_dataset(tmp_path / "dataset", SMOKE, engine=build)
    quarantine = Quarantine(dataset, Listener())
    tasks = plan_tasks(SMOKE, build)
    for task in tasks:
        quarantine.log(task, "the first try")
        quarantine.log(task, "the second try")
    failures = [quarantine.give_up(task, "crash", 3, "its process died") for task in tasks]
    logs = [dataset.root / failure.log for failure in failures]
    assert all("the first try\nthe second try" in log.read_text() for log in logs)
    record = dataset.pair(tasks[0].variant.id, tasks[0].view.frame).record
    record.parent.mkdir(parents=True)
    record.write_text("{}")
    other = dataset.root / "logs" / "notes.txt"
    other.write_text("mine")
    drop_logs(dataset)
    assert [log.exists() for log in logs] == [False, True]
    assert other.exists()


def test_a_pair_that_comes_right_leaves_no_log(build, tmp_path):
    dataset = create_dataset(tmp_path / "dataset", SMOKE, engine=build)
    quarantine = Quarantine(dataset, Listener())
    task = plan_tasks(SMOKE, build)[0]
    quarantine.log(task, "a try")
    quarantine.release(task)
    assert "a try" not in (dataset.root / quarantine.give_up(task, "hang", 2, "no progress").log).read_text()
