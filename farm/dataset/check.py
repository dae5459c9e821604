"""`digidouble check`: every file of a dataset re-verified, from its pixels."""

from __future__ import annotations

import json
import math
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from farm.dataset import layout
from farm.dataset.assets import asset_names, asset_place, assets_there
from farm.dataset.examination import Defect, PairFindings, PairPlan, examine_pairs, without_path
from farm.dataset.files import is_partial, read_bytes, sha256_of
from farm.dataset.folder import pair_folders
from farm.dataset.formats import NewerFormatError, encode_json
from farm.dataset.index import index_row, read_index
from farm.dataset.info import DatasetInfo, read_info, read_recipe, self_digest
from farm.dataset.layout import PairFolder, pair_key
from farm.dataset.leaks import find_leaks
from farm.dataset.place import Place, below, open_place, relative
from farm.dataset.planned import planned_images
from farm.dataset.record import Record
from farm.errors import DatasetError, RecipeError
from farm.recipe import Recipe, Variant
from farm.recipe.parameters import SEED_MAX

__all__ = ["CheckReport", "check_dataset"]

PIXELS_PER_WORKER: Final = 8_000_000
"""Fewer pixels, over all images, are not worth another process: a second's work."""

PAIRS_AT_ONCE: Final = 16
"""Most pairs that a process takes before it tells what it found; of a clip, they share what they read."""

CHANCE_MAX: Final = 1e-6
"""Chance that a dataset of independent seeds is said to repeat some."""

_SEALED: Final = tuple(sorted(layout.TOP_FILES - {layout.DATASET_FILE}))


@dataclass(frozen=True)
class CheckReport:
    """What a check found."""

    defects: tuple[Defect, ...]
    pairs: int
    planned: int
    images: int
    bytes: int

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.defects

    def summary(self) -> str:
        """One line: how much was verified, and how much is wrong with it."""
        verified = f"{self.pairs} of {self.planned} pairs, {self.images} images, {self.bytes / 1e6:.1f} MB verified"
        if self.ok:
            return f"{verified}: no defects"
        files = len({defect.file for defect in self.defects})
        return f"{verified}: {_count(len(self.defects), 'defect')} in {_count(files, 'file')}"


@dataclass(frozen=True)
class _Plan:
    """What the dataset's recipe asks for."""

    variants: dict[str, Variant]
    splits: dict[str, str]
    pairs: dict[str, str]
    pair: PairPlan


def check_dataset(
    path: Place | str, *, workers: int | None = None, progress: Callable[[int, int], None] | None = None
) -> CheckReport:
    """Re-verifies a dataset: bytes, pixels, records, residuals, index, plan, and that nothing else lies there.

    `workers` is the number of processes (when None as many as there are cores, fewer where there is little to do; with
    several, a calling script needs the usual `if __name__ == "__main__"`), `progress` is called with (pairs done, pairs
    in all) as they are done. Whatever is broken becomes a defect; DatasetError is raised only where there is no dataset
    at all, or one of a newer format.
    """
    root = open_place(path)
    defects: list[Defect] = []
    info = _check_info(root, defects)
    recipe = _check_recipe(root, info, defects)
    plan = None if recipe is None else _make_plan(recipe, info)
    defects += _wrong_seals(root, info)
    defects += _strangers(root)
    defects += _wrong_assets(root, recipe)
    found = _examine_all(list(pair_folders(root)), None if plan is None else plan.pair, workers, progress)
    for findings in found:
        defects += findings.defects
    defects += _repeated_pictures(found)
    defects += _repeated_seeds(found)
    defects += _wrong_rows(root, found, plan)
    if plan is not None:
        defects += _off_plan(found, plan)
    whole = [findings for findings in found if findings.record is not None]
    return CheckReport(
        defects=tuple(sorted(set(defects))),
        pairs=len(whole),
        planned=len(whole) if plan is None else len(plan.pairs),
        images=sum(findings.images for findings in found),
        bytes=sum(findings.bytes for findings in found),
    )


def _check_info(root: Place, defects: list[Defect]) -> DatasetInfo | None:
    """The dataset's own description; where that is broken, a defect, and the rest is still checked."""
    if isinstance(root, Path) and not root.is_dir():
        raise DatasetError(f"{root} is not a folder; give the folder that `digidouble render` wrote")
    file = root / layout.DATASET_FILE
    if not file.exists() and not (root / layout.PAIRS_FOLDER).is_dir():
        raise DatasetError(f"{root} is not a dataset: it has no {layout.DATASET_FILE}")
    try:
        info = read_info(root)
    except NewerFormatError:
        raise
    except DatasetError as error:
        defects.append(Defect(layout.DATASET_FILE, without_path(error, file)))
        return None
    data = json.loads(read_bytes(file))
    if self_digest(data) != info.digest or encode_json(data) != read_bytes(file):
        defects.append(Defect(layout.DATASET_FILE, "was changed after it was written (its digest differs)"))
    return info


def _check_recipe(root: Place, info: DatasetInfo | None, defects: list[Defect]) -> Recipe | None:
    file = root / layout.RECIPE_FILE
    try:
        recipe = read_recipe(root)
        recipe.draw()
    except RecipeError as error:
        defects.append(Defect(layout.RECIPE_FILE, without_path(error, file).replace("\n", "; ")))
        return None
    if info is not None and recipe.digest != info.recipe.digest:
        stamp = f"'{info.recipe.name}' {info.recipe.digest}"
        defects.append(Defect(layout.RECIPE_FILE, f"is '{recipe.name}' {recipe.digest}, the dataset's is {stamp}"))
    return recipe


def _make_plan(recipe: Recipe, info: DatasetInfo | None) -> _Plan:
    variants = recipe.draw()
    capture = recipe.capture
    return _Plan(
        variants={variant.id: variant for variant in variants},
        splits=recipe.splits(variants),
        pairs={pair_key(variant.id, frame): variant.id for variant in variants for frame in capture.frames.numbers},
        pair=PairPlan(
            recipe=recipe.digest,
            resolution=capture.resolution,
            images=frozenset(planned_images(capture)),
            clip=capture.frames.clip,
            passes=capture.layers,
            build=None if info is None else info.engine,
        ),
    )


def _wrong_seals(root: Place, info: DatasetInfo | None) -> Iterator[Defect]:
    for name in _SEALED:
        file = root / name
        if not file.is_file():
            yield Defect(name, "is missing; render again to write it")
        elif info is not None and name not in info.files:
            yield Defect(name, f"is not in {layout.DATASET_FILE}: the dataset was not finished; render again")
        elif info is not None and sha256_of(file) != info.files[name]:
            yield Defect(name, "its bytes are not the written ones (SHA-256 differs)")


def _wrong_assets(root: Place, recipe: Recipe | None) -> Iterator[Defect]:
    """Packed doubles that are missing, damaged, or none of the recipe's."""
    named = [] if recipe is None else asset_names(recipe)
    for sha256 in named:
        place = asset_place(root, sha256)
        if not place.is_file():
            yield Defect(relative(place, root), "is missing; render the recipe with your own .blend again")
        elif sha256_of(place) != sha256:
            yield Defect(relative(place, root), "its bytes are not the written ones (SHA-256 differs)")
    for place in assets_there(root):
        values = layout.ASSET_NAME.parse(place.name)
        if values is not None and recipe is not None and values["sha256"] not in named:
            yield Defect(relative(place, root), "is no double of the recipe")


def _strangers(root: Place) -> Iterator[Defect]:
    """Files and folders that have no place in a dataset."""
    known = layout.TOP_FILES | layout.RUN_NAMES | layout.TOP_FOLDERS
    entries = [entry for entry in root.iterdir() if entry.name not in known]
    entries += [each for each in _entries(root / layout.ASSETS_FOLDER) if layout.ASSET_NAME.parse(each.name) is None]
    for variant in _entries(root / layout.PAIRS_FOLDER):
        inner = _entries(variant)
        entries += [entry for entry in inner if layout.parse_pair_path(relative(entry, root)) is None]
        entries += [variant] if not inner else []
    for entry in entries:
        if layout.LEASE_NAME.parse(entry.name) is not None and entry.parent == root:
            continue
        problem = "was left half-written" if is_partial(entry) else "has no place in a dataset"
        yield Defect(relative(entry, root), problem)


def _entries(folder: Place) -> list[Place]:
    return below(folder) if folder.is_dir() else []


def _examine_all(
    places: list[PairFolder], plan: PairPlan | None, workers: int | None, progress: Callable[[int, int], None] | None
) -> list[PairFindings]:
    found: list[PairFindings] = []
    for findings in _each_finding(places, plan, _workers(len(places), plan) if workers is None else workers):
        found.append(findings)
        if progress is not None:
            progress(len(found), len(places))
    return sorted(found, key=lambda findings: findings.place.key)


def _workers(pairs: int, plan: PairPlan | None) -> int:
    """As many processes as there are cores, but none without a second's work."""
    if plan is None:
        return 1
    pixels = pairs * len(plan.images) * plan.resolution[0] * plan.resolution[1]
    return max(1, min(_cores(), pixels // PIXELS_PER_WORKER))


def _each_finding(places: list[PairFolder], plan: PairPlan | None, workers: int) -> Iterator[PairFindings]:
    if workers == 1:
        yield from examine_pairs(places, plan)
        return
    step = max(1, min(PAIRS_AT_ONCE, len(places) // (4 * workers)))
    runs = [places[first : first + step] for first in range(0, len(places), step)]
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        for future in as_completed([pool.submit(_examine_run, run, plan) for run in runs]):
            yield from future.result()


def _examine_run(places: list[PairFolder], plan: PairPlan | None) -> list[PairFindings]:
    return list(examine_pairs(places, plan))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _repeated_pictures(found: Iterable[PairFindings]) -> Iterator[Defect]:
    first: dict[str, str] = {}
    for findings in found:
        for name, picture in findings.pictures.items():
            file = f"{findings.place.key}/{name}"
            other = first.setdefault(picture, file)
            if other != file:
                yield Defect(file, f"has the same pixels as {other}")


def _repeated_seeds(found: Iterable[PairFindings]) -> list[Defect]:
    """Seeds that come back in another pair: they would freeze the noise in a clip, or repeat it over variants."""
    first: dict[int, str] = {}
    repeated = []
    for findings in found:
        for name, entry in [] if findings.record is None else sorted(findings.record.files.items()):
            for seed in entry.seeds:
                other = first.setdefault(seed, findings.place.key)
                if other != findings.place.key:
                    repeated.append(Defect(f"{findings.place.key}/{name}", f"seed {seed} is also used in {other}"))
    return repeated if len(repeated) > _chance_repeats(len(first)) else []


def _chance_repeats(count: int) -> int:
    """The fewest repetitions that so many seeds exceed by chance less often than `CHANCE_MAX`.

    Their number is Poisson distributed (the birthday paradox).
    """
    expected = count * (count - 1) / 2 / (SEED_MAX + 1)
    if not expected:
        return 0
    allowed, below = 0, math.exp(-expected)
    while 1.0 - below >= CHANCE_MAX:
        allowed += 1
        below += math.exp(allowed * math.log(expected) - expected - math.lgamma(allowed + 1))
    return allowed


def _wrong_rows(root: Place, found: list[PairFindings], plan: _Plan | None) -> Iterator[Defect]:
    try:
        rows = {row["pair"]: row for row in read_index(root)}
    except DatasetError as error:
        yield Defect(layout.INDEX_FILE, without_path(error, root / layout.INDEX_FILE))
        return
    for leak in find_leaks(rows.values()):
        yield Defect(layout.INDEX_FILE, f"splits leak: {leak}")
    records = {findings.place.key: (findings, findings.record) for findings in found if findings.record is not None}
    for key in sorted(rows.keys() | records.keys()):
        if key not in records:
            yield Defect(layout.INDEX_FILE, f"has a row for {key}, which is not committed")
        elif key not in rows:
            yield Defect(layout.INDEX_FILE, f"has no row for {key}")
        elif records[key][0].record_sha256 != rows[key]["record_sha256"]:
            problem = f"is not the one that {layout.INDEX_FILE} was made from (SHA-256 differs): either was changed"
            yield Defect(f"{key}/{layout.RECORD_NAME}", problem)
        elif (column := _wrong_column(rows[key], *records[key], plan)) is not None:
            yield Defect(layout.INDEX_FILE, f"{key}: {column} is not what the record says")


def _wrong_column(row: dict[str, Any], findings: PairFindings, record: Record, plan: _Plan | None) -> str | None:
    split = row["split"] if plan is None else plan.splits.get(findings.place.variant_id, "")
    wanted = index_row(record, split=split, record_sha256=findings.record_sha256)
    return next((column for column in wanted if row[column] != wanted[column]), None)


def _off_plan(found: list[PairFindings], plan: _Plan) -> Iterator[Defect]:
    places = {findings.place.key for findings in found}
    for key in plan.pairs.keys() - places:
        yield Defect(key, f"is missing (variant {plan.variants[plan.pairs[key]].index}); render again")
    for key in places - plan.pairs.keys():
        yield Defect(key, "is no pair of the recipe")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
