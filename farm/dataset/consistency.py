"""Whether the passes of a pair agree with each other: what `check` asks beyond each image alone.

Sums of three are written out: numpy would give a product of matrices to threads that cost more than they save.

Every function gives sentences that start with the image's name. A pass that a dataset lacks is not asked about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.dataset.cameras import unproject
from farm.dataset.inspection import Channels
from farm.dataset.layers import DEPTH_BACKGROUND
from farm.dataset.layout import DATA_NAME, REFERENCE_NAME
from farm.dataset.record import CameraRecord

__all__ = [
    "LIGHT_SPLITS",
    "MOTION_ERROR_MAX",
    "MOTION_SHARE_MAX",
    "inspect_motion",
    "inspect_passes",
]

LIGHT_SPLITS: Final = (
    *(f"{kind}.{way}" for kind in ("diffuse", "glossy", "transmission", "volume") for way in ("direct", "indirect")),
    "emission",
)
"""The layers that add up to the beauty."""

SPLIT_SLACK: Final = 1e-3
"""Largest difference of the splits' sum from the beauty, relative to the pixel plus the picture's mean."""

POSITION_SLACK: Final = 0.01
"""Largest distance of a position from where the depth puts it, relative to the depth …"""

POSITION_SHARE_MAX: Final = 0.01
"""… which this share of the pixels may pass."""

TURN_SLACK: Final = 2e-3
"""Largest difference of a camera normal from the turned world normal."""

MATTE_SHARE_MAX: Final = 0.005
"""Largest share of clearly covered or clearly empty pixels in which Cryptomatte says otherwise."""

STILL: Final = 1.0
"""A point is the same in two frames where its places differ by less than what this many pixels see there."""

MOTION_ERROR_MAX: Final = 2.0
"""Motion of a point that stands still is wrong where it is further than this from the reprojection, in pixels …"""

MOTION_SHARE_MAX: Final = 0.5
"""… and motion altogether, where more than this share of such points is: flat things that slide along themselves
look as if they stood still."""

FLOW_ERROR_MAX: Final = 0.5
"""Motion is wrong where it is further than this from what motion in the world and both cameras give, in pixels …"""

FLOW_SHARE_MAX: Final = 0.02
"""… which this share of the pixels may pass: strands thinner than a pixel."""

Array = NDArray[np.float64]


def inspect_passes(images: Mapping[str, Channels], camera: CameraRecord) -> list[str]:
    """Defects of a pair's passes against each other; `images` maps file names to channels."""
    defects = [f"{name}: {problem}" for name in sorted(images) for problem in _split_sums(images[name])]
    reference = images[REFERENCE_NAME]
    data = {**reference, **images.get(DATA_NAME, {})}
    name = DATA_NAME if DATA_NAME in images else REFERENCE_NAME
    for problems in (_positions(data, camera), _turned_normals(data, camera), _mattes(data)):
        defects += [f"{name}: {problem}" for problem in problems]
    return defects


def inspect_motion(
    frame: Channels, camera: CameraRecord, before: Channels, camera_before: CameraRecord
) -> Iterator[str]:
    """Whether the motion of what stands still is the one that depth and both cameras give.

    Takes the channels of a frame and of the frame before, from their references. A point stands still where the frame
    before sees the same place of the world in the pixel that the point falls on. Where the channels say how points move
    in the world, the motion of all of them is asked about as well.
    """
    yield from _wrong_flow(frame, camera, camera_before)
    if "motion.prev.X" not in frame or "depth.Z" not in before:
        return
    rows, columns = np.nonzero(frame["depth.Z"] < DEPTH_BACKGROUND / 2)
    points = _unproject(camera, frame["depth.Z"])[rows, columns]
    across, down, away = _project(camera_before, points)
    height, width = frame["depth.Z"].shape
    seen = (away > 0) & (across >= 0) & (across < width) & (down >= 0) & (down < height)
    rows, columns, points, across, down, away = (values[seen] for values in (rows, columns, points, across, down, away))
    there = _unproject(camera_before, before["depth.Z"])[down.astype(int), across.astype(int)]
    still = _lengths(there - points) < STILL * away / camera_before.fl_x
    if not still.any():
        return
    wanted = np.stack([across - columns - 0.5, down - rows - 0.5], axis=-1)[still]
    found = np.stack([frame[f"motion.prev.{axis}"][rows, columns] for axis in "XY"], axis=-1)[still]
    off = _lengths(found - wanted)
    if (wrong := float((off > MOTION_ERROR_MAX).mean())) > MOTION_SHARE_MAX:
        yield (
            f"motion.prev of {wrong:.1%} of what stands still is over {MOTION_ERROR_MAX:g} pixels away from where depth"
            f" and cameras put it (median {np.median(off):.2f} pixels)"
        )


def _wrong_flow(frame: Channels, camera: CameraRecord, camera_before: CameraRecord) -> Iterator[str]:
    if "motion.world.X" not in frame or "motion.prev.X" not in frame:
        return
    rows, columns = np.nonzero(frame["depth.Z"] < DEPTH_BACKGROUND / 2)
    moved = np.stack([frame[f"motion.world.{axis}"][rows, columns] for axis in "XYZ"], axis=-1)
    across, down, _ = _project(camera_before, _unproject(camera, frame["depth.Z"])[rows, columns] + moved)
    off = np.hypot(
        across - columns - 0.5 - frame["motion.prev.X"][rows, columns],
        down - rows - 0.5 - frame["motion.prev.Y"][rows, columns],
    )
    if off.size and (wrong := float((off > FLOW_ERROR_MAX).mean())) > FLOW_SHARE_MAX:
        yield (
            f"motion.prev of {wrong:.1%} of what is hit is over {FLOW_ERROR_MAX:g} pixels away from where motion.world"
            f" and both cameras put it (median {np.median(off):.2f} pixels)"
        )


def _split_sums(channels: Channels) -> Iterator[str]:
    there = [name for name in LIGHT_SPLITS if f"{name}.R" in channels]
    if not {"diffuse.direct", "glossy.direct", "transmission.direct"} <= set(there):
        return
    for colour in "RGB":
        beauty = channels[colour]
        off = -beauty
        for name in there:
            off += channels[f"{name}.{colour}"]
        np.abs(off, out=off)
        off /= beauty + (beauty.mean() + np.float32(1e-30))
        if (worst := float(off.max())) > SPLIT_SLACK:
            row, column = np.unravel_index(int(off.argmax()), off.shape)
            yield (
                f"the light splits do not add up to the beauty: {colour} is {worst:.2%} off at column {column}, row"
                f" {row}"
            )
            return


def _positions(channels: Channels, camera: CameraRecord) -> Iterator[str]:
    if "position.X" not in channels:
        return
    depth = channels["depth.Z"]
    hit = depth < DEPTH_BACKGROUND / 2
    if not hit.any():
        return
    wanted = np.moveaxis(_unproject(camera, depth), -1, 0)
    squares = sum(np.square(channels[f"position.{axis}"] - there) for axis, there in zip("XYZ", wanted, strict=True))
    off = np.sqrt(squares[hit]) / depth[hit]
    if (wrong := float((off > POSITION_SLACK).mean())) > POSITION_SHARE_MAX:
        yield f"position of {wrong:.1%} of the pixels is not where depth puts it (median {np.median(off):.2%} off)"


def _turned_normals(channels: Channels, camera: CameraRecord) -> Iterator[str]:
    if "normal.world.X" not in channels or "normal.camera.X" not in channels:
        return
    world = [channels[f"normal.world.{axis}"] for axis in "XYZ"]
    off = 0.0
    for axis, column in zip("XYZ", np.array(camera.matrix_world, np.float32)[:3, :3].T, strict=True):
        turned = sum(pixels * part for pixels, part in zip(world, column, strict=True))
        off = max(off, float(np.abs(turned - channels[f"normal.camera.{axis}"]).max()))
    if off > TURN_SLACK:
        yield f"normal.camera is not normal.world in the camera's axes (up to {off:.3g} off)"


def _mattes(channels: Channels) -> Iterator[str]:
    covered, empty = _everywhere(channels["A"] > 0.999), _everywhere(channels["A"] < 0.001)
    for kind in ("Object", "Material", "Asset"):
        shares = [pixels for name, pixels in channels.items() if name.startswith(f"Crypto{kind}") and name[-1] in "GA"]
        if not shares:
            continue
        total = sum(shares)
        wrong = (covered & (total < 0.5)) | (empty & (total > 0.5))
        if (share := float(wrong.mean())) > MATTE_SHARE_MAX:
            yield f"Cryptomatte by {kind.lower()} disagrees with alpha in {share:.1%} of the pixels"


def _everywhere(marked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels (height, width) that are marked with all of the 3×3 around them."""
    wide = np.pad(marked, 1, mode="edge")
    rows = wide[:-2] & wide[1:-1] & wide[2:]
    found: NDArray[np.bool_] = rows[:, :-2] & rows[:, 1:-1] & rows[:, 2:]
    return found


def _lengths(vectors: Array) -> Array:
    """Lengths of vectors (N, axes)."""
    lengths: Array = np.sqrt(np.einsum("ni,ni->n", vectors, vectors))
    return lengths


def _unproject(camera: CameraRecord, depth: NDArray[np.float32]) -> Array:
    lens = camera.fl_x, camera.fl_y, camera.cx, camera.cy
    return unproject(np.array(camera.matrix_world), lens, depth)


def _project(camera: CameraRecord, points: Array) -> tuple[Array, Array, Array]:
    """Image places (columns, rows; pixels from the top left) and depths of world points (N, 3)."""
    matrix = np.array(camera.matrix_world)
    local = np.einsum("ni,ij->nj", points - matrix[:3, 3], matrix[:3, :3])
    away = -local[:, 2]
    safe = np.where(away > 0, away, 1.0)
    return local[:, 0] / safe * camera.fl_x + camera.cx, camera.cy - local[:, 1] / safe * camera.fl_y, away
