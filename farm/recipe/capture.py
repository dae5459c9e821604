"""What is rendered of each variant, and how the variants are shared out."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from farm.recipe.faults import fault, show
from farm.recipe.passes import PASSES, PRESETS, SAMPLE_PASSES, expand_passes
from farm.recipe.scalars import Number, Truth, Whole, whole

__all__ = ["RATE", "SPLITS", "AllowBias", "Capture", "Frames", "Partners", "Reference", "Split"]

SPLITS: Final = ("train", "valid", "test")

RATE: Final = 24.0
"""Frames per second where a recipe does not say."""

_CHUNK: Final = 64
_LAST_FRAME: Final = 9999
_SMALLEST: Final = 8
_SAMPLES_MAX: Final = 65_536
_WIDEST: Final = 4
"""Most of a picture's longer side over its shorter: a strip puts the camera farther off than it sees."""

Extent = Annotated[int, Field(ge=_SMALLEST, le=16_384), BeforeValidator(whole)]
Factor = Annotated[int, Field(ge=2, le=8), BeforeValidator(whole)]
Samples = Annotated[int, Field(ge=1, le=_SAMPLES_MAX), BeforeValidator(whole)]


class _Part(BaseModel):
    """Frozen plain data; unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class _ShortForm(_Part):
    """A part that may be written as one whole number, its most important value."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        full = handler.resolve_ref_schema(handler(core))
        return {"anyOf": [{"type": "integer", "minimum": 1}, full], "description": full.pop("description", "")}


def _expand(key: str) -> BeforeValidator:
    def expand(raw: Any) -> Any:
        if raw is None or isinstance(raw, bool | str | list | tuple):
            raise fault(f"expected a whole number or a mapping, found {show(raw)}")
        return {key: raw} if isinstance(raw, int | float) else raw

    return BeforeValidator(expand)


def _names(raw: Any) -> Any:
    """A name alone is a list of one."""
    return (raw,) if isinstance(raw, str) else raw


def _numbers(raw: Any) -> Any:
    """A number alone is a list of one."""
    return (raw,) if isinstance(raw, int | float) and not isinstance(raw, bool) else raw


def _half(data: dict[str, Any]) -> int:
    return max(1, min(_CHUNK, int(data["samples"]) // 2))


class Reference(_ShortForm):
    """The reference image: two independent halves, sampled in rounds until their difference is small."""

    samples: Samples = Field(description="Most samples per pixel, over both halves together; even.")
    chunk: Samples = Field(
        default_factory=_half,
        description="Samples that each half gets per round; 64 when left out, or half of `samples` where that is less.",
    )
    residual: Number = Field(
        default=0.01,
        gt=0,
        le=1,
        description="Rounds end when the noise left in the reference (relative squared error) is under this share"
        " of the least noisy image's.",
    )

    @model_validator(mode="after")
    def _halves(self) -> Reference:
        if self.samples % 2:
            raise fault(f"{self.samples} is odd, but the reference is made of two equal halves", "samples")
        if self.samples < 2 * self.chunk:
            raise fault(
                f"{self.chunk} samples for each of two halves is more than the reference's {self.samples};"
                f" give at most {self.samples // 2}",
                "chunk",
            )
        return self


class Frames(_ShortForm):
    """Which frames of each variant are rendered."""

    start: Whole = Field(default=1, ge=0, le=_LAST_FRAME, description="First frame.")
    count: Whole = Field(default=1, ge=1, le=_LAST_FRAME, description="Number of frames.")
    step: Whole = Field(default=1, ge=1, le=_LAST_FRAME, description="Distance from one frame to the next.")
    rate: Number = Field(default=RATE, gt=0, le=240, description="Frames per second; those that `step` skips count.")

    @model_validator(mode="after")
    def _within(self) -> Frames:
        last = self.numbers[-1]
        if last > _LAST_FRAME:
            raise fault(f"the last frame would be {last}; frames end at {_LAST_FRAME}", "count")
        return self

    @property
    def numbers(self) -> range:
        """The frames' numbers."""
        return range(self.start, self.start + self.count * self.step, self.step)

    @property
    def clip(self) -> bool:
        """Whether they are a clip: pictures of a clip say how things move."""
        return self.count > 1


class AllowBias(_Part):
    """Settings that bias the mean, said in so many words; noisy images and reference share them."""

    clamp_direct: Number = Field(
        default=0.0, ge=0, le=1e6, description="Largest light of one sample that comes straight from a lamp; 0 is off."
    )
    clamp_indirect: Number = Field(
        default=0.0, ge=0, le=1e6, description="Largest light of one sample that came by a bounce; 0 is off."
    )
    blur_glossy: Number = Field(
        default=0.0, ge=0, le=10, description="Blur of glossy reflections after a diffuse bounce; 0 is off."
    )


class Partners(_ShortForm):
    """Images of the same view at a part of its resolution, for super-resolution.

    All samples of a partner lie on one point of each pixel, its jitter, which moves from frame to frame through the
    Halton sequence (2, 3), as the cameras of temporal upscalers do.
    """

    factors: Annotated[tuple[Factor, ...], Field(max_length=4), BeforeValidator(_numbers)] = Field(
        default=(), description="What width and height are divided by, ascending: `[2, 4]`. Left out, there are none."
    )
    samples: Annotated[tuple[Samples, ...], Field(min_length=1, max_length=32), BeforeValidator(_numbers)] = Field(
        default=(1,), description="Samples per pixel of the images at each factor, ascending."
    )

    @model_validator(mode="after")
    def _ascend(self) -> Partners:
        _check_ascending(self.samples)
        _check_ascending(self.factors, "factors")
        return self


def _check_passes(names: tuple[str, ...]) -> None:
    known = (*PRESETS, *PASSES)
    for place, name in enumerate(names):
        if name not in known:
            close = get_close_matches(name, known, n=1)
            meant = f"; did you mean '{close[0]}'?" if close else f"; give one of {', '.join(known)}"
            raise fault(f"'{name}' is no pass and no preset{meant}", "passes", place)


def _check_shape(width: int, height: int) -> None:
    shorter, longer = sorted((width, height))
    if longer > _WIDEST * shorter:
        message = f"{width} × {height} is narrower than {_WIDEST}:1; bring {longer} down to {_WIDEST * shorter} or less"
        raise fault(message, "resolution", 0 if width > height else 1)


def _check_ascending(numbers: tuple[int, ...], key: str = "samples") -> None:
    what = "sample counts" if key == "samples" else key
    for place in range(1, len(numbers)):
        if numbers[place] <= numbers[place - 1]:
            raise fault(f"{numbers[place]} follows {numbers[place - 1]}; {what} ascend, each once", key, place)


def _check_factors(factors: tuple[int, ...], resolution: tuple[int, int]) -> None:
    for place, factor in enumerate(factors):
        if any(side % factor for side in resolution):
            wanted = " × ".join(str(-(-side // factor) * factor) for side in resolution)
            message = f"{resolution[0]} × {resolution[1]} cannot be divided by {factor}; make it {wanted}"
            raise fault(message, "partners", "factors", place)
        if min(resolution) < factor * _SMALLEST:
            message = f"{min(resolution)} pixels divided by {factor} are fewer than {_SMALLEST}; give a smaller factor"
            raise fault(message, "partners", "factors", place)


class Capture(_Part):
    """What is rendered of each variant."""

    resolution: tuple[Extent, Extent] = Field(
        default=(256, 256), description=f"Width and height in pixels; one at most {_WIDEST} times the other."
    )
    samples: Annotated[tuple[Samples, ...], Field(min_length=1, max_length=32)] = Field(
        default=(1, 4, 16), description="Samples per pixel of the noisy images, ascending."
    )
    replicas: Whole = Field(
        default=1, ge=1, le=100, description="Noisy images at each sample count, each with a seed of its own."
    )
    reference: Annotated[Reference, _expand("samples")] = Field(
        default_factory=lambda: Reference(samples=256),
        description="The converged image: its samples, or a mapping of samples, chunk and residual.",
    )
    frames: Annotated[Frames, _expand("count")] = Field(
        default_factory=Frames, description="The frames: their count, or a mapping of start, count, step and rate."
    )
    shutter: Number = Field(
        default=0.0,
        ge=0,
        le=1,
        description="How long the shutter is open, as a share of the time from frame to frame; 0 is no motion blur.",
    )
    caustics: Truth = Field(default=False, description="Render caustics: true to life, slow and noisy.")
    passes: Annotated[tuple[str, ...], BeforeValidator(_names)] = Field(
        default=(),
        description="Passes beside the beauty and its features: names of presets (`denoise`, `temporal`,"
        " `relight-gbuffer`, `everything`) and of single passes; docs/dataset.md lists them.",
    )
    partners: Annotated[Partners, _expand("factors")] = Field(
        default_factory=Partners,
        description="Partners of low resolution: a factor, or a mapping of factors and samples.",
    )
    per_sample: Whole = Field(
        default=0,
        ge=0,
        le=64,
        description="Samples per pixel that are kept one by one, each with the features of its own ray (and with the"
        " passes `position` and, in clips, `motion.world`); 0 is none. Noisebase needs 4 or a multiple of it.",
    )
    allow_bias: AllowBias = Field(
        default_factory=AllowBias,
        description="Settings that bias the mean: clamp_direct, clamp_indirect, blur_glossy. Left out, nothing does.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Capture:
        _check_shape(*self.resolution)
        _check_ascending(self.samples)
        _check_passes(self.passes)
        _check_factors(self.partners.factors, self.resolution)
        if self.reference.samples <= self.samples[-1]:
            raise fault(
                f"the reference's {self.reference.samples} samples are no more than the noisy images'"
                f" {self.samples[-1]}; raise it",
                "reference",
            )
        return self

    @property
    def layers(self) -> tuple[str, ...]:
        """The passes that are asked for one by one, presets expanded."""
        return expand_passes((*self.passes, *(SAMPLE_PASSES if self.per_sample else ())))


class Split(_Part):
    """Shares of the variants for training, validation and testing; only their proportions count."""

    train: Number = Field(default=0.0, ge=0, description="Share for training.")
    valid: Number = Field(default=0.0, ge=0, description="Share for validation.")
    test: Number = Field(default=0.0, ge=0, description="Share for testing.")

    @model_validator(mode="after")
    def _has_share(self) -> Split:
        if not sum(self.shares().values()) > 0:
            raise fault("every share is 0; give train, valid or test a share")
        return self

    def shares(self) -> dict[str, float]:
        """Share of each split, in the order of SPLITS."""
        return {name: getattr(self, name) for name in SPLITS}
