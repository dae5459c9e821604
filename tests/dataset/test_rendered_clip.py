"""A double that jumps before a camera that moves, really rendered with everything, and what is made of it."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import OpenEXR
import pytest

pytest.importorskip("bpy", reason="renders need bpy")
zarr = pytest.importorskip("zarr", reason="noisebase needs zarr")

from farm.cluster.plan import plan_tasks
from farm.cluster.worker import Worker
from farm.dataset import (
    Dataset,
    Record,
    build_index,
    check_dataset,
    create_dataset,
    read_image,
    read_index,
    read_record,
    write_image,
    write_report,
)
from farm.dataset.consistency import inspect_motion
from farm.dataset.export import export_dataset
from farm.dataset.formats import write_json
from farm.dataset.layout import partner_name, sample_name
from farm.recipe import parse_recipe
from farm.render.jitter import halton

RECIPE = """
digidouble: recipe/1
name: leap
seed: 3
count: 1
axes:
  hair: {style: bob, strands: 500}
  stunt: {name: jump, phase: 0.35}
  light: {preset: studio}
  camera: {framing: full, move: orbit, amount: 0.25}
capture:
  resolution: [64, 64]
  samples: [1, 4]
  reference: {samples: 64, chunk: 16, residual: 0.001}
  frames: 3
  passes: everything
  partners: {factors: 4, samples: [1, 4]}
  per_sample: 4
split: {train: 1}
"""
SIZE = 64


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    recipe = parse_recipe(RECIPE, source="leap.yaml")
    worker = Worker(recipe, "cpu", 2, tmp_path_factory.mktemp("scratch"))
    build = worker.engine().build
    dataset = create_dataset(tmp_path_factory.mktemp("leap") / "leap", recipe, engine=build)
    for task in plan_tasks(recipe, build):
        worker.render(task, str(dataset.root))
    finish(dataset)
    return dataset


def finish(dataset: Dataset) -> None:
    build_index(dataset)
    write_report(dataset)


def records(dataset: Dataset) -> list[Record]:
    found = [read_record(path) for path in dataset.committed().values()]
    return sorted(found, key=lambda record: record.view.frame)


def project(record: Record, places: np.ndarray) -> np.ndarray:
    """Columns and rows, from the top left of the whole picture, of places (..., 3) in the world."""
    camera = record.camera
    pose = np.array(camera.matrix_world)
    local = (places - pose[:3, 3]) @ pose[:3, :3]
    return np.stack(
        [
            camera.cx + camera.fl_x * local[..., 0] / -local[..., 2],
            camera.cy - camera.fl_y * local[..., 1] / -local[..., 2],
        ],
        axis=-1,
    )


def triple(image: dict[str, np.ndarray], name: str, axes: str = "XYZ") -> np.ndarray:
    return np.stack([image[f"{name}.{axis}"] for axis in axes], axis=-1).astype(np.float64)


def centres(side: int) -> np.ndarray:
    rows, columns = np.indices((side, side))
    return np.stack([columns, rows], axis=-1) + 0.5


def test_a_clip_with_everything_is_sound(clip: Dataset) -> None:
    assert check_dataset(clip.root).defects == ()


def repainted(clip: Dataset, root: Path, frame: int, change: Callable[[dict[str, np.ndarray]], None]) -> Dataset:
    """A copy of the clip in which a frame's reference is another, with record, index and report as if it were right."""
    shutil.copytree(clip.root, root)
    dataset = Dataset(root, clip.info)
    record = records(dataset)[frame]
    folder = record.folder(root)
    channels = read_image(folder.reference)
    change(channels)
    stamp = write_image(folder.reference, channels, {})
    entry = record.files["reference.exr"].model_copy(update={"sha256": stamp.sha256, "bytes": stamp.bytes})
    write_json(folder.record, record.model_copy(update={"files": {**record.files, "reference.exr": entry}}))
    finish(dataset)
    return dataset


def test_motion_of_another_sign_is_found(clip: Dataset, tmp_path: Path) -> None:
    def turn(channels: dict[str, np.ndarray]) -> None:
        for axis in "XY":
            channels[f"motion.prev.{axis}"] *= -1

    broken = repainted(clip, tmp_path / "turned", 1, turn)
    defects = check_dataset(broken.root).defects
    assert {defect.file for defect in defects} == {records(broken)[1].folder(broken.root).key + "/reference.exr"}
    assert any("where motion.world and both cameras put it" in defect.problem for defect in defects)


def test_motion_of_what_stands_still_tells_the_sign_alone(clip: Dataset) -> None:
    before, now = records(clip)[:2]
    frame, earlier = (read_image(record.folder(clip.root).reference) for record in (now, before))
    assert list(inspect_motion(frame, now.camera, earlier, before.camera)) == []
    turned = {**frame, **{f"motion.prev.{axis}": -frame[f"motion.prev.{axis}"] for axis in "XY"}}
    (problem,) = inspect_motion(turned, now.camera, earlier, before.camera)
    assert "of what stands still" in problem


def test_motion_vectors_are_the_motion_in_the_world_seen_by_both_cameras(clip: Dataset) -> None:
    before, now = records(clip)[:2]
    folder = now.folder(clip.root)
    data, reference = read_image(folder.data), read_image(folder.reference)
    hit = reference["depth.Z"] < 1e9
    moved = triple(data, "position") + triple(data, "motion.world")
    found = project(before, moved)[hit] - centres(SIZE)[hit]
    np.testing.assert_allclose(found, triple(reference, "motion.prev", "XY")[hit], atol=0.01)
    body = hit & (np.linalg.norm(triple(data, "motion.world"), axis=-1) > 0.02)
    assert body.sum() > 50
    floor = hit & (np.abs(data["position.Z"]) < 1e-3) & (reference["depth.Z"] < 10)
    assert np.abs(triple(data, "motion.world")[floor]).max() < 1e-3 < np.abs(triple(data, "motion.world")[body]).max()


@pytest.mark.parametrize("factor", [4])
def test_partners_walk_through_halton_and_see_where_they_say(clip: Dataset, factor: int) -> None:
    walk = []
    for record in records(clip):
        folder = record.folder(clip.root).path
        one, four = (record.files[partner_name(factor, spp)] for spp in (1, 4))
        assert one.jitter == four.jitter and one.jitter is not None
        walk.append(one.jitter)
        image = read_image(folder / partner_name(factor, 4))
        hit = image["depth.Z"] < 1e9
        assert image["R"].shape == (SIZE // factor, SIZE // factor)
        seen = project(record, triple(image, "position"))[hit] / factor
        wanted = (centres(SIZE // factor) + one.jitter)[hit]
        np.testing.assert_allclose(seen, wanted, atol=0.01)
    points = [tuple(round(halton(place, base) - 0.5, 6) for base in (2, 3)) for place in range(1, 8 * factor**2 + 1)]
    begin = points.index(walk[0])
    assert walk == [points[(begin + place) % len(points)] for place in range(3)]


def test_the_index_and_the_header_know_the_jitter(clip: Dataset) -> None:
    for row, record in zip(read_index(clip.root), records(clip), strict=True):
        files = {file["name"]: file for file in row["files"]}
        assert files["reference.exr"]["jitter_x"] is None
        assert {file["kind"] for file in row["files"]} == {"noisy", "reference", "data", "partner", "sample"}
        for name in (partner_name(4, 1), sample_name(3)):
            jitter = record.files[name].jitter
            assert jitter == (files[name]["jitter_x"], files[name]["jitter_y"])
            with OpenEXR.File(str(record.folder(clip.root).path / name), header_only=True) as image:
                header = dict(image.header())
            np.testing.assert_allclose((header["jitterX"], header["jitterY"]), jitter, rtol=1e-6)
        assert files[partner_name(4, 1)]["factor"] == 4


def test_shards_carry_partners_and_samples(clip: Dataset, tmp_path: Path) -> None:
    export_dataset(clip.root, tmp_path / "shards", "webdataset")
    with tarfile.open(tmp_path / "shards" / "train-000000.tar") as tar:
        names = tar.getnames()
    assert sum(name.endswith(".low_x04_0001spp.exr") for name in names) == 3
    assert sum(name.endswith(".sample_03.exr") for name in names) == 3


@pytest.fixture(scope="module")
def sequence(clip: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("noisebase") / "out"
    export_dataset(clip.root, to, "noisebase")
    return to


def stored(clip: Dataset, frame: int, name: str, axes: str) -> np.ndarray:
    """A layer of a frame's single samples, (axes, height, width, samples)."""
    folder = records(clip)[frame].folder(clip.root).path
    prefix = f"{name}." if name else ""
    images = [read_image(folder / sample_name(number)) for number in range(4)]
    return np.stack([[image[f"{prefix}{axis}"] for axis in axes] for image in images], axis=-1)


def test_noisebases_light_has_the_references_mean(clip: Dataset, sequence: Path) -> None:
    group = zarr.open_group(zarr.ZipStore(str(sequence / "train" / "scene0000.zip"), mode="r"), mode="r")
    for frame in range(3):
        coded, exposure = group["color"][frame].astype(np.float64), group["exposure"][frame]
        light = coded[:3] / 255 * np.exp((coded[3] + 1) / 256 * (exposure[1] - exposure[0]) + exposure[0])
        assert np.abs(light - stored(clip, frame, "", "RGB")).mean() < 0.01 * light.mean()
        off = (light.mean(axis=-1) - group["reference"][frame]).mean(axis=0)
        assert abs(off.mean()) < 4 * off.std() / np.sqrt(off.size)
        assert abs(1.2 * light.mean() - group["reference"][frame].mean()) > 4 * off.std() / np.sqrt(off.size)


def test_noisebases_geometry_gives_the_motion_vectors(clip: Dataset, sequence: Path) -> None:
    """Through the row-vector matrices, as Noisebase's own `motion_vectors` reads them."""
    group = zarr.open_group(zarr.ZipStore(str(sequence / "train" / "scene0000.zip"), mode="r"), mode="r")

    def screen(places: np.ndarray, frame: int) -> np.ndarray:
        homogeneous = np.concatenate([places, np.ones_like(places[:1])])
        clipped = np.einsum("ij,ihws->jhws", group["view_proj_mat"][frame], homogeneous)
        return np.stack([SIZE / 2 * (1 + clipped[0] / clipped[3]), SIZE / 2 * (1 - clipped[1] / clipped[3])])

    places, motion = group["position"][1], group["motion"][1]
    jitters = json.loads((sequence / "sequences.json").read_text())["train/scene0000.zip"]["jitter"][1]
    grid = np.moveaxis(centres(SIZE), -1, 0)[..., None] + np.array(jitters).T[:, None, None, :]
    np.testing.assert_allclose(screen(places, 1), grid, atol=0.01)
    hit = stored(clip, 1, "depth", "Z")[0] < 1e9
    assert hit.mean() > 0.1
    wanted = stored(clip, 1, "motion.prev", "XY")
    found = screen(places + motion, 0) - screen(places, 1)
    np.testing.assert_allclose(found[:, hit], wanted[:, hit], atol=0.02)
    assert np.abs(wanted[:, hit]).max() > 0.5
    assert not group["motion"][0].any()
    np.testing.assert_allclose(group["camera_target"][1] - group["camera_position"][1],
                               -np.array(records(clip)[1].camera.matrix_world)[:3, 2], atol=1e-5)  # fmt: skip
