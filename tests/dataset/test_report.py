"""The report: one file that needs nothing else, with everything in it that the index says."""

from __future__ import annotations

import base64
import io
import re
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from farm.dataset import Dataset, build_index, read_image, read_index, write_report
from farm.dataset.contact_sheet import Thumbnail, compose_sheet, label_lines
from farm.dataset.layers import DEPTH_BACKGROUND
from farm.dataset.tonemap import BACKDROP, encode_srgb, over_backdrop, tonemap
from farm.dataset.views import FEATURE_VIEWS, depth_range, enlarge, shrink, view_depth, view_normal
from farm.errors import DatasetError

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

Attributes = dict[str, str | None]


class Page(HTMLParser):
    """Every tag of a page with its attributes; fails on tags that are not closed."""

    VOID = ("meta", "img")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, Attributes]] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str, kind: str | None = None) -> list[Attributes]:
        return [attrs for name, attrs in self.tags if name == tag and (kind is None or attrs.get("class") == kind)]


@pytest.fixture(scope="module")
def html(finished: Dataset) -> str:
    return (finished.root / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_nothing_is_fetched(html: str, page: Page) -> None:
    assert [name for name, _ in page.tags if name in ("link", "iframe", "base", "object", "form")] == []
    assert all(not attrs.get("src") for attrs in page.all("script"))
    assert all((attrs["src"] or "").startswith("data:image/jpeg;base64,") for attrs in page.all("img"))
    assert all((attrs["href"] or "").startswith("#") for attrs in page.all("a"))
    text = re.sub(r"base64,[A-Za-z0-9+/=]+", "", html)
    assert set(re.findall(r"\w*:?//[\w.-]*", text)) == {"http://www.w3.org"}  # the name of SVG, fetched by nobody
    assert "@import" not in text


def test_every_pair_has_its_viewer(finished: Dataset, page: Page) -> None:
    rows = read_index(finished.root)
    assert len(page.all("article", "pair")) == len(rows)
    anchors = {attrs["id"] for attrs in page.all("article")}
    assert {(attrs["href"] or "")[1:] for attrs in page.all("a")} == anchors
    assert len(page.all("img", "reference")) == len(rows)
    assert len(page.all("img", "noisy")) == 4 * len(rows)
    assert len(page.all("img", "feature")) == len(FEATURE_VIEWS) * len(rows)
    assert all(attrs["alt"] for attrs in page.all("img"))
    for attrs in page.all("div", "divider"):
        assert attrs["role"] == "slider"
        assert attrs["tabindex"] == "0"
        assert attrs["aria-label"]


def test_pictures_are_the_images(finished: Dataset, page: Page) -> None:
    row = read_index(finished.root)[0]
    shown = page.all("img", "reference")[0]["src"] or ""
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(shown.partition(",")[2]))), np.float64)
    channels = read_image(finished.root / row["pair"] / "reference.exr")
    light = np.stack([channels[colour] for colour in "RGB"], -1).astype(np.float64)
    wanted = tonemap(over_backdrop(light, channels["A"]))
    assert picture.shape == (32, 48, 3)
    assert np.abs(picture - wanted).mean() < 4


def test_values_are_told(finished: Dataset, html: str) -> None:
    for row in read_index(finished.root):
        assert row["pair"] in html
        assert f"{row['residual.ratio']:.2%}" in html
        assert f"{row['body.age']:.4g} year" in html
        assert all(str(seed) in html for file in row["files"] for seed in file["seeds"])
    assert "balls" in html
    assert "a synthetic one" in html
    assert html.count(">converged<") == 6


def test_equal_datasets_make_equal_reports(copied: Callable[[], Dataset]) -> None:
    root = copied().root
    before = [(root / name).read_bytes() for name in ("report.html", "contact_sheet.png")]
    write_report(Dataset(root, copied().info))
    assert [(root / name).read_bytes() for name in ("report.html", "contact_sheet.png")] == before


def test_there_is_no_report_without_pairs(copied: Callable[[], Dataset]) -> None:
    dataset = copied()
    for path in dataset.committed().values():
        path.unlink()
    build_index(dataset)
    with pytest.raises(DatasetError, match="no committed pair"):
        write_report(dataset)
    (dataset.root / "index.parquet").unlink()
    with pytest.raises(DatasetError, match=r"index\.parquet is missing"):
        write_report(dataset)


DRIVE = """
<script>
const viewer = document.querySelector(".viewer"), divider = document.querySelector(".divider");
const pair = document.querySelector(".pair"), log = [];
const now = () => `${divider.getAttribute("aria-valuenow")}/${viewer.style.getPropertyValue("--split")}`;
const press = (key) => divider.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
const label = (image) => `${image.className}:${image.dataset.image || image.dataset.view || ""}`;
const shown = () => [...viewer.querySelectorAll("img:not([hidden])")].map(label).join(",");
press("ArrowLeft"); log.push(now());
press("Home"); log.push(now());
press("End"); log.push(now());
viewer.setPointerCapture = () => {}; viewer.hasPointerCapture = () => true;
const box = viewer.getBoundingClientRect();
const at = (share) => ({ clientX: box.left + share * box.width, clientY: box.top + 5, button: 0, bubbles: true });
viewer.dispatchEvent(new PointerEvent("pointerdown", at(0.25))); log.push(now());
viewer.dispatchEvent(new PointerEvent("pointermove", at(0.75))); log.push(now());
pair.querySelector('button[data-image="noisy_0004spp_r01.exr"]').click(); log.push(shown());
pair.querySelector('button[data-view="depth"]').click(); log.push(shown());
pair.querySelector('button[data-view="beauty"]').click(); log.push(shown(), now());
log.push(getComputedStyle(viewer.querySelector('[data-image="noisy_0004spp_r01.exr"]')).clipPath);
document.title = log.join(" | ");
</script>
"""


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium to open the report in")
def test_the_divider_follows_keys_pointer_and_buttons(html: str, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(html.replace("</body>", DRIVE + "</body>"), encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
    flags += ["--disable-background-networking", "--disable-component-update", f"--user-data-dir={tmp_path / 'user'}"]
    dom = subprocess.run(
        [str(CHROMIUM), *flags, "--dump-dom", file.as_uri()], capture_output=True, text=True, check=True, timeout=120
    ).stdout
    told = re.search("<title>(.*)</title>", dom)
    assert told is not None
    assert told[1].split(" | ") == [
        "48/48%",
        "0/0%",
        "100/100%",
        "25/25%",
        "75/75%",
        "reference:,noisy:noisy_0004spp_r01.exr",
        "feature:depth",
        "reference:,noisy:noisy_0004spp_r01.exr",
        "75/75%",
        "inset(0px 25% 0px 0px)",
    ]


def test_the_curve_keeps_order_and_grey() -> None:
    ramp = np.repeat(np.geomspace(1e-4, 100, 200)[:, None], 3, axis=1)
    shown = tonemap(ramp).astype(int)
    assert (np.diff(shown[:, 1]) >= 0).all()
    assert np.ptp(shown, axis=1).max() <= 1
    assert shown[0, 0] < 5
    assert shown[-1, 0] > 245
    assert 100 < tonemap(np.full((1, 3), 0.18))[0, 0] < 135


def test_colours_keep_their_order() -> None:
    red, green, blue = tonemap(np.array([0.5, 0.2, 0.05]))
    assert red > green > blue


def test_whatever_comes_is_a_picture() -> None:
    light = np.array([[0.0, 1e30, -1.0], [1e-30, 0.5, 2.0]])
    assert tonemap(light).dtype == np.uint8
    assert encode_srgb(np.array([-1.0, 0.0, 1.0, 2.0])).tolist() == [0, 0, 255, 255]


def test_the_backdrop_shows_only_where_alpha_is_open() -> None:
    rgb, alpha = np.full((1, 2, 3), 0.3), np.array([[1.0, 0.0]])
    assert over_backdrop(rgb, alpha)[0, :, 0] == pytest.approx([0.3, 0.3 + BACKDROP])


def test_depth_and_normals_are_pictures() -> None:
    depth = np.array([[1.0, 2.0, 3.0, DEPTH_BACKGROUND]], np.float32)
    assert depth_range({"depth.Z": depth}) == pytest.approx((1.02, 2.98))
    grey = view_depth({"depth.Z": depth})[0, :, 0]
    assert grey[0] > grey[1] > grey[2] > grey[3] == 0
    assert depth_range({"depth.Z": np.full((2, 2), DEPTH_BACKGROUND, np.float32)}) == pytest.approx((0.0, 1.0))
    normal = {
        f"normal.{axis}": np.full((1, 1), value, np.float32) for axis, value in zip("XYZ", (-1, 0, 1), strict=True)
    }
    assert view_normal(normal)[0, 0].tolist() == [0, 128, 255]


def test_large_pictures_are_shown_smaller() -> None:
    assert shrink(np.zeros((100, 60, 3), np.uint8), 50).shape == (50, 30, 3)
    assert shrink(np.zeros((50, 30, 3), np.uint8), 50).shape == (50, 30, 3)


def test_small_pictures_are_shown_larger() -> None:
    assert enlarge(np.zeros((50, 30, 3), np.uint8), 149).shape == (100, 60, 3)
    assert enlarge(np.zeros((50, 30, 3), np.uint8), 40).shape == (50, 30, 3)


@pytest.mark.parametrize("count", [1, 2, 6, 7])
def test_the_sheet_holds_every_picture(count: int) -> None:
    picture = np.full((40, 60, 3), 200, np.uint8)
    sheet = Image.open(io.BytesIO(compose_sheet([Thumbnail(picture, ("a long label " * 9, "age 3"))] * count)))
    assert (np.asarray(sheet) == 200).all(axis=-1).sum() >= count * 40 * 60
    assert sheet.mode == "RGB"


def test_labels_tell_pose_or_stunt(finished: Dataset) -> None:
    row = read_index(finished.root)[0]
    assert label_lines(row) == ("short · standing", "age 36 · tone 2.8")
    jumping = {**row, "stunt.name": "jump", "stunt.phase": 0.5, "hair.style": "shoulder_straight"}
    assert label_lines(jumping)[0] == "shoulder straight · jump 50%"
