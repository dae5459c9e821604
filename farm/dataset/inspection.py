"""What makes a pair unfit: the pair contract's seventh point, asked before a pair is committed and again by `check`.

Every function gives sentences that start with the image's name; none means that nothing is wrong.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from farm.dataset.layers import LAYERS, Layer, present_layers
from farm.dataset.layout import REFERENCE_NAME, image_kind, parse_noisy, parse_partner
from farm.dataset.metrics import RELMSE_FLOOR, luminance

__all__ = [
    "BIAS_SHARE_MAX",
    "BIAS_SIGMAS_MAX",
    "BLOCK",
    "BLOCK_QUANTILE",
    "BLOCK_SIGMAS_MAX",
    "FIREFLY_FEW",
    "FIREFLY_RATIO",
    "FIREFLY_SHARE_MAX",
    "Channels",
    "inspect_image",
    "inspect_pair",
]

Channels = Mapping[str, np.ndarray]

BLACK: Final = 1e-6
"""A picture whose brightest value is below this is black."""

BOUND_SLACK: Final = 1e-4
"""Rounding allowed past a layer's bound, relative to the bound (absolute where the bound is below 1)."""

NORMAL_LENGTH_MAX: Final = 1.001

FIREFLY_RATIO: Final = 8.0
"""A firefly is this many times brighter than the median of the 5×5 pixels around it, plus the picture's mean …"""

FIREFLY_SPREAD: Final = 0.5
"""… while its half difference is this share of it: the two halves disagree, so it is noise and not a highlight."""

FIREFLY_SHARE_MAX: Final = 1e-3
"""Largest share of a reference's pixels that may be fireflies …"""

FIREFLY_FEW: Final = 4
"""… and so many always may: of a thumbnail a share says little."""

BIAS_SIGMAS_MAX: Final = 6.0
"""A noisy picture's mean is biased when it is this many standard errors away from the reference's …"""

BIAS_SHARE_MAX: Final = 0.03
"""… and by more than this share of it (rare bright samples make the standard error alone too sure)."""

BLOCK: Final = 16
"""Side in pixels of the blocks whose means are compared one by one."""

BLOCK_QUANTILE: Final = 0.98
BLOCK_SIGMAS_MAX: Final = 5.0
"""A noisy picture shows another scene when more than a fiftieth of its blocks is further off than this.

Measured on 21 Cycles renders of 48 to 256 pixels a side at 1, 4 and 16 spp: 2.3 at most where the scene is the same;
a shift by 4 pixels passes 5 in 11 of them, by 8 in 20, by 16 in all. Room is left for scenes noisier than these.
"""


def inspect_image(
    name: str, channels: Channels, resolution: tuple[int, int], *, layers: Sequence[Layer] | None = None
) -> list[str]:
    """Defects of one image of a pair, named `reference.exr` or by the noisy grammar; resolution is (width, height).

    `layers` are those of its dataset; where they are not said, a layer that has any channel must have all.
    """
    kind = image_kind(name) or "noisy"
    if (partner := parse_partner(name)) is not None:
        resolution = resolution[0] // partner[0], resolution[1] // partner[0]
    own = [layer for layer in (present_layers(channels) if layers is None else layers) if kind in layer.images]
    defects = list(_wrong_channels(channels, own, resolution))
    if not defects:
        defects = [problem for layer in own for problem in _wrong_values(channels, layer)]
    if not defects and kind != "data":
        defects = list(_empty_layers(channels))
    if not defects and kind == "reference":
        defects = list(_unfit_reference(channels))
    return [f"{name}: {problem}" for problem in defects]


def inspect_pair(
    images: Mapping[str, Channels], resolution: tuple[int, int], *, layers: Sequence[Layer] | None = None
) -> list[str]:
    """Defects of a pair: of each image, and of the images together. `images` maps file names to channels."""
    defects = [
        problem for name in sorted(images) for problem in inspect_image(name, images[name], resolution, layers=layers)
    ]
    noisy = sorted(name for name in images if parse_noisy(name) is not None)
    if REFERENCE_NAME not in images:
        defects.append(f"{REFERENCE_NAME}: is missing")
    if not noisy:
        defects.append("noisy images: there are none")
    if defects:
        return defects
    truth = luminance(images[REFERENCE_NAME])
    for first, second in itertools.combinations([*noisy, REFERENCE_NAME], 2):
        if all(np.array_equal(images[first][colour], images[second][colour]) for colour in "RGB"):
            defects.append(f"{second}: has the same pixels as {first}")
    for name in [*noisy, *sorted(name for name in images if image_kind(name) in ("partner", "sample"))]:
        factor = (parse_partner(name) or (1, 0))[0]
        defects += [f"{name}: {problem}" for problem in _disagreements(images[name], _reduced(truth, factor))]
    return defects


def _reduced(picture: np.ndarray, factor: int) -> np.ndarray:
    """A picture (height, width) at a part of its resolution: the means of squares of pixels."""
    height, width = (side // factor for side in picture.shape)
    return picture.reshape(height, factor, width, factor).mean(axis=(1, 3)) if factor > 1 else picture


def _wrong_channels(channels: Channels, layers: list[Layer], resolution: tuple[int, int]) -> Iterator[str]:
    width, height = resolution
    wanted = [channel for layer in layers for channel in layer.channels]
    for channel in wanted:
        if channel not in channels:
            yield f"channel {channel} is missing"
        elif channels[channel].dtype != np.float32:
            yield f"channel {channel} is {channels[channel].dtype}, expected float32"
        elif channels[channel].shape != (height, width):
            found = "×".join(str(side) for side in reversed(channels[channel].shape))
            yield f"channel {channel} is {found}, expected {width}×{height}"
    for channel in sorted(set(channels) - set(wanted)):
        yield f"channel {channel} is unexpected"


def _wrong_values(channels: Channels, layer: Layer) -> Iterator[str]:
    for channel in layer.channels:
        pixels = channels[channel]
        least, most = float(pixels.min()), float(pixels.max())
        if not (math.isfinite(least) and math.isfinite(most)):
            for word, broken in (("NaN", np.isnan(pixels)), ("infinite", np.isinf(pixels))):
                if broken.any():
                    yield f"{channel} is {word} {_where(broken)}"
            continue
        if layer.low is not None and least < (low := layer.low - BOUND_SLACK * max(1.0, abs(layer.low))):
            yield f"{channel} falls to {least:.6g}, below {layer.low:g}, {_where(pixels < low)}"
        if layer.high is not None and most > (high := layer.high + BOUND_SLACK * max(1.0, abs(layer.high))):
            yield f"{channel} rises to {most:.6g}, above {layer.high:g}, {_where(pixels > high)}"
    if layer.unit.startswith("direction"):
        yield from _wrong_lengths(channels, layer)


def _wrong_lengths(channels: Channels, layer: Layer) -> Iterator[str]:
    squares = np.zeros_like(channels[layer.channels[0]])
    for channel in layer.channels:
        squares += np.square(channels[channel])
    if (long := squares > NORMAL_LENGTH_MAX**2).any():
        yield f"{layer.name} is up to {np.sqrt(np.nanmax(squares)):.4g} long, expected at most 1, {_where(long)}"


def _where(marked: np.ndarray) -> str:
    count = int(marked.sum())
    row, column = np.unravel_index(int(marked.argmax()), marked.shape)
    return f"at {count} pixel{'s' if count > 1 else ''} (first: column {column}, row {row})"


def _empty_layers(channels: Channels) -> Iterator[str]:
    if max(float(channels[colour].max()) for colour in "RGB") < BLACK:
        yield "the picture is black"
    elif all(_constant(channels[colour]) for colour in "RGB"):
        yield "the picture is constant"
    if not channels["A"].any():
        yield "alpha is 0 everywhere: nothing is in the picture"
    for layer in LAYERS:
        if layer.name in ("albedo", "normal", "depth") and all(_constant(channels[name]) for name in layer.channels):
            yield f"{layer.name} is constant ({', '.join(f'{channels[name].flat[0]:g}' for name in layer.channels)})"


def _constant(pixels: np.ndarray) -> bool:
    return bool(pixels.min() == pixels.max())


def _unfit_reference(channels: Channels) -> Iterator[str]:
    if not any(channels[f"half_difference.{colour}"].any() for colour in "RGB"):
        yield "half_difference is 0 everywhere: the reference's halves are the same picture"
    fireflies = _fireflies(luminance(channels), np.abs(luminance(channels, "half_difference.")))
    if fireflies.sum() > max(FIREFLY_SHARE_MAX * fireflies.size, FIREFLY_FEW):
        share = fireflies.mean()
        yield f"{share:.2%} of the pixels are fireflies, more than {FIREFLY_SHARE_MAX:.2%}, {_where(fireflies)}"


def _fireflies(light: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Pixels (height, width) that stand out from their neighbours and in which the two halves disagree."""
    floor = light.mean()
    marked = (light > floor) & (spread > FIREFLY_SPREAD * light)
    rows, columns = np.nonzero(marked)
    around = np.lib.stride_tricks.sliding_window_view(np.pad(light, 2, mode="edge"), (5, 5))[rows, columns]
    medians = np.median(around.reshape(len(rows), 25), axis=1)
    marked[rows, columns] = light[rows, columns] > FIREFLY_RATIO * medians + floor
    return marked


def _disagreements(noisy: Channels, truth: np.ndarray) -> Iterator[str]:
    """Whether a noisy picture differs from the reference by more than noise: in the mean, and block by block."""
    image = luminance(noisy)
    error = image - truth
    spread = error.std() / np.sqrt(error.size)
    sigmas, share = abs(error.mean()) / max(spread, 1e-30), abs(error.mean()) / truth.mean()
    if sigmas > BIAS_SIGMAS_MAX and share > BIAS_SHARE_MAX:
        yield (
            f"its mean {image.mean():.4g} is {share:.1%} ({sigmas:.1f} standard errors) away from the reference's "
            f"{truth.mean():.4g}: they differ by more than noise"
        )
        return
    off = _block_sigmas(error, truth)
    if off.size and (worst := float(np.quantile(off, BLOCK_QUANTILE))) > BLOCK_SIGMAS_MAX:
        yield (
            f"{1 - BLOCK_QUANTILE:.0%} of its {BLOCK}×{BLOCK} blocks are over {worst:.1f} standard errors away from the"
            " reference: it does not show the same scene"
        )


def _block_sigmas(error: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """How many standard errors the mean error of each whole block is away from 0.

    A block's spread is its own, or what the whole picture's relative noise makes of the block's light where that is
    more: a block that rare bright samples happen to miss would look too sure of itself.
    """
    relative = np.sqrt(np.mean(error**2 / (truth**2 + RELMSE_FLOOR)))
    errors, lights = _blocks(error), _blocks(truth)
    spread = np.maximum(errors.std(axis=1), relative * np.sqrt(np.mean(lights**2 + RELMSE_FLOOR, axis=1)))
    sigmas: np.ndarray = np.abs(errors.mean(axis=1)) / np.maximum(spread / BLOCK, 1e-30)
    return sigmas


def _blocks(values: np.ndarray) -> np.ndarray:
    """An image (height, width) as (whole blocks, pixels of a block)."""
    rows, columns = values.shape[0] // BLOCK, values.shape[1] // BLOCK
    whole = values[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK).swapaxes(1, 2)
    return whole.reshape(rows * columns, BLOCK * BLOCK)
