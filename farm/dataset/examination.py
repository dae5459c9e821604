"""Pairs re-verified from their pixels: what `check` does for each pair, in whatever process.

Each file is read once: its digest is taken from the bytes that are decoded. Of a pair, the depth is kept for the
frame after it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from farm.dataset.consistency import inspect_motion, inspect_passes
from farm.dataset.exr import decode_image, read_image
from farm.dataset.files import is_partial, read_bytes, size_of
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
from farm.dataset.metrics import RELMSE_FLOOR
from farm.dataset.place import Place, below
from farm.dataset.record import CameraRecord, EngineBuild, ImageFile, Record, read_record
from farm.errors import DatasetError, DigidoubleError

__all__ = ["Defect", "PairFindings", "PairPlan", "examine_pairs", "without_path"]

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


class _Seen(NamedTuple):
    """What the frame after a pair is compared with: where the pair lies, its camera, and its depth."""

    place: PairFolder
    camera: CameraRecord
    depth: Channels


def examine_pairs(places: Iterable[PairFolder], plan: PairPlan | None) -> Iterator[PairFindings]:
    """Re-verifies pairs: record, bytes, pixels, residual, motion since the frame before, and what else lies there.

    What is broken becomes a finding; OSError is raised where a folder itself cannot be listed. Of a clip whose frames
    follow each other, every file is read once.
    """
    seen: _Seen | None = None
    for place in places:
        findings, seen = _examine(place, plan, seen)
        yield findings


def _examine(place: PairFolder, plan: PairPlan | None, before: _Seen | None) -> tuple[PairFindings, _Seen | None]:
    findings = PairFindings(place)
    present = {path.name: path for path in below(place.path)}
    for path in [path for path in present.values() if is_partial(path)]:
        findings.note(path.name, "was left half-written")
        del present[path.name]
    if RECORD_NAME not in present:
        findings.note(RECORD_NAME, "is missing: the pair was never committed; render again")
        return findings, None
    try:
        findings.record_sha256 = hashlib.sha256(read_bytes(place.record)).hexdigest()
        findings.record = read_record(place.record)
    except DatasetError as error:
        findings.note(RECORD_NAME, without_path(error, place.record))
        return findings, None
    for name in sorted(set(present) - set(findings.record.files) - {RECORD_NAME}):
        findings.note(name, "is not in the pair's record")
    for problem in _wrong_record(findings.record, plan):
        findings.note(RECORD_NAME, problem)
    images = _read_images(findings, findings.record)
    if images.keys() == findings.record.files.keys():
        _examine_images(findings, findings.record, images, plan, before)
    reference = images.get(REFERENCE_NAME, {})
    if "depth.Z" not in reference:
        return findings, None
    return findings, _Seen(place, findings.record.camera, {"depth.Z": reference["depth.Z"]})


def _read_images(findings: PairFindings, record: Record) -> dict[str, Channels]:
    """The images of a pair that are as their record says and can be decoded."""
    images: dict[str, Channels] = {}
    for name, entry in sorted(record.files.items()):
        path = findings.place.path / name
        try:
            images[name] = decode_image(_verified_bytes(path, entry), path)
        except DatasetError as error:
            findings.note(name, without_path(error, path))
            continue
        findings.images += 1
        findings.bytes += entry.bytes
        if all(colour in images[name] for colour in "RGB"):
            findings.pictures[name] = _picture(images[name])
    return images


def _examine_images(
    findings: PairFindings,
    record: Record,
    images: Mapping[str, Channels],
    plan: PairPlan | None,
    before: _Seen | None,
) -> None:
    layers = None if plan is None else dataset_layers(clip=plan.clip, passes=plan.passes)
    sentences = inspect_pair(images, record.view.resolution, layers=layers)
    sound = not sentences
    if sound:
        sentences = [*inspect_passes(images, record.camera), *_wrong_motion(findings, record, images, before)]
    for sentence in sentences:
        name, _, problem = sentence.partition(": ")
        findings.note(name, problem)
    if sound:
        for problem in _wrong_residual(images, record):
            findings.note(RECORD_NAME, problem)


def _wrong_motion(
    findings: PairFindings, record: Record, images: Mapping[str, Channels], before: _Seen | None
) -> Iterator[str]:
    """Of a clip's frame whose frame before is there: whether its motion agrees with depth and cameras."""
    reference = images[REFERENCE_NAME]
    if "motion.prev.X" not in reference or not record.view.frame:
        return
    place = PairFolder(findings.place.root, record.variant_id, record.view.frame - 1)
    if before is None or before.place != place:
        before = _seen(place)
    if before is not None and before.depth["depth.Z"].shape == reference["depth.Z"].shape:
        frame = {**reference, **images.get(DATA_NAME, {})}
        for problem in inspect_motion(frame, record.camera, before.depth, before.camera):
            yield f"{REFERENCE_NAME}: {problem}"


def _seen(place: PairFolder) -> _Seen | None:
    """A pair's camera and depth, read; None where they cannot be, which that pair's own examination tells."""
    if size_of(place.record) is None:
        return None
    try:
        return _Seen(place, read_record(place.record).camera, {"depth.Z": read_image(place.reference)["depth.Z"]})
    except (DatasetError, KeyError):
        return None


def _verified_bytes(path: Place, entry: ImageFile) -> bytes:
    data = read_bytes(path)
    if len(data) != entry.bytes:
        raise DatasetError(f"{path}: holds {len(data)} bytes, its record says {entry.bytes}")
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise DatasetError(f"{path}: its bytes are not the recorded ones (SHA-256 differs)")
    return data


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


def _wrong_residual(images: Mapping[str, Channels], record: Record) -> Iterator[str]:
    reference, stated = images[REFERENCE_NAME], record.residual
    weights = {colour: _relative_weight(reference[colour]) for colour in "RGB"}
    left = _relative_square({colour: reference[f"half_difference.{colour}"] for colour in "RGB"}, weights)
    best = min(
        _relative_square({colour: image[colour] - reference[colour] for colour in "RGB"}, weights)
        for name, image in images.items()
        if parse_noisy(name) is not None
    )
    for label, recorded, found in (
        ("relmse", stated.relmse, left),
        ("best_noisy_relmse", stated.best_noisy_relmse, best),
        ("ratio", stated.ratio, left / best),
    ):
        if not math.isclose(recorded, found, rel_tol=RESIDUAL_SLACK, abs_tol=1e-12):
            yield f"residual.{label} is recorded as {recorded:.6g}, the pixels give {found:.6g}"
    if stated.converged != (stated.ratio <= stated.threshold):
        yield f"residual.converged is {stated.converged} at a ratio of {stated.ratio:.4g} of {stated.threshold:.4g}"


def _relative_weight(reference: np.ndarray) -> np.ndarray:
    """What a difference is multiplied by before `relmse` squares it."""
    weight: np.ndarray = (1.0 / np.sqrt(np.square(reference, dtype=np.float64) + RELMSE_FLOOR)).astype(np.float32)
    return weight


def _relative_square(differences: Channels, weights: Channels) -> float:
    """`relmse` and `residual_relmse` of differences, within single precision of theirs."""
    squares = [np.square(differences[colour] * weight) for colour, weight in weights.items()]
    return float(np.mean([values.mean(dtype=np.float64) for values in squares]))


def without_path(error: DigidoubleError, path: Place) -> str:
    """An error's message for a defect of the file at `path`, which the defect names already."""
    return str(error).replace(f"{path}: ", "").replace(f"{path}:", "line ").replace(f"{path} ", "")
