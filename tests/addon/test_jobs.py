"""Renders in a process of their own: started, counted, cancelled, remembered. A small program stands in for Cycles."""

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from farm.errors import BadInput, DatasetError, StorageError
from farm.recipe import parse_recipe

jobs = pytest.importorskip("addon.jobs", exc_type=ImportError)
here = pytest.importorskip("addon.farm_here", exc_type=ImportError)

RENDERER = """#!{python}
import sys, time
from pathlib import Path
recipe, folder = Path(sys.argv[2]), Path(sys.argv[4])
folder.mkdir(parents=True, exist_ok=True)
(folder / "recipe.yaml").write_text(recipe.read_text())
for number in range(3):
    pair = folder / "pairs" / str(number) / "f0001"
    pair.mkdir(parents=True, exist_ok=True)
    (pair / "record.json").write_text("{{}}")
    while number == 1 and not (folder / "go").exists():
        time.sleep(0.02)
(folder / "report.html").write_text("")
"""


@pytest.fixture
def command(tmp_path):
    """A `digidouble` that commits three pairs, and waits after the second for a file `go`."""
    file = tmp_path / "digidouble"
    file.write_text(RENDERER.format(python=sys.executable), encoding="utf-8")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return str(file)


@pytest.fixture
def recipe():
    return parse_recipe("digidouble: recipe/1\nname: three\ncount: 3\n")


def wait_for(condition):
    for _ in range(500):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it does not come about")


def state_of(job):
    return here.look(job)["state"]


def test_a_render_is_counted_until_it_is_done(tmp_path, command, recipe):
    job = here.start(recipe, tmp_path / "out", tmp_path / "home", command)
    assert job.total == 3
    wait_for(lambda: here.look(job)["done"] == 2)
    assert state_of(job) == jobs.RUNNING
    (Path(job.folder) / "go").touch()
    wait_for(lambda: state_of(job) != jobs.RUNNING)
    assert here.look(job) == {"state": jobs.DONE, "done": 3, "left": None, "failures": {}, "trouble": ""}
    assert job.report == Path(job.folder, "report.html")
    again = here.start(recipe, tmp_path / "out", tmp_path / "home", command)
    assert again.key == job.key
    wait_for(lambda: state_of(again) == jobs.DONE)
    more = parse_recipe("digidouble: recipe/1\nname: three\ncount: 4\n")
    other = here.start(more, tmp_path / "out", tmp_path / "home", command)
    assert Path(other.folder).name == "three-2"
    here.cancel(other)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="an earlier Blender's processes are known by /proc")
def test_a_restart_finds_the_job_running_and_can_cancel_it(tmp_path, command, recipe, monkeypatch):
    listed = jobs.JobList(tmp_path / "home")
    listed.add(here.start(recipe, tmp_path / "out", tmp_path / "home", command))
    (job,) = jobs.JobList(tmp_path / "home").jobs
    children = dict(here._children)
    here._children.clear()  # as in another Blender
    wait_for(lambda: here.look(job)["done"] == 2)
    assert state_of(job) == jobs.RUNNING
    here.cancel(job)
    wait_for(lambda: children[job.process].poll() is not None)
    assert state_of(job) == jobs.STOPPED
    listed.forget(job.key)
    assert jobs.JobList(tmp_path / "home").jobs == ()


def test_another_process_of_the_same_number_is_not_ours(tmp_path):
    job = jobs.Job("x", str(tmp_path / "x"), str(tmp_path / "x.log"), 3, os.getpid())
    assert state_of(job) == jobs.STOPPED
    here.cancel(job)


def test_what_the_process_said_of_its_end_is_told(tmp_path, recipe):
    command = tmp_path / "digidouble"
    command.write_text("#!/bin/sh\necho 'error: no such folder' >&2\nexit 2\n", encoding="utf-8")
    command.chmod(0o755)
    job = here.start(recipe, tmp_path / "out", tmp_path / "home", str(command))
    wait_for(lambda: state_of(job) == jobs.FAILED)
    assert here.look(job)["trouble"] == "no such folder"
    assert "no such folder" in here.log(job)


def test_without_a_command_it_says_what_to_do(tmp_path, recipe, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BadInput, match="no command 'digidouble' is installed: install Digidouble"):
        here.start(recipe, tmp_path / "out", tmp_path / "home", "")
    with pytest.raises(BadInput, match="cannot be run"):
        here.start(recipe, tmp_path / "out", tmp_path / "home", str(tmp_path / "nothing"))


def test_a_folder_that_cannot_be_made_is_named(tmp_path, command, recipe):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot render into .*file"):
        here.start(recipe, tmp_path / "file" / "out", tmp_path / "home", command)


def test_a_broken_list_is_an_empty_one(tmp_path):
    for text in ("[{", '{"x": 1}', "[3]", '[{"name": "x"}]'):
        (tmp_path / "jobs.json").write_text(text, encoding="utf-8")
        assert jobs.JobList(tmp_path).jobs == ()


def test_the_list_of_an_earlier_digidouble_is_read(tmp_path):
    """0.1.0 kept five facts, and none of clusters."""
    old = {"name": "a", "folder": "/data/a", "log": "/x/a.log", "total": 3, "process": 7}
    (tmp_path / "jobs.json").write_text(json.dumps([{**old, "of_a_later_one": 1}]), encoding="utf-8")
    (job,) = jobs.JobList(tmp_path).jobs
    assert (job.name, job.key, job.cluster, job.active) == ("a", "/data/a", "", True)


def test_the_operators_start_cancel_and_forget_a_render(tmp_path, command, monkeypatch, state):
    import bpy

    from addon import threads, watch

    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    listed = jobs.JobList(tmp_path / "home")
    monkeypatch.setattr(watch, "jobs", lambda: listed)
    monkeypatch.setattr("addon.ops_farm.jobs", lambda: listed)
    monkeypatch.setattr("addon.ops_jobs.jobs", lambda: listed)
    monkeypatch.setattr(watch, "home", lambda: tmp_path / "home")

    def looked():
        watch.look()
        threads.pump()
        return listed.jobs[0] if listed.jobs else None

    ops, scene = bpy.ops.digidouble, state.id_data
    state.output = str(tmp_path / "out")
    window = bpy.context.window_manager.windows[0]
    before, window.scene = window.scene, scene
    try:
        assert ops.submit() == {"FINISHED"}
        (job,) = listed.jobs
        assert job.total == 100
        assert (tmp_path / "home" / "double.yaml").is_file()
        wait_for(lambda: looked().done == 2)
        assert looked().state == jobs.RUNNING
        with pytest.raises(RuntimeError, match="Cancel it first"):
            ops.forget_job(job=job.key)
        with pytest.raises(RuntimeError, match="The report is written when the render ends"):
            ops.open_report(job=job.key)
        with pytest.raises(RuntimeError, match="It was rendered here"):
            ops.fetch_job(job=job.key, directory=str(tmp_path / "copy"))
        assert ops.cancel_job(job=job.key) == {"FINISHED"}
        wait_for(lambda: looked().state == jobs.STOPPED)
        assert ops.show_log(job=job.key) == {"FINISHED"}
        wait_for(lambda: looked() and "Log of double" in bpy.data.texts)
        assert ops.forget_job(job=job.key) == {"FINISHED"}
        assert listed.jobs == ()
        monkeypatch.setenv("PATH", str(tmp_path / "empty"))
        with pytest.raises(RuntimeError, match="no command 'digidouble' is installed"):
            ops.submit()
        assert "no command" in watch.refused[0]
    finally:
        window.scene = before
        watch.refused.clear()


def test_an_object_store_is_fetched_by_the_installed_command(tmp_path, monkeypatch):
    """Where Blender's Python has no fsspec."""
    there = pytest.importorskip("addon.farm_there")
    monkeypatch.setattr(there, "_speaks_stores", lambda: False)
    command = tmp_path / "digidouble"
    command.write_text(
        '#!/bin/sh\necho "$@" > "$0.asked"\ncase $2 in s3://no*) echo "error: no such bucket" >&2; exit 2; esac\n'
    )
    command.chmod(0o755)

    def fetch(source, *, whole):
        return there.fetch(source, tmp_path / "to", str(command), whole=whole, progress=lambda *_: None)

    assert fetch("s3://data/x", whole=True) == "fetched"
    assert (tmp_path / "digidouble.asked").read_text() == f"fetch s3://data/x --to {tmp_path / 'to'}\n"
    fetch("s3://data/x", whole=False)
    assert (tmp_path / "digidouble.asked").read_text().endswith("--previews\n")
    with pytest.raises(StorageError, match="^no such bucket$"):
        fetch("s3://none/x", whole=True)
    with pytest.raises(DatasetError, match="not mounted here"):
        fetch("/of/the/cluster", whole=True)


BUSY = """
import sys, time, types
import bpy, addon
from addon import threads
addon.register()
threads.start("long", lambda say: time.sleep(3600), print, print)
assert threads.busy("long") and not threads.start("long", print, print, print)
print("ENDS", flush=True)
"""


def test_blender_ends_while_work_goes_on(tmp_path):
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", BUSY], capture_output=True, text=True, cwd=root, timeout=300, check=False,
        env={**os.environ, "PYTHONPATH": root},
    )  # fmt: skip
    assert (done.returncode, done.stdout.strip().endswith("ENDS")) == (0, True), done.stderr


def test_two_blenders_keep_each_others_jobs(tmp_path):
    first, second = jobs.JobList(tmp_path), jobs.JobList(tmp_path)
    first.add(jobs.Job("a", "/data/a", "", 1))
    second.add(jobs.Job("b", "s3://x/b", "", 1, cluster="Farm", address="http://localhost:8265", id="b-1"))
    first.update("/data/a", state=jobs.DONE, done=1)
    assert [(job.name, job.state) for job in jobs.JobList(tmp_path).jobs] == [("b", jobs.WAITING), ("a", jobs.DONE)]
    second.update("/data/a", trouble="nothing")
    second.update("not there", state=jobs.DONE)
    second.forget("/data/a")
    assert [job.name for job in jobs.JobList(tmp_path).jobs] == ["b"]
    assert [each.name for each in tmp_path.iterdir()] == ["jobs.json"]
