"""Biovision's BVH, read with numpy.

The grammar (words apart by any white space, keywords in any case):

    HIERARCHY  ROOT name { OFFSET x y z  CHANNELS n channel…  (JOINT name {…} | End Site { OFFSET x y z })… }
    MOTION  Frames: n  Frame Time: seconds  n × one number a channel, in the order of the hierarchy

Angles are in degrees, applied in the order of a joint's channels: `Zrotation Xrotation Yrotation` is Rz · Rx · Ry.
A joint's position channels stand for its offset, or are added to it: whichever leaves its bone nearer to its length.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.errors import BadInput
from farm.motion.mocap.capture import Capture, standard_rate
from farm.motion.rotation import about

__all__ = ["read_bvh"]

Array = NDArray[np.float64]
CHANNELS: Final = {f"{axis}{kind}".casefold(): (kind, place) for kind in ("position", "rotation")
                   for place, axis in enumerate("XYZ")}  # fmt: skip
MOTION: Final = re.compile(r"^\s*MOTION\b", re.MULTILINE | re.IGNORECASE)
HEADER: Final = re.compile(r"\s*Frames:\s*(?P<frames>\S+)\s+Frame\s*Time:\s*(?P<time>\S+)\s*", re.IGNORECASE)
LARGEST_NUMBER: Final = 1e9
MOST_JOINTS: Final = 2000
TIP: Final = 0.05
"""Length of a bone that has neither child nor end site, relative to the skeleton's longest offset."""


@dataclass
class _Joint:
    name: str
    parent: int
    offset: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    channels: list[tuple[str, int]] = field(default_factory=list)
    end: list[float] | None = None


def read_bvh(path: Path) -> Capture:
    """A BVH file's skeleton and motion; BadInput, one line, where it is none, is damaged or holds no motion."""
    text = _text(path)
    begin = MOTION.search(text)
    if begin is None:
        raise BadInput(f"{path}: there is no MOTION in it: the file is cut off, or holds a skeleton only")
    joints = _Hierarchy(str(path), text[: begin.start()]).read()
    frames, fps, numbers = _motion(str(path), text[begin.end() :])
    wanted = sum(len(joint.channels) for joint in joints)
    if len(numbers) != frames * wanted:
        raise BadInput(
            f"{path}: 'Frames: {frames}' of {wanted} channels are {frames * wanted} numbers, {len(numbers)} follow: "
            f"the file is cut off or its counts are wrong; export it again"
        )
    values = numbers.reshape(frames, wanted)
    if not np.isfinite(values).all() or np.abs(values).max() > LARGEST_NUMBER:
        frame = int(np.argmax((~np.isfinite(values) | (np.abs(values) > LARGEST_NUMBER)).any(axis=1)))
        raise BadInput(f"{path}: frame {frame} holds a number that is not finite or beyond 1e9; export it again")
    return _capture(joints, values, fps)


def _text(path: Path) -> str:
    if path.is_dir():
        raise BadInput(f"{path} is a folder; give the .bvh file in it")
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise BadInput(f"{path} does not exist") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from None
    if not data.strip():
        raise BadInput(f"{path} is empty: copy it again from where it came from")
    if not data.lstrip(b"\xef\xbb\xbf \t\r\n").upper().startswith(b"HIERARCHY"):
        raise BadInput(f"{path} is no BVH file: it begins with {data[:12]!r} instead of b'HIERARCHY'")
    return data.decode("utf-8-sig", "replace").replace("\r", "\n")


class _Hierarchy:
    """A reader of the skeleton, line by line; what is wrong is told with its line."""

    def __init__(self, place: str, text: str) -> None:
        self.place = place
        self.words = [
            (word, number)
            for number, line in enumerate(text.split("\n"), 1)
            for word in line.replace("{", " { ").replace("}", " } ").split()
        ]
        self.next = 0
        self.joints: list[_Joint] = []
        self.taken: set[str] = set()

    def fail(self, problem: str) -> BadInput:
        line = self.words[min(self.next, len(self.words)) - 1][1]
        return BadInput(f"{self.place}:{line}: {problem}; export it again")

    def word(self, wanted: str = "") -> str:
        if self.next >= len(self.words):
            raise self.fail(f"the skeleton ends early, '{wanted or '}'}' is missing")
        word = self.words[self.next][0]
        self.next += 1
        if wanted and word.casefold() != wanted.casefold():
            raise self.fail(f"expected '{wanted}', found '{word[:40]}'")
        return word

    def numbers(self, count: int) -> list[float]:
        found: list[float] = []
        for _ in range(count):
            word = self.word("a number" if self.next >= len(self.words) else "")
            try:
                found.append(float(word))
            except ValueError:
                raise self.fail(f"'{word[:40]}' is no number") from None
            if not math.isfinite(found[-1]) or abs(found[-1]) > LARGEST_NUMBER:
                raise self.fail(f"the offset {word} is not finite or beyond 1e9")
        return found

    def read(self) -> list[_Joint]:
        self.word("HIERARCHY")
        self.word("ROOT")
        open_ = [self._begin(-1)]
        while open_:
            word = self.word().casefold()
            joint = self.joints[open_[-1]]
            if word == "}":
                open_.pop()
            elif word == "offset":
                joint.offset = self.numbers(3)
            elif word == "channels":
                joint.channels = self._channels()
            elif word == "joint":
                open_.append(self._begin(open_[-1]))
            elif word == "end":
                joint.end = self._end_site()
            else:
                raise self.fail(f"expected OFFSET, CHANNELS, JOINT, End Site or }}, found '{word[:40]}'")
        if self.next < len(self.words):
            word = self.word()
            raise self.fail(f"a second skeleton ('{word[:40]}') is in it: keep one ROOT")
        return self.joints

    def _begin(self, parent: int) -> int:
        words = []
        while (word := self.word()) != "{":
            words.append(word)
        name = " ".join(words) or f"joint{len(self.joints)}"
        count = 0
        unique = name
        while unique in self.taken:
            count += 1
            unique = f"{name}.{count:03d}"
        self.taken.add(unique)
        self.joints.append(_Joint(unique, parent))
        if len(self.joints) > MOST_JOINTS:
            raise self.fail(f"more than {MOST_JOINTS} joints")
        return len(self.joints) - 1

    def _channels(self) -> list[tuple[str, int]]:
        count = self.word()
        if not count.isdigit() or int(count) > len(CHANNELS):
            raise self.fail(f"CHANNELS {count[:40]}: a joint has from 0 to 6")
        found = []
        for _ in range(int(count)):
            word = self.word()
            if word.casefold() not in CHANNELS:
                raise self.fail(f"unknown channel '{word[:40]}'; known: Xposition … Zrotation")
            found.append(CHANNELS[word.casefold()])
        return found

    def _end_site(self) -> list[float]:
        while self.word() != "{":
            pass
        self.word("OFFSET")
        offset = self.numbers(3)
        self.word("}")
        return offset


def _motion(place: str, text: str) -> tuple[int, float, Array]:
    """The number of frames, frames a second, and all the numbers that follow."""
    header = HEADER.match(text)
    if header is None:
        raise BadInput(f"{place}: after MOTION, 'Frames: …' and 'Frame Time: …' are expected, found {text[:40]!r}")
    if not header["frames"].isdigit():
        raise BadInput(f"{place}: 'Frames: {header['frames'][:40]}' is no number of frames")
    frames = int(header["frames"])
    if frames == 0:
        raise BadInput(f"{place} holds no motion ('Frames: 0'); export it with its animation")
    try:
        time = float(header["time"])
    except ValueError:
        time = math.nan
    if not 1e-4 <= time <= 10.0:
        raise BadInput(
            f"{place}: 'Frame Time: {header['time'][:40]}' is no frame rate: it is in seconds, as 0.0333333 for 30 fps"
        )
    words = text[header.end() :].split()
    try:
        numbers = np.array(words, dtype=np.float64)
    except ValueError:
        wrong = next(word for word in words if not _is_number(word))
        raise BadInput(f"{place}: '{wrong[:40]}' in the motion is no number; export it again") from None
    return frames, standard_rate(1.0 / time), numbers


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _capture(joints: list[_Joint], values: Array, fps: float) -> Capture:
    parents = np.array([joint.parent for joint in joints], dtype=np.int32)
    offsets = np.array([joint.offset for joint in joints])
    rotations = np.empty((len(values), len(joints), 3, 3))
    positions = np.empty((len(values), len(joints), 3))
    for index, (joint, columns) in enumerate(_columns(joints)):
        turn = _turn(joint, values[:, columns])
        moved = _place(joint, values[:, columns])
        if joint.parent < 0:
            rotations[:, index], positions[:, index] = turn, moved
        else:
            above = rotations[:, joint.parent]
            rotations[:, index] = above @ turn
            positions[:, index] = positions[:, joint.parent] + (above @ moved[..., None])[..., 0]
    heads = offsets.copy()
    for index, parent in enumerate(parents.tolist()):
        if parent >= 0:
            heads[index] += heads[parent]
    return Capture(
        names=tuple(joint.name for joint in joints),
        parents=parents,
        heads=heads,
        tails=_tails(joints, heads, float(np.linalg.norm(offsets[1:], axis=1).max(initial=0.0))),
        axes=np.broadcast_to(np.eye(3), (len(joints), 3, 3)),
        positions=positions,
        rotations=rotations,
        fps=fps,
    )


def _columns(joints: list[_Joint]) -> Iterator[tuple[_Joint, slice]]:
    start = 0
    for joint in joints:
        yield joint, slice(start, start + len(joint.channels))
        start += len(joint.channels)


def _turn(joint: _Joint, values: Array) -> Array:
    """A joint's local rotations (N, 3, 3)."""
    turn = np.broadcast_to(np.eye(3), (len(values), 3, 3))
    for column, (kind, axis) in enumerate(joint.channels):
        if kind == "rotation":
            turn = turn @ about(np.eye(3)[axis], np.radians(values[:, column]))
    return turn


def _place(joint: _Joint, values: Array) -> Array:
    """Where a joint is (N, 3) as its parent sees it."""
    offset = np.array(joint.offset)
    place = np.broadcast_to(offset, (len(values), 3)).copy()
    added = np.zeros((len(values), 3))
    moves = [(column, axis) for column, (kind, axis) in enumerate(joint.channels) if kind == "position"]
    for column, axis in moves:
        place[:, axis] = values[:, column]
        added[:, axis] = values[:, column]
    if not moves or joint.parent < 0:
        return place
    apart = np.abs(np.linalg.norm(place, axis=1) - np.linalg.norm(offset)).mean()
    together = np.abs(np.linalg.norm(offset + added, axis=1) - np.linalg.norm(offset)).mean()
    return place if apart <= together else offset + added


def _tails(joints: list[_Joint], heads: Array, longest: float) -> Array:
    """Where bones end (R, 3): at their first child that is elsewhere, at their end site, or a little further on."""
    tails = heads.copy()
    for index, joint in enumerate(joints):
        children = [heads[child] for child, other in enumerate(joints) if other.parent == index]
        ends = [*children, *([heads[index] + joint.end] if joint.end else [])]
        elsewhere = [end for end in ends if np.linalg.norm(end - heads[index]) > 1e-6 * max(longest, 1e-9)]
        along = heads[index] - heads[joint.parent] if joint.parent >= 0 else np.array([0.0, 1.0, 0.0])
        length = max(float(np.linalg.norm(along)), 1e-9)
        tails[index] = elsewhere[0] if elsewhere else heads[index] + along / length * TIP * longest
    return tails
