"""How many workers a machine carries."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from farm.render.kinds import AUTO, CPU, GPU

__all__ = ["WORKER_MEMORY", "Pool", "available_memory", "cpu_count", "decide", "gpu_count", "size_pool"]

WORKER_MEMORY: Final = 3 * 2**30
"""Memory in bytes that one worker may take."""
CGROUP: Final = Path("/sys/fs/cgroup")
"""Where a container's limits stand (control groups, version 2)."""


@dataclass(frozen=True)
class Pool:
    """So many workers, with so many threads each, and so many GPUs for all of them."""

    workers: int
    threads: int
    gpus: int = 0

    @property
    def gpu_share(self) -> float:
        """The part of a GPU that each worker gets."""
        return self.gpus / self.workers


def cpu_count() -> int:
    """CPUs this process may use: affinity and the container's quota, whichever is less."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = CGROUP / "cpu.max"
    if quota.is_file():
        limit, period = quota.read_text(encoding="ascii").split()
        if limit != "max":
            cpus = min(cpus, max(1, int(limit) // int(period)))
    return cpus


def available_memory() -> int:
    """Bytes of memory that are free to take, by the machine and by the container, whichever is less."""
    free = int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    table = Path("/proc/meminfo")
    if table.is_file():
        fields = dict(line.split(":", 1) for line in table.read_text(encoding="ascii").splitlines())
        free = int(fields["MemAvailable"].split()[0]) * 1024
    limit, used = CGROUP / "memory.max", CGROUP / "memory.current"
    if limit.is_file() and used.is_file() and limit.read_text(encoding="ascii").strip() != "max":
        free = min(free, int(limit.read_text(encoding="ascii")) - int(used.read_text(encoding="ascii")))
    return free


def gpu_count() -> int:
    """NVIDIA GPUs that this process may use."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([name for name in visible.split(",") if name.strip() not in ("", "-1")])
    folder = Path("/proc/driver/nvidia/gpus")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def decide(device: str, *, gpus: bool) -> str:
    """What workers are told to render on: `auto` is a GPU where Ray has some to give, else the CPU."""
    if device != AUTO:
        return device
    return GPU if gpus else CPU


def size_pool(tasks: int, *, cpus: int, memory: int, gpus: int = 0, workers: int | None = None) -> Pool:
    """The pool for `tasks` pairs: one worker a GPU, or as many as CPUs, memory and tasks allow.

    `workers` overrides the number: more than GPUs share them, fewer leave some unused. All CPUs are shared out as
    threads.
    """
    if workers is None:
        workers = max(1, min(gpus or cpus, tasks, memory // WORKER_MEMORY))
    return Pool(workers=workers, threads=max(1, cpus // workers), gpus=min(gpus, workers))
