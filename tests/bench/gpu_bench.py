"""What a GPU makes of the demo recipe: `make bench-gpu`, on a machine that has one.

It renders the demo on each kind of GPU that Blender finds and on the CPU, through the command line as users do, and
compares: pairs an hour with one worker and with several on the card, the card's utilisation (nvidia-smi, where it is
there), what the first use of a card costs in compiling kernels, whether the references of all kinds agree within their
own noise, and the seconds of a pair of templates/recipes/hair-denoise.yaml. It prints tables and writes gpu_bench.json.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from rich.console import Console
from rich.table import Table

from farm.cluster.machine import cpu_count
from farm.dataset import read_image
from farm.recipe import templates

KINDS = """
import json
from farm.render.device import found_kinds, keep_kernels
keep_kernels()
print("ANSWER", json.dumps(found_kinds()), flush=True)
"""
FIRST_USE = """
import json, sys
from farm.render.device import keep_kernels, measure_kinds
keep_kernels()
print("ANSWER", json.dumps(measure_kinds([sys.argv[1]])), flush=True)
"""
CHOICE = """
import json
from farm.render.device import found_kinds, keep_kernels, measure_kinds, resolve_kind
keep_kernels()
print("ANSWER", json.dumps({"fastest": resolve_kind("gpu"), "again": measure_kinds(found_kinds())}), flush=True)
"""
SMI = ["nvidia-smi", "--query-gpu=utilization.gpu,memory.used,power.draw"]
SMI += ["--format=csv,noheader,nounits", "-lms", "200"]
STEP_SECONDS = 420


def main() -> int:
    """Measure, print, write; 1 where there is no GPU."""
    options = arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    kinds = answer(ask(KINDS))
    if not kinds:
        sys.exit("bench-gpu: Blender finds no GPU on this machine; there is nothing to measure")
    console = Console(width=120)
    console.print(f"{kinds}; {cpu_count()} CPUs")
    first = [ask(FIRST_USE, kind) for kind in kinds]  # at once, each compiles on CPUs of its own
    first_use = {kind: seconds for each in first for kind, seconds in answer(each).items()}
    console.print(f"first and second render of a ball of hair, in seconds: {first_use}")
    choice = answer(ask(CHOICE))
    console.print(f"in a new process: {choice['again']}; the fastest is {choice['fastest']}")
    results: dict[str, Any] = {"card": kinds, "cpus": cpu_count(), "first_use": first_use, "choice": choice, "runs": []}
    write(options.out, results)
    for kind, workers in [(kind, many) for kind in (*kinds, "cpu") for many in options.workers if kind != "cpu"] + [
        ("cpu", max(1, cpu_count() // 4))
    ]:
        results["runs"].append(run_recipe("demo", kind, workers, options.out, count=options.count))
        console.print(results["runs"][-1])
        write(options.out, results)
    results["agreement"] = [
        {"kinds": [kind, "cpu"], **compare(newest(options.out, "demo", kind), newest(options.out, "demo", "cpu"))}
        for kind in kinds
    ]
    if len(kinds) > 1:
        first, second = list(kinds)[:2]
        pair = compare(newest(options.out, "demo", first), newest(options.out, "demo", second))
        results["agreement"].append({"kinds": [first, second], **pair})
    console.print(results["agreement"])
    write(options.out, results)
    if options.hair:
        workers = min(options.hair, max(options.workers))
        run = run_recipe("hair-denoise", choice["fastest"], workers, options.out, options.hair)
        results["runs"].append(run)
        write(options.out, results)
    console.print(table(results["runs"]))
    return 0


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("out/bench-gpu"), help="where datasets and figures go")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 4], help="numbers of workers that share the card")
    parser.add_argument("--count", type=int, default=12, help="variants of the demo recipe")
    parser.add_argument("--hair", type=int, default=2, help="pairs of the hair recipe; 0 for none")
    return parser.parse_args()


def ask(program: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a Python of its own on a program that answers in a line of JSON."""
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def answer(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What a process answers."""
    text, _ = process.communicate()
    line = next((line for line in text.splitlines() if line.startswith("ANSWER ")), None)
    if line is None:
        sys.exit(f"bench-gpu: {process.args} gave no answer (exit code {process.returncode}): {text[-400:]}")
    found: dict[str, Any] = json.loads(line.removeprefix("ANSWER "))
    return found


def run_recipe(name: str, kind: str, workers: int, out: Path, count: int) -> dict[str, Any]:
    """Render a template's first variants; returns the figures of the run."""
    data = yaml.safe_load(templates.path("recipes", name).read_text(encoding="utf-8")) | {"count": count}
    file = out / f"{name}-{count}.yaml"
    file.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    root = out / f"{name}-{kind}-{workers}"
    shutil.rmtree(root, ignore_errors=True)
    command = [sys.executable, "-m", "farm.cli", "render", str(file), "--out", str(root)]
    with utilisation() as samples:
        start = time.perf_counter()
        done = subprocess.run(
            [*command, "--device", kind, "--workers", str(workers)],
            capture_output=True, text=True, timeout=STEP_SECONDS, check=False,
        )  # fmt: skip
        seconds = time.perf_counter() - start
    records = [json.loads(path.read_text()) for path in sorted(root.glob("pairs/*/*/record.json"))]
    if done.returncode or not records:
        return {"recipe": name, "device": kind, "workers": workers, "error": (done.stderr or done.stdout)[-600:]}
    steps = {key for record in records for key in record["timings"]}
    busy = [row[0] for row in samples]
    return {
        "recipe": name,
        "device": kind,
        "device_name": records[0]["engine"]["device_name"],
        "workers": workers,
        "pairs": len(records),
        "seconds": round(seconds, 1),
        "pairs_per_hour_rate": round(rate(root), 1),
        "median_seconds": {
            step: round(statistics.median(record["timings"].get(step, 0) for record in records), 3)
            for step in sorted(steps)
        },
        "reference_samples": [record["residual"]["samples"] for record in records],
        "utilisation_percent": round(statistics.mean(busy), 1) if busy else None,
        "memory_mib": max((row[1] for row in samples), default=None),
        "watts": round(statistics.mean(row[2] for row in samples), 1) if samples else None,
    }


def rate(root: Path) -> float:
    """Pairs an hour between the first pair's record and the last one's, start-up left out."""
    times = sorted(path.stat().st_mtime for path in root.glob("pairs/*/*/record.json"))
    span = times[-1] - times[0]
    return 3600 * (len(times) - 1) / span if span > 0 else 0.0


@contextlib.contextmanager
def utilisation() -> Iterator[list[list[float]]]:
    """Rows of utilisation in percent, memory in MiB and power in watts, five a second, while the block runs."""
    rows: list[list[float]] = []
    if shutil.which(SMI[0]) is None:
        yield rows
        return
    watcher = subprocess.Popen(SMI, stdout=subprocess.PIPE, text=True)
    try:
        yield rows
    finally:
        watcher.terminate()
        text, _ = watcher.communicate()
        for line in text.splitlines():
            with contextlib.suppress(ValueError):
                rows.append([float(part) for part in line.split(",")])


def newest(out: Path, name: str, kind: str) -> Path:
    """A dataset that a recipe was rendered into on a kind of device."""
    return sorted(out.glob(f"{name}-{kind}-*"))[-1]


def compare(first: Path, second: Path) -> dict[str, float]:
    """How two renders of the same pairs differ, against the noise that their own halves show.

    noise_ratio  mean squared difference of the references, over what their two residuals add up to; at most 1 where the
                 two renderers have the same mean (less where they share their sample sequences)
    worst_bias   the largest relative difference of an image's mean colour over the pairs
    worst_z      that difference in standard errors, by the halves, at its largest
    """
    ratios, biases, scores = [], [], []
    for record in sorted(first.glob("pairs/*/*/record.json")):
        other = second / record.relative_to(first)
        if not other.is_file():
            continue
        one, two = read_image(record.parent / "reference.exr"), read_image(other.parent / "reference.exr")
        difference = np.stack([one[c].astype(np.float64) - two[c] for c in "RGB"])
        noise = [np.stack([image[f"half_difference.{c}"].astype(np.float64) for c in "RGB"]) for image in (one, two)]
        variance = sum(np.mean(each**2) for each in noise)
        ratios.append(float(np.mean(difference**2) / variance))
        level = float(np.mean(np.stack([one[c] for c in "RGB"])))
        error = float(np.sqrt(sum(np.sum(each**2) for each in noise)) / difference.size)
        biases.append(abs(float(difference.mean())) / level)
        scores.append(abs(float(difference.mean())) / error)
    return {
        "pairs": len(ratios),
        "noise_ratio": round(statistics.median(ratios), 4),
        "worst_noise_ratio": round(max(ratios), 4),
        "worst_bias": round(max(biases), 6),
        "worst_z": round(max(scores), 2),
    }


def table(runs: list[dict[str, Any]]) -> Table:
    """The runs as people read them."""
    shown = Table("recipe", "device", "workers", "pairs an hour", "utilisation", "memory", "apply", "paths", "write")
    for run in runs:
        if "error" in run:
            shown.add_row(run["recipe"], run["device"], str(run["workers"]), run["error"][-60:])
            continue
        step = run["median_seconds"]
        traced = sum(step.get(name, 0) for name in ("data", "noisy", "reference"))
        shown.add_row(
            run["recipe"], run["device"], str(run["workers"]), f"{run['pairs_per_hour_rate']:.0f}",
            f"{run['utilisation_percent']} %", f"{run['memory_mib']} MiB",
            f"{step.get('apply', 0):.1f} s", f"{traced:.1f} s", f"{step.get('write', 0):.1f} s",
        )  # fmt: skip
    return shown


def write(out: Path, results: dict[str, Any]) -> None:
    """What is known so far, as data."""
    (out / "gpu_bench.json").write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
