"""One pair re-verified from its pixels: what `check` does for each pair, in whatever process."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from farm.dataset.consistency import inspect_motion, inspect_passes
from farm.dataset.exr import read_image
from farm.dataset.files import is_partial, read_bytes
from farm.dataset.inspection import Channels, inspect_pair
from farm.dataset.layers import dataset_layers
from farm.dataset.layout import (
    DATA_NAME,
    RECORD_NAME,
    REFERENCE_NAME,
    PairFolder,
    image_kind,
    parse_noisy,
    parse_partner,
)
from farm.dataset.metrics import beauty, relmse, residual_relmse
from farm.dataset.record import EngineBuild, ImageFile, Record, read_record
from farm.errors import DatasetError, DigidoubleError

__all__ = ["Defect", "PairFindings", "PairPlan", "examine_pair", "without_path"]

RESIDUAL_SLACK: Final = 1e-4
"""Largest relative difference between a recorded residual and the one recomputed from the pixels."""


class Defect(NamedTuple):
    """One thing that is wrong, and the file it is wrong in (relative to the dataset, with forward slashes)."""

    file: str
    problem: str

    def __str__(self) -> str:
        return f"{self.file}: {self.problem}"


@dataclass(frozen=True)
class PairPlan:
    """What every pair of a dataset must hold."""

    recipe: str
    resolution: tuple[int, int]
    images: frozenset[str]
    clip: bool
    passes: tuple[str, ...]
    build: EngineBuild | None


@dataclass
class PairFindings:
    """What was found in one pair's folder. `pictures` are digests of R, G and B of each image that could be read."""

    place: PairFolder
    record: Record | None = None
    record_sha256: str = ""
    defects: list[Defect] = field(default_factory=list)
    pictures: dict[str, str] = field(default_factory=dict)
    images: int = 0
    bytes: int = 0

    def note(self, name: str, problem: str) -> None:
        """Adds a defect of a file in the pair's folder."""
        self.defects.append(Defect(f"{self.place.key}/{name}", problem))


def examine_pair(place: PairFolder, plan: PairPlan | None) -> PairFindings:
    """Re-verifies one pair: record, bytes, pixels, residual, and that nothing else lies there.

    What is broken becomes a finding; OSError is raised where the folder itself cannot be listed.
    """
    findings = PairFindings(place)
    present = {path.name: path for path in sorted(place.path.iterdir())}
    for path in [path for path in present.values() if is_partial(path)]:
        findings.note(path.name, "was left half-written")
        del present[path.name]
    if RECORD_NAME not in present:
        findings.note(RECORD_NAME, "is missing: the pair was never committed; render again")
        return findings
    try:
        findings.record_sha256 = hashlib.sha256(read_bytes(place.record)).hexdigest()
        findings.record = read_record(place.record)
    except DatasetError as error:
        findings.note(RECORD_NAME, without_path(error, place.record))
        return findings
    for name in sorted(set(present) - set(findings.record.files) - {RECORD_NAME}):
        findings.note(name, "is not in the pair's record")
    for problem in _wrong_record(findings.record, plan):
        findings.note(RECORD_NAME, problem)
    _examine_images(findings, findings.record, plan)
    return findings


def _examine_images(findings: PairFindings, record: Record, plan: PairPlan | None) -> None:
    images: dict[str, Channels] = {}
    for name, entry in sorted(record.files.items()):
        path = findings.place.path / name
        try:
            _verify_bytes(path, entry)
            images[name] = read_image(path)
        except DatasetError as error:
            findings.note(name, without_path(error, path))
            continue
        findings.images += 1
        findings.bytes += entry.bytes
    for name, channels in images.items():
        if all(colour in channels for colour in "RGB"):
            findings.pictures[name] = _picture(channels)
    if images.keys() != record.files.keys():
        return
    layers = None if plan is None else dataset_layers(clip=plan.clip, passes=plan.passes)
    sentences = inspect_pair(images, record.view.resolution, layers=layers)
    sound = not sentences
    if sound:
        sentences = [*inspect_passes(images, record.camera), *_wrong_motion(findings, record, images)]
    for sentence in sentences:
        name, _, problem = sentence.partition(": ")
        findings.note(name, problem)
    if sound:
        for problem in _wrong_residual(images, record):
            findings.note(RECORD_NAME, problem)


def _wrong_motion(findings: PairFindings, record: Record, images: Mapping[str, Channels]) -> Iterator[str]:
    """Of a clip's frame whose frame before is there: whether its motion agrees with depth and cameras."""
    before = PairFolder(findings.place.root, record.variant_id, record.view.frame - 1)
    if "motion.prev.X" not in images[REFERENCE_NAME] or not record.view.frame or not before.record.is_file():
        return
    try:
        camera, channels = read_record(before.record).camera, read_image(before.reference)
    except DatasetError:  # which that pair's own examination tells
        return
    if channels.get("depth.Z", np.empty(0)).shape == images[REFERENCE_NAME]["depth.Z"].shape:
        frame = {**images[REFERENCE_NAME], **images.get(DATA_NAME, {})}
        for problem in inspect_motion(frame, record.camera, channels, camera):
            yield f"{REFERENCE_NAME}: {problem}"


def _verify_bytes(path: Path, entry: ImageFile) -> None:
    data = read_bytes(path)
    if len(data) != entry.bytes:
        raise DatasetError(f"{path}: holds {len(data)} bytes, its record says {entry.bytes}")
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise DatasetError(f"{path}: its bytes are not the recorded ones (SHA-256 differs)")


def _picture(channels: Channels) -> str:
    digest = hashlib.sha256()
    for colour in "RGB":
        digest.update(np.ascontiguousarray(channels[colour]))
    return digest.hexdigest()


def _wrong_record(record: Record, plan: PairPlan | None) -> Iterator[str]:
    if plan is not None:
        yield from _unplanned(record, plan)
    seeds = [seed for entry in record.files.values() for seed in entry.seeds]
    if len(set(seeds)) < len(seeds):
        repeated = next(seed for seed in seeds if seeds.count(seed) > 1)
        yield f"seed {repeated} is used {seeds.count(repeated)} times: its images share samples"
    for name, entry in sorted(record.files.items()):
        if name == DATA_NAME:
            continue
        noisy, partner = parse_noisy(name), parse_partner(name)
        named = {"noisy": noisy and noisy[0], "partner": partner and partner[1], "sample": 1}.get(
            image_kind(name) or "", record.residual.samples
        )
        if entry.samples != named:
            yield f"{name} has {entry.samples} samples, expected {named}"
    rotation = np.array(record.camera.matrix_world)[:3, :3]
    if not np.allclose(rotation.T @ rotation, np.eye(3), atol=1e-4):
        yield "camera.matrix_world is scaled or sheared"


def _unplanned(record: Record, plan: PairPlan) -> Iterator[str]:
    if record.recipe != plan.recipe:
        yield f"is of recipe {record.recipe}, the dataset's is {plan.recipe}"
    if record.view.resolution != plan.resolution:
        yield f"its resolution is {record.view.resolution}, the recipe's {plan.resolution}"
    for name in sorted(plan.images - set(record.files)):
        yield f"lists no {name}, which the recipe asks for"
    for name in sorted(set(record.files) - plan.images):
        yield f"lists {name}, which the recipe does not ask for"
    if plan.build is not None and record.engine.build != plan.build:
        yield f"was rendered by {record.engine.label}, the dataset by {plan.build.label}"


def _wrong_residual(images: dict[str, Channels], record: Record) -> Iterator[str]:
    target = beauty(images[REFERENCE_NAME])
    stated = record.residual
    left = residual_relmse(target, beauty(images[REFERENCE_NAME], "half_difference."))
    best = min(relmse(beauty(images[name]), target) for name in images if parse_noisy(name) is not None)
    for label, recorded, found in (
        ("relmse", stated.relmse, left),
        ("best_noisy_relmse", stated.best_noisy_relmse, best),
        ("ratio", stated.ratio, left / best),
    ):
        if not math.isclose(recorded, found, rel_tol=RESIDUAL_SLACK, abs_tol=1e-12):
            yield f"residual.{label} is recorded as {recorded:.6g}, the pixels give {found:.6g}"
    if stated.converged != (stated.ratio <= stated.threshold):
        yield f"residual.converged is {stated.converged} at a ratio of {stated.ratio:.4g} of {stated.threshold:.4g}"


def without_path(error: DigidoubleError, path: Path) -> str:
    """An error's message for a defect of the file at `path`, which the defect names already."""
    return str(error).replace(f"{path}: ", "").replace(f"{path}:", "line ").replace(f"{path} ", "")
