"""Keys of a rig's motion in a slotted action: dense and exact for renders, or few, with handles, for an animator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import bpy
import numpy as np
from bpy_extras.anim_utils import action_ensure_channelbag_for_slot
from numpy.typing import NDArray

from farm.motion.rig import RigClip
from farm.motion.sparse import Curve, sparse_curve, travel_error, turn_error

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


class _Sheet:
    """The channels of a new action for one armature, keyed at frames (N,)."""

    def __init__(self, name: str, armature: Any, frames: NDArray[np.int_]) -> None:
        self.action = bpy.data.actions.new(name)
        self.slot = self.action.slots.new(id_type="OBJECT", name=armature.name)
        self._bag = action_ensure_channelbag_for_slot(self.action, self.slot)
        self._frames = frames

    def _curve(self, path: str, channel: int, group: str, keys: Array) -> Any:
        """A channel's new curve with keys (K, 2)."""
        curve = self._bag.fcurves.ensure(path, index=channel, group_name=group)
        curve.keyframe_points.add(len(keys))
        curve.keyframe_points.foreach_set("co", keys.astype(np.float32).ravel())
        return curve

    def dense(self, path: str, group: str, values: Array) -> None:
        """Key values (N, C), linear between frames; one key for a channel that does not change."""
        for channel, column in enumerate(values.T):
            kept = slice(None) if np.ptp(column) > STILL else slice(1)
            keys = np.column_stack([self._frames[kept], column[kept]])
            curve = self._curve(path, channel, group, keys)
            curve.keyframe_points.foreach_set("interpolation", np.full(len(keys), LINEAR, dtype=np.int32))
            curve.update()

    def sparse(self, path: str, group: str, fitted: Curve) -> None:
        """Key a fitted curve, with handles along its slopes at a third of the way to the neighbouring keys."""
        times = self._frames[fitted.at].astype(np.float64)
        thirds = np.diff(times) / 3.0 if len(times) > 1 else np.ones(1)
        aside = {"left": -np.append(thirds[:1], thirds), "right": np.append(thirds, thirds[-1:])}
        for channel, (value, slope) in enumerate(zip(fitted.values.T, fitted.slopes.T, strict=True)):
            curve = self._curve(path, channel, group, np.column_stack([times, value]))
            points = curve.keyframe_points
            points.foreach_set("interpolation", np.full(len(times), BEZIER, dtype=np.int32))
            for side, away in aside.items():
                handles = np.column_stack([times + away[: len(times)], value + away[: len(times)] * slope])
                points.foreach_set(f"handle_{side}_type", np.full(len(times), ALIGNED, dtype=np.int32))
                points.foreach_set(f"handle_{side}", handles.astype(np.float32).ravel())
            curve.update()


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
    sheet, poses = _Sheet(name, armature, frames), armature.pose.bones
    scale = float(np.linalg.norm(np.array(armature.matrix_world)[:3, 0]))
    for bone in clip.driven:
        group = clip.names[bone]
        path, values = poses[group].path_from_id("rotation_quaternion"), clip.quaternions[:, bone]
        if sparse:
            sheet.sparse(path, group, sparse_curve(values, turn_error, np.radians(ROTATION_TOLERANCE)))
        else:
            sheet.dense(path, group, values)
    root, places = clip.names[clip.root], clip.location / scale
    path = poses[root].path_from_id("location")
    if sparse:
        sheet.sparse(path, root, sparse_curve(places, travel_error, TRAVEL_TOLERANCE / scale))
    else:
        sheet.dense(path, root, places)
    for (holder, switch), value in switches:
        sheet.dense(f'{poses[holder].path_from_id()}["{switch}"]', holder, np.full((len(frames), 1), value))
    return sheet.action, sheet.slot
