"""Every way in which a pair can be unfit, one by one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from farm.dataset import Dataset, inspect_image, inspect_pair, read_image
from farm.dataset.inspection import FIREFLY_FEW, FIREFLY_SHARE_MAX

Images = dict[str, dict[str, np.ndarray]]

RESOLUTION = (48, 32)
NOISY = "noisy_0004spp_r00.exr"
REFERENCE = "reference.exr"


@pytest.fixture
def images(finished: Dataset) -> Images:
    folder = next(iter(finished.committed().values())).parent
    return {path.name: read_image(path) for path in folder.glob("*.exr")}


def test_a_good_pair_has_no_defects(images: Images) -> None:
    assert inspect_pair(images, RESOLUTION) == []


def _set(name: str, channel: str, value: float, *, everywhere: bool = False) -> Callable[[Images], None]:
    def harm(images: Images) -> None:
        images[name][channel][... if everywhere else (5, 7)] = value

    return harm


def _remove(name: str, channel: str) -> Callable[[Images], None]:
    def harm(images: Images) -> None:
        del images[name][channel]

    return harm


def _fill(name: str, layer: str, axes: str, value: float) -> Callable[[Images], None]:
    def harm(images: Images) -> None:
        for axis in axes:
            images[name][layer + axis][:] = value

    return harm


def _scale(name: str, factor: float) -> Callable[[Images], None]:
    def harm(images: Images) -> None:
        for colour in "RGB":
            images[name][colour] *= np.float32(factor)

    return harm


def _cast(images: Images) -> None:
    images[NOISY]["G"] = images[NOISY]["G"].astype(np.float64)


def _crop(images: Images) -> None:
    images[NOISY]["G"] = images[NOISY]["G"][:-1]


def _copy(images: Images) -> None:
    images["noisy_0004spp_r01.exr"] = dict(images[NOISY])


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (_fill(NOISY, "", "RGB", 0.0), f"{NOISY}: the picture is black"),
        (_fill(NOISY, "", "RGB", 0.5), f"{NOISY}: the picture is constant"),
        (_set(NOISY, "G", np.nan), f"{NOISY}: G is NaN at 1 pixel (first: column 7, row 5)"),
        (_set(NOISY, "G", np.inf), f"{NOISY}: G is infinite at 1 pixel"),
        (_set(REFERENCE, "half_difference.A", -np.inf), f"{REFERENCE}: half_difference.A is infinite"),
        (_set(NOISY, "G", -0.01), f"{NOISY}: G falls to -0.01, below 0"),
        (_remove(NOISY, "albedo.G"), f"{NOISY}: channel albedo.G is missing"),
        (_remove(REFERENCE, "half_difference.R"), f"{REFERENCE}: channel half_difference.R is missing"),
        (_cast, f"{NOISY}: channel G is float64, expected float32"),
        (_crop, f"{NOISY}: channel G is 48×31, expected 48×32"),
        (_set(NOISY, "A", 1.01), f"{NOISY}: A rises to 1.01, above 1"),
        (_set(NOISY, "A", -0.01), f"{NOISY}: A falls to -0.01, below 0"),
        (_set(NOISY, "A", 0.0, everywhere=True), f"{NOISY}: alpha is 0 everywhere"),
        (_set(NOISY, "albedo.B", 20.0), f"{NOISY}: albedo.B rises to 20, above 16"),
        (_fill(NOISY, "albedo.", "RGB", 0.5), f"{NOISY}: albedo is constant (0.5, 0.5, 0.5)"),
        (_set(NOISY, "normal.X", 0.999), f"{NOISY}: normal is up to"),
        (_fill(NOISY, "normal.", "XYZ", 0.0), f"{NOISY}: normal is constant"),
        (_set(NOISY, "depth.Z", -1.0), f"{NOISY}: depth.Z falls to -1, below 0"),
        (_set(NOISY, "depth.Z", 1e11), f"{NOISY}: depth.Z rises to 1e+11, above 1e+10"),
        (_set(NOISY, "depth.Z", 1e10, everywhere=True), f"{NOISY}: depth is constant (1e+10)"),
        (_fill(REFERENCE, "half_difference.", "RGBA", 0.0), f"{REFERENCE}: half_difference is 0 everywhere"),
        (_copy, "noisy_0004spp_r01.exr: has the same pixels as noisy_0004spp_r00.exr"),
        (_scale(NOISY, 1.15), f"{NOISY}: its mean"),
        (lambda images: images.pop(REFERENCE), f"{REFERENCE}: is missing"),
    ],
)
def test_each_defect_is_named(images: Images, harm: Callable[[Images], None], words: str) -> None:
    harm(images)
    defects = inspect_pair(images, RESOLUTION)
    assert any(defect.startswith(words) for defect in defects), defects


@pytest.mark.parametrize("name", ["noisy_0001spp_r00.exr", NOISY])
def test_another_scene_with_the_same_mean_is_a_defect(large_pair: Path, name: str) -> None:
    images = {path.name: read_image(path) for path in large_pair.glob("*.exr")}
    assert inspect_pair(images, (240, 160)) == []
    for colour in "RGB":
        images[name][colour] = np.roll(images[name][colour], 12, axis=1)
    defects = inspect_pair(images, (240, 160))
    assert len(defects) == 1
    assert defects[0].startswith(f"{name}: 2% of its 16×16 blocks are over")


def test_unexpected_channels_are_named(images: Images) -> None:
    images[NOISY]["half_difference.R"] = images[NOISY]["R"]
    assert inspect_image(NOISY, images[NOISY], RESOLUTION) == [f"{NOISY}: channel half_difference.R is unexpected"]


def test_a_pair_without_noisy_images_is_unfit(images: Images) -> None:
    assert inspect_pair({REFERENCE: images[REFERENCE]}, RESOLUTION) == ["noisy images: there are none"]


def _ignite(reference: dict[str, np.ndarray], count: int, *, seen_by_both: bool) -> None:
    places = np.random.Generator(np.random.PCG64(4)).choice(reference["R"].size, count, replace=False)
    for colour in "RGB":
        reference[colour].flat[places] = 50.0
        reference[f"half_difference.{colour}"].flat[places] = 0.1 if seen_by_both else 50.0


def test_fireflies_beyond_the_limit_are_a_defect(images: Images) -> None:
    assert FIREFLY_SHARE_MAX * images[REFERENCE]["R"].size < FIREFLY_FEW
    _ignite(images[REFERENCE], FIREFLY_FEW + 1, seen_by_both=False)
    defects = inspect_image(REFERENCE, images[REFERENCE], RESOLUTION)
    assert len(defects) == 1
    assert "fireflies" in defects[0]


def test_a_few_fireflies_are_let_through(images: Images) -> None:
    _ignite(images[REFERENCE], FIREFLY_FEW, seen_by_both=False)
    assert inspect_image(REFERENCE, images[REFERENCE], RESOLUTION) == []


def test_highlights_that_both_halves_see_are_no_fireflies(images: Images) -> None:
    _ignite(images[REFERENCE], FIREFLY_FEW + 1, seen_by_both=True)
    assert inspect_image(REFERENCE, images[REFERENCE], RESOLUTION) == []


def test_rounding_past_a_bound_is_no_defect(images: Images) -> None:
    images[NOISY]["A"][3, 3] = np.float32(1) + np.finfo(np.float32).eps
    assert inspect_image(NOISY, images[NOISY], RESOLUTION) == []
