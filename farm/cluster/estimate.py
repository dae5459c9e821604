"""What a run will take before it starts: time, disk and cost, from pairs that were measured on the same kind of device.

A warm pair's time is taken apart: what is paid for once a double (building it), what every pair pays (the scene's
other steps, the data pass, writing), and what grows with pixels times samples. The images' bytes grow with pixels.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from farm.cluster.plan import Task
from farm.dataset import Record
from farm.recipe import Capture, Recipe

__all__ = ["Calibration", "Estimate", "as_data", "calibrate", "capture_work", "estimate", "tell"]

SPREAD: Final = 0.5
"""How wrong an estimate from one pair may be: doubles differ in hair, and references end where their noise does."""
BUILDS_FROM: Final = 2
"""Of so many pairs on, the first of each double tells what building it takes."""


@dataclass(frozen=True)
class Work:
    """What a capture asks of a pair, in pixel samples: at the least and at the most, and the pixels that it stores."""

    least: float
    most: float
    stored: float


def capture_work(capture: Capture) -> Work:
    """The work of one pair. A reference ends after two chunks at the earliest, at its cap at the latest."""
    pixels = capture.resolution[0] * capture.resolution[1]
    noisy = sum(capture.samples) * capture.replicas
    cap = capture.reference.samples
    first = min(2 * capture.reference.chunk, cap)
    images = len(capture.samples) * capture.replicas + 2
    return Work(least=pixels * (noisy + first), most=pixels * (noisy + cap), stored=pixels * images)


@dataclass(frozen=True)
class Calibration:
    """What pairs took on a device: seconds a double, seconds a pair, seconds a pixel sample, bytes a stored pixel.

    spread  the share by which a figure may be off
    """

    device: str
    pairs: int
    build: float
    fixed: float
    sample: float
    stored: float
    spread: float


def calibrate(records: Sequence[Record], capture: Capture) -> Calibration:
    """From the records of some pairs of one capture, at least one."""
    pixels = capture.resolution[0] * capture.resolution[1]
    applied = [record.timings.get("apply", 0.0) for record in records]
    fixed = statistics.median(
        sum(seconds for name, seconds in record.timings.items() if name not in ("apply", "noisy", "reference"))
        for record in records
    )
    rates = []
    for record in records:
        noisy = sum(capture.samples) * capture.replicas
        light = record.timings.get("noisy", 0.0) + record.timings.get("reference", 0.0)
        rates.append(light / (pixels * (noisy + record.residual.samples)))
    many = len(records) >= BUILDS_FROM
    spread = max(0.2, statistics.pstdev(rates) / statistics.fmean(rates)) if many and any(rates) else SPREAD
    return Calibration(
        device=records[0].engine.device_name,
        pairs=len(records),
        build=max(applied),
        fixed=fixed + (min(applied) if many else 0.0),
        sample=statistics.median(rates),
        stored=statistics.median(sum(file.bytes for file in record.files.values()) for record in records)
        / capture_work(capture).stored,
        spread=min(spread, 1.0),
    )


@dataclass(frozen=True)
class Estimate:
    """What a run will take, from the least to the most.

    seconds  of one worker's time; `hours(workers)` is the clock's
    bytes    of disk
    """

    pairs: int
    doubles: int
    seconds: tuple[float, float]
    bytes: tuple[float, float]

    def hours(self, workers: int) -> tuple[float, float]:
        """Hours that so many workers need, the work shared evenly."""
        workers = max(1, min(workers, self.pairs))
        return self.seconds[0] / workers / 3600, self.seconds[1] / workers / 3600

    def cost(self, price: float) -> tuple[float, float]:
        """Money, at a price for one worker's hour."""
        return self.seconds[0] / 3600 * price, self.seconds[1] / 3600 * price


def estimate(tasks: Iterable[Task], recipe: Recipe, found: Calibration) -> Estimate:
    """What tasks of a recipe will take on the device that was calibrated."""
    tasks = list(tasks)
    doubles = len({task.double for task in tasks})
    work = capture_work(recipe.capture)
    built = doubles * found.build
    low = built + len(tasks) * (found.fixed + work.least * found.sample)
    high = built + len(tasks) * (found.fixed + work.most * found.sample)
    stored = len(tasks) * work.stored * found.stored
    less, more = 1 - found.spread, 1 + found.spread
    return Estimate(len(tasks), doubles, (low * less, high * more), (stored * less, stored * more))


def tell(found: Estimate, calibration: Calibration, *, workers: int, price: float | None) -> list[str]:
    """Lines for people."""
    low, high = (spell_time(3600 * hours) for hours in found.hours(workers))
    least, most = (spell_size(count) for count in found.bytes)
    pairs = f"{calibration.pairs} pair{'s' if calibration.pairs > 1 else ''}"
    lines = [
        f"time   {low} to {high} with {workers} worker{'s' if workers > 1 else ''} on {calibration.device}",
        f"disk   {least} to {most}",
    ]
    if price is not None:
        cheap, dear = found.cost(price)
        lines.append(f"cost   {cheap:.2f} to {dear:.2f} at {price:g} a worker's hour")
    return [
        *lines,
        f"       measured on {pairs}, ± {100 * calibration.spread:.0f} %; a reference may end before its cap",
    ]


def as_data(found: Estimate, calibration: Calibration, *, workers: int, price: float | None) -> dict[str, Any]:
    """The same for programs: seconds, bytes and money, each from the least to the most."""
    cost = None if price is None else list(found.cost(price))
    seconds = [3600 * hours for hours in found.hours(workers)]
    return {
        "device": calibration.device,
        "measured_pairs": calibration.pairs,
        "spread": calibration.spread,
        "workers": workers,
        "seconds": seconds,
        "bytes": list(found.bytes),
        "cost": cost,
    }


def spell_time(seconds: float) -> str:
    """A duration in a few letters: 40 s, 12 min, 3.5 h, 2.1 days."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172800 else f"{seconds / 86400:.1f} days"


def spell_size(count: float) -> str:
    """A number of bytes in a few letters."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"
