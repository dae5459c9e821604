"""A worker: one process with one warm Blender scene that renders pairs and commits them.

Blender is opened by the process that will use it. The driver makes Ray actors of this class.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from farm.cluster.lending import borrowed
from farm.cluster.plan import Task
from farm.dataset import (
    CameraRecord,
    Dataset,
    Engine,
    ImageFile,
    PairFolder,
    Record,
    commit_record,
    inspect_pair,
    open_dataset,
    write_image,
)
from farm.dataset.assets import asset_names, bring_asset
from farm.dataset.consistency import inspect_passes
from farm.dataset.layers import dataset_layers
from farm.dataset.place import Place
from farm.errors import FarmError, RenderError
from farm.recipe import Capture, Recipe
from farm.render.seeds import data_role, half_role, matte_role, noisy_role
from farm.stage.framing import SENSOR_WIDTH

if TYPE_CHECKING:
    from farm.render.pair import Pair
    from farm.render.passes import Image
    from farm.stage.apply import Stage
    from farm.stage.framing import View as CameraView

__all__ = ["Worker"]


class Worker:
    """Renders the tasks of one recipe.

    device   `cpu`, or a kind of GPU that must be there
    threads  CPU threads to render with; 0 leaves the number to Blender
    scratch  a folder for renders on their way into images; the caller removes it. Cores are lent by a note in it
             (`farm.cluster.lending`)
    advanced is called whenever Blender has advanced: a frame, a render, some samples
    """

    def __init__(
        self,
        recipe: Recipe,
        device: str,
        threads: int,
        scratch: Path,
        advanced: Callable[..., None] | None = None,
    ) -> None:
        self._recipe = recipe
        self._device = device
        self._threads = threads
        self._folder = scratch
        self._scratch = Path(tempfile.mkdtemp(dir=scratch))
        self._advanced = advanced
        self._opened: tuple[Stage, Engine] | None = None
        self.seconds: dict[str, float] = {}

    def engine(self) -> Engine:
        """Open Blender, if it is not open, and say which build renders on what."""
        return self._open()[1]

    def render(self, task: Task, root: str) -> str:
        """Render a task, write its images into the dataset at `root` and commit them; returns the task's key.

        Raises RenderError for a pair that must not be committed. A failure leaves nothing in the scene: the next
        task starts from an empty file.
        """
        dataset = open_dataset(root)
        try:
            record = self._render(task, dataset)
        except BaseException:
            self._opened = None
            raise
        commit_record(dataset, record)
        self.seconds = record.timings
        return task.key

    def _open(self) -> tuple[Stage, Engine]:
        if self._opened is None:
            from farm.render.advance import watch
            from farm.render.blender import open_scene
            from farm.stage.apply import Stage

            capture = self._recipe.capture
            scene, engine = open_scene(capture, device=self._device, threads=self._threads)
            if self._advanced is not None:
                watch(self._advanced)
            self._opened = Stage(scene, resolution=capture.resolution, assets=self._scratch / "assets"), engine
        return self._opened

    def _render(self, task: Task, dataset: Dataset) -> Record:
        from farm.render.pair import render_pair
        from farm.render.settings import read_back

        stage, engine = self._open()
        if dataset.info.engine != engine.build:
            raise FarmError(f"this worker runs {engine.build}, but {dataset.root} was begun with {dataset.info.engine}")
        for sha256 in asset_names(self._recipe):
            bring_asset(dataset.root, sha256, self._scratch / "assets")
        capture = self._recipe.capture
        start = time.perf_counter()
        stage.apply(task.variant, frames=capture.frames.numbers, rate=capture.frames.rate)
        stage.show(task.view.frame)
        applied = time.perf_counter()
        pair = render_pair(
            stage.scene,
            f"{task.variant.id}/{task.view.frame}",
            capture,
            self._scratch,
            in_motion=stage.in_motion,
            threads=lambda: borrowed(self._folder, self._threads),
        )
        rendered = time.perf_counter()
        camera = _camera_record(stage.view, task.view.resolution)
        files = _write_images(dataset.pair(task.variant.id, task.view.frame), pair, task, capture, camera)
        seconds = {"apply": applied - start, **pair.seconds, "write": time.perf_counter() - rendered}
        return Record(
            task=task.key,
            recipe=dataset.info.recipe.digest,
            variant_id=task.variant.id,
            variant=task.variant,
            view=task.view,
            files=files,
            residual=pair.residual,
            camera=camera,
            settings=read_back(stage.scene, capture),
            engine=engine,
            timings={name: round(value, 3) for name, value in seconds.items()},
        )


def _camera_record(view: CameraView, resolution: tuple[int, int]) -> CameraRecord:
    width, height = resolution
    return CameraRecord.model_validate(
        {
            "matrix_world": view.matrix.tolist(),
            **view.intrinsics(resolution),
            "focal_length": view.focal_length,
            "sensor_width": SENSOR_WIDTH,
            "sensor_height": SENSOR_WIDTH * height / width,
        }
    )


def _write_images(
    folder: PairFolder, pair: Pair, task: Task, capture: Capture, camera: CameraRecord
) -> dict[str, ImageFile]:
    """Inspect a pair and write its images; RenderError, with nothing written, for one that is unfit."""
    images: dict[Place, tuple[Image, list[str], int]] = {
        folder.noisy(*key): (image, [noisy_role(*key)], key[0]) for key, image in pair.noisy.items()
    }
    images[folder.reference] = (pair.reference, [half_role(0), half_role(1)], pair.residual.samples)
    if pair.data:
        roles = [role for role in (data_role(), matte_role()) if role in pair.seeds]
        images[folder.data] = (pair.data, roles, 1)
    for name, spotted in pair.spotted.items():
        images[folder.path / name] = (spotted.image, [spotted.role], spotted.samples)
    found = {path.name: image for path, (image, _, _) in images.items()}
    layers = dataset_layers(clip=capture.frames.clip, passes=capture.layers)
    defects = inspect_pair(found, task.view.resolution, layers=layers) or [*inspect_passes(found, camera)]
    if defects:
        raise RenderError(f"not committed: {'; '.join(defects)}")
    files = {}
    for path, (image, roles, samples) in images.items():
        header: dict[str, str | int | float] = {
            "frame": task.view.frame,
            "samples": samples,
            "variant": task.variant.id,
        }
        jitter = pair.spotted[path.name].jitter if path.name in pair.spotted else None
        if jitter is not None:
            header |= {"jitterX": jitter[0], "jitterY": jitter[1]}
        if path == folder.data:
            header |= pair.names
        stamp = write_image(path, image, header)
        seeds = tuple(pair.seeds[role] for role in roles)
        files[path.name] = ImageFile(
            sha256=stamp.sha256, bytes=stamp.bytes, seeds=seeds, samples=samples, jitter=jitter
        )
    return files
