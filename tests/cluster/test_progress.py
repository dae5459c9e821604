import io
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
