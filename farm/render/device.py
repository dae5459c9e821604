"""What renders: the processor, or one kind of GPU, chosen by the process that will use it.

Blender's preferences do not travel to a worker, and a farm that falls back to the processor unasked costs days: a GPU
that is asked for and absent is an error. `gpu` takes the GPU that is there; where one can be driven in two ways, as
NVIDIA's are by OptiX and by CUDA, both are measured, once for a machine, and the faster one is kept.
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np

from farm.dataset.files import replace_bytes
from farm.errors import BadInput, StorageError
from farm.places import cache_folder
from farm.quiet import silence
from farm.render.kinds import CPU, GPU, KINDS

__all__ = ["choose_device", "found_kinds", "keep_kernels", "measure_kinds", "probe_scene", "resolve_kind"]

PROBE_SAMPLES: Final = 128
PROBE_PIXELS: Final = 256
KERNEL_BYTES: Final = 4 * 2**30
"""Size of CUDA's kernel cache: the driver's own limit is too small for several builds of Cycles."""
MEASURED: Final = "devices.json"
ABSENT: Final = "device '{}' was asked for and there is none on this machine; use --device cpu"


def choose_device(scene: Any, device: str) -> str:
    """Render on `cpu`, or on one kind of GPU (`optix`, `cuda`, `hip`, `oneapi`, `metal`); returns the device's name.

    BadInput for a GPU that is absent, or a kind that this Blender does not know.
    """
    if device == CPU:
        scene.cycles.device = "CPU"
        return "CPU"
    chosen = _entries(device)
    if not chosen:
        raise BadInput(ABSENT.format(device))
    for entry in _preferences().devices:
        entry.use = entry in chosen
    scene.cycles.device = "GPU"
    return ", ".join(entry.name for entry in chosen)


def resolve_kind(device: str) -> str:
    """The kind that `device` stands for on this machine: `gpu` is its GPU at its fastest, another name is itself.

    The first process that uses a GPU on a machine measures it, which opens an empty file, lets the driver compile
    Cycles' kernels, and may take a quarter of an hour; others wait meanwhile. The figures are kept for this machine,
    its cards and this build. BadInput where there is no such GPU.
    """
    if device == CPU:
        return CPU
    there = found_kinds() if device == GPU else {device: [entry.name for entry in _entries(device)]}
    if not there:
        known = ", ".join(_known_kinds())
        raise BadInput(f"a GPU was asked for and Blender finds none among {known}; use --device cpu")
    if [] in there.values():
        raise BadInput(ABSENT.format(device))
    key = f"{bpy.app.build_hash.decode('ascii')} {' + '.join(next(iter(there.values())))}"
    with _one_at_a_time() as file:
        known_seconds = _read(file)
        seconds = known_seconds.setdefault(key, {})
        missing = [kind for kind in there if kind not in seconds]
        if missing:
            seconds.update({kind: second for kind, (_, second) in measure_kinds(missing).items()})
            _write(file, known_seconds)
    return min(there, key=lambda kind: seconds[kind])


def found_kinds() -> dict[str, list[str]]:
    """The kinds of GPU that this machine has and this build drives, with the names of their devices."""
    named = {kind: [entry.name for entry in _entries(kind)] for kind in _known_kinds()}
    return {kind: names for kind, names in named.items() if names}


def keep_kernels() -> None:
    """Keep the code that drivers compile for a card from one process to the next, beside the other caches.

    Where a card's own code is not in Blender's build (A100, H100, H200) it is compiled on its first use, for minutes.
    To be called before Cycles looks for devices; what the environment says already stays.
    """
    folder = cache_folder()
    if folder is None:
        return
    for name, place in (("CUDA_CACHE_PATH", "cuda"), ("OPTIX_CACHE_PATH", "optix")):
        if name not in os.environ:
            target = folder / "kernels" / place
            try:
                target.mkdir(parents=True, exist_ok=True)
            except OSError:
                return
            os.environ[name] = str(target)
    os.environ.setdefault("CUDA_CACHE_MAXSIZE", str(KERNEL_BYTES))


def measure_kinds(kinds: Iterable[str], prepare: Callable[[], Any] | None = None) -> dict[str, tuple[float, float]]:
    """Seconds of a first and of a second render on each kind of device: a ball with 5,000 hairs.

    The first one compiles kernels, where they are not kept, and builds the scene.
    """
    seconds = {}
    for kind in kinds:
        scene = (prepare or probe_scene)()
        choose_device(scene, kind)
        with tempfile.TemporaryDirectory() as scratch, silence():
            scene.render.filepath = str(Path(scratch) / "probe")
            seconds[kind] = _timed_render(scene, seed=0), _timed_render(scene, seed=1)
    return seconds


def _timed_render(scene: Any, *, seed: int) -> float:
    scene.cycles.seed = seed
    scene.update_tag()
    start = time.perf_counter()
    bpy.ops.render.render(write_still=True)
    return round(time.perf_counter() - start, 4)


def probe_scene() -> Any:
    """Blender with nothing but a lit ball of hair and a camera; returns the scene."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    curves = bpy.data.hair_curves.new("probe")
    curves.add_curves([4] * 5000)
    ways = np.random.default_rng(0).normal(size=(5000, 1, 3))
    ways = ways / np.linalg.norm(ways, axis=2, keepdims=True) * np.linspace(1, 1.6, 4)[None, :, None]
    curves.points.foreach_set("position", ways.astype(np.float32).ravel())
    curves.points.foreach_set("radius", np.full(20000, 0.004, dtype=np.float32))
    world = bpy.data.worlds.new("probe")
    scene.world = world
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.location = (0, 0, 6)
    for thing in (bpy.data.objects.new("hair", curves), camera):
        scene.collection.objects.link(thing)
    scene.camera = camera
    render, cycles = scene.render, scene.cycles
    render.engine = "CYCLES"
    render.resolution_x = render.resolution_y = PROBE_PIXELS
    render.use_persistent_data = True
    cycles.samples = PROBE_SAMPLES
    cycles.use_denoising = cycles.use_adaptive_sampling = False
    return scene


def _preferences() -> Any:
    return bpy.context.preferences.addons["cycles"].preferences


def _known_kinds() -> list[str]:
    """The kinds of GPU that this build of Blender knows."""
    known = {item[0].lower() for item in _preferences().get_device_types(bpy.context)}
    return [kind for kind in KINDS if kind in known]


def _entries(kind: str) -> list[Any]:
    """The devices of a kind on this machine; BadInput for a kind that the build does not know."""
    preferences = _preferences()
    try:
        preferences.compute_device_type = kind.upper()
    except TypeError as error:
        raise BadInput(f"device '{kind}' is not known to this Blender build: {error}") from error
    preferences.refresh_devices()
    return [entry for entry in preferences.devices if entry.type == kind.upper()]


@contextmanager
def _one_at_a_time() -> Iterator[Path | None]:
    """The file of what was measured, held by one process; None where nothing is kept on disk."""
    folder = cache_folder()
    try:
        if folder is None:
            raise OSError
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / f"{MEASURED}.lock").open("w")
    except OSError:
        yield None
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder / MEASURED


def _read(file: Path | None) -> dict[str, dict[str, float]]:
    try:
        found: dict[str, dict[str, float]] = json.loads(file.read_text(encoding="utf-8")) if file else {}
    except (OSError, ValueError):
        return {}
    return found


def _write(file: Path | None, known: dict[str, dict[str, float]]) -> None:
    if file is not None:
        with suppress(StorageError):
            replace_bytes(file, json.dumps(known, indent=1).encode())
