import numpy as np
import OpenEXR
import pytest

from farm.dataset import write_image
from farm.errors import DatasetError
from farm.learn.window import HEAD, Window, open_image, read_window

HEIGHT, WIDTH = 150, 90
NAMES = ["A", "B", "G", "R", "normal.X"]


def reader(path, taken=None):
    def read(start, end):
        data = path.read_bytes()[start:end]
        if taken is not None:
            taken.append(len(data))
        return data

    return read


@pytest.fixture(scope="module")
def pixels():
    return {name: np.random.default_rng(ord(name[0])).random((HEIGHT, WIDTH), np.float32) for name in NAMES}


@pytest.fixture(scope="module")
def image(pixels, tmp_path_factory):
    path = tmp_path_factory.mktemp("window") / "image.exr"
    write_image(path, pixels, {"samples": 4})
    return path


WINDOWS = [Window(0, 0, 16, 16), Window(15, 3, 2, 80), Window(33, 20, 64, 64), Window(HEIGHT - 5, 0, 5, WIDTH), None]


@pytest.mark.parametrize("window", WINDOWS)
def test_a_window_holds_what_the_whole_image_has_there(image, pixels, window):
    found = read_window(reader(image), ["R", "normal.X"], window, place="image")
    row, column, height, width = window or (0, 0, HEIGHT, WIDTH)
    for name in ("R", "normal.X"):
        np.testing.assert_array_equal(found[name], pixels[name][row : row + height, column : column + width])
    assert list(found) == ["R", "normal.X"]


@pytest.mark.parametrize(
    "compression", ["NO_COMPRESSION", "RLE_COMPRESSION", "ZIPS_COMPRESSION", "PIZ_COMPRESSION", "PXR24_COMPRESSION"]
)
def test_other_compressions(compression, pixels, tmp_path):
    path = tmp_path / "image.exr"
    header = {"compression": getattr(OpenEXR, compression), "type": OpenEXR.scanlineimage}
    with OpenEXR.File(header, dict(pixels)) as image:
        image.write(str(path))
    found = read_window(reader(path), NAMES, Window(40, 7, 50, 60), place="image")
    for name in NAMES:
        np.testing.assert_allclose(found[name], pixels[name][40:90, 7:67], rtol=1e-3)


def test_an_open_image_tells_its_size_and_channels_and_reads_its_header_once(image):
    taken = []
    opened = open_image(reader(image, taken), place="image")
    assert opened.size == (HEIGHT, WIDTH)
    assert opened.channels == tuple(NAMES)
    opened.window(["R"], Window(32, 0, 16, 16))
    assert len(taken) == 2


def test_only_the_rows_of_a_window_are_read(image):
    taken = []
    read_window(reader(image, taken), ["R"], Window(32, 0, 16, 16), place="image")
    assert sum(taken) < HEAD + image.stat().st_size / 5


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda data: b"", "is empty"),
        (lambda data: b"PNG" + data, "not a readable EXR"),
        (lambda data: data[:200], "header is broken"),
        (lambda data: data[: len(data) * 2 // 3], "not a readable EXR"),
        (lambda data: data[: len(data) // 2] + b"\0" * (len(data) // 2), "not a readable EXR"),
    ],
)
def test_a_broken_file_is_one_message(harm, words, image, tmp_path):
    path = tmp_path / "broken.exr"
    path.write_bytes(harm(image.read_bytes()))
    with pytest.raises(DatasetError, match=f"^broken.exr.*{words}"):
        read_window(reader(path), ["R"], None, place="broken.exr")


def test_tiles_and_parts_are_refused(pixels, tmp_path):
    path = tmp_path / "tiles.exr"
    header = {"type": OpenEXR.tiledimage, "tiles": OpenEXR.TileDescription()}
    with OpenEXR.File(header, dict(pixels)) as image:
        image.write(str(path))
    with pytest.raises(DatasetError, match="tiles or several parts"):
        read_window(reader(path), ["R"], None, place="tiles.exr")


def test_what_is_not_in_the_image(image):
    with pytest.raises(DatasetError, match="no channel 'strand.tangent.X', only A, B, G, R, normal.X"):
        read_window(reader(image), ["strand.tangent.X"], None, place="image")
    with pytest.raises(DatasetError, match="window of 64×64 at column 40, row 0 does not lie within its 90×150"):
        read_window(reader(image), ["R"], Window(0, 40, 64, 64), place="image")


@pytest.mark.parametrize(("value", "word"), [(np.nan, "NaN"), (np.inf, "infinite")])
def test_values_that_are_no_numbers(pixels, value, word, tmp_path):
    spoilt = {name: values.copy() for name, values in pixels.items()}
    spoilt["G"][70, 8] = value
    write_image(tmp_path / "image.exr", spoilt, {})
    with pytest.raises(DatasetError, match=f"image.exr: channel G holds {word} values"):
        read_window(reader(tmp_path / "image.exr"), ["R", "G"], None, place="image.exr")
    assert read_window(reader(tmp_path / "image.exr"), ["R"], None, place="image.exr")
