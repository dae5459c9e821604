"""A variant's stunt as entries to plan: its own keys, those of the stunt chained to it, and poses at both ends."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from farm.errors import TemplateError
from farm.motion.clip import Clip
from farm.motion.pose import PoseTemplate, load_pose
from farm.motion.recording import KIND as RECORDED
from farm.motion.recording import plan_recording
from farm.motion.rotation import about
from farm.motion.skeleton import INDEX, MIRROR, Skeleton
from farm.motion.stunt.layout import Entry, Scale, displacement
from farm.motion.stunt.plan import Plan, plan_entries
from farm.motion.stunt.props import Box, Dent, place_prop, press
from farm.motion.stunt.template import KIND, Key, Move, StuntTemplate, load_stunt
from farm.recipe import templates
from farm.recipe.parameters import NO_STUNT, OWN_POSE, Stunt

__all__ = ["Performance", "plan_stunt"]

Array = NDArray[np.float64]
KEPT: Final = 16
HURRY: Final = 0.6
"""Share of the pause between chained stunts that is left out when they blend fully."""
GATHER: Final = 0.3
"""Seconds between a stunt's last key and the first of one that begins lying."""
Z = np.array([0.0, 0.0, 1.0])


class Planned(Protocol):
    """What has been planned for a body: a plan of keys, or a recording."""

    @property
    def duration(self) -> float:
        """Seconds."""

    def sample(self, times: Array, /) -> Clip:
        """The clip at times (N,) in seconds."""


@dataclass(frozen=True)
class Performance:
    """A plan, mirrored and turned as the stunt says; `speed` is of recordings, for keys have theirs in the plan.

    props  the boxes on the set
    """

    plan: Planned
    skeleton: Skeleton
    mirror: bool
    direction: float
    speed: float = 1.0
    props: tuple[Box, ...] = ()

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.plan.duration / self.speed

    def sample(self, at: Array) -> Clip:
        """The clip at times (N,) in seconds; it stands still before the beginning and after the end."""
        clip = self.plan.sample(at * self.speed)
        if self.mirror:
            clip = _mirrored(clip)
        turn = about(Z, np.array(self.direction))
        rotations = clip.rotations.copy()
        rotations[:, INDEX["hips"]] = turn @ rotations[:, INDEX["hips"]]
        return Clip(clip.hips @ turn.T, rotations)

    def press(self, at: Array) -> list[Dent | None]:
        """How each prop is pressed down at times (N,) in seconds; None where it is hard."""
        clip = self.sample(at) if any(box.soft for box in self.props) else None
        return [press(box, clip, self.skeleton) if box.soft and clip is not None else None for box in self.props]


def _mirrored(clip: Clip) -> Clip:
    """Left and right swapped."""
    flip = np.array([-1.0, 1.0, 1.0])
    return Clip(clip.hips * flip, (flip[:, None] * clip.rotations * flip)[:, MIRROR])


def plan_stunt(stunt: Stunt, skeleton: Skeleton) -> Performance:
    """Plan a stunt, and those that follow it, for a body; TemplateError where a template is missing or wrong.

    The last KEPT plans are kept, whatever the stunt's phase.
    """
    whole = stunt.model_copy(update={"phase": 0.0})
    return _plan(whole, skeleton.joints.tobytes(), skeleton.soles.tobytes())


@functools.lru_cache(maxsize=KEPT)
def _plan(stunt: Stunt, joints: bytes, soles: bytes) -> Performance:
    skeleton = Skeleton(np.frombuffer(joints).reshape(-1, 3), np.frombuffer(soles).reshape(2, 3, 3))
    names = [name for name in (stunt.name, stunt.then, stunt.last) if name != NO_STUNT]
    direction = float(np.radians(stunt.direction))
    recorded = [name for name in names if templates.load(KIND, name).get("kind") == RECORDED]
    if recorded and len(names) > 1:
        raise TemplateError(f"{recorded[0]} is a recording, which is not chained with others; play it alone")
    if recorded:
        return Performance(plan_recording(names[0], skeleton), skeleton, stunt.mirror, direction, stunt.speed)
    acts = [load_stunt(name) for name in names]
    entries: list[Entry] = []
    begins: list[int] = []
    for place, (name, act) in enumerate(zip(names, acts, strict=True)):
        if place:
            _fit(names[place - 1], acts[place - 1], name, act)
        begins.append(len(entries))
        entries += _entries(stunt, name, act, first=place == 0, last=place == len(acts) - 1)
    plan = plan_entries(entries, skeleton, speed=stunt.speed, timing=stunt.timing)
    props = [
        place_prop(prop, entries[first].scale, skeleton, _ground(plan, entries, first))
        for first, act in zip(begins, acts, strict=True)
        for prop in act.props
    ]
    placed = tuple(box.turned(direction, mirror=stunt.mirror) for box in props)
    return Performance(plan, skeleton, stunt.mirror, direction, props=placed)


def _ground(plan: Plan, entries: list[Entry], first: int) -> Array:
    """The ground (3,) that a stunt begins on, before its first key moves it."""
    entry, laid = entries[first], plan.laid[first]
    return laid.ground - displacement(entry.key.move, entry.scale, plan.skeleton)


def _fit(before: str, first: StuntTemplate, name: str, second: StuntTemplate) -> None:
    if second.from_height:
        raise TemplateError(f"{name} cannot follow {before}: it begins on a platform; play it first")
    if first.ends != second.begins:
        keyed = [each for each in templates.names(KIND) if templates.load(KIND, each).get("kind") != RECORDED]
        fitting = [each for each in keyed if load_stunt(each).begins == first.ends]
        raise TemplateError(
            f"{name} cannot follow {before}, which ends {first.ends}: it begins {second.begins}; "
            f"what begins {first.ends}: {', '.join(fitting) or 'none'}"
        )


def _on_feet(name: str, stunt: str, verb: str) -> PoseTemplate:
    """A pose that stands on both feet and on nothing else; TemplateError for others."""
    pose = load_pose(name)
    if not _stands(pose):
        fitting = [each for each in templates.names("poses") if _stands(load_pose(each))]
        raise TemplateError(
            f"{stunt} cannot {verb} in the pose '{name}', which does not stand on both feet alone; these do: "
            f"{', '.join(fitting)}"
        )
    return pose


def _stands(pose: PoseTemplate) -> bool:
    stance = pose.stance
    elsewhere = stance.rest is not None or stance.seat is not None or stance.air is not None or stance.lays.any()
    return bool(stance.bears.all()) and not elsewhere


def _entries(stunt: Stunt, name: str, act: StuntTemplate, *, first: bool, last: bool) -> list[Entry]:
    """A template's keys with the poses at its ends; between chained stunts the later one's beginning is left out."""
    height = act.height * stunt.height
    effort = 1.0 if act.half_effort is None else height / (height + act.half_effort)
    scale = Scale(height, act.distance * stunt.distance, stunt.rotations if act.rotates else 1, effort)
    place = templates.place(KIND, name)
    entries = [Entry(key, f"{place}: keys.{label}", scale) for label, key in act.keys.items()]
    if act.start is not None and first:
        start = act.start if stunt.start == OWN_POSE else stunt.start
        standing = Key(contact=("left", "right"), move=Move(height=act.from_height))
        entries.insert(0, Entry(standing, place, scale, _on_feet(start, name, "begin")))
    if act.end is not None:
        own = act.end if stunt.end == OWN_POSE or not last else stunt.end
        calm = 1.0 if last else 1.0 - HURRY * stunt.blend
        settle = Key(time=act.settle * calm, rest=True, contact=("left", "right"), here=True)
        entries.append(Entry(settle, f"{place}: end", scale, _on_feet(own, name, "end")))
    if not first and act.start is None:
        entries[0] = Entry(entries[0].key.model_copy(update={"time": GATHER, "rest": True}), entries[0].place, scale)
    return entries
