"""Small datasets made with numpy: a ball over a floor, lit from one side, with sampling noise."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from farm.dataset import (
    CameraRecord,
    Dataset,
    Engine,
    EngineBuild,
    ImageFile,
    Record,
    Residual,
    View,
    build_index,
    commit_record,
    create_dataset,
    merge_halves,
    noisy_name,
    relmse,
    residual_relmse,
    task_key,
    write_image,
    write_report,
)
from farm.dataset.metrics import beauty
from farm.recipe import Recipe, Variant, parse_recipe, stream

RECIPE = """
digidouble: recipe/1
name: balls
seed: 5
count: 3
axes:
  body: {age: {uniform: [20, 70]}}
  skin: {tone: {uniform: [1, 10]}}
capture:
  resolution: [48, 32]
  samples: [1, 4]
  replicas: 2
  reference: {samples: 256, chunk: 128, residual: 0.1}
  frames: 2
split: {train: 2, valid: 1}
"""

BUILD = EngineBuild(blender="5.2.3", build_hash="0123456789ab", device="cpu", digidouble="0" * 16)
ENGINE = Engine(**BUILD.model_dump(), device_name="a synthetic one")

Pixels = dict[str, np.ndarray]


def scene(variant: Variant, frame: int, resolution: tuple[int, int]) -> Pixels:
    """The noise-free picture of a ball, as the pair contract's channels."""
    width, height = resolution
    rng = stream(variant.index, "ball", frame)
    x, y = np.meshgrid(np.linspace(-1.5, 1.5, width), np.linspace(1, -1, height))
    left, up = rng.uniform(-0.4, 0.4), rng.uniform(-0.2, 0.2)
    across = (x - left) ** 2 + (y - up) ** 2
    inside = across < 0.49
    toward = np.sqrt(np.maximum(0.49 - across, 0))
    ball = np.stack([x - left, -toward, y - up], -1) / 0.7
    floor = np.broadcast_to([0.0, 0.0, 1.0], ball.shape)
    normal = np.where(inside[..., None], ball, floor)
    tint = np.array([0.8, 0.5, 0.4]) * (1.1 - variant.skin.tone / 12)
    albedo = np.where(inside[..., None], tint, 0.3 + 0.1 * np.sin(6 * x)[..., None])
    light = np.maximum(normal @ np.array([-0.5, -0.6, 0.62]), 0.05)[..., None]
    layers = {"": albedo * light, "albedo.": albedo, "normal.": normal}
    names = {"": "RGB", "albedo.": "RGB", "normal.": "XYZ"}
    pixels = {prefix + axis: layers[prefix][..., i] for prefix, axes in names.items() for i, axis in enumerate(axes)}
    pixels["A"] = np.where(inside | (y < 0.6), 1.0, 0.0)
    pixels["depth.Z"] = np.where(pixels["A"] > 0, 3 - toward, 1e10)
    for channel in ("motion.prev.X", "motion.prev.Y", "motion.next.X", "motion.next.Y"):
        pixels[channel] = np.where(inside, rng.uniform(-2, 2), 0.0)
    return {name: values.astype(np.float32) for name, values in pixels.items()}


def sampled(truth: Pixels, seed: int, samples: int) -> Pixels:
    """The picture with noise as of so many samples: right on average, never negative."""
    rng = stream(seed, "samples")
    noise = rng.gamma(samples * 4.0, 1 / (samples * 4.0), truth["R"].shape)
    return {name: (values * noise).astype(np.float32) if name in "RGB" else values for name, values in truth.items()}


def camera(resolution: tuple[int, int]) -> CameraRecord:
    """A camera three metres in front."""
    width, height = resolution
    focal = 65 / 36 * width
    return CameraRecord(
        matrix_world=((1, 0, 0, 0), (0, 0, -1, -3), (0, 1, 0, 1), (0, 0, 0, 1)),
        fl_x=focal,
        fl_y=focal,
        cx=width / 2,
        cy=height / 2,
        focal_length=65,
        sensor_width=36,
        sensor_height=36 * height / width,
    )


def render_pair(dataset: Dataset, recipe: Recipe, variant: Variant, frame: int, *, seconds: float = 1.5) -> Record:
    """Writes one pair as the renderer does, and commits it."""
    capture = recipe.capture
    truth = scene(variant, frame, capture.resolution)
    pair = dataset.pair(variant.id, frame)
    files: dict[str, ImageFile] = {}
    images: dict[str, Pixels] = {}

    def seed(*names: str | int) -> int:
        return int(stream(recipe.seed, variant.id, frame, *names).integers(2**31))

    def write(name: str, pixels: Pixels, seeds: tuple[int, ...], samples: int) -> None:
        stamp = write_image(pair.path / name, pixels, {"samples": samples, "variant": variant.id, "frame": frame})
        files[name] = ImageFile(sha256=stamp.sha256, bytes=stamp.bytes, seeds=seeds, samples=samples)
        images[name] = pixels

    for spp in capture.samples:
        for replica in range(capture.replicas):
            own = seed("noisy", spp, replica)
            write(noisy_name(spp, replica), sampled(truth, own, spp), (own,), spp)
    seeds = (seed("first half"), seed("second half"))
    first, second = (sampled(truth, own, capture.reference.samples // 2) for own in seeds)
    reference = dict(truth)
    for colour in "RGBA":
        reference[colour], reference[f"half_difference.{colour}"] = merge_halves(first[colour], second[colour])
    write("reference.exr", reference, seeds, capture.reference.samples)

    target = beauty(reference)
    left = residual_relmse(target, beauty(reference, "half_difference."))
    best = min(relmse(beauty(pixels), target) for name, pixels in images.items() if name != "reference.exr")
    view = View(frame=frame, resolution=capture.resolution)
    record = Record(
        task=task_key(variant, view, capture.model_dump(mode="json"), BUILD),
        recipe=recipe.digest,
        variant_id=variant.id,
        variant=variant,
        view=view,
        files=files,
        residual=Residual(
            relmse=left,
            best_noisy_relmse=best,
            ratio=left / best,
            threshold=capture.reference.residual,
            samples=capture.reference.samples,
            converged=left / best <= capture.reference.residual,
        ),
        camera=camera(capture.resolution),
        settings={"cycles.use_denoising": False, "cycles.samples": capture.reference.samples},
        engine=ENGINE,
        timings={"noisy": seconds / 3, "reference": seconds / 3 * 2},
    )
    commit_record(dataset, record)
    return record


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    return parse_recipe(RECIPE, source="balls.yaml")


@pytest.fixture(scope="session")
def other_recipe() -> Recipe:
    return parse_recipe(RECIPE.replace("name: balls", "name: cubes"), source="cubes.yaml")


@pytest.fixture(scope="session")
def build() -> EngineBuild:
    return BUILD


@pytest.fixture(scope="session")
def render() -> Callable[..., Record]:
    """Renders and commits one pair."""
    return render_pair


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, recipe: Recipe) -> Dataset:
    """A finished dataset of three balls over two frames; not to be changed."""
    dataset = create_dataset(tmp_path_factory.mktemp("balls") / "balls", recipe, engine=BUILD)
    for variant in recipe.draw():
        for frame in recipe.capture.frames.numbers:
            render_pair(dataset, recipe, variant, frame)
    build_index(dataset)
    write_report(dataset)
    return dataset


@pytest.fixture(scope="session")
def large_pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one pair of 240 by 160 pixels; not to be changed."""
    recipe = parse_recipe(RECIPE.replace("[48, 32]", "[240, 160]"), source="large.yaml")
    dataset = create_dataset(tmp_path_factory.mktemp("large") / "balls", recipe, engine=BUILD)
    return render_pair(dataset, recipe, recipe.variant(0), 1).folder(dataset.root).path


@pytest.fixture
def copied(finished: Dataset, tmp_path: Path) -> Callable[[], Dataset]:
    """Makes copies of the finished dataset that may be harmed."""

    def copy() -> Dataset:
        root = tmp_path / "copy"
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(finished.root, root)
        return Dataset(root, finished.info)

    return copy


CAPTURE = """
digidouble: recipe/1
name: around
seed: 3
count: 4
axes:
  body: {identity: 7}
  skin: {tone: 5}
  hair: {style: short, seed: 11, strands: 1500}
  pose: {name: standing}
  light: {preset: studio}
  camera: {framing: bust, azimuth: {uniform: [-50 deg, 50 deg]}, elevation: {uniform: [-10 deg, 25 deg]}}
capture:
  resolution: [48, 40]
  samples: [1, 4]
  reference: 64
split: {train: 1}
"""


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """One double, really rendered from four sides; not to be changed."""
    pytest.importorskip("bpy", reason="renders need bpy")
    from farm.cluster.plan import plan_tasks
    from farm.cluster.worker import Worker

    recipe = parse_recipe(CAPTURE, source="around.yaml")
    worker = Worker(recipe, "cpu", 1, tmp_path_factory.mktemp("scratch"))
    build = worker.engine().build
    dataset = create_dataset(tmp_path_factory.mktemp("around") / "around", recipe, engine=build)
    for task in plan_tasks(recipe, build):
        worker.render(task, str(dataset.root))
    build_index(dataset)
    write_report(dataset)
    return dataset
