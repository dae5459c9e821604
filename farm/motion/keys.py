"""Keys of a rig's motion in a slotted action: dense and exact for renders, or few, with handles, for an animator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import bpy
import numpy as np
from bpy_extras.anim_utils import action_ensure_channelbag_for_slot
from numpy.typing import NDArray

from farm.motion.rig import RigClip
from farm.motion.sparse import Error, sparse_curve, travel_error, turn_error

__all__ = ["ROTATION_TOLERANCE", "TRAVEL_TOLERANCE", "make_action"]

Array = NDArray[np.float64]

ROTATION_TOLERANCE: Final = 0.05
"""Degrees by which sparse keys may turn a bone otherwise, at any frame."""
TRAVEL_TOLERANCE: Final = 1e-4
"""Metres by which sparse keys may place the root elsewhere, at any frame."""
STILL: Final = 1e-7
"""Channels that vary less than this get one key."""
_RNA: Final = bpy.types.Keyframe.bl_rna.properties
LINEAR: Final = _RNA["interpolation"].enum_items["LINEAR"].value
BEZIER: Final = _RNA["interpolation"].enum_items["BEZIER"].value
ALIGNED: Final = _RNA["handle_left_type"].enum_items["ALIGNED"].value


class Sheet:
    """The channels of a new action for one armature."""

    def __init__(self, name: str, armature: Any) -> None:
        """An empty action."""
        self.action = bpy.data.actions.new(name)
        self.slot = self.action.slots.new(id_type="OBJECT", name=armature.name)
        self._bag = action_ensure_channelbag_for_slot(self.action, self.slot)

    def points(self, path: str, channel: int, group: str, count: int) -> Any:
        """The new curve of a channel and its empty keys."""
        curve = self._bag.fcurves.ensure(path, index=channel, group_name=group)
        curve.keyframe_points.add(count)
        return curve

    def dense(self, path: str, group: str, frames: NDArray[np.int_], values: Array, *_: Any) -> None:
        """Key values (N, C), linear between frames; one key for a channel that does not change."""
        for channel, column in enumerate(values.T):
            kept = slice(None) if np.ptp(column) > STILL else slice(1)
            co = np.column_stack([frames[kept], column[kept]])
            curve = self.points(path, channel, group, len(co))
            curve.keyframe_points.foreach_set("co", co.astype(np.float32).ravel())
            curve.keyframe_points.foreach_set("interpolation", np.full(len(co), LINEAR, dtype=np.int32))
            curve.update()

    def sparse(
        self, path: str, group: str, frames: NDArray[np.int_], values: Array, error: Error, least: float
    ) -> None:
        """Key values (N, C) to within `least` of an error, with handles at a third of the way between keys."""
        fitted = sparse_curve(values, error, least)
        times = frames[fitted.at].astype(np.float64)
        third = np.diff(times) / 3.0
        before, after = np.append(third[:1], third), np.append(third, third[-1:])
        if len(times) == 1:
            before = after = np.ones(1)
        for channel in range(fitted.values.shape[1]):
            value, slope = fitted.values[:, channel], fitted.slopes[:, channel]
            curve = self.points(path, channel, group, len(times))
            points = curve.keyframe_points
            points.foreach_set("co", _pairs(times, value))
            points.foreach_set("interpolation", np.full(len(times), BEZIER, dtype=np.int32))
            for side, away in (("left", -before), ("right", after)):
                points.foreach_set(f"handle_{side}_type", np.full(len(times), ALIGNED, dtype=np.int32))
                points.foreach_set(f"handle_{side}", _pairs(times + away, value + away * slope))
            curve.update()


def _pairs(times: Array, values: Array) -> NDArray[np.float32]:
    return np.column_stack([times, values]).astype(np.float32).ravel()


def make_action(
    name: str,
    armature: Any,
    clip: RigClip,
    frames: NDArray[np.int_],
    *,
    switches: Sequence[tuple[tuple[str, str], float]],
    sparse: bool,
) -> tuple[Any, Any]:
    """A new action and its slot, with a clip keyed at frames (N,); the armature is left as it is.

    switches   properties of bones, as ((bone, property), value), that are keyed once
    sparse     few keys within ROTATION_TOLERANCE and TRAVEL_TOLERANCE, instead of one a frame
    """
    sheet, poses = Sheet(name, armature), armature.pose.bones
    write = sheet.sparse if sparse else sheet.dense
    for bone in clip.driven:
        path = poses[clip.names[bone]].path_from_id("rotation_quaternion")
        write(path, clip.names[bone], frames, clip.quaternions[:, bone], turn_error, np.radians(ROTATION_TOLERANCE))
    scale = float(np.linalg.norm(np.array(armature.matrix_world)[:3, 0]))
    path, root = poses[clip.names[clip.root]].path_from_id("location"), clip.names[clip.root]
    write(path, root, frames, clip.location / scale, travel_error, TRAVEL_TOLERANCE / scale)
    for (holder, switch), value in switches:
        sheet.dense(f'{poses[holder].path_from_id()}["{switch}"]', holder, frames[:1], np.array([[value]]))
    return sheet.action, sheet.slot
