"""A run as a job of a cluster: what it is called, what it carries, what it executes.

Its id is a hash of recipe, code, assets and settings. Submitting the same again finds the job that is there: one that
waits, runs or has succeeded stays as it is, and one that failed or was stopped gets a successor, `ID-2`, `ID-3` …,
which goes on from what is committed.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

from farm import __version__
from farm.cluster.jobs.client import JobsClient
from farm.cluster.jobs.packages import LARGEST, RECIPE_NAME, Package, pack_assets, pack_code, pack_double, store_package
from farm.double.own.sealing import seal_double
from farm.errors import BadInput, ClusterError
from farm.recipe import Recipe

__all__ = ["Submission", "Submitted", "prepare", "submit"]

ATTEMPTS: Final = 1000
SECRET: Final = re.compile(r"(?i)token|secret|passw|credential|api_?key|access_?key")


@dataclass(frozen=True)
class Submission:
    """A job that is ready to be sent.

    root        where the dataset goes, as the cluster's nodes see it: a folder that all share, or an object store's URL
    packages    what it carries, the code first
    options     further words for `digidouble render`
    python      the interpreter on the cluster's nodes
    environment variables of the job and its workers: no secrets, whoever sees the dashboard reads them
    """

    recipe: Recipe
    root: str
    packages: tuple[Package, ...]
    options: tuple[str, ...] = ()
    python: str = "python"
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The same for equal recipes, code, assets and settings."""
        parts = [self.recipe.digest, self.entrypoint, [package.name for package in self.packages]]
        digest = hashlib.sha256(json.dumps([*parts, sorted(self.environment.items())]).encode()).hexdigest()
        return f"{self.recipe.name}-{digest[:12]}"

    @property
    def entrypoint(self) -> str:
        """The job's command line."""
        words = [*shlex.split(self.python), "-m", "farm.cli", "render", RECIPE_NAME, "--out", self.root]
        return shlex.join([*words, "--address", "auto", "--progress", "jsonl", *self.options])

    def request(self, uris: Sequence[str], id_: str) -> dict[str, Any]:
        """The body of the request to begin it as `id_`; `uris` are where its packages are."""
        environment: dict[str, Any] = {"working_dir": uris[0], "env_vars": dict(self.environment)}
        if uris[1:]:
            environment["py_modules"] = list(uris[1:])
        return {
            "entrypoint": f"exec {self.entrypoint}",
            "submission_id": id_,
            "runtime_env": environment,
            "metadata": {
                "digidouble": __version__,
                "digidouble_recipe": self.recipe.name,
                "digidouble_root": self.root,
                "digidouble_pairs": str(self.recipe.count * self.recipe.capture.frames.count),
            },
        }


@dataclass(frozen=True)
class Submitted:
    """What became of a submission: the job's id, its state, whether it was begun now, and what was sent."""

    id: str
    state: str
    begun: bool
    sent: tuple[Package, ...] = ()


def prepare(
    recipe: Recipe,
    root: str,
    folder: Path,
    *,
    assets: Sequence[Path] = (),
    options: Sequence[str] = (),
    python: str = "python",
    environment: Mapping[str, str] | None = None,
) -> Submission:
    """A recipe's job, packed into `folder`; nothing is sent. An artist's double goes along, packed.

    Raises BadInput for a root that the cluster would not find again, an asset that is missing or uses files that are,
    and an environment with a secret in it.
    """
    if "://" not in root and not PurePosixPath(root).is_absolute():
        raise BadInput(
            f"--out {root}: a job begins in a folder of its own that is removed; give the full path of a folder that"
            " all nodes share, or an object store such as s3://bucket/datasets"
        )
    environment = dict(environment or {})
    for name in environment:
        if SECRET.search(name):
            raise BadInput(
                f"{name} looks like a secret, and a job's environment is on the dashboard for all to read; give it to"
                " the cluster's nodes instead"
            )
    recipe, double = seal_double(recipe)
    if recipe.double is not None and double is None:
        raise BadInput("double.file: the packed double is not there, and a job takes it along; name your own .blend")
    packages = [pack_code(recipe, folder), *pack_assets(assets, folder)]
    if double is not None:
        packages.append(pack_double(double, folder))
    return Submission(recipe, root, tuple(packages), tuple(options), python, environment)


def submit(
    client: JobsClient,
    submission: Submission,
    *,
    store: str | None = None,
    progress: Callable[[Package, int], None] = lambda package, sent: None,
) -> Submitted:
    """Send what the cluster lacks, and begin the job, unless it is there already.

    store     where packages go that are too large for Ray, as `store_package` takes it
    progress  called with each package that is sent and the bytes of it on their way, before it and while it goes; what
              it raises ends the submission, and no job is begun

    Raises BadInput for a package that is too large without a store, ClusterError as the client does.
    """
    for package in submission.packages:
        if not package.fits and store is None:
            raise BadInput(
                f"{package.label} is {package.bytes / 2**20:,.0f} MiB packed, and Ray keeps packages under"
                f" {LARGEST >> 20} MiB: give --assets-store, s3://bucket/assets or a folder that all nodes mount"
            )
    for attempt in range(1, ATTEMPTS):
        id_ = submission.id if attempt == 1 else f"{submission.id}-{attempt}"
        there = client.job(id_)
        if there is not None and there.status in ("FAILED", "STOPPED"):
            continue
        if there is not None:
            return Submitted(id_, there.status, begun=False)
        uris, sent = _upload(client, submission, store, progress)
        if client.submit(submission.request(uris, id_)):
            return Submitted(id_, "PENDING", begun=True, sent=sent)
        return Submitted(id_, client.known_job(id_).status, begun=False, sent=sent)
    raise ClusterError(f"{submission.id} has failed {ATTEMPTS - 1} times: `digidouble logs {submission.id}` says why")


def _upload(
    client: JobsClient, submission: Submission, store: str | None, progress: Callable[[Package, int], None]
) -> tuple[list[str], tuple[Package, ...]]:
    """Where each package is, once all are there, and which were sent."""
    uris, sent = [], []
    for package in submission.packages:
        if package.fits:
            if not client.has_package(package.name):
                progress(package, 0)
                client.put_package(package.name, package.file, functools.partial(progress, package))
                sent.append(package)
            uris.append(package.uri)
        elif store is not None:
            progress(package, 0)
            uris.append(store_package(package, store))
    return uris, tuple(sent)
