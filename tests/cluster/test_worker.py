"""A worker alone, without Ray: what it commits, what it refuses, and what it takes."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("bpy", reason="renders need bpy")

from farm.cluster.lending import lend
from farm.cluster.machine import WORKER_MEMORY
from farm.cluster.plan import plan_tasks
from farm.cluster.worker import Worker
from farm.dataset import build_index, check_dataset, create_dataset, read_image, read_record, write_report
from farm.dataset.layers import LAYERS
from farm.dataset.metrics import beauty
from farm.errors import FarmError, RenderError
from farm.recipe import load_recipe, parse_recipe, templates

SMOKE = load_recipe(templates.path("recipes", "smoke"))


@pytest.fixture(scope="module")
def worker(tmp_path_factory):
    return Worker(SMOKE, "cpu", 1, tmp_path_factory.mktemp("scratch"))


@pytest.fixture
def dataset(worker, tmp_path):
    return create_dataset(tmp_path / "dataset", SMOKE, engine=worker.engine().build)


def poison(monkeypatch, **spoil):
    """Let rendered pairs come out wrong."""
    import farm.render.pair

    render_pair = farm.render.pair.render_pair

    def render_wrong(*arguments, **named):
        pair = render_pair(*arguments, **named)
        reference = {**pair.reference, **{name: change(pair.reference[name]) for name, change in spoil.items()}}
        return dataclasses.replace(pair, reference=reference)

    monkeypatch.setattr(farm.render.pair, "render_pair", render_wrong)


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        ({"G": lambda pixels: np.where(pixels == pixels.max(), np.float32(np.nan), pixels)}, "NaN"),
        ({"R": lambda pixels: np.where(pixels == pixels.max(), np.float32(np.inf), pixels)}, "infinite"),
        (dict.fromkeys("RGB", np.zeros_like), "black"),
    ],
    ids=["nan", "infinite", "black"],
)
def test_an_unfit_pair_is_never_committed(worker, dataset, monkeypatch, spoil, word):
    task = plan_tasks(SMOKE, worker.engine().build)[0]
    poison(monkeypatch, **spoil)
    with pytest.raises(RenderError, match=rf"(?i)not committed: .*reference.exr.*{word}"):
        worker.render(task, str(dataset.root))
    assert not list(dataset.root.rglob("*.exr"))
    assert not dataset.committed()


def test_the_worker_goes_on_after_a_failure(worker, dataset, monkeypatch):
    task = plan_tasks(SMOKE, worker.engine().build)[0]
    with monkeypatch.context() as patch:
        poison(patch, R=np.zeros_like, G=np.zeros_like, B=np.zeros_like)
        with pytest.raises(RenderError):
            worker.render(task, str(dataset.root))
    assert worker.render(task, str(dataset.root)) == task.key
    (record_file,) = dataset.committed().values()
    record = read_record(record_file)
    assert record.settings["cycles.use_denoising"] is False
    assert record.residual.samples == SMOKE.capture.reference.samples
    assert set(record.timings) == {"apply", "data", "noisy", "reference", "write"}
    assert record.camera.fl_x > 0


def test_a_dataset_of_another_build_is_not_touched(worker, tmp_path):
    other = worker.engine().build.model_copy(update={"build_hash": "0123456789ab"})
    dataset = create_dataset(tmp_path / "dataset", SMOKE, engine=other)
    with pytest.raises(FarmError, match="0123456789ab"):
        worker.render(plan_tasks(SMOKE, other)[0], str(dataset.root))
    assert not list(dataset.root.rglob("*.exr"))


CLIP = """
digidouble: recipe/1
name: clip
count: 1
axes:
  hair: {style: bob, strands: 600}
  stunt: {name: jump, phase: 0.35}
  camera: {framing: bust, move: orbit}
capture: {resolution: [32, 32], samples: [2], reference: 64, frames: {count: 2, rate: 30}, shutter: 0.5}
"""


def test_a_clip_says_how_things_move(tmp_path):
    recipe = parse_recipe(CLIP, source="clip.yaml")
    worker = Worker(recipe, "cpu", 1, tmp_path)
    dataset = create_dataset(tmp_path / "dataset", recipe, engine=worker.engine().build)
    assert {"motion.prev", "motion.next"} < {layer.name for layer in dataset.info.layers}
    for task in plan_tasks(recipe, worker.engine().build):
        worker.render(task, str(dataset.root))
    records = [read_record(file) for file in sorted(dataset.committed().values())]
    assert records[0].camera.matrix_world != records[1].camera.matrix_world
    assert records[0].settings["render.fps"] == 30
    assert records[0].settings["render.motion_blur_shutter"] == 0.5
    image = read_image(records[0].folder(dataset.root).reference)
    assert np.abs(image["motion.next.Y"]).max() > 0.5
    build_index(dataset)
    write_report(dataset)
    assert check_dataset(dataset.root).defects == ()


def test_stills_have_no_motion(dataset):
    assert not [layer.name for layer in dataset.info.layers if layer.clips]


PEAK = """
import resource, sys
from pathlib import Path
from farm.recipe import Capture, load_recipe, templates
from farm.render.blender import open_scene
from farm.render.pair import render_pair
from farm.stage.apply import Stage
capture = Capture(resolution=(256, 256), samples=(1,), reference=4)
scene, _ = open_scene(capture, threads=1)
stage = Stage(scene, resolution=capture.resolution)
for variant in load_recipe(templates.path("recipes", "demo")).draw()[:3]:
    stage.apply(variant, frames=range(1, 2))
    render_pair(scene, variant.id, capture, Path(sys.argv[1]))
print("PEAK", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux counts the peak in KiB")
def test_a_worker_stays_within_its_memory(tmp_path):
    """Three of the demo's pairs at full size, one after another; samples take no memory."""
    done = subprocess.run([sys.executable, "-c", PEAK, str(tmp_path)], capture_output=True, text=True, check=True)
    peak = int(next(line for line in done.stdout.splitlines() if line.startswith("PEAK")).split()[1])
    assert 2**28 < peak < WORKER_MEMORY


def test_a_clip_with_every_pass(tmp_path):
    """On a whole double that moves under an open shutter: committed, fit, its light splits adding up."""
    recipe = parse_recipe(CLIP.replace("shutter: 0.5", "shutter: 0.5, passes: everything"), source="all.yaml")
    worker = Worker(recipe, "cpu", 1, tmp_path)
    dataset = create_dataset(tmp_path / "dataset", recipe, engine=worker.engine().build)
    for task in plan_tasks(recipe, worker.engine().build):
        worker.render(task, str(dataset.root))
    build_index(dataset)
    write_report(dataset)
    assert check_dataset(dataset.root).defects == ()
    record = read_record(min(dataset.committed().values()))
    folder = record.folder(dataset.root)
    data, reference = read_image(folder.data), read_image(folder.reference)
    assert {layer.name for layer in dataset.info.layers} == {layer.name for layer in LAYERS}
    ids = data["strand.id.X"]
    assert ids.max() > 100
    lengths = np.linalg.norm([data[f"strand.tangent.{axis}"] for axis in "XYZ"], axis=0)
    np.testing.assert_allclose(lengths[ids > 0], 1, atol=1e-3)
    parts = [
        f"{of}.{part}" for of in ("diffuse", "glossy", "transmission", "volume") for part in ("direct", "indirect")
    ]
    total = sum(beauty(reference, f"{part}.") for part in [*parts, "emission"])
    np.testing.assert_allclose(total, beauty(reference), atol=1e-4 * beauty(reference).max())
    without = total - beauty(reference, "glossy.direct.")
    assert np.abs(without - beauty(reference)).max() > 0.01 * beauty(reference).max()
    folder.data.write_bytes(folder.data.read_bytes()[:-1])
    assert [defect.file for defect in check_dataset(dataset.root).defects] == [f"{folder.key}/data.exr"]


def test_cores_that_are_lent_within_a_pair_change_no_pixel(tmp_path):
    told, hashes, threads = [], [], []

    def advanced(*_):
        told.append(0)
        if len(told) == 20:
            lend(tmp_path / "lent", 2)

    for name, watcher in (("own", None), ("lent", advanced)):
        (tmp_path / name).mkdir()
        worker = Worker(SMOKE, "cpu", 1, tmp_path / name, watcher)
        dataset = create_dataset(tmp_path / name / "dataset", SMOKE, engine=worker.engine().build)
        worker.render(plan_tasks(SMOKE, worker.engine().build)[0], str(dataset.root))
        (file,) = dataset.committed().values()
        hashes.append({image: entry.sha256 for image, entry in read_record(file).files.items()})
        threads.append(worker._opened[0].scene.render.threads)
    assert hashes[0] == hashes[1]
    assert threads == [1, 2]
