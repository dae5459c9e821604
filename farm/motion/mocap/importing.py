"""From a motion file to a recording: read, named, stood upright, levelled, cut, cleaned of foot sliding, resampled."""

from __future__ import annotations

import hashlib
import itertools
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml
from numpy.typing import NDArray

from farm.errors import BadInput, StorageError
from farm.motion.clip import Clip
from farm.motion.mocap.bvh import read_bvh
from farm.motion.mocap.capture import Capture
from farm.motion.mocap.editing import begin_at_origin, close_loop, mirror_clip, mirror_skeleton, sample_clip
from farm.motion.mocap.floor import Floor, level
from farm.motion.mocap.naming import Naming, name_joints
from farm.motion.mocap.soles import level_soles
from farm.motion.mocap.upright import Performer, stand_upright
from farm.motion.planting import Plant, find_plants, scale_plants, slides
from farm.motion.recording import (
    AROUND,
    KIND,
    Build,
    Recording,
    RecordingFile,
    Source,
    held,
    pack,
    three_rounds,
)
from farm.motion.skeleton import Skeleton
from farm.places import template_folder
from farm.recipe import templates
from farm.recipe.parameters import NO_STUNT

__all__ = [
    "Changes",
    "Imported",
    "import_motion",
    "import_own",
    "own_target",
    "read_capture",
    "target_of",
    "write_recording",
]

Array = NDArray[np.float64]

STUNTS: Final = "stunts"
FORMATS: Final = (".bvh", ".fbx", ".glb", ".gltf")
HEAD_HEIGHT: Final = 0.915
"""Where the head's joint is, in statures."""
LOOP_AT_LEAST: Final = 0.2
"""Seconds."""


@dataclass(frozen=True)
class Changes:
    """What is to be done with a recording.

    start, until  seconds of the file; None until its end
    fps           frames a second of the recording; None for the file's
    """

    start: float = 0.0
    until: float | None = None
    mirror: bool = False
    loop: bool = False
    speed: float = 1.0
    fps: float | None = None
    clean: bool = True


@dataclass(frozen=True)
class Imported:
    """A recording, and how it came about.

    before, after  (P,) how far each planted foot slid, in metres, before cleaning and after
    """

    recording: Recording
    naming: Naming
    performer: Performer
    frames: int
    floor: Floor
    span: tuple[float, float]
    before: Array
    after: Array


def read_capture(path: Path, take: str | None = None) -> Capture:
    """A motion file by its ending; BadInput where it is damaged, holds no motion or is of another kind.

    take  name of the action, for .fbx and .glb files with several
    """
    ending = path.suffix.lower()
    if ending == ".bvh":
        capture = read_bvh(path)
    elif ending in FORMATS:
        from farm.motion.mocap.scene_files import read_scene_file

        capture = read_scene_file(path, take)
    else:
        raise BadInput(f"{path} ends in '{ending}'; motion is read from {', '.join(FORMATS)}")
    if len(capture) < 2:
        raise BadInput(f"{path} holds no motion, only one frame; export it with its animation")
    return capture


def import_motion(capture: Capture, place: str, changes: Changes, *, table: str | None = None) -> Imported:
    """A capture as a recording; BadInput, calling the file `place`, where that cannot be."""
    naming = name_joints(capture, place, table)
    first, last = _cut(capture, place, changes)
    performer = stand_upright(capture, naming, place)
    fps, skeleton = performer.fps, performer.fit.skeleton
    clip, floor = level(level_soles(performer.clip, skeleton, fps), skeleton, fps)
    clip = Clip(clip.hips[first : last + 1], clip.rotations[first : last + 1])
    if changes.mirror:
        clip, skeleton = mirror_clip(clip), mirror_skeleton(skeleton)
    clip = begin_at_origin(clip)
    if changes.loop:
        clip = close_loop(clip, fps)
    plants = _plants(clip, skeleton, fps, changes.loop)
    cleaned = held(clip, skeleton, plants, fps, changes.loop) if changes.clean else clip
    measured = [plant for plant in plants if plant.start >= 0.0 and plant.end <= (len(clip) - 1) / fps]
    recording = _resampled(clip, skeleton, plants if changes.clean else [], fps, changes)
    return Imported(
        recording=recording,
        naming=naming,
        performer=performer,
        frames=len(capture),
        floor=floor,
        span=(first / fps, last / fps),
        before=slides(clip, skeleton, measured, fps),
        after=slides(cleaned, skeleton, measured, fps),
    )


def _cut(capture: Capture, place: str, changes: Changes) -> tuple[int, int]:
    """The first frame and the last one."""
    length = (len(capture) - 1) / capture.fps
    until = length if changes.until is None else changes.until
    if not (math.isfinite(changes.start) and 0.0 <= changes.start < until <= length + 1.0 / capture.fps):
        raise BadInput(
            f"{place} lasts {length:.2f} s at {capture.fps:g} fps: "
            f"from {changes.start:g} s until {until:g} s is no part of it"
        )
    first, last = round(changes.start * capture.fps), min(round(until * capture.fps), len(capture) - 1)
    if last <= first or (changes.loop and last - first < LOOP_AT_LEAST * capture.fps):
        raise BadInput(f"{place}: from {changes.start:g} s until {until:g} s is too short")
    return first, last


def _plants(clip: Clip, skeleton: Skeleton, fps: float, loop: bool) -> list[Plant]:
    if not loop:
        return find_plants(clip, skeleton, fps)
    duration = (len(clip) - 1) / fps
    found = scale_plants(find_plants(three_rounds(clip), skeleton, fps), delay=-duration)
    return [plant for plant in found if plant.end > -AROUND and plant.start < duration + AROUND]


def _resampled(clip: Clip, skeleton: Skeleton, plants: list[Plant], fps: float, changes: Changes) -> Recording:
    """At another speed and frame rate; a loop's last frame stays its last."""
    rate = changes.fps or fps
    lasting = (len(clip) - 1) / fps / changes.speed
    frames = max(1, round(lasting * rate) if changes.loop else math.floor(lasting * rate + 1e-6))
    speed = lasting * changes.speed * rate / frames if changes.loop else changes.speed
    sampled = sample_clip(clip, fps, np.arange(frames + 1, dtype=np.float64) * (speed / rate))
    return Recording(sampled, rate, skeleton, tuple(scale_plants(plants, speed=speed)), changes.loop)


def target_of(path: Path) -> Path:
    """The .yaml that `--to` means; BadInput where no recording can be written there."""
    target = path if path.suffix.lower() in (".yaml", ".yml") else path.with_name(f"{path.name}.yaml")
    if not target.parent.is_dir():
        raise BadInput(f"the folder {target.parent} does not exist; make it first")
    if target.exists():
        try:
            data = yaml.safe_load(target.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError):
            data = None
        if not isinstance(data, dict) or data.get("kind") != KIND:
            raise BadInput(f"{target} is there already and is no recording; give --to another name")
    return target


def own_target(name: str) -> Path:
    """The .yaml of a new stunt among the user's own templates, called after `name`, with a number where that is taken.

    Raises StorageError where their folder cannot be made.
    """
    word = "_".join(re.findall(r"[a-z0-9]+", name.lower())) or "motion"
    taken = [*templates.names(STUNTS), NO_STUNT]
    numbered = (f"{word}_{number}" for number in itertools.count(2))
    chosen = next(each for each in itertools.chain((word,), numbered) if each not in taken)
    folder = template_folder() / STUNTS
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{folder} cannot be made: {error.strerror}") from None
    return folder / f"{chosen}.yaml"


def import_own(path: str | Path, changes: Mapping[str, Any], *, progress: Callable[[int, int], None]) -> str:
    """Import a motion file as a stunt among the user's own templates, with `Changes` as plain data; returns its name.

    Raises BadInput where it is no motion that can be read, StorageError where it cannot be written.
    """
    file, wanted = Path(path), Changes(**changes)
    progress(0, 2)
    imported = import_motion(read_capture(file), file.name, wanted)
    progress(1, 2)
    target = own_target(file.stem)
    write_recording(target, file, imported, wanted)
    return target.stem


def write_recording(target: Path, source: Path, imported: Imported, changes: Changes) -> RecordingFile:
    """Write a recording's template and its payload; StorageError where that cannot be."""
    recording = imported.recording
    payload = pack(recording)
    file = RecordingFile(
        kind="recording",
        description=f"Recorded: {source.stem.replace('_', ' ')}",
        duration=round(recording.duration, 6),
        fps=recording.fps,
        loop=recording.loop,
        payload=f"{target.stem}.npz",
        sha256=hashlib.sha256(payload).hexdigest(),
        performer=Build(
            leg=round(recording.skeleton.leg, 4),
            stature=round(float(recording.skeleton.joint("head")[2]) / HEAD_HEIGHT, 4),
        ),
        source=Source(
            file=source.name,
            sha256=hashlib.sha256(source.read_bytes()).hexdigest(),
            frames=imported.frames,
            fps=imported.performer.fps,
            unit=imported.performer.unit,
            up=imported.performer.up,
            facing=imported.performer.facing,
            table=imported.naming.table,
            score=round(imported.naming.score, 3),
            start=round(imported.span[0], 6),
            until=round(imported.span[1], 6),
            mirrored=changes.mirror,
            speed=changes.speed,
            cleaned=changes.clean,
        ),
    )
    text = yaml.safe_dump(file.model_dump(), sort_keys=False, allow_unicode=True, width=120)
    try:
        target.with_suffix(".npz").write_bytes(payload)
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{target} cannot be written: {error.strerror}") from None
    return file
