"""Renders in a process of their own: started, counted, cancelled, remembered. A small program stands in for Cycles."""

import os
import stat
import sys
import time
from pathlib import Path

import pytest

from farm.errors import BadInput, StorageError
from farm.recipe import parse_recipe

jobs = pytest.importorskip("addon.jobs", exc_type=ImportError)

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


def test_a_render_is_counted_until_it_is_done(tmp_path, command, recipe):
    listed = jobs.JobList(tmp_path / "home")
    job = listed.start(recipe, tmp_path / "out", command)
    assert job.total == 3
    wait_for(lambda: job.done() == 2)
    assert listed.state(job) == jobs.RUNNING
    (Path(job.folder) / "go").touch()
    wait_for(lambda: listed.state(job) != jobs.RUNNING)
    assert listed.state(job) == jobs.DONE
    assert job.done() == 3
    again = listed.start(recipe, tmp_path / "out", command)
    assert again.folder == job.folder
    assert len(listed.jobs) == 1
    wait_for(lambda: listed.state(again) == jobs.DONE)
    other = listed.start(parse_recipe("digidouble: recipe/1\nname: three\ncount: 4\n"), tmp_path / "out", command)
    assert Path(other.folder).name == "three-2"
    listed.cancel(other)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="an earlier Blender's processes are known by /proc")
def test_a_restart_finds_the_job_running_and_can_cancel_it(tmp_path, command, recipe):
    first = jobs.JobList(tmp_path / "home")
    job = first.start(recipe, tmp_path / "out", command)
    wait_for(lambda: job.done() == 2)
    second = jobs.JobList(tmp_path / "home")
    assert second.jobs == [job]
    assert second.state(job) == jobs.RUNNING
    second.cancel(job)
    wait_for(lambda: first.state(job) != jobs.RUNNING)
    assert second.state(job) == jobs.STOPPED
    second.forget(job)
    assert jobs.JobList(tmp_path / "home").jobs == []


def test_another_process_of_the_same_number_is_not_ours(tmp_path):
    listed = jobs.JobList(tmp_path / "home")
    job = jobs.Job("x", str(tmp_path / "x"), str(tmp_path / "x.log"), 3, os.getpid())
    assert listed.state(job) == jobs.STOPPED
    listed.cancel(job)


def test_what_the_process_said_of_its_end_is_told(tmp_path, recipe):
    command = tmp_path / "digidouble"
    command.write_text("#!/bin/sh\necho 'error: no such folder' >&2\nexit 2\n", encoding="utf-8")
    command.chmod(0o755)
    listed = jobs.JobList(tmp_path / "home")
    job = listed.start(recipe, tmp_path / "out", str(command))
    wait_for(lambda: listed.state(job) == jobs.STOPPED)
    assert job.trouble() == "no such folder"


def test_without_a_command_it_says_what_to_do(tmp_path, recipe, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    listed = jobs.JobList(tmp_path / "home")
    with pytest.raises(BadInput, match="no command 'digidouble' is installed: install Digidouble"):
        listed.start(recipe, tmp_path / "out", "")
    with pytest.raises(BadInput, match="cannot be run"):
        listed.start(recipe, tmp_path / "out", str(tmp_path / "nothing"))
    assert listed.jobs == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path, command, recipe):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot render into .*file"):
        jobs.JobList(tmp_path / "home").start(recipe, tmp_path / "file" / "out", command)


def test_a_broken_list_is_an_empty_one(tmp_path):
    (tmp_path / "jobs.json").write_text("[{", encoding="utf-8")
    assert jobs.JobList(tmp_path).jobs == []


def test_the_operators_start_cancel_and_forget_a_render(tmp_path, command, monkeypatch, state):
    import bpy

    import addon.ops_render as render

    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    listed = jobs.JobList(tmp_path / "home")
    monkeypatch.setattr(render, "jobs", lambda: listed)
    scene = state.id_data
    state.output = str(tmp_path / "out")
    window = bpy.context.window_manager.windows[0]
    before, window.scene = window.scene, scene
    try:
        assert bpy.ops.digidouble.render_here() == {"FINISHED"}
        (job,) = render.jobs().jobs
        assert job.total == 100
        assert (tmp_path / "home" / "double.yaml").is_file()
        wait_for(lambda: job.done() == 2)
        render.look()
        assert render.seen(job) == (jobs.RUNNING, 2, "")
        with pytest.raises(RuntimeError, match="Cancel it first"):
            bpy.ops.digidouble.forget_job(folder=job.folder)
        with pytest.raises(RuntimeError, match="The report is written when the render ends"):
            bpy.ops.digidouble.open_report(folder=job.folder)
        assert bpy.ops.digidouble.cancel_job(folder=job.folder) == {"FINISHED"}
        wait_for(lambda: render.jobs().state(job) == jobs.STOPPED)
        assert bpy.ops.digidouble.forget_job(folder=job.folder) == {"FINISHED"}
        assert render.jobs().jobs == []
        with pytest.raises(RuntimeError, match="No job renders into"):
            bpy.ops.digidouble.cancel_job(folder=job.folder)
        monkeypatch.setenv("PATH", str(tmp_path / "empty"))
        with pytest.raises(RuntimeError, match="no command 'digidouble' is installed"):
            bpy.ops.digidouble.render_here()
    finally:
        window.scene = before
