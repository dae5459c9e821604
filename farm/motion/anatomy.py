"""The words in which templates describe a posture: for each bone, named angles in degrees from the T-pose.

An angle means the same on both sides, and the middle's `lean` and `turn` go to the double's left, so a posture is
mirrored by swapping the sides and the signs of those two.

Limits are the normal ranges of motion of the American Academy of Orthopaedic Surgeons (Joint Motion, 1965), with
the spine's range split over its three bones and some reserve for trained performers; the wrist's is what it bends under
the body's weight.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from farm.errors import TemplateError
from farm.motion.rotation import about
from farm.motion.skeleton import BONES, INDEX, MIRROR, SIDES
from farm.recipe.templates import nearest

__all__ = ["ANGLES", "AXES", "SLOTS", "Angle", "mirror_angles", "read_bones", "rotations"]

Array = NDArray[np.float64]
SLOTS: Final = 3


@dataclass(frozen=True)
class Angle:
    """One way in which a bone turns.

    axis          about which it turns in the T-pose, on the left side or in the middle
    low, high     its limits in degrees
    """

    name: str
    axis: tuple[float, float, float]
    low: float
    high: float
    help: str


X, Y, Z = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
MINUS_X, MINUS_Y, MINUS_Z = (-1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, -1.0)
# The thumb flexes across the palm, towards the base of the little finger.
THUMB: Final = (0.63, 0.64, 0.38)


def _trunk(bend_back: float, bend: float, lean: float, turn: float) -> tuple[Angle, ...]:
    return (
        Angle("turn", Z, -turn, turn, "to the double's left"),
        Angle("bend", X, -bend_back, bend, "forward"),
        Angle("lean", Y, -lean, lean, "to the double's left"),
    )


_FINGER: Final = (Angle("curl", Y, -15, 110, "into the palm"),)

# Outermost first: the last angle turns the bone before the others do.
_KINDS: Final[dict[str, tuple[Angle, ...]]] = {
    "hips": _trunk(180, 180, 180, 180),
    "spine": _trunk(15, 40, 20, 15),
    "chest": _trunk(15, 30, 15, 20),
    "upperChest": _trunk(15, 30, 15, 25),
    "neck": _trunk(30, 30, 25, 40),
    "head": _trunk(30, 30, 25, 45),
    "jaw": (Angle("open", X, 0, 35, "mouth open"),),
    "Eye": (Angle("turn", Z, -35, 35, "away from the nose"), Angle("bend", X, -30, 30, "down")),
    "Shoulder": (
        Angle("raise", MINUS_Y, -10, 40, "the shoulder up"),
        Angle("forward", MINUS_Z, -25, 30, "the shoulder forward"),
    ),
    "UpperArm": (
        Angle("swing", MINUS_X, -60, 180, "the lowered arm forward and up"),
        Angle("lower", Y, -90, 95, "from the T-pose: 90 hangs beside the body"),
        Angle("twist", X, -90, 90, "the crease of the elbow inward"),
    ),
    "LowerArm": (
        Angle("bend", MINUS_Z, 0, 150, "elbow"),
        Angle("twist", X, -90, 90, "the thumb inward and down (pronation)"),
    ),
    "Hand": (Angle("bend", Y, -90, 80, "towards the palm"), Angle("tilt", MINUS_Z, -30, 20, "towards the thumb")),
    "Metacarpal": (
        Angle("close", Z, -20, 45, "to the side of the hand"),
        Angle("curl", THUMB, -20, 60, "across the palm"),
    ),
    "Thumb": (Angle("curl", THUMB, -20, 80, "across the palm"),),
    "Proximal": (*_FINGER, Angle("tilt", MINUS_Z, -20, 20, "towards the thumb")),
    "Intermediate": _FINGER,
    "Distal": _FINGER,
    "UpperLeg": (
        Angle("swing", MINUS_X, -30, 125, "the thigh forward and up"),
        Angle("out", MINUS_Y, -30, 50, "the thigh sideways, away from the other"),
        Angle("twist", Z, -45, 50, "the knee outward"),
    ),
    "LowerLeg": (Angle("bend", X, 0, 145, "knee"),),
    "Foot": (
        Angle("point", X, -40, 60, "the toes down"),
        Angle("tilt", Y, -20, 35, "the sole inward"),
        Angle("turn", Z, -25, 25, "the toes outward"),
    ),
    "Toes": (Angle("bend", MINUS_X, -35, 70, "the toes up"),),
}

FINGERS: Final = ("Index", "Middle", "Ring", "Little")
_GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "Fingers": tuple(f"{finger}{part}" for finger in FINGERS for part in ("Proximal", "Intermediate", "Distal")),
    "Thumb": ("ThumbMetacarpal", "ThumbProximal", "ThumbDistal"),
}


def _kind(bone: str) -> tuple[Angle, ...]:
    if bone in _KINDS:
        return _KINDS[bone]
    if "Thumb" in bone and not bone.endswith("Metacarpal"):
        return _KINDS["Thumb"]
    return next(angles for ending, angles in _KINDS.items() if bone.endswith(ending))


ANGLES: Final[dict[str, tuple[Angle, ...]]] = {bone: _kind(bone) for bone in BONES}
"""The angles of each bone, the outermost rotation first."""


def _axes() -> Array:
    axes = np.zeros((len(BONES), SLOTS, 3))
    axes[..., 0] = 1.0
    for bone, angles in ANGLES.items():
        mirrored = np.array([1.0, -1.0, -1.0]) if bone.startswith("right") else np.ones(3)
        for slot, angle in enumerate(angles):
            axis = np.array(angle.axis)
            axes[INDEX[bone], slot] = axis / np.linalg.norm(axis) * mirrored
    return axes


AXES: Final = _axes()
"""The axis (B, SLOTS, 3) of each angle on its bone."""
_MIRROR_SIGNS: Final = np.array(
    [
        [-1.0 if not bone.startswith(SIDES) and angle.axis[0] == 0.0 else 1.0 for angle in angles]
        + [1.0] * (SLOTS - len(angles))
        for bone, angles in ANGLES.items()
    ]
)


def rotations(angles: Array) -> Array:
    """Local rotations (..., B, 3, 3) of angles (..., B, SLOTS) in degrees."""
    parts = about(AXES, np.radians(angles))
    turned: Array = parts[..., 0, :, :] @ parts[..., 1, :, :] @ parts[..., 2, :, :]
    return turned


def mirror_angles(angles: Array) -> Array:
    """Left and right swapped: angles (..., B, SLOTS)."""
    swapped: Array = (angles * _MIRROR_SIGNS)[..., MIRROR, :]
    return swapped


def _expand(name: str) -> list[str]:
    """The bones that a template's name means: one bone, a group of a hand's bones, or `both…` sides of either."""
    sides = SIDES if name.startswith("both") else [side for side in SIDES if name.startswith(side)]
    rest = name.removeprefix("both").removeprefix("left").removeprefix("right")
    names = [side + part for side in sides for part in _GROUPS.get(rest, (rest,))] or [name]
    return [bone for bone in names if bone in INDEX]


def _known_bones() -> list[str]:
    limbs = [bone.removeprefix("left") for bone in BONES if bone.startswith("left")]
    grouped = [prefix + part for prefix in ("both", *SIDES) for part in (*limbs, *_GROUPS)]
    return [bone for bone in BONES if not bone.startswith(SIDES)] + grouped


def read_bones(data: Any, place: str, *, onto: Array | None = None) -> Array:
    """Angles (B, SLOTS) in degrees of a template's `bones`; `place` names the file for TemplateError.

    Later lines override earlier ones, so a group may come first and an exception to it after. What is not named is 0,
    or as in `onto`.
    """
    if not isinstance(data, Mapping):
        raise TemplateError(f"{place}: expected bones and their angles, found {data!r}")
    angles = np.zeros((len(BONES), SLOTS)) if onto is None else onto.copy()
    for name, turns in data.items():
        bones = _expand(str(name))
        if not bones:
            raise TemplateError(f"{place}: unknown bone '{name}'{nearest(str(name), _known_bones())}")
        if not isinstance(turns, Mapping):
            raise TemplateError(f"{place}: {name}: expected angles such as {{bend: 10}}, found {turns!r}")
        for bone in bones:
            for angle, value in turns.items():
                slot = _slot(bone, str(angle), value, f"{place}: {name}")
                angles[INDEX[bone], slot] = value
    return angles


def _slot(bone: str, name: str, value: Any, place: str) -> int:
    known = [angle.name for angle in ANGLES[bone]]
    if name not in known:
        raise TemplateError(f"{place}: unknown angle '{name}' of {bone}{nearest(name, known)}")
    slot = known.index(name)
    limits = ANGLES[bone][slot]
    if isinstance(value, bool) or not isinstance(value, int | float) or not limits.low <= value <= limits.high:
        raise TemplateError(
            f"{place}: {name} of {bone} is {value!r}; it must be a number of degrees "
            f"from {limits.low:g} to {limits.high:g} ({limits.help})"
        )
    return slot
