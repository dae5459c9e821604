import io
import json
import re
from types import SimpleNamespace

import pytest
from rich.console import Console

from farm.cluster.machine import Pool
from farm.cluster.progress import ProgressReport, time_left

TASK = SimpleNamespace(name="variant 3, frame 1 (abc)")
ENGINE = SimpleNamespace(blender="5.2.3", device_name="CPU")


@pytest.mark.parametrize(
    ("remaining", "rendered", "elapsed", "left"), [(3, 0, 10.0, None), (3, 1, 10.0, 30.0), (0, 5, 50.0, 0.0)]
)
def test_time_left_goes_by_the_rate_so_far(remaining, rendered, elapsed, left):
    assert time_left(remaining, rendered, elapsed) == left


def watch(console):
    report = ProgressReport(console)
    report.starting(Pool(2, 1))
    report.began(total=4, done=1, engine=ENGINE)
    report.tick(2)
    report.committed(TASK, 5.0, {})
    report.failed(TASK, SimpleNamespace(reason="cannot open [/data/x]: it is [red]"))
    report.committed(TASK, 5.0, {})
    report.close()
    return console.file.getvalue()


def test_lines_where_there_is_no_terminal():
    shown = watch(Console(file=io.StringIO(), width=200))
    assert "2 workers with 1 thread each" in shown
    assert "1 of 4 pairs are there already" in shown
    assert re.search(r"2/4 pairs, \d+\.\d pairs/min, \d:\d\d left: variant 3", shown)
    assert "failed: variant 3, frame 1 (abc): cannot open [/data/x]: it is [red]" in shown
    assert re.search(r"3/4 pairs, .* 0:00 left", shown)


def test_a_bar_on_a_terminal():
    shown = watch(Console(file=io.StringIO(), width=120, force_terminal=True))
    assert re.search(r"3/4", shown)
    assert "pairs/min" in shown
    assert "left" in shown


def test_programs_read_a_line_an_event(build, engine):
    from farm.cluster.journal import Journal
    from farm.cluster.lines import JsonLines
    from farm.cluster.plan import plan_tasks
    from farm.cluster.status import FailedTask, RunStatus
    from farm.recipe import load_recipe, templates

    first, second = plan_tasks(load_recipe(templates.path("recipes", "smoke")), build)
    stream = io.StringIO()
    lines, journal = JsonLines(stream), Journal(run="smoke-1", recipe="smoke")
    lines.starting(Pool(2, 1))
    journal.began(total=2, done=0)
    lines.began(total=2, done=0, engine=engine)
    journal.committed(first, {"reference": 2.0})
    lines.committed(first, 2.5, {"reference": 2.0})
    failure = FailedTask(task=second.name, pair="p", cause="crash", tries=3, reason="its process died", log="logs/x")
    journal.gave_up(failure)
    lines.failed(second, failure)
    lines.noticed("paused")
    lines.status(journal.status("running"))
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["event"] for line in told] == ["starting", "began", "committed", "failed", "notice", "status"]
    assert told[2]["preview"] == f"pairs/{first.variant.id}/f0001/reference.exr"
    assert (told[3]["cause"], told[3]["tries"]) == ("crash", 3)
    status = told[-1]
    assert set(RunStatus.model_fields) - {"format"} <= set(status)
    assert (status["done"], status["failed"], status["eta"]) == (1, 1, 0)
    assert status["rate"] > 0
    assert status["phases"] == {"reference": 2.0}
