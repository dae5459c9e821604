"""Noisebase's sequences of a synthetic dataset with single samples, read back by zarr alone."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

zarr = pytest.importorskip("zarr", reason="noisebase needs zarr")

from farm.dataset import (
    Dataset,
    EngineBuild,
    ImageFile,
    Record,
    build_index,
    create_dataset,
    read_image,
    write_image,
    write_report,
)
from farm.dataset.export import export_dataset
from farm.dataset.export.noisebase import FAR, decode_rgbe, encode_rgbe
from farm.dataset.formats import write_json
from farm.dataset.layout import sample_name
from farm.errors import BadInput, DatasetError
from farm.recipe import Recipe, parse_recipe

COUNT = 8
WIDTH, HEIGHT = 48, 32
CHANNELS = [f"{name}.{axis}" for name in ("position", "motion.world") for axis in "XYZ"]


def with_samples(recipe: Recipe, count: int) -> Recipe:
    text = recipe.to_yaml().replace("capture:", f"capture:\n  per_sample: {count}")
    return parse_recipe(text, source="samples.yaml")


@pytest.fixture(scope="module")
def sampled(
    tmp_path_factory: pytest.TempPathFactory, recipe: Recipe, build: EngineBuild, render: Callable[..., Record]
) -> Dataset:
    """Three balls over two frames, with eight single samples of each pixel; not to be changed."""
    mine = with_samples(recipe, COUNT)
    dataset = create_dataset(tmp_path_factory.mktemp("samples") / "balls", mine, engine=build)
    random = np.random.default_rng(4)
    for variant in mine.draw():
        for frame in mine.capture.frames.numbers:
            record = render(dataset, mine, variant, frame)
            folder = record.folder(dataset.root)
            truth = read_image(folder.noisy(4, 0))
            files = dict(record.files)
            for number in range(COUNT):
                image = dict(truth)
                for colour in "RGB":
                    image[colour] = (truth[colour] * random.gamma(1, 1, (HEIGHT, WIDTH))).astype(np.float32)
                image |= {name: random.normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32) for name in CHANNELS}
                stamp = write_image(folder.path / sample_name(number), image, {})
                seed, jitter = int(random.integers(2**31)), tuple(random.uniform(-1, 1, 2).round(6))
                files[sample_name(number)] = ImageFile(
                    sha256=stamp.sha256, bytes=stamp.bytes, seeds=(seed,), samples=1, jitter=jitter
                )
            write_json(folder.record, record.model_copy(update={"files": files}))
    build_index(dataset)
    write_report(dataset)
    return dataset


@pytest.fixture(scope="module")
def exported(sampled: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("noisebase") / "out"
    export_dataset(sampled.root, to, "noisebase")
    return to


def opened(exported: Path, name: str):
    return zarr.open_group(zarr.ZipStore(str(exported / name), mode="r"), mode="r")


def samples(dataset: Dataset, variant: str, frame: int) -> list[dict[str, np.ndarray]]:
    return [read_image(dataset.pair(variant, frame).path / sample_name(number)) for number in range(COUNT)]


def sequences(dataset: Dataset, exported: Path) -> list[tuple[str, str]]:
    """File and variant of every sequence, told apart by the references that they hold."""
    found = []
    for file in sorted(exported.rglob("*.zip")):
        reference = opened(exported, file.relative_to(exported).as_posix())["reference"][0]
        for variant in {record.parent.parent.name for record in dataset.committed().values()}:
            image = read_image(dataset.pair(variant, 1).reference)
            if np.array_equal(reference, [image[colour] for colour in "RGB"]):
                found.append((file.relative_to(exported).as_posix(), variant))
    return found


def test_a_sequence_a_variant(sampled: Dataset, exported: Path) -> None:
    found = sequences(sampled, exported)
    assert [file for file, _ in found] == ["train/scene0000.zip", "train/scene0001.zip", "valid/scene0000.zip"]
    assert len({variant for _, variant in found}) == 3


def test_arrays_hold_what_the_samples_do(sampled: Dataset, exported: Path) -> None:
    for file, variant in sequences(sampled, exported):
        group = opened(exported, file)
        for frame in (1, 2):
            images = samples(sampled, variant, frame)
            place = frame - 1
            for number, image in enumerate(images):
                hit = image["depth.Z"] < 1e9
                assert hit.any() and not hit.all()
                for axis, name in enumerate("XYZ"):
                    kept = group["position"][place][axis][..., number]
                    np.testing.assert_array_equal(kept[hit], image[f"position.{name}"][hit])
                    moved = group["motion"][place][axis][..., number]
                    np.testing.assert_array_equal(moved, image[f"motion.world.{name}"] if place else 0 * moved)
                    turned = group["normal"][place][axis][..., number]
                    np.testing.assert_allclose(turned, image[f"normal.{name}"], atol=1e-3)
                far = np.moveaxis(group["position"][place][..., number], 0, -1)[~hit] - group["camera_position"][place]
                forward = group["camera_target"][place] - group["camera_position"][place]
                np.testing.assert_allclose(far @ forward, FAR, rtol=1e-4)


def test_light_is_within_a_step_of_its_bytes_and_right_in_the_mean(sampled: Dataset, exported: Path) -> None:
    file, variant = sequences(sampled, exported)[0]
    group = opened(exported, file)
    for place, frame in enumerate((1, 2)):
        light = np.stack([[image[c] for c in "RGB"] for image in samples(sampled, variant, frame)], axis=-1)
        coded, exposure = group["color"][place], group["exposure"][place].astype(np.float64)
        share = np.exp((coded[3].astype(np.float64) + 1) / 256 * (exposure[1] - exposure[0]) + exposure[0])
        error = coded[:3] / 255 * share - light
        assert np.all(np.abs(error) <= share / 255 * 1.01)
        assert abs(error.mean()) < 4 * error.std() / np.sqrt(error.size)
        assert 0 < error.std() < 0.01 * light.std()
        assert np.all(coded[:3].max(axis=0)[light.max(axis=0) > 0] > 200)


def test_both_ways_to_the_camera_are_the_same(exported: Path) -> None:
    """Loaders build the view from position, target and up, and go on with the projection."""
    group = opened(exported, "train/scene0000.zip")
    position, target, up = (group[f"camera_{name}"][0].astype(np.float64) for name in ("position", "target", "up"))
    forward = target - position
    basis = np.eye(4)
    basis[:3, :3] = np.cross(forward, up), up, forward
    away = np.eye(4)
    away[:3, 3] = -position
    np.testing.assert_allclose((group["proj_mat"][0] @ basis @ away).T, group["view_proj_mat"][0], atol=1e-5)
    near, far = (group["proj_mat"][0].astype(np.float64) @ (0, 0, distance, 1) for distance in (0.1, 1000))
    assert (near[2] / near[3], far[2] / far[3]) == pytest.approx((0, 1), abs=1e-4)
    assert not group["crop_offset"][0].any()


def test_arrays_are_packed_as_the_format_says(exported: Path) -> None:
    group = opened(exported, "train/scene0000.zip")
    for key in ("color", "position", "motion", "normal", "diffuse"):
        channels = 4 if key == "color" else 3
        assert group[key].shape == (2, channels, HEIGHT, WIDTH, COUNT)
        assert group[key].chunks == (1, channels, HEIGHT, WIDTH, 4)
    kinds = {key: group[key].dtype.name for key in ("color", "exposure", "position", "normal", "diffuse", "reference")}
    assert kinds == {"color": "uint8", "exposure": "float32", "position": "float32", "normal": "float16",
                     "diffuse": "float16", "reference": "float32"}  # fmt: skip
    for _, array in group.arrays():
        assert array.compressor.get_config()["cname"] == "lz4hc"
        assert array.compressor.get_config()["clevel"] == 9
    said = (exported / "train.yaml").read_text()
    for line in ("sequences: 2", "frames_per_sequence: 2", "samples: 8", "files: train/scene{index:04d}.zip"):
        assert line in said


def test_equal_datasets_make_equal_sequences(sampled: Dataset, exported: Path, tmp_path: Path) -> None:
    export_dataset(sampled.root, tmp_path / "again", "noisebase")
    for file, _ in sequences(sampled, exported):
        assert (tmp_path / "again" / file).read_bytes() == (exported / file).read_bytes()


def test_what_is_lacking_is_said(
    finished: Dataset, sampled: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DatasetError, match=r"this dataset holds averages.*`capture: \{per_sample: 4\}`"):
        export_dataset(finished.root, tmp_path / "to", "noisebase")
    monkeypatch.setattr(zarr, "__version__", "3.1.0")
    with pytest.raises(BadInput, match="needs Zarr 2, this is 3.1.0"):
        export_dataset(sampled.root, tmp_path / "to", "noisebase")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BadInput, match=r"zarr, which is not installed: pip install 'digidouble\[noisebase\]'"):
        export_dataset(sampled.root, tmp_path / "to", "noisebase")
    assert not (tmp_path / "to").exists()


def test_a_number_of_samples_that_fills_no_chunks_is_refused(
    tmp_path: Path, recipe: Recipe, build: EngineBuild, render: Callable[..., Record]
) -> None:
    mine = with_samples(recipe, 6)
    dataset = create_dataset(tmp_path / "six", mine, engine=build)
    for variant in mine.draw():
        render(dataset, mine, variant, 1)
    build_index(dataset)
    with pytest.raises(DatasetError, match="4 of each pixel or a multiple; this dataset has 6 samples"):
        export_dataset(dataset.root, tmp_path / "to", "noisebase")


def test_rgbe_goes_round_in_the_mean_and_black_stays_black() -> None:
    random = np.random.default_rng(0)
    light = random.lognormal(0, 3, (3, 8, 8, 4)) * random.integers(0, 2, (3, 8, 8, 4))
    decoded = np.mean([decode_rgbe(*encode_rgbe(light, random)) for _ in range(400)], axis=0)
    assert np.all(np.abs(decoded - light) <= light.max(axis=0, keepdims=True) / 255 * 1.2)
    assert abs((decoded - light).sum()) < 1e-3 * light.sum()
    assert not decode_rgbe(*encode_rgbe(np.zeros((3, 4, 4, 4)), random)).any()
    grey = np.full((3, 4, 4, 4), 0.25)
    np.testing.assert_allclose(decode_rgbe(*encode_rgbe(grey, random)), grey, rtol=0.01)
