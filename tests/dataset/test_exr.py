"""Images: written whole or not at all, the same bytes each time, and broken ones refused in one line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farm.dataset import exr as exr_module
from farm.dataset import read_image, write_image
from farm.dataset.exr import REC709_CHROMATICITIES
from farm.dataset.layers import COLOUR_SPACE
from farm.errors import DatasetError, StorageError

WRITE_IN_A_FRESH_PROCESS = """
import sys
from pathlib import Path
import numpy as np
from farm.dataset import write_image
rng = np.random.Generator(np.random.PCG64(3))
channels = {name: rng.random((37, 53), dtype=np.float32) for name in ("R", "G", "B", "A", "depth.Z")}
if sys.argv[2] == "backwards":
    channels = dict(reversed(channels.items()))
print(write_image(Path(sys.argv[1]), channels, {"seed": 5, "variant": "abc"}).sha256)
"""


def noise(*names: str, shape: tuple[int, int] = (20, 30)) -> dict[str, np.ndarray]:
    rng = np.random.Generator(np.random.PCG64(1))
    return {name: rng.normal(size=shape).astype(np.float32) for name in names}


def test_pixels_and_attributes_go_round(tmp_path: Path) -> None:
    channels = noise("R", "depth.Z")
    channels["R"][0, :4] = [np.nan, np.inf, -0.0, 1e-45]
    stamp = write_image(tmp_path / "x.exr", channels, {"seed": 7, "variant": "abc", "time": 0.5})
    found = read_image(tmp_path / "x.exr")
    assert list(found) == ["R", "depth.Z"]
    for name, pixels in channels.items():
        assert np.array_equal(found[name].view(np.uint32), pixels.view(np.uint32))
    with OpenEXR.File(str(tmp_path / "x.exr"), header_only=True) as image:
        header = dict(image.header())
    assert (header["seed"], header["variant"], header["time"]) == (7, "abc", 0.5)
    assert header["colorInteropID"] == COLOUR_SPACE
    assert stamp.bytes == (tmp_path / "x.exr").stat().st_size


def test_the_header_says_rec709_zip_and_one_part(tmp_path: Path) -> None:
    write_image(tmp_path / "x.exr", noise("R"), {})
    with OpenEXR.File(str(tmp_path / "x.exr")) as image:
        header = image.header()
        assert len(image.parts) == 1
        assert header["compression"] == OpenEXR.ZIP_COMPRESSION
        assert np.allclose(header["chromaticities"], REC709_CHROMATICITIES)


def test_equal_pixels_are_equal_bytes_in_another_process(tmp_path: Path) -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-c", WRITE_IN_A_FRESH_PROCESS, str(tmp_path / f"{order}.exr"), order],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for order in ("forwards", "backwards")
    }
    assert len(digests) == 1


def test_other_pixels_or_attributes_are_other_bytes(tmp_path: Path) -> None:
    channels = noise("R")
    stamps = [write_image(tmp_path / "a.exr", channels, {"seed": seed}) for seed in (1, 2)]
    channels["R"][0, 0] += 1
    stamps.append(write_image(tmp_path / "a.exr", channels, {"seed": 2}))
    assert len({stamp.sha256 for stamp in stamps}) == 3


@pytest.mark.parametrize(
    ("channels", "words"),
    [
        ({}, "no channels"),
        ({"R": np.zeros((4, 4))}, "float64"),
        ({"R": np.zeros((4, 4, 3), np.float32)}, r"\(4, 4, 3\)"),
        ({"A": np.zeros((4, 4), np.float32), "R": np.zeros((4, 5), np.float32)}, r"channel R is float32 \(4, 5\)"),
        ({"R": np.zeros((0, 4), np.float32)}, "channel R"),
    ],
)
def test_wrong_channels_are_refused(tmp_path: Path, channels: dict[str, np.ndarray], words: str) -> None:
    with pytest.raises(DatasetError, match=words):
        write_image(tmp_path / "x.exr", channels, {})
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "x.exr"
    write_image(file, noise("R"), {})
    before = file.read_bytes()

    def other_pixels(path: Path) -> dict[str, np.ndarray]:
        return {"R": np.zeros((20, 30), np.float32)}

    monkeypatch.setattr(exr_module, "read_image", other_pixels)
    with pytest.raises(StorageError, match="read back differs"):
        write_image(file, noise("R", shape=(5, 5)), {})
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match=r"cannot write .*file") as caught:
        write_image(tmp_path / "file" / "x.exr", noise("R"), {})
    assert caught.value.exit_code == 1


WRITE_WITHOUT_ROOM = """
import resource, sys
from pathlib import Path
import numpy as np
from farm.dataset import write_image
from farm.dataset.files import replace_bytes
from farm.errors import StorageError
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
pixels = np.random.Generator(np.random.PCG64(3)).random((200, 200), dtype=np.float32)
for name, write in (
    ("x.exr", lambda path: write_image(path, {"R": pixels}, {})),
    ("x.json", lambda path: replace_bytes(path, pixels.tobytes())),
):
    try:
        write(Path(sys.argv[1]) / name)
    except StorageError as error:
        print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit of file sizes")
def test_a_disk_without_room_is_named(tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-c", WRITE_WITHOUT_ROOM, str(tmp_path)], check=True, capture_output=True, text=True
    )
    said = found.stdout.splitlines()
    assert len(said) == 2
    for name, line in zip(("x.exr", "x.json"), said, strict=True):
        assert line.startswith(f"cannot write {tmp_path / name}: ")
        assert "File too large" in line
        assert ".partial" not in line
    assert found.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_read_back_was_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: Path) -> dict[str, np.ndarray]:
        raise DatasetError(f"{path}: not a readable EXR: early end of file")

    monkeypatch.setattr(exr_module, "read_image", broken)
    with pytest.raises(StorageError, match=r"cannot write .*x\.exr: .*early end of file"):
        write_image(tmp_path / "x.exr", noise("R"), {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["missing.exr", "."])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(DatasetError, match="is missing"):
        read_image(tmp_path / name)


@pytest.mark.parametrize("pixels", [np.zeros((4, 4), np.float16), np.zeros((4, 4), np.uint32)])
def test_other_pixel_types_are_refused(tmp_path: Path, pixels: np.ndarray) -> None:
    with OpenEXR.File({"type": OpenEXR.scanlineimage}, {"R": pixels}) as image:
        image.write(str(tmp_path / "x.exr"))
    with pytest.raises(DatasetError, match="expected float32"):
        read_image(tmp_path / "x.exr")


def test_several_parts_are_refused(tmp_path: Path) -> None:
    parts = [
        OpenEXR.Part({"type": OpenEXR.scanlineimage}, {"R": np.zeros((4, 4), np.float32)}, name) for name in ("a", "b")
    ]
    with OpenEXR.File(parts) as image:
        image.write(str(tmp_path / "x.exr"))
    with pytest.raises(DatasetError, match="2 parts"):
        read_image(tmp_path / "x.exr")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_broken_files_are_one_quiet_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], data: st.DataObject
) -> None:
    file = tmp_path / "x.exr"
    write_image(file, noise("R", "G"), {})
    raw = bytearray(file.read_bytes())
    if data.draw(st.booleans()):
        raw = raw[: data.draw(st.integers(0, len(raw) - 1))]
    for place in data.draw(st.lists(st.integers(0, max(0, len(raw) - 1)), max_size=4)):
        raw[place : place + 1] = bytes([data.draw(st.integers(0, 255))])
    file.write_bytes(raw)
    try:
        channels = read_image(file)
    except DatasetError as error:
        assert str(error).startswith(str(file))
        assert "\n" not in str(error)
    else:
        assert all(pixels.dtype == np.float32 for pixels in channels.values())
    assert capfd.readouterr() == ("", "")


def test_a_header_that_claims_too_much_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "x.exr"
    write_image(file, noise("R"), {})
    raw = file.read_bytes()
    window = np.array([0, 0, 29, 19], "<i4").tobytes()
    assert raw.count(window) == 2
    file.write_bytes(raw.replace(window, np.array([0, 0, 15_999, 15_999], "<i4").tobytes()))
    with pytest.raises(DatasetError, match="not a readable EXR"):
        read_image(file)
