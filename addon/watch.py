"""What the panel Farm knows: the list of jobs, looked at while they may change, and how clusters answered."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, Final

import bpy

from farm.cluster.jobs import Profile, parse_address
from farm.errors import BadInput

from . import farm_here, farm_there, threads
from .farm_there import Cluster
from .jobs import FAILED, Job, JobList
from .preferences import OFFLINE, find_cluster, online

__all__ = [
    "SUBMIT",
    "ask_again",
    "cluster_of_job",
    "datasets",
    "home",
    "jobs",
    "look",
    "look_at",
    "refused",
    "register",
    "tested",
    "unregister",
    "watch",
]

EVERY: Final = 2.0
"""Seconds between two looks at jobs that may change."""
PATIENCE: Final = 8
"""A cluster that did not answer is asked at every so many-th look."""
SUBMIT: Final = "submit"
"""The key of a submission's work."""

tested: Final[dict[str, tuple[bool, str]]] = {}
"""How clusters answered the last test, by name: whether well, and in what words."""
refused: Final[list[str]] = []
"""Why the last submission failed, at most one."""
_unanswered: Final[dict[str, int]] = {}


def home() -> Path:
    """Where the add-on keeps its own files."""
    return Path(bpy.utils.extension_path_user(__package__, path="jobs"))


def datasets(scene: Any) -> Path:
    """Where this machine's datasets go: the folder that a scene names, else one of the add-on's own."""
    output = scene.digidouble.output
    return Path(bpy.path.abspath(output)) if output else home().parent / "datasets"


@functools.cache
def jobs() -> JobList:
    """The list of jobs."""
    return JobList(home())


def cluster_of_job(context: Any, job: Job) -> Cluster:
    """The cluster that renders a job, also when it is on no list any more."""
    found = find_cluster(context, job.cluster)
    try:
        same = found is not None and parse_address(found.profile.url).url == job.address
    except BadInput:
        same = False
    return found if found is not None and same else Cluster(job.cluster, Profile(url=job.address))


def look_at(context: Any, job: Job) -> None:
    """Look at a job in a thread."""
    listed, key = jobs(), job.key
    try:
        if job.cluster and not online(job.address):
            listed.update(key, trouble=OFFLINE)
            return
    except BadInput as error:
        listed.update(key, state=FAILED, trouble=str(error))
        return

    def answered(found: dict[str, Any]) -> None:
        _unanswered.pop(key, None)
        listed.update(key, **found)

    def silent(message: str) -> None:
        _unanswered[key] = 0
        listed.update(key, trouble=farm_there.in_panels(message))

    if job.cluster:
        cluster = cluster_of_job(context, job)
        threads.start(("look", key), lambda _: farm_there.look(cluster, job), answered, silent)
    else:
        threads.start(("look", key), lambda _: farm_here.look(job), answered, silent)


def look() -> float | None:
    """Look at all jobs that may change; again soon, while there is one."""
    active = [job for job in jobs().jobs if job.active]
    for job in active:
        if job.key in _unanswered:
            _unanswered[job.key] += 1
            if _unanswered[job.key] % PATIENCE:
                continue
        look_at(bpy.context, job)
    return EVERY if active else None


def watch() -> None:
    """Look at the jobs as long as one may change."""
    if not bpy.app.background and not bpy.app.timers.is_registered(look):
        bpy.app.timers.register(look, first_interval=0.1, persistent=True)


def ask_again() -> None:
    """Look at once also at jobs whose cluster did not answer: something has changed."""
    _unanswered.clear()
    watch()


def _begin() -> None:
    """Once Blender has begun: look at what goes on since it was closed."""
    if (home() / "jobs.json").is_file():
        watch()


def register() -> None:
    """Nothing is read before Blender has begun."""
    if not bpy.app.background:
        bpy.app.timers.register(_begin, first_interval=1.0, persistent=True)


def unregister() -> None:
    """Look at jobs no more; they go on."""
    for timer in (look, _begin):
        if bpy.app.timers.is_registered(timer):
            bpy.app.timers.unregister(timer)
    threads.stop()
    farm_there.forget_tokens()
    jobs.cache_clear()
    tested.clear()
    refused.clear()
    _unanswered.clear()
