"""`digidouble submit`, `status`, `logs`, `cancel` and `fetch`: runs on a cluster, from a shell."""

from __future__ import annotations

import datetime
import functools
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from farm.cluster.jobs.address import parse_address
from farm.cluster.jobs.client import Job, JobsClient, connect
from farm.cluster.jobs.packages import Package
from farm.cluster.jobs.profiles import Profile, load_profiles
from farm.cluster.jobs.progress import run_status
from farm.cluster.jobs.submission import Submission, prepare, submit
from farm.commands import note
from farm.errors import BadInput
from farm.recipe import load_recipe
from farm.recipe.telling import tell_unmet
from farm.render.kinds import DEVICES

__all__ = ["COMMANDS"]

Command = TypeVar("Command", bound=Callable[..., Any])


class _Cluster:
    """The cluster that a command line means; looked up once it is needed."""

    def __init__(self, word: str | None, *, allow_open_cluster: bool, allow_plain_token: bool) -> None:
        self._word = word
        self._open = allow_open_cluster
        self._plain = allow_plain_token

    @functools.cached_property
    def profile(self) -> Profile:
        return load_profiles().find(self._word)

    def connect(self) -> JobsClient:
        return connect(
            parse_address(self.profile.url),
            allow_open_cluster=self._open or self.profile.allow_open_cluster,
            allow_plain_token=self._plain or self.profile.allow_plain_token,
        )


def _cluster(command: Command) -> Command:
    """Options that say which cluster; the command gets it as `cluster`."""

    @click.option("--cluster", metavar="NAME|URL", envvar="DIGIDOUBLE_CLUSTER",
                  help="A cluster of clusters.yaml, or the address of a dashboard.")  # fmt: skip
    @click.option("--allow-open-cluster", is_flag=True, help="Use a cluster that answers everybody who reaches it.")
    @click.option("--allow-plain-token", is_flag=True, help="Send the token where all on the way can read it.")
    @functools.wraps(command)
    def with_cluster(
        *args: Any, cluster: str | None, allow_open_cluster: bool, allow_plain_token: bool, **words: Any
    ) -> Any:
        meant = _Cluster(cluster, allow_open_cluster=allow_open_cluster, allow_plain_token=allow_plain_token)
        return command(*args, cluster=meant, **words)

    return with_cluster  # type: ignore[return-value]


@click.command(name="submit")
@click.argument("recipe", type=click.Path(path_type=Path))
@_cluster
@click.option("--out", metavar="ROOT", help="The dataset, as the nodes see it.  [default: the profile's out/NAME]")
@click.option("--asset", "assets", type=click.Path(path_type=Path), multiple=True, metavar="FILE",
              help="A file that goes along, a .blend with all that it uses. Give it as often as needed.")  # fmt: skip
@click.option("--assets-store", metavar="URL", help="Where packages over 100 MiB go: s3://… or a shared folder.")
@click.option("--device", type=click.Choice(DEVICES), help="What renders.")
@click.option("--workers", type=click.IntRange(1), help="Worker processes.  [default: as many as the cluster takes]")
@click.option("--threads", type=click.IntRange(1), help="CPUs of each worker.  [default: at most 4]")
@click.option("--priority", type=int, help="Among runs on one cluster, higher ones get workers first.")
@click.option("--dry-run", is_flag=True, help="Pack, and say what would be sent; talk to no cluster.")
def submit_run(
    recipe: Path,
    *,
    cluster: _Cluster,
    out: str | None,
    assets: tuple[Path, ...],
    assets_store: str | None,
    dry_run: bool,
    **settings: str | int | None,
) -> int:
    """Render a recipe on a cluster; submitting it again finds the run, or goes on where it stopped.

    \b
    Examples:
      digidouble submit demo.yaml --cluster http://localhost:8265 --out /mnt/data/demo
      digidouble submit night.yaml --cluster studio --device optix
      digidouble submit hero.yaml --cluster studio --asset hero.blend --dry-run
    """
    loaded = load_recipe(recipe)
    note(tell_unmet(loaded))
    profile = cluster.profile
    root = out or (f"{profile.out.rstrip('/')}/{loaded.name}" if profile.out else None)
    if root is None:
        raise BadInput("where does the dataset go? Give --out, as the cluster's nodes see it, or a profile with `out`")
    options = [word for name, value in settings.items() if value is not None for word in (f"--{name}", str(value))]
    with tempfile.TemporaryDirectory(prefix="digidouble-") as folder:
        submission = prepare(
            loaded,
            root,
            Path(folder),
            assets=assets,
            options=options,
            python=profile.python,
            environment=profile.environment,
        )
        if dry_run:
            _describe(submission)
            return 0
        client = cluster.connect()
        found = submit(client, submission, store=assets_store or profile.assets_store, progress=_say_sending)
    if found.begun:
        click.echo(f"{found.id}: submitted; digidouble logs {found.id} -f")
    else:
        click.echo(f"{found.id}: there already, {found.state.lower()}")
    return 0


def _describe(submission: Submission) -> None:
    click.echo(f"job        {submission.id}")
    click.echo(f"dataset    {submission.root}")
    click.echo(f"runs       {submission.entrypoint}")
    for package in submission.packages:
        click.echo(f"package    {package.label}: {_size(package.bytes)}, {package.name}")


def _say_sending(package: Package, sent: int) -> None:
    if not sent:
        click.echo(f"sending {package.label}, {_size(package.bytes)}", err=True)


@click.command()
@click.argument("job", required=False)
@_cluster
@click.option("--json", "as_json", is_flag=True, help="Print plain data for programs.")
def status(job: str | None, *, cluster: _Cluster, as_json: bool) -> int:
    """Say how runs on a cluster stand: all of them, or one.

    \b
    Examples:
      digidouble status --cluster studio
      digidouble status demo-0f3a52c1d9e4 --json
    """
    client = cluster.connect()
    if job is None:
        jobs = [each for each in client.jobs() if each.root is not None]
        if as_json:
            click.echo(json.dumps([each.model_dump(mode="json") for each in jobs], indent=2))
        else:
            _list(jobs)
        return 0
    found = client.known_job(job)
    run = run_status(client, job)
    if as_json:
        click.echo(json.dumps({**found.model_dump(mode="json"), "run": run}, indent=2))
        return 0
    click.echo(f"{job}: {found.status.lower()}{_told(found)}")
    facts = {"dataset": found.root, "began": _time(found.start_time), "ended": _time(found.end_time), **_run_facts(run)}
    for name, value in facts.items():
        if value:
            click.echo(f"{name:<10} {value}")
    return 0


@click.command()
@click.argument("job")
@_cluster
@click.option("-f", "--follow", is_flag=True, help="Go on until the run ends; exit with 1 where it failed.")
def logs(job: str, *, cluster: _Cluster, follow: bool) -> int:
    """Print what a run on a cluster has said.

    \b
    Example:
      digidouble logs demo-0f3a52c1d9e4 -f
    """
    client = cluster.connect()
    if not follow:
        client.known_job(job)
        click.echo(client.logs(job), nl=False)
        return 0
    for piece in client.follow(job):
        click.echo(piece, nl=False)
    found = client.known_job(job)
    click.echo(f"{job}: {found.status.lower()}{_told(found)}", err=True)
    return 0 if found.status == "SUCCEEDED" else 1


@click.command()
@click.argument("job")
@_cluster
@click.option("--delete", is_flag=True, help="Let the cluster forget a run that has ended, and its log.")
def cancel(job: str, *, cluster: _Cluster, delete: bool) -> int:
    """Stop a run on a cluster; what is committed stays, and submitting it again goes on from there.

    \b
    Example:
      digidouble cancel demo-0f3a52c1d9e4
    """
    client = cluster.connect()
    found = client.known_job(job)
    if not found.ended:
        client.stop(job)
        click.echo(f"{job}: asked to stop")
    elif delete:
        client.delete(job)
        click.echo(f"{job}: forgotten")
    else:
        click.echo(f"{job}: {found.status.lower()} already")
    return 0


@click.command()
@click.argument("source", metavar="JOB|ROOT")
@_cluster
@click.option("--to", type=click.Path(path_type=Path), required=True, help="A new or empty folder, or an earlier copy.")
@click.option("--previews", is_flag=True, help="Copy the contact sheet and the report alone.")
def fetch(source: str, *, cluster: _Cluster, to: Path, previews: bool) -> int:
    """Copy a dataset to this machine, each image compared with its record's hash; run it again to go on.

    JOB is a run on a cluster, finished or not; ROOT a dataset that this machine can read: a folder, s3://…

    \b
    Examples:
      digidouble fetch demo-0f3a52c1d9e4 --cluster studio --to data/demo
      digidouble fetch s3://studio-datasets/demo --to data/demo
    """
    from farm.dataset.fetch import fetch_dataset, fetch_previews

    root = source
    if "://" not in source and not Path(source).exists():
        job_root = cluster.connect().known_job(source).root
        if job_root is None:
            raise BadInput(f"{source} is a job, but none of Digidouble's: it has no dataset")
        if "://" not in job_root and not Path(job_root).is_dir():
            raise BadInput(
                f"{source} writes {job_root}, a folder of the cluster's that is not mounted here: mount it, copy it"
                " (rsync), or let runs write to an object store"
            )
        root = job_root
    if previews:
        names = fetch_previews(root, to)
        click.echo(f"{to}: {', '.join(names) or 'nothing yet: they are written when the run ends'}")
        return 0 if names else 1
    parts = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*parts, console=Console(stderr=True)) as bar:
        line = bar.add_task("pairs", total=None)
        found = fetch_dataset(root, to, lambda done, total: bar.update(line, completed=done, total=total))
    for place in found.damaged:
        click.echo(f"damaged at the source: {place}")
    click.echo(f"{to}: {found.copied} pairs copied, {found.there} were there")
    return 1 if found.damaged else 0


def _list(jobs: list[Job]) -> None:
    if not jobs:
        click.echo("no runs")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("run", "state", "pairs", "began", "dataset"):
        table.add_column(name, overflow="fold")
    for job in jobs:
        pairs = (job.metadata or {}).get("digidouble_pairs", "")
        table.add_row(job.submission_id, job.status.lower(), pairs, _time(job.start_time), job.root)
    Console(highlight=False).print(table)


def _told(job: Job) -> str:
    """What the cluster says of a job that did not go well, in a few words."""
    if job.status in ("SUCCEEDED", "RUNNING") or not job.message:
        return ""
    return f": {job.message.strip().splitlines()[0]}"


def _run_facts(run: dict[str, Any]) -> dict[str, str]:
    """What a run's status tells people."""
    if not run:
        return {}
    eta = run.get("eta")
    failures = ", ".join(f"{count} {cause}" for cause, count in run.get("failures", {}).items())
    return {
        "run": run["state"] + (f": {run['message']}" if run.get("message") else ""),
        "pairs": f"{run['done']:,} of {run['total']:,}, {run['running']} being rendered",
        "rate": f"{run['rate']:,.0f} pairs an hour" if run["rate"] else "",
        "time left": str(datetime.timedelta(seconds=round(eta))) if eta is not None else "",
        "given up": failures,
        "workers": str(len(run.get("workers", ()))),
    }


def _time(milliseconds: int | None) -> str:
    if not milliseconds:
        return ""
    return datetime.datetime.fromtimestamp(milliseconds / 1000).strftime("%Y-%m-%d %H:%M:%S")


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.3g} GB"


COMMANDS: Final = (submit_run, status, logs, cancel, fetch)
"""The commands, in the order of work."""
