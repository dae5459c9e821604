"""`status.html`: a run as people watch it in a browser, from disk or from a bucket, without a server or network.

The page is written anew with each status and loads itself again; the last one stays, and points to the report.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from html import escape
from pathlib import PurePosixPath
from typing import Final

import numpy as np

from farm.cluster.status import Cause, RunStatus, State, WorkerStatus
from farm.dataset.exr import read_image
from farm.dataset.files import replace_bytes
from farm.dataset.layout import REPORT_FILE, STATUS_PAGE
from farm.dataset.place import Place
from farm.dataset.report_page import THUMBNAIL_SIDE, asset_text, duration_text, picture_tag, size_text
from farm.dataset.views import enlarge, shrink, view_beauty
from farm.errors import DatasetError, StorageError

__all__ = ["StatusPage", "compose_status"]

REFRESH: Final = 5
"""Seconds after which an open page loads itself again."""
EVERY: Final = 10.0
"""Seconds between two pages, at least: each may read one picture."""
REST: Final = 20
"""So many times as long as a picture took to read passes before the next one is read."""
SHOWN: Final = 12
STUCK: Final = 300.0
"""Seconds without progress after which a worker is marked."""
ENDED: Final[frozenset[State]] = frozenset({"complete", "incomplete", "stopped", "failed"})
GOOD: Final[frozenset[State]] = frozenset({"running", "finishing", "complete"})
CAUSES: Final[dict[Cause, str]] = {
    "scene": "an error of the pair's own",
    "crash": "the process died",
    "memory": "killed for its memory",
    "hang": "no progress",
    "lost": "its node went away",
    "store": "the store could not be written",
}

Picture = tuple[str, np.ndarray]


class StatusPage:
    """Writes a dataset's page, and keeps the pictures that it has read."""

    def __init__(self, root: Place) -> None:
        """A page for the dataset at `root`; nothing is written yet."""
        self._root = root
        self._pictures: OrderedDict[str, np.ndarray] = OrderedDict()
        self._next = 0.0
        self._next_picture = 0.0

    def write(self, status: RunStatus) -> None:
        """Write the page, unless the last one is younger than ten seconds and the run goes on.

        At most one new picture is read each time, so that the driver never waits for many. StorageError as
        `replace_bytes`.
        """
        if status.state not in ENDED and time.monotonic() < self._next:
            return
        self._next = time.monotonic() + EVERY
        self._read_one(status.previews)
        shown = [(name, self._pictures[name]) for name in status.previews if name in self._pictures]
        older = [each for each in reversed(self._pictures.items()) if each[0] not in status.previews]
        replace_bytes(self._root / STATUS_PAGE, compose_status(status, [*shown, *older][:SHOWN]).encode())

    def _read_one(self, previews: Sequence[str]) -> None:
        """Read the newest picture that has not been read; one that cannot be is left out."""
        name = next((each for each in previews if each not in self._pictures), None)
        began = time.monotonic()
        if name is None or began < self._next_picture:
            return
        with suppress(DatasetError, StorageError, KeyError):
            place = self._root
            for part in PurePosixPath(name).parts:
                place = place / part
            picture = shrink(view_beauty(read_image(place)), THUMBNAIL_SIDE)
            self._pictures[name] = enlarge(picture, THUMBNAIL_SIDE)
        self._next_picture = time.monotonic() + REST * (time.monotonic() - began)
        while len(self._pictures) > SHOWN:
            self._pictures.popitem(last=False)


def compose_status(status: RunStatus, pictures: Sequence[Picture] = ()) -> str:
    """The page of a status: `pictures` are sRGB bytes (height, width, 3) by their references, newest first."""
    ended = status.state in ENDED
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            "" if ended else f'<meta http-equiv="refresh" content="{REFRESH}">',
            f"<title>{_share(status):.0%} · {escape(status.recipe)} · digidouble</title>",
            f"<style>{asset_text('report.css')}{asset_text('status.css')}</style></head><body>",
            f'<p class="eyebrow">Digidouble run</p><h1>{escape(status.recipe)}</h1>',
            _state(status),
            _bar(status),
            _facts(status),
            _causes(status),
            _previews(pictures),
            _workers(status),
            _nodes(status),
            _given_up(status),
            _phases(status),
            f"<footer>Run <code>{escape(status.run)}</code>, as of {_clock(status.updated)} UTC.",
            "The run has ended." if ended else f"This page loads itself again every {REFRESH} seconds.",
            "</footer></body></html>\n",
        ]
    )


def _share(status: RunStatus) -> float:
    return status.done / status.total if status.total else 0.0


def _state(status: RunStatus) -> str:
    kind = "good" if status.state in GOOD else "capped"
    message = f"<span>{escape(status.message)}</span>" if status.message else ""
    report = f'<a href="{REPORT_FILE}">Open the report</a>' if status.state in ENDED and status.done else ""
    return f'<p class="state"><b class="chip {kind}">{status.state}</b>{message}{report}</p>'


def _bar(status: RunStatus) -> str:
    total = max(status.total, 1)
    parts = (("done", status.done), ("running", status.running), ("failed", status.failed))
    inner = "".join(f'<i class="{name}" style="width:{count / total:.2%}"></i>' for name, count in parts if count)
    label = (
        f"{status.done:,} of {status.total:,} pairs done, {status.running:,} being rendered, {status.failed:,} given up"
    )
    return (
        f'<div class="run" role="progressbar" aria-label="{label}" aria-valuemin="0" aria-valuemax="{status.total}"'
        f' aria-valuenow="{status.done}">{inner}</div>'
    )


def _facts(status: RunStatus) -> str:
    busy = sum(worker.state == "rendering" for worker in status.workers)
    facts = [
        ("Pairs", f"{status.done:,} of {status.total:,}", f"{_share(status):.1%}; {status.rendered:,} by this run"),
        ("Rate", f"{status.rate:,.0f} an hour", "over the last minutes"),
        ("Time left", "–" if status.eta is None else duration_text(status.eta), "at that rate"),
        ("Running for", duration_text(max(status.updated - status.started, 0)), f"since {_clock(status.started)} UTC"),
        ("Workers", f"{busy} of {len(status.workers)}", "are rendering"),
        ("Waiting", f"{status.waiting:,}", "pairs"),
        ("Given up", f"{status.failed:,}", f"after {sum(status.retries.values()):,} tries that were repeated"),
    ]
    tiles = "".join(
        f"<div><dt>{name}</dt><dd>{escape(value)}<small>{escape(detail)}</small></dd></div>"
        for name, value, detail in facts
    )
    return f'<dl class="facts">{tiles}</dl>'


def _causes(status: RunStatus) -> str:
    """Failures by cause: a bar of tries that were repeated and of pairs that were given up."""
    counts = {cause: (status.retries.get(cause, 0), status.failures.get(cause, 0)) for cause in CAUSES}
    most = max(sum(pair) for pair in counts.values())
    if not most:
        return ""
    rows = [
        (
            f"{cause}<small>{CAUSES[cause]}</small>",
            f'<div class="count"><i style="width:{repeated / most:.1%}"></i>'
            f'<i class="failed" style="width:{given_up / most:.1%}"></i></div>',
            f"{repeated:,}",
            f"{given_up:,}",
        )
        for cause, (repeated, given_up) in counts.items()
        if repeated or given_up
    ]
    return _table("Failures by cause", ("cause", "", "#repeated", "#given up"), rows)


def _previews(pictures: Sequence[Picture]) -> str:
    if not pictures:
        return ""
    cells = "".join(
        f"<figure>{picture_tag(picture, alt=name)}<figcaption>{escape(_pair_words(name))}</figcaption></figure>"
        for name, picture in pictures
    )
    return f'<h2>Last pairs <small>newest first</small></h2><div class="previews">{cells}</div>'


def _pair_words(name: str) -> str:
    """`pairs/<variant>/f0001/reference.exr` as `<variant> · frame 1`."""
    *_, variant, frame, _ = ("", "", *PurePosixPath(name).parts)
    return f"{variant} · frame {frame.removeprefix('f').lstrip('0') or '0'}"


def _workers(status: RunStatus) -> str:
    rows = [
        (
            escape(worker.name),
            escape(worker.node or "–"),
            escape(worker.device or "–"),
            f'<span class="chip{_mark(worker)}">{worker.state}</span>',
            escape(worker.task or "–"),
            duration_text(worker.seconds),
            duration_text(worker.since_progress),
            f"{worker.pairs:,}",
            size_text(worker.memory) if worker.memory else "–",
        )
        for worker in status.workers
    ]
    heads = ("worker", "node", "device", "state", "pair", "#for", "#last progress", "#pairs", "#memory")
    return _table("Workers", heads, rows)


def _mark(worker: WorkerStatus) -> str:
    if worker.state != "rendering":
        return ""
    return " capped" if worker.since_progress > STUCK else " good"


def _nodes(status: RunStatus) -> str:
    rows = [
        (
            escape(node.name),
            f"{node.workers}",
            f"{node.failures_in_a_row}",
            '<span class="chip capped">avoided</span>' if node.avoided else "",
        )
        for node in status.nodes
    ]
    return _table("Nodes", ("node", "#workers", "#failures in a row", ""), rows)


def _given_up(status: RunStatus) -> str:
    rows = [
        (
            escape(each.task),
            each.cause,
            f"{each.tries}",
            escape(each.reason),
            f'<a href="{escape(each.log)}">log</a>' if each.log else "",
        )
        for each in reversed(status.given_up)
    ]
    return _table("Given up <small>the latest; the next run tries them again</small>",
                  ("pair", "cause", "#tries", "reason", ""), rows)  # fmt: skip


def _phases(status: RunStatus) -> str:
    whole = sum(status.phases.values())
    if not whole:
        return ""
    rows = [
        (
            escape(name),
            f'<div class="count"><i style="width:{seconds / whole:.1%}"></i></div>',
            f"{seconds / whole:.1%}",
        )
        for name, seconds in sorted(status.phases.items(), key=lambda each: -each[1])
    ]
    return _table("Where the time goes", ("step", "", "#share"), rows)


def _table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of HTML cells, nothing where there are no rows; heads with # are of numbers."""
    kinds = [' class="number"' if head.startswith("#") else "" for head in heads]
    body = "".join(
        "<tr>" + "".join(f"<td{kind}>{cell}</td>" for kind, cell in zip(kinds, row, strict=True)) + "</tr>"
        for row in rows
    )
    if not body:
        return ""
    head = "".join(f"<th{kind}>{name.removeprefix('#')}</th>" for kind, name in zip(kinds, heads, strict=True))
    table = f'<table class="images"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f'<h2>{title}</h2><div class="scroll">{table}</div>'


def _clock(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))
