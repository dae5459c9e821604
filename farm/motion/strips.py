"""Several motions one after the other as NLA strips, with few keys each, for an animator to move, trim and edit.

Strips lie on tracks of their own, `Digidouble` and, where one begins before the one before it ends, further ones above
it: what begins later lies above, fades in over what is below, and holds its last pose until the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from farm.errors import BadInput
from farm.motion.apply import fit_armature, ready
from farm.motion.before import note_made
from farm.motion.clip import Clip
from farm.motion.keys import make_action
from farm.motion.rig import RigClip, retarget

__all__ = ["TRACK", "Piece", "lay_out"]

TRACK: Final = "Digidouble"


@dataclass(frozen=True)
class Piece:
    """A stretch of motion.

    name       what its action and strip are called
    clip       the canonical skeleton's motion, a frame each
    start      the scene's frame of its first one
    blend_in   over this many frames it fades in from what is below
    blend_out  over this many frames it fades out to that at its end
    """

    name: str
    clip: Clip
    start: int
    blend_in: int = 0
    blend_out: int = 0

    @property
    def end(self) -> int:
        """The scene's frame of its last one."""
        return self.start + len(self.clip) - 1


def lay_out(armature: Any, pieces: Sequence[Piece], *, rig: str, sparse: bool = True) -> None:
    """Lay pieces out on an armature's NLA; `clear_motion` of `farm.motion.apply` removes them.

    A motion applied before is replaced, and the armature's action laid aside. With `sparse`, keys are as few as the
    tolerances of `farm.motion.keys` allow; otherwise there is one a frame. Raises BadInput as `apply_motion` does.
    """
    ordered = sorted(pieces, key=lambda piece: piece.start)
    _check(armature, ordered)
    rest, fit = fit_armature(armature, rig)
    clips = _same_side(ordered, [retarget(piece.clip, fit, rest) for piece in ordered])
    ready(armature, fit.drive, rig)
    animation = armature.animation_data or armature.animation_data_create()
    animation.action = None
    actions = []
    track, free = None, 0
    for piece, clip in zip(ordered, clips, strict=True):
        frames = np.arange(piece.start, piece.end + 1)
        action, slot = make_action(piece.name, armature, clip, frames, switches=fit.drive.switches, sparse=sparse)
        actions.append(action)
        if track is None or piece.start < free:
            track = animation.nla_tracks.new(prev=track)
            track.name = TRACK
        _lay(track, piece, action, slot)
        free = piece.end
    note_made(armature, actions)


def _check(armature: Any, pieces: Sequence[Piece]) -> None:
    if not pieces:
        raise BadInput(f"no motions to lay out on '{armature.name}': give at least one")
    for piece in pieces:
        if len(piece.clip) < 2:
            raise BadInput(f"'{piece.name}' has {len(piece.clip)} frames; a strip of the NLA needs at least 2")
        if piece.blend_in + piece.blend_out > len(piece.clip) - 1 or min(piece.blend_in, piece.blend_out) < 0:
            raise BadInput(
                f"'{piece.name}' cannot fade in over {piece.blend_in} frames and out over {piece.blend_out}: "
                f"it has {len(piece.clip)}"
            )


def _same_side(pieces: Sequence[Piece], clips: Sequence[RigClip]) -> list[RigClip]:
    """The same clips, each begun on the side of the one before, for NLA blends the quaternions' numbers."""
    sided: list[RigClip] = []
    for piece, clip in zip(pieces, clips, strict=True):
        quaternions = clip.quaternions
        if sided:
            before = sided[-1].quaternions
            met = min(piece.start - pieces[len(sided) - 1].start, len(before) - 1)
            quaternions = (
                quaternions * np.where(np.sum(before[met] * quaternions[0], axis=-1) < 0.0, -1.0, 1.0)[:, None]
            )
        sided.append(RigClip(clip.names, quaternions, clip.root, clip.location, clip.driven))
    return sided


def _lay(track: Any, piece: Piece, action: Any, slot: Any) -> None:
    strip = track.strips.new(piece.name, piece.start, action)
    strip.action_slot = slot
    strip.action_frame_start, strip.action_frame_end = piece.start, piece.end
    strip.frame_start, strip.frame_end = piece.start, piece.end
    strip.use_auto_blend = False
    strip.blend_in, strip.blend_out = piece.blend_in, piece.blend_out
    strip.blend_type, strip.extrapolation = "REPLACE", "HOLD_FORWARD"
