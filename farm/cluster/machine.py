"""How many workers a machine carries."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["WORKER_MEMORY", "Pool", "available_memory", "cpu_count", "gpu_count", "size_pool"]

WORKER_MEMORY: Final = 3 * 2**30
"""Memory in bytes that one worker may take."""


@dataclass(frozen=True)
class Pool:
    """So many workers, with so many threads each; `gpus` is one a worker or none."""

    workers: int
    threads: int
    gpus: int = 0


def cpu_count() -> int:
    """CPUs this process may use: affinity and the container's quota, whichever is less."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = Path("/sys/fs/cgroup/cpu.max")
    if quota.is_file():
        limit, period = quota.read_text(encoding="ascii").split()
        if limit != "max":
            cpus = min(cpus, max(1, int(limit) // int(period)))
    return cpus


def available_memory() -> int:
    """Bytes of memory that are free to take."""
    table = Path("/proc/meminfo")
    if table.is_file():
        for line in table.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def gpu_count() -> int:
    """NVIDIA GPUs that this process may use."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([name for name in visible.split(",") if name.strip() not in ("", "-1")])
    folder = Path("/proc/driver/nvidia/gpus")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def size_pool(tasks: int, *, cpus: int, memory: int, gpus: int = 0, workers: int | None = None) -> Pool:
    """The pool for `tasks` pairs: one worker a GPU, or as many as CPUs, memory and tasks allow.

    `workers` overrides the number. All CPUs are shared out as threads.
    """
    if workers is None:
        fitting = gpus or cpus
        workers = max(1, min(fitting, tasks, memory // WORKER_MEMORY))
    return Pool(workers=workers, threads=max(1, cpus // workers), gpus=1 if gpus else 0)
