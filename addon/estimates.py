"""What rendering comes to, told before it starts: from pairs that were rendered at the same place before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from farm.cluster.calibration import UNKNOWN_BUILD, from_dataset
from farm.cluster.estimate import Calibration, Estimate, estimate, spell_size, spell_time
from farm.cluster.machine import available_memory, cpu_count, gpu_count, size_pool
from farm.cluster.plan import plan_tasks
from farm.dataset.folder import open_dataset
from farm.dataset.layout import DATASET_FILE, RECIPE_FILE
from farm.errors import DigidoubleError
from farm.recipe import Recipe, load_recipe

from . import document, threads
from .jobs import Job
from .state import said, state_of
from .watch import jobs

__all__ = ["expect", "tell_estimate"]

DRAWN: Final = 24
"""Variants that are drawn for an estimate; more are like them."""

UNKNOWN: Final = "Time and disk: after a first render"

Line = tuple[Any, ...]
"""A text, and the values in place of its `{}`: work beside Blender does not know the interface's language."""

_told: Final[dict[tuple[str, ...], tuple[Line, ...]]] = {}
"""The latest estimate, by what it is of."""


def tell_estimate(scene: Any, place: str) -> tuple[str, ...]:
    """Lines on what a scene's recipe comes to at a place; the count alone while more is being found out."""
    state = state_of(scene)
    recipe = document.effective(state.document, state.held)
    pairs = recipe.count * recipe.capture.frames.count
    first = said("{} pair" if pairs == 1 else "{} pairs", f"{pairs:,}")
    rendered = [job for job in jobs().jobs if job.cluster == place and job.done and not job.active]
    if not rendered:
        return (first, said(UNKNOWN))
    key = (state.document, state.held, place, rendered[0].key)
    if key in _told:
        return (first, *(said(*line) for line in _told[key]))

    def keep(lines: tuple[Line, ...]) -> None:
        _told.clear()
        _told[key] = lines

    threads.start("estimate", lambda _: expect(recipe, rendered, here=not place), keep, lambda _: keep(()))
    return (first, "…")


def expect(recipe: Recipe, rendered: Sequence[Job], *, here: bool) -> tuple[Line, ...]:
    """Lines on time and disk, from the first of some jobs whose dataset can be read here."""
    for job in rendered:
        folder = job.here(DATASET_FILE)
        if folder is None:
            continue
        try:
            found = from_dataset(open_dataset(folder.parent), load_recipe(folder.with_name(RECIPE_FILE)))
        except DigidoubleError:
            continue
        if found is not None:
            return _tell(scaled(recipe, found), found, job.name, here=here)
    return ((UNKNOWN,),)


def scaled(recipe: Recipe, found: Calibration) -> Estimate:
    """What a recipe will take, by its first variants."""
    few = recipe.model_copy(update={"count": min(recipe.count, DRAWN)})
    part = estimate(plan_tasks(few, UNKNOWN_BUILD), few, found)
    times = recipe.count / few.count
    low, high = part.seconds
    least, most = part.bytes
    return replace(
        part,
        pairs=round(part.pairs * times),
        doubles=round(part.doubles * times),
        seconds=(low * times, high * times),
        bytes=(least * times, most * times),
    )


def _tell(expected: Estimate, found: Calibration, name: str, *, here: bool) -> tuple[Line, ...]:
    workers = 1
    if here:
        workers = size_pool(expected.pairs, cpus=cpu_count(), memory=available_memory(), gpus=gpu_count()).workers
    low, high = (spell_time(3600 * hours) for hours in expected.hours(workers))
    least, most = (spell_size(float(f"{count:.2g}")) for count in expected.bytes)
    return (
        ("{} to {} here" if here else "{} to {} on one worker", low, high),
        ("{} to {}", least, most),
        ("as {} pair of {} took" if found.pairs == 1 else "as {} pairs of {} took", found.pairs, name),
    )
