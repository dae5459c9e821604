"""A view's pair: its noisy images, its data pass, and its reference as two independent halves.

Every image has a seed of its own and skips sample 0, so no two share a sample and none is aliased by pixel-centred
rays. The reference grows in chunks, one for each half in turn, until the noise that is left in it is small against
the best noisy image's error, or its cap is reached. A half's chunks are consecutive ranges of one sample sequence.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from farm.dataset.layers import LAYERS, has_data
from farm.dataset.metrics import beauty, merge_halves, relmse, residual_relmse
from farm.dataset.record import Residual
from farm.recipe import Capture
from farm.recipe.capture import Reference
from farm.recipe.passes import MATTE_PASSES, MATTE_SAMPLES
from farm.render.jitter import Jitter, afresh, seen_through
from farm.render.passes import SURFACE, Image, data_pass, read_manifests, render_image
from farm.render.seeds import data_role, half_role, matte_role, noisy_role, view_seeds
from farm.render.settings import FIRST_SAMPLE, prepare_subset, use_threads
from farm.render.shader_outputs import write_outputs
from farm.render.spots import WHOLE, find_spots, render_frame

__all__ = ["Chunks", "Pair", "Spotted", "chunk_variance", "render_pair"]

DIFFERENCE: Final = "half_difference."

InMotion = Callable[[], AbstractContextManager[None]]


class Chunks:
    """The exact mean of renders of unequal length: each weighs as many samples as it holds (float64 sums)."""

    def __init__(self) -> None:
        self.samples = 0
        self.count = 0
        self._squares: dict[str, NDArray[np.float64]] = {}
        self._sums: dict[str, NDArray[np.float64]] = {}

    def add(self, image: Image, samples: int) -> None:
        """Take in a render of `samples` samples."""
        for channel, pixels in image.items():
            weighted = pixels.astype(np.float64) * samples
            self._sums[channel] = self._sums[channel] + weighted if channel in self._sums else weighted
            if channel in "RGB":
                self._squares[channel] = self._squares.get(channel, 0) + weighted * pixels
        self.samples += samples
        self.count += 1

    def squares(self, channel: str) -> NDArray[np.float64]:
        """The sum of the squares of a colour of the beauty, each render's by its samples, (H, W)."""
        return self._squares[channel]

    def mean(self) -> dict[str, NDArray[np.float64]]:
        """The mean so far, (H, W) a channel."""
        return {channel: total / self.samples for channel, total in self._sums.items()}


@dataclass(frozen=True)
class Spotted:
    """A partner of low resolution or a single sample: its image, its light's role and samples, and its jitter."""

    image: Image
    role: str
    samples: int
    jitter: Jitter


@dataclass(frozen=True)
class Pair:
    """A rendered view: (H, W) float32 arrays by channel.

    noisy    images by (samples, replica)
    data     layers of the frame itself; none where the recipe asks for none
    spotted  partners and single samples by their files' names
    names    Cryptomatte's header entries, which name its ids
    seeds    Cycles' seed of each render by its role (`farm.render.seeds`)
    seconds  spent by step
    """

    noisy: dict[tuple[int, int], Image]
    reference: Image
    data: Image
    spotted: dict[str, Spotted]
    names: dict[str, str]
    residual: Residual
    seeds: dict[str, int]
    seconds: dict[str, float]


def render_pair(
    scene: Any,
    view: str,
    capture: Capture,
    scratch: Path,
    in_motion: InMotion = nullcontext,
    threads: Callable[[], int] = lambda: 0,
) -> Pair:
    """Render the scene's current frame as the pair of `view`, the name that its seeds are made from.

    The scene must have been configured for `capture` (`farm.render.settings.configure`). `in_motion` opens a context in
    which the scene moves around the frame: for all renders where the shutter is open for a while, and for the data pass
    of a clip, which says how things move. `threads` is asked before each render how many CPU threads it may have; 0
    leaves the number as it is.
    """
    noisy_roles = {
        (spp, replica): noisy_role(spp, replica) for spp in capture.samples for replica in range(capture.replicas)
    }
    passes = capture.layers
    mattes = [matte_role()] if any(name in passes for name in MATTE_PASSES) else []
    spots = find_spots(view, capture, scene.frame_current)
    lights = [light.role for spot in spots for light in spot.images]
    seeds = view_seeds(view, [*noisy_roles.values(), data_role(), half_role(0), half_role(1), *mattes, *lights])
    clip, blurred = capture.frames.clip, capture.shutter > 0
    if has_data(passes, clip=clip):
        write_outputs(scene)
    seconds: dict[str, float] = {}

    def render(role: str, kind: str, *, offset: int, length: int, motion: bool = False) -> Image:
        use_threads(scene, threads())
        prepare_subset(scene, seed=seeds[role], offset=offset, length=length)
        return render_image(scene, scratch, kind, passes, motion=motion)

    with _when(blurred, in_motion):
        with _timed(seconds, "data"):
            with data_pass(scene, motion=clip), _when(clip and not blurred, in_motion):
                frame, *beside = render_frame(scene, render, [WHOLE, *spots], passes, clip=clip)
            matte: Image = {}
            names: dict[str, str] = {}
            if mattes:
                # Not where motion is asked for: a render of one sample that follows has its light in wrong passes
                with data_pass(scene, motion=False):
                    matte = render(matte_role(), "matte", offset=FIRST_SAMPLE, length=MATTE_SAMPLES)
                names = read_manifests(scratch / "render.exr")
                del matte["matte.A"]
            own = {channel for name in SURFACE if name in passes for channel in _channels_of(name)}
            data = {channel: pixels for channel, pixels in frame.items() if channel not in own}
            surface = {channel: pixels for channel, pixels in frame.items() if channel in own} | matte
        with _timed(seconds, "noisy"):
            noisy = {
                key: {**render(role, "radiance", offset=FIRST_SAMPLE, length=key[0]), **data}
                for key, role in noisy_roles.items()
            }
        spotted: dict[str, Spotted] = {}
        with _timed(seconds, "spots") if spots else nullcontext():
            for spot, features in zip(spots, beside, strict=True):
                with afresh(scene), seen_through(scene, spot.jitter, spot.factor):
                    for light in spot.images:
                        image = render(light.role, "radiance", offset=FIRST_SAMPLE, length=light.samples) | features
                        spotted[light.name] = Spotted(image, light.role, light.samples, spot.jitter or (0.0, 0.0))
        with _timed(seconds, "reference"):
            reference, residual = _converge(render, noisy, capture.reference, variance="variance" in passes)
    return Pair(noisy, {**reference, **data}, surface, spotted, names, residual, seeds, seconds)


def _when(wanted: bool, context: InMotion) -> AbstractContextManager[None]:
    return context() if wanted else nullcontext()


def _converge(
    render: Callable[..., Image], noisy: dict[tuple[int, int], Image], wanted: Reference, *, variance: bool
) -> tuple[Image, Residual]:
    """The reference and what noise is left in it: rounds until there is little enough, or the samples are spent."""
    halves = (Chunks(), Chunks())
    settled = False
    while not settled and halves[0].samples < wanted.samples // 2:
        taken = halves[0].samples
        length = min(wanted.chunk, wanted.samples // 2 - taken)
        for index, half in enumerate(halves):
            half.add(render(half_role(index), "radiance", offset=FIRST_SAMPLE + taken, length=length), length)
        reference = _merge(halves)
        residual = _residual(noisy, reference, 2 * halves[0].samples, wanted.residual)
        settled = residual.converged
    if variance:
        reference |= {f"variance.{colour}": chunk_variance(halves, colour).astype(np.float32) for colour in "RGB"}
    return reference, residual


def _channels_of(name: str) -> tuple[str, ...]:
    return next(layer.channels for layer in LAYERS if layer.name == name)


def chunk_variance(halves: tuple[Chunks, Chunks], channel: str) -> NDArray[np.float64]:
    """Variance (H, W) of the mean over all chunks of both halves, from their spread about it.

    Chunks of a half are ranges of one low-discrepancy sequence, which fills its own gaps: where there are more than two
    chunks the mean is, if anything, less noisy than this says.
    """
    samples = halves[0].samples + halves[1].samples
    total = halves[0].mean()[channel] * halves[0].samples + halves[1].mean()[channel] * halves[1].samples
    spread = sum(half.squares(channel) for half in halves) - total**2 / samples
    count = sum(half.count for half in halves)
    variance: NDArray[np.float64] = np.maximum(spread, 0) / (samples * (count - 1))
    return variance


def _merge(halves: tuple[Chunks, Chunks]) -> Image:
    """The mean of two halves, and for the beauty half their difference."""
    first, second = (half.mean() for half in halves)
    reference: Image = {}
    for channel in first:
        reference[channel], difference = merge_halves(first[channel], second[channel])
        if channel in "RGBA":
            reference[DIFFERENCE + channel] = difference
    return reference


def _residual(noisy: dict[tuple[int, int], Image], reference: Image, samples: int, threshold: float) -> Residual:
    target = beauty(reference)
    noise = residual_relmse(target, beauty(reference, DIFFERENCE))
    best = min(relmse(beauty(image), target) for image in noisy.values())
    ratio = noise / best if best > 0 else 0.0
    return Residual(
        relmse=noise,
        best_noisy_relmse=best,
        ratio=ratio,
        threshold=threshold,
        samples=samples,
        converged=ratio <= threshold,
    )


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - start
