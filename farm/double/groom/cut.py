"""The hairdresser's scissors: how long guides are once a style's cuts are made (numpy only).

Hair is cut with the head upright and keeps that length in any pose. A blunt line levels strands at one height rather
than at one length (the guide-trimming of Yuksel, Schaefer, Keyser 2009, "Hair meshes", is done by length alone).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.double.groom.style import REGIONS, SECTION, Cut, Landmark
from farm.double.groom.surface import EYE_DISTANCE, Frame, Head

__all__ = ["cut_lengths", "head_scale"]

Array = NDArray[np.float64]

BROWS_ABOVE_EYES: Final = 0.021
SHARES_TO_CHIN: Final[dict[Landmark, float]] = {"nose": 0.38, "lips": 0.62, "jaw": 0.8, "chin": 1.0}
"""How far from the eyes to the chin a landmark lies."""
SHORTEST: Final = 0.004
"""No guide is cut shorter than this, in metres."""


def head_scale(head: Head) -> float:
    """Size of a head relative to the one that styles are made for, by the distance of its eyes."""
    return float(np.linalg.norm(head.eyes[0] - head.eyes[1]) / EYE_DISTANCE)


def cut_lengths(
    paths: Array,
    cuts: tuple[Cut, ...],
    region: NDArray[np.str_],
    head: Head,
    frame: Frame,
    *,
    length: float,
    uneven: Array,
) -> Array:
    """The length (G,) of guides whose uncut paths (G, P, 3) lie in the axes of the upright head.

    `region` (G,) names the one that each guide is of, `length` multiplies how far hair hangs from the crown, `uneven`
    (G,) is standard normal.
    """
    segments = np.linalg.norm(np.diff(paths, axis=1), axis=2)
    along = np.concatenate([np.zeros((len(paths), 1)), segments.cumsum(axis=1)], axis=1)
    kept = along[:, -1]
    for cut in cuts:
        beyond = _beyond(paths, cut, head, frame, length) + (cut.ragged * uneven)[:, None]
        reach = _crossing(beyond, along)
        meant = np.isin(region, [SECTION] if cut.section else cut.regions or list(REGIONS))
        kept = np.where(meant, np.minimum(kept, reach), kept)
    lengths: Array = np.maximum(kept, np.minimum(SHORTEST, along[:, -1]))
    return lengths


def _beyond(paths: Array, cut: Cut, head: Head, frame: Frame, length: float) -> Array:
    """How far points (G, P, 3) lie past a cut (G, P), in metres; negative before it."""
    scale = head_scale(head)
    if cut.radius is not None:
        distance = np.linalg.norm(paths, axis=2)
        roots = distance[:, :1]
        over: Array = distance - (roots + (cut.radius * scale - roots) * length)
        return over
    eyes, chin = float((head.eyes - frame.centre)[:, 2].mean()), float((head.chin - frame.centre)[2])
    top = float((head.rest[head.scalp > 0.5] - frame.centre)[:, 2].max())
    height = eyes + BROWS_ABOVE_EYES * scale if cut.height == "brows" else eyes
    if cut.height in SHARES_TO_CHIN:
        height = eyes + SHARES_TO_CHIN[cut.height] * (chin - eyes)
    line = top - (top - height - cut.offset * scale) * length + np.tan(np.radians(cut.tilt)) * paths[..., 1]
    under: Array = line - paths[..., 2]
    return under


def _crossing(beyond: Array, along: Array) -> Array:
    """How long guides (G,) are where they cross a cut; infinite for those that do not.

    It is the last crossing before the tip, for hair that rises over the line and falls back through it; a guide that
    starts beyond the line and never comes before it is not cut.
    """
    before = beyond[:, ::-1] <= 0
    crossed = (beyond[:, -1] > 0) & before.any(axis=1)
    last = np.minimum(beyond.shape[1] - 1 - before.argmax(axis=1), beyond.shape[1] - 2)
    row = np.arange(len(beyond))
    low, high = beyond[row, last], beyond[row, last + 1]
    share = np.clip(-low / np.where(high > low, high - low, 1.0), 0.0, 1.0)
    reach = along[row, last] + share * (along[row, last + 1] - along[row, last])
    kept: Array = np.where(crossed, reach, np.inf)
    return kept
