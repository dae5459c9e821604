"""Renders on a cluster, through the client of its Jobs API that the command line uses too.

Nothing here touches Blender: all of it may run in a thread.
"""

from __future__ import annotations

import functools
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from farm.cluster.jobs import JobsClient, Profile, Token, connect, find_token, parse_address, prepare, submit
from farm.cluster.jobs.packages import Package
from farm.cluster.jobs.progress import run_status
from farm.dataset.fetch import fetch_dataset, fetch_previews
from farm.errors import BadInput, DatasetError, StorageError
from farm.recipe import Recipe

from .farm_here import fetch_by_command
from .jobs import DONE, FAILED, RUNNING, STOPPED, WAITING, Job, last_error

__all__ = [
    "Cluster",
    "cancel",
    "client",
    "fetch",
    "forget_clients",
    "forget_tokens",
    "has_token",
    "in_panels",
    "keep_token",
    "log",
    "look",
    "needs_token",
    "send",
    "test",
]

TIMEOUT: Final = 10.0
"""Seconds that a cluster may take for one answer."""
STATES: Final = {"PENDING": WAITING, "RUNNING": RUNNING, "SUCCEEDED": DONE, "STOPPED": STOPPED, "FAILED": FAILED}
LOG_LINES: Final = 5000
IN_PANELS: Final = {
    "--allow-open-cluster": "'Open Cluster' in the preferences",
    "--allow-plain-token": "'Unencrypted Token' in the preferences",
    "give --assets-store,": "fill in 'Large Files' in the preferences:",
    "set RAY_AUTH_TOKEN, or put it into ~/.ray/auth_token with mode 0600": "click Enter Token",
    "`ray get-auth-token` on the head node prints it": "whoever runs the farm has it",
    ": `ray get-auth-token` on its head node prints it": ": ask whoever runs the farm for it",
}
"""What the command line calls its remedies -> what they are here."""


@dataclass(frozen=True)
class Cluster:
    """A cluster by its name, and what is known of it: a profile of the command line's `clusters.yaml`."""

    name: str
    profile: Profile


_tokens: Final[dict[str, str]] = {}
"""Tokens that were typed, by address: in memory alone, until Blender ends."""
_lock: Final = threading.Lock()
_clients: Final[dict[str, JobsClient]] = {}


def keep_token(address: str, token: str) -> None:
    """Use a token with an address until Blender ends; '' forgets it."""
    with _lock:
        _tokens.pop(parse_address(address).url, None)
        if token.strip():
            _tokens[parse_address(address).url] = token.strip()
    forget_clients()


def forget_tokens() -> None:
    """Forget all that were typed."""
    with _lock:
        _tokens.clear()
    forget_clients()


def has_token(address: str) -> bool:
    """Whether a token was typed for an address."""
    return parse_address(address).url in _tokens


def _token(address: str) -> Token | None:
    """The token that was typed, else the one that the command line finds."""
    typed = _tokens.get(address)
    return find_token() if typed is None else Token(typed, "what you entered")


def client(cluster: Cluster) -> JobsClient:
    """A connection to a cluster that may be talked to; errors as `farm.cluster.jobs.connect`."""
    known = cluster.profile.model_dump_json()
    with _lock:
        found = _clients.get(known)
    if found is None:
        profile, address = cluster.profile, parse_address(cluster.profile.url)
        found = connect(
            address,
            functools.partial(_token, address.url),
            allow_open_cluster=profile.allow_open_cluster,
            allow_plain_token=profile.allow_plain_token,
            timeout=TIMEOUT,
        )
        with _lock:
            _clients[known] = found
    return found


def forget_clients() -> None:
    """Connect anew the next time: another token, another address."""
    with _lock:
        _clients.clear()


def test(cluster: Cluster) -> str:
    """What answers, in a line; errors as `client`."""
    forget_clients()
    asked = client(cluster)
    found = asked.resources()
    if not found.nodes:
        return f"Ray {asked.ray_version()}: its machines are still starting"
    counts = ((found.nodes, "node"), (found.gpus, "GPU"), (found.cpus, "CPU"))
    told = ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for count, name in counts if count or name != "GPU")
    return f"Ray {asked.ray_version()}: {told}{'' if found.gpus else ', no GPU'}"


def send(cluster: Cluster, recipe: Recipe, say: Callable[[str], None]) -> Job:
    """Submit a recipe; one that is there already is found. Errors as `client`, `prepare` and `submit`.

    Its dataset lies in a folder of the recipe's name and digest, so that two recipes of one name do not meet. `say` may
    raise, and nothing is submitted then: a job that was begun at that moment is stopped.
    """
    profile = cluster.profile
    if not profile.out:
        raise BadInput(f"cluster '{cluster.name}': fill in 'Datasets' in the preferences, where its datasets go")
    root = f"{profile.out.rstrip('/')}/{recipe.name}-{recipe.digest[:8]}"
    say("Connecting")
    asked = client(cluster)
    with tempfile.TemporaryDirectory(prefix="digidouble-") as folder:
        say("Packing")
        ready = prepare(recipe, root, Path(folder), python=profile.python, environment=profile.environment)
        say("Connecting")
        found = submit(asked, ready, store=profile.assets_store, progress=functools.partial(_tell_sending, say))
    try:
        say("Submitted")
    except Exception:
        if found.begun:
            asked.stop(found.id)
        raise
    total = recipe.count * recipe.capture.frames.count
    address = asked.address.url
    state = STATES[found.state]
    return Job(recipe.name, root, "", total, cluster=cluster.name, address=address, id=found.id, state=state)


def _tell_sending(say: Callable[[str], None], package: Package, sent: int) -> None:
    say(f"Sending {package.label}, {100 * sent / package.bytes:.0f} %" if sent else f"Sending {package.label}")


def look(cluster: Cluster, job: Job) -> dict[str, Any]:
    """How a job stands now: state, pairs done, seconds left, failures, trouble. Errors as `client`."""
    asked = client(cluster)
    found = asked.job(job.id)
    if found is None:
        return {"state": STOPPED, "left": None, "trouble": "the cluster does not know it any more"}
    state = STATES[found.status]
    run = run_status(asked, job.id) if state != WAITING else {}
    trouble = ""
    if state == FAILED:
        trouble = _trouble(run, asked.tail(job.id, 100), found.message or "")
    return {
        "state": state,
        "done": run.get("done", job.done),
        "left": run.get("eta") if state == RUNNING else None,
        "failures": run.get("failures", {}),
        "trouble": trouble or (run.get("message", "") if state == RUNNING else ""),
    }


def _trouble(run: dict[str, Any], log: str, message: str) -> str:
    """Why a job failed: what it said itself, else what its pairs did, else what the cluster says."""
    said = last_error(log)
    if said:
        return said
    given_up = run.get("given_up") or ()
    if given_up:
        return str(given_up[0]["reason"]).splitlines()[0]
    return run.get("message") or next((line for line in message.strip().splitlines() if line), "it ended with an error")


def cancel(cluster: Cluster, job: Job) -> None:
    """Ask a job to end; what is committed stays. Errors as `client`."""
    asked = client(cluster)
    found = asked.job(job.id)
    if found is not None and not found.ended:
        asked.stop(job.id)


def log(cluster: Cluster, job: Job) -> str:
    """The last lines of what a job has said. Errors as `client`."""
    return client(cluster).tail(job.id, LOG_LINES)


def fetch(source: str, to: Path, command: str, *, whole: bool, progress: Callable[[int, int], None]) -> str:
    """Copy a dataset, or its contact sheet and report, into a folder; what came of it, in a few words.

    An object store is read by the installed Digidouble where this Python lacks what speaks to it. Raises BadInput,
    DatasetError and StorageError with what is wrong.
    """
    if "://" not in source and not Path(source).is_dir():
        raise DatasetError(
            f"{source} is a folder of the cluster's that is not mounted here: mount it, or let datasets go to an object"
            " store"
        )
    if "://" in source and not _speaks_stores():
        fetch_by_command(source, to, command, whole=whole)
        return "fetched"
    if not whole:
        found = fetch_previews(source, to)
        if not found:
            raise DatasetError("The pictures are laid out when the render ends")
        return "pictures fetched"
    done = fetch_dataset(source, to, progress)
    if done.damaged:
        raise StorageError(f"{len(done.damaged)} pairs are damaged at the source: {done.damaged[0]}")
    return f"{done.copied} pairs fetched, {done.there} were there"


def _speaks_stores() -> bool:
    try:
        import fsspec  # noqa: F401
    except ImportError:
        return False
    return True


def in_panels(message: str) -> str:
    """A message with the command line's remedies as they are in Blender."""
    for word, here in IN_PANELS.items():
        message = message.replace(word, here)
    return message


def needs_token(message: str) -> bool:
    """Whether another token would help."""
    return message.endswith(("(401)", "(403)"))
