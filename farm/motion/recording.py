"""Recordings: stunt templates that hold a performer's motion instead of a plan, and that motion on any double.

A recording is `templates/stunts/NAME.yaml` with `kind: recording`, and the payload beside it: `NAME.npz`, a zip of
numpy arrays without times in it, so that equal motion is equal bytes. The YAML holds its SHA-256.

    hips       (N, 3) float32   where the hips are, metres, on the floor z = 0, from above the origin and facing −Y
    bones      (b,) text        the canonical bones that move
    rotations  (N, b, 4) float32  their local rotations as quaternions (w, x, y, z)
    joints     (B, 3) float64   the performer's canonical skeleton
    soles      (2, 3, 3) float64
    plants     (P, 6) float64   foot, start, end, x, y, K, as `farm.motion.planting.Plant` has them
    headings   (ΣK,) float64    of each plant in turn, and
    on_ball    (ΣK,) bool

The clip is as it was performed, feet that slide and all: they are held where it is played, each double's own.
On a double the hips' path is the performer's by the ratio of their legs, so are the places where the feet stand, and
the legs are solved to these.
"""

from __future__ import annotations

import functools
import hashlib
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from farm.errors import TemplateError
from farm.motion.clip import Clip
from farm.motion.mocap.editing import follow_on, sample_clip
from farm.motion.planting import Plant, hold_feet, place_plants, scale_plants
from farm.motion.reaching import follow_limbs
from farm.motion.rotation import from_quaternion, to_quaternion
from farm.motion.skeleton import BONES, INDEX, SIDES, Skeleton
from farm.recipe import templates
from farm.recipe.templates import Part

__all__ = [
    "KIND",
    "Performance",
    "Recording",
    "RecordingFile",
    "held_loop",
    "load_recording",
    "pack",
    "plan_recording",
    "scaled",
    "unpack",
]

Array = NDArray[np.float64]

KIND: Final = "recording"
ARRAYS: Final = ("hips", "bones", "rotations", "joints", "soles", "plants", "headings", "on_ball")
EARLIEST: Final = (1980, 1, 1, 0, 0, 0)
"""The time that a zip's entries have when they have none."""
AROUND: Final = 0.5
"""Seconds before and after a loop's round, within which plants of the next rounds count."""


class Source(Part):
    """Where a recording comes from.

    frames, fps    of the file, whose span from `start` to `until` seconds was taken
    unit           what one unit of the file is, as it was found
    table, score   the rig table that named its bones, and how surely
    """

    file: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    frames: int = Field(gt=1)
    fps: float = Field(gt=0)
    unit: str
    up: str
    facing: str
    table: str
    score: float = Field(ge=0, le=1)
    start: float = Field(ge=0)
    until: float = Field(gt=0)
    mirrored: bool = False
    speed: float = Field(default=1.0, gt=0)
    cleaned: bool = True


class Build(Part):
    """The performer's size, metres: thigh and shin, and the whole body."""

    leg: float = Field(gt=0)
    stature: float = Field(gt=0)


class RecordingFile(Part):
    """One file of templates/stunts with `kind: recording`; `duration` in seconds."""

    kind: Literal["recording"]
    description: str
    duration: float = Field(gt=0)
    fps: float = Field(gt=0, le=1000)
    loop: bool = False
    payload: str = Field(pattern=r"^[^/\\]+\.npz$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    performer: Build
    source: Source


@dataclass(frozen=True)
class Recording:
    """A performer's motion: the clip, on the skeleton it was made by, and the places where the feet are to stand."""

    clip: Clip
    fps: float
    skeleton: Skeleton
    plants: tuple[Plant, ...]
    loop: bool = False

    @property
    def duration(self) -> float:
        """Seconds."""
        return (len(self.clip) - 1) / self.fps


@dataclass(frozen=True)
class Performance:
    """A recording planned for one double: what it does at any time."""

    clip: Clip
    fps: float
    loop: bool

    @property
    def duration(self) -> float:
        """Seconds; a loop's first round."""
        return (len(self.clip) - 1) / self.fps

    def sample(self, times: Array) -> Clip:
        """The clip at times (N,) in seconds.

        Before its beginning and after its end it stands still; a loop goes on, and moves on as far each round.
        """
        if not self.loop:
            return sample_clip(self.clip, self.fps, times)
        rounds = np.floor(times / self.duration + 1e-9).astype(np.int64)
        return follow_on(self.clip, rounds, sample_clip(self.clip, self.fps, times - rounds * self.duration))


def plan_recording(recording: str | Recording, skeleton: Skeleton) -> Performance:
    """Lay a recording, or the one with that name in templates/stunts, on a double's skeleton.

    TemplateError where the template or its payload is missing or wrong.
    """
    given = load_recording(recording) if isinstance(recording, str) else recording
    clip, plants = scaled(given, skeleton)
    return Performance(held(clip, skeleton, plants, given.fps, given.loop), given.fps, given.loop)


def scaled(recording: Recording, skeleton: Skeleton) -> tuple[Clip, list[Plant]]:
    """A recording's clip and plants for a double of another size, its feet not held yet."""
    ratio = skeleton.leg / recording.skeleton.leg
    ankles = [np.mean([each.joint(f"{side}Foot")[2] for side in SIDES]) for each in (recording.skeleton, skeleton)]
    hips = recording.clip.hips * ratio
    hips[:, 2] = ankles[1] + (recording.clip.hips[:, 2] - ankles[0]) * ratio
    clip = follow_limbs(skeleton, Clip(hips, recording.clip.rotations), recording.skeleton, recording.clip)
    return clip, place_plants(clip, skeleton, recording.plants, recording.fps)


def held(clip: Clip, skeleton: Skeleton, plants: Sequence[Plant], fps: float, loop: bool) -> Clip:
    """A clip with its feet held; those of a loop over the seam as well."""
    return held_loop(clip, skeleton, plants, fps) if loop else hold_feet(clip, skeleton, plants, fps)


def held_loop(clip: Clip, skeleton: Skeleton, plants: Sequence[Plant], fps: float) -> Clip:
    """One round of a loop with its feet held, as it is between the round before and the one after."""
    tiled = three_rounds(clip)
    duration = (len(clip) - 1) / fps
    whole = hold_feet(tiled, skeleton, scale_plants(plants, delay=duration), fps)
    round_ = slice(len(clip) - 1, 2 * len(clip) - 1)
    return Clip(whole.hips[round_], whole.rotations[round_])


def three_rounds(clip: Clip) -> Clip:
    """A loop's clip with the round before it and the one after, the frames at the seams once."""
    last = len(clip) - 1
    at = np.concatenate([np.tile(np.arange(last), 3), [last]])
    rounds = np.concatenate([np.repeat([-1, 0, 1], last), [1]])
    return follow_on(clip, rounds, Clip(clip.hips[at], clip.rotations[at]))


def pack(recording: Recording) -> bytes:
    """A recording's payload; equal recordings are equal bytes."""
    moving = [bone for bone in BONES if np.abs(recording.clip.rotations[:, INDEX[bone]] - np.eye(3)).max() > 1e-6]
    chosen = recording.clip.rotations[:, [INDEX[bone] for bone in moving]]
    arrays = {
        "hips": recording.clip.hips.astype(np.float32),
        "bones": np.array(moving or [""], dtype="U32"),
        "rotations": to_quaternion(chosen).astype(np.float32),
        "joints": recording.skeleton.joints,
        "soles": recording.skeleton.soles,
        "plants": np.array(
            [[p.foot, p.start, p.end, *p.place, len(p.headings)] for p in recording.plants], dtype=np.float64
        ).reshape(-1, 6),
        "headings": np.array([each for plant in recording.plants for each in plant.headings], dtype=np.float64),
        "on_ball": np.array([each for plant in recording.plants for each in plant.on_ball], dtype=bool),
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, array in arrays.items():
            data = io.BytesIO()
            np.save(data, array, allow_pickle=False)
            archive.writestr(
                zipfile.ZipInfo(f"{name}.npy", EARLIEST), data.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=9
            )
    return packed.getvalue()


def unpack(data: bytes, file: RecordingFile, place: str) -> Recording:
    """A recording from its payload; TemplateError calls it `place`."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in ARRAYS}
        frames = len(found["hips"])
        bones = [str(bone) for bone in found["bones"] if bone]
        local = np.broadcast_to(np.eye(3), (frames, len(BONES), 3, 3)).copy()
        local[:, [INDEX[bone] for bone in bones]] = from_quaternion(found["rotations"].astype(np.float64))
        if not all(np.isfinite(found[name]).all() for name in found if name != "bones") or frames < 2:
            raise ValueError("numbers that are not finite, or fewer than two frames")
        return Recording(
            clip=Clip(found["hips"].astype(np.float64), local),
            fps=file.fps,
            skeleton=Skeleton(found["joints"].reshape(len(BONES), 3), found["soles"].reshape(2, 3, 3)),
            plants=tuple(_plants(found["plants"], found["headings"], found["on_ball"])),
            loop=file.loop,
        )
    except (ValueError, KeyError, IndexError, OSError, zipfile.BadZipFile) as error:
        raise TemplateError(f"{place} is no recording's payload ({error}); import it again") from None


def _plants(rows: Array, headings: Array, on_ball: NDArray[np.bool_]) -> Iterator[Plant]:
    begin = 0
    for foot, start, end, x, y, count in rows.tolist():
        mine = slice(begin, begin + int(count))
        begin = mine.stop
        if int(foot) not in (0, 1) or count < 1 or end < start or mine.stop > min(len(headings), len(on_ball)):
            raise ValueError("plants that are none")
        yield Plant(int(foot), start, end, (x, y), tuple(headings[mine].tolist()), tuple(on_ball[mine].tolist()))


def load_recording(name: str) -> Recording:
    """The recording `name` of templates/stunts; TemplateError where it or its payload is missing or wrong."""
    file = templates.read(RecordingFile, "stunts", name)
    return _load(templates.path("stunts", name).with_name(file.payload), file)


@functools.cache
def _load(path: Path, file: RecordingFile) -> Recording:
    place = f"templates/stunts/{file.payload}"
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TemplateError(f"{place} cannot be read: {error.strerror}; import the recording again") from None
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise TemplateError(f"{place} is not the one that its .yaml was written with; import the recording again")
    recording = unpack(data, file, place)
    if abs(recording.duration - file.duration) > 0.5 / file.fps:
        raise TemplateError(
            f"{place} lasts {recording.duration:.3f} s, its .yaml says {file.duration:.3f}; import it again"
        )
    return recording
