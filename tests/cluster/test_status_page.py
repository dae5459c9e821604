"""The status page: what a status says is on it, nothing is fetched, and a driver that writes it never waits long."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from farm.cluster import status_page
from farm.cluster.status import FailedTask, NodeStatus, RunStatus, WorkerStatus
from farm.cluster.status_page import StatusPage, compose_status
from farm.dataset import write_image

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def make_status(**changes):
    workers = tuple(
        WorkerStatus(
            name=f"w{n}",
            node=f"node-{n // 2}",
            device="OPTIX",
            state="rendering" if n < 3 else "opening",
            task=f"variant {n}, frame 1 (0123456789abcde{n})" if n < 3 else "",
            seconds=12.5 * n,
            since_progress=400 if n == 1 else 2,
            pairs=31 + n,
            memory=2_300_000_000 if n < 3 else 0,
        )
        for n in range(4)
    )
    given = FailedTask(
        task="variant 7, frame 3 (<b>)",
        pair="pairs/0123456789abcdef/f0003",
        cause="crash",
        tries=3,
        reason="its worker died & left a log",
        log="logs/0123456789abcdef-f0003.log",
    )
    status = RunStatus(
        run="hair-1",
        recipe="hair_<denoise>",
        state="running",
        started=1_795_780_000,
        updated=1_795_787_265,
        total=800,
        done=312,
        rendered=300,
        waiting=484,
        running=3,
        failed=1,
        rate=148.2,
        eta=11_800,
        retries={"crash": 4, "hang": 1},
        failures={"crash": 1},
        given_up=(given,),
        phases={"reference": 900.0, "noisy": 60.0, "apply": 40.0},
        workers=workers,
        nodes=(
            NodeStatus(name="node-0", workers=2),
            NodeStatus(name="node-1", workers=0, failures_in_a_row=3, avoided=True),
        ),
    )
    return status.model_copy(update=changes)


class Tags(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.found, self.open = [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def text_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL))


def test_the_page_says_what_the_status_says():
    html = compose_status(make_status())
    Tags(html)
    text = text_of(html)
    for said in ("312 of 800", "39.0%", "148 an hour", "3 h 16 min", "3 of 4", "avoided", "node-1", "died &amp; left"):
        assert said in text, said
    assert "hair_&lt;denoise&gt;" in html
    assert "(&lt;b&gt;)" in html
    assert 'href="logs/0123456789abcdef-f0003.log"' in html
    assert re.search(r"crash the process died 4 1", text)
    assert "memory killed" not in text
    assert html.count('class="chip capped">rendering') == 1


def test_it_loads_itself_again_until_the_run_has_ended():
    assert '<meta http-equiv="refresh" content="5">' in compose_status(make_status())
    ended = compose_status(make_status(state="complete", done=800))
    assert "http-equiv" not in ended
    assert 'href="report.html"' in ended
    assert "report.html" not in compose_status(make_status())


def test_nothing_is_fetched():
    html = compose_status(
        make_status(), [("pairs/0123456789abcdef/f0001/reference.exr", np.zeros((4, 4, 3), np.uint8))]
    )
    tags = Tags(html).found
    assert not [name for name, _ in tags if name in ("link", "script", "iframe")]
    assert all(attrs["src"].startswith("data:image/jpeg") for name, attrs in tags if name == "img")
    assert "0123456789abcdef · frame 1" in html


def test_an_empty_run_has_a_page():
    counts = dict.fromkeys(
        ("started", "updated", "total", "done", "rendered", "waiting", "running", "failed", "rate"), 0
    )
    empty = RunStatus(run="r", recipe="x", state="starting", **counts)
    assert "0 of 0" in compose_status(empty)


@pytest.fixture
def pairs(tmp_path):
    """Twenty references on disk, and their names, newest first."""
    names = [f"pairs/{n:016x}/f0001/reference.exr" for n in range(20)]
    for n, name in enumerate(names):
        channels = {channel: np.full((8, 8), 0.05 * n, np.float32) for channel in "RGBA"}
        (tmp_path / name).parent.mkdir(parents=True)
        write_image(tmp_path / name, channels, {"frame": 1})
    return names[::-1]


def shown(root):
    return re.findall(r'alt="pairs/(\w+)/', (root / "status.html").read_text())


def test_each_page_reads_one_picture(pairs, tmp_path, monkeypatch):
    monkeypatch.setattr(status_page, "EVERY", 0.0)
    monkeypatch.setattr(status_page, "REST", 0)
    read = []
    monkeypatch.setattr(
        status_page, "read_image", lambda place, original=status_page.read_image: read.append(place) or original(place)
    )
    page = StatusPage(tmp_path)
    for seen in range(1, 16):
        newest = tuple(pairs[-seen : len(pairs) - seen + 1] or ())
        page.write(make_status(previews=newest))
        assert len(read) == seen
    assert len(shown(tmp_path)) == 12
    page.write(make_status(previews=("pairs/0000000000000099/f0001/reference.exr",)))
    assert len(shown(tmp_path)) == 12


def test_pictures_that_are_slow_to_read_are_read_less_often(pairs, tmp_path, monkeypatch):
    monkeypatch.setattr(status_page, "EVERY", 0.0)
    monkeypatch.setattr(status_page, "REST", 1e6)
    page = StatusPage(tmp_path)
    for newest in (pairs[:1], pairs[1:2], pairs[2:3]):
        page.write(make_status(previews=tuple(newest)))
    assert len(shown(tmp_path)) == 1


def test_pages_are_not_written_faster_than_they_are_read(pairs, tmp_path):
    page = StatusPage(tmp_path)
    page.write(make_status(previews=tuple(pairs[:1])))
    before = (tmp_path / "status.html").read_bytes()
    page.write(make_status(done=313))
    assert (tmp_path / "status.html").read_bytes() == before
    page.write(make_status(done=800, state="complete"))
    assert b"800 of 800" in (tmp_path / "status.html").read_bytes()


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium to open the page in")
def test_a_browser_shows_it(tmp_path):
    file = tmp_path / "status.html"
    file.write_text(compose_status(make_status()), encoding="utf-8")
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--window-size=1300,1500",
        f"--user-data-dir={tmp_path / 'user'}",
    ]
    subprocess.run(
        [CHROMIUM, *flags, f"--screenshot={tmp_path / 'page.png'}", file.as_uri()],
        capture_output=True,
        check=True,
        timeout=120,
    )
    from PIL import Image

    picture = np.asarray(Image.open(tmp_path / "page.png").convert("RGB")).astype(int)
    assert picture.shape[1] == 1300
    green = (picture[..., 1] > picture[..., 0] + 40) & (picture[..., 1] > 150)
    rows = np.flatnonzero(green.sum(axis=1) > 300)
    assert len(rows), "the bar of what is done is green and as wide as a third of the page"
    assert Path(tmp_path / "page.png").stat().st_size > 20_000
