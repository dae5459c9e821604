"""`digidouble export`: a layout's files written into a folder of its own, resumed where it was stopped."""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from farm.dataset.export import colmap, gbuffer, nerf, noisebase, oidn, webdataset
from farm.dataset.export.item import Item, Plan
from farm.dataset.export.source import Source, open_source
from farm.dataset.files import is_partial
from farm.dataset.formats import Table, read_json, write_json
from farm.dataset.place import Place, open_place
from farm.errors import BadInput, StorageError

__all__ = ["EXPORT_FILE", "EXPORT_FORMAT", "KINDS", "ExportSummary", "export_dataset"]

EXPORT_FORMAT: Final = "digidouble-export/1"
EXPORT_FILE: Final = "export.json"

KINDS: Final[dict[str, Callable[[Source], Plan]]] = {
    "oidn": oidn.plan,
    "webdataset": webdataset.plan,
    "noisebase": noisebase.plan,
    "nerf": nerf.plan,
    "colmap": colmap.plan,
    "gbuffer": gbuffer.plan,
}


class ExportStamp(Table):
    """`export.json`: what a folder holds an export of. `complete` is set last."""

    format: Literal["digidouble-export/1"] = EXPORT_FORMAT
    kind: str
    recipe: str
    index_sha256: str
    complete: bool = False


@dataclass(frozen=True)
class ExportSummary:
    """What an export came to: pieces written now, pieces that were there already, and what its reader should know."""

    written: int
    present: int
    notes: tuple[str, ...]


def export_dataset(
    root: Place | str,
    to: Place | str,
    kind: str,
    *,
    writers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> ExportSummary:
    """Writes a dataset in the layout of `kind` (one of KINDS) into the folder `to`.

    Equal datasets make equal files, whatever the number of processes (`writers`). An export that was stopped goes on
    where it was; a file is either whole or not there. `progress` is called with (pieces there, pieces in all).
    Raises DatasetError for a dataset that does not fit together or lacks what the layout needs, BadInput for a folder
    that holds anything else, StorageError where writing fails.
    """
    if kind not in KINDS:
        raise BadInput(f"no export '{kind}'; there are {', '.join(KINDS)}")
    folder = open_place(to)
    if not isinstance(folder, Path):
        raise BadInput(f"{folder}: an export is written into a local folder; copy it into the store from there")
    source = open_source(root)
    plan = KINDS[kind](source)
    stamp = ExportStamp(kind=kind, recipe=source.recipe.digest, index_sha256=source.index_sha256)
    _claim(folder, source, stamp)
    missing = [item for item in plan.items if not all((folder / output).is_file() for output in item.outputs)]
    present = len(plan.items) - len(missing)
    for done, _ in enumerate(_each_made(missing, folder, writers), start=1):
        if progress is not None:
            progress(present + done, len(plan.items))
    write_json(folder / EXPORT_FILE, stamp.model_copy(update={"complete": True}))
    return ExportSummary(len(missing), present, plan.notes)


def _claim(folder: Path, source: Source, stamp: ExportStamp) -> None:
    """Makes the folder this export's, or finds that it is; half-written files of an earlier try are removed."""
    inside, dataset = folder.resolve(), source.root.resolve() if isinstance(source.root, Path) else None
    if inside == dataset or dataset in inside.parents:
        raise BadInput(f"{folder} is in the dataset itself; give a folder outside of {source.root}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        entries = sorted(entry.name for entry in folder.iterdir() if not is_partial(entry))
    except OSError as error:
        raise StorageError(f"cannot write {folder}: {error.strerror or error}; give another folder") from error
    if entries and EXPORT_FILE not in entries:
        raise BadInput(f"{folder} is not empty and holds no export ('{entries[0]}'); give a new or empty folder")
    if entries:
        found = read_json(folder / EXPORT_FILE, ExportStamp, EXPORT_FORMAT).model_copy(update={"complete": False})
        if found != stamp:
            what = f"an export as {found.kind}" if found.kind != stamp.kind else "an export of another dataset or state"
            raise BadInput(f"{folder} holds {what}; give a new folder, or remove that one first")
    else:
        write_json(folder / EXPORT_FILE, stamp)
    for leftover in sorted(path for path in folder.rglob(".*.partial") if is_partial(path)):
        with contextlib.suppress(FileNotFoundError):
            leftover.unlink()


def _each_made(items: Sequence[Item], folder: Path, writers: int) -> Iterator[None]:
    if writers == 1 or len(items) < 2:
        for item in items:
            item.make(folder)
            yield
        return
    with ProcessPoolExecutor(writers, mp_context=multiprocessing.get_context("spawn")) as pool:
        futures = [pool.submit(item.make, folder) for item in items]
        try:
            for future in as_completed(futures):
                future.result()
                yield
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
