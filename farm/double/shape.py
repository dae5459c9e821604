"""The shape of a body: MakeHuman's macro targets weighted by age, gender, muscle, weight, ancestry and height.

The weighting follows MakeHuman's macro-detail model: each target is the product of the values its name lists.
Seeds then move what is a person's own a little: the body's details (templates/bodies) by `identity`, the face's
(templates/faces) by `face`, or by `identity` where that is left to it.
"""

from __future__ import annotations

import functools
import itertools
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from farm.double.base_mesh import base_mesh, target
from farm.double.lips import seal_lips
from farm.recipe import templates
from farm.recipe.parameters import OWN_FACE, Body
from farm.recipe.variant import stream

__all__ = ["shape_vertices", "stature"]

YOUNG_AGE: Final = 25.0
OLD_AGE: Final = 90.0
HEIGHT_STEPS: Final = 40
VARIATION: Final = "variation"
SIDE: Final = "SIDE"
CUT_OFF: Final = 2.0
NECK_BLEND: Final = 0.05
"""Over this length in metres below the neck's joint the face's details fade out."""


def _halves(value: float, low: str, middle: str, high: str) -> dict[str, float]:
    """0 → low, 0.5 → middle, 1 → high, linear in between."""
    return {low: max(0.0, 1 - 2 * value), middle: 1 - abs(1 - 2 * value), high: max(0.0, 2 * value - 1)}


def _factors(body: Body) -> dict[str, dict[str, float]]:
    """The weight of each word in a macro target's name. Adults are `young` at 18–25 and `old` at 90."""
    old = float(np.clip((body.age - YOUNG_AGE) / (OLD_AGE - YOUNG_AGE), 0.0, 1.0))
    total = body.african + body.asian + body.caucasian
    ancestry = {"african": body.african, "asian": body.asian, "caucasian": body.caucasian}
    return {
        "ancestry": {name: share / total for name, share in ancestry.items()},
        "gender": {"female": 1 - body.gender, "male": body.gender},
        "age": {"young": 1 - old, "old": old},
        "muscle": _halves(body.muscle, "minmuscle", "averagemuscle", "maxmuscle"),
        "weight": _halves(body.weight, "minweight", "averageweight", "maxweight"),
    }


def _blend(pattern: str, factors: list[dict[str, float]]) -> NDArray[np.float64]:
    """The sum (V, 3) of the targets that a pattern names, each weighted by the product of its words."""
    offsets = np.zeros_like(base_mesh().vertices)
    for words in itertools.product(*factors):
        strength = float(np.prod([factor[word] for factor, word in zip(factors, words, strict=True)]))
        if strength > 0:
            offsets += strength * _whole(pattern.format(*words))
    return offsets


@functools.cache
def _whole(name: str) -> NDArray[np.float64]:
    """The offsets (V, 3) of a target that moves nearly all vertices."""
    moved, by = target.__wrapped__(name)
    offsets = np.zeros_like(base_mesh().vertices)
    offsets[moved] = by
    return offsets


class _Variation(templates.Part):
    """templates/faces and templates/bodies: rows of first target, second target, mean and spread of the strength."""

    description: str
    details: tuple[tuple[str, str, float, Annotated[float, Field(ge=0, le=1)]], ...]


def _details(kind: str, seed: int) -> NDArray[np.float64]:
    """The offsets (V, 3) of what is a person's own: each strength drawn from a truncated normal stream of its own."""
    offsets = np.zeros_like(base_mesh().vertices)
    for first, second, mean, spread in templates.read(_Variation, kind, VARIATION).details:
        strength = mean + spread * _truncated_normal(stream(seed, kind, first))
        name = second if strength > 0 else first
        for side in "lr" if SIDE in name else " ":
            moved, by = target(name.replace(SIDE, side))
            offsets[moved] += abs(strength) * by
    return offsets


def _truncated_normal(rng: np.random.Generator) -> float:
    """A standard normal number within ±`CUT_OFF`, by rejection."""
    number = rng.standard_normal()
    while abs(number) > CUT_OFF:
        number = rng.standard_normal()
    return float(number)


def stature(vertices: NDArray[np.float64]) -> float:
    """Standing height of shaped vertices (V, 3), sole to crown, in metres."""
    body = vertices[base_mesh().group_vertices("body"), 2]
    return float(body.max() - body.min())


def shape_vertices(body: Body) -> NDArray[np.float64]:
    """The vertices (V, 3) of a body in metres, standing on z = 0 and as tall as `body.height`.

    The height targets change proportions with height; where they end, the rest is a uniform scale.
    """
    factors = _factors(body)
    build = [factors[word] for word in ("gender", "age", "muscle", "weight")]
    vertices = base_mesh().vertices.copy()
    vertices += _blend("macrodetails/{}-{}-{}", [factors[word] for word in ("ancestry", "gender", "age")])
    vertices += _blend("macrodetails/universal-{}-{}-{}-{}", build)
    vertices += _details("bodies", body.identity)
    end = "maxheight" if body.height > stature(vertices) else "minheight"
    taller = _blend(f"macrodetails/height/{{}}-{{}}-{{}}-{{}}-{end}", build)
    vertices = vertices + _solve_height(vertices, taller, body.height) * taller
    vertices *= body.height / stature(vertices)
    vertices[:, 2] -= vertices[base_mesh().group_vertices("body"), 2].min()
    return _with_face(vertices, body)


def _with_face(vertices: NDArray[np.float64], body: Body) -> NDArray[np.float64]:
    """The vertices (V, 3) with the face's own details: nothing moves below the neck, the height stays, lips touch."""
    face = _details("faces", body.identity if body.face == OWN_FACE else body.face)
    neck = float(vertices[base_mesh().group_vertices("joint-neck"), 2].mean())
    faced = vertices + face * np.clip((vertices[:, 2:] - neck) / NECK_BLEND + 1.0, 0.0, 1.0)
    excess = stature(faced) - stature(vertices)
    faced[:, 2] -= excess * np.clip((vertices[:, 2] - neck) / (stature(vertices) - neck), 0.0, 1.0)
    return seal_lips(faced)


def _solve_height(vertices: NDArray[np.float64], taller: NDArray[np.float64], height: float) -> float:
    """The strength in 0..1 of the height offsets that comes nearest to `height`, by bisection."""
    low, high = 0.0, 1.0
    rising = stature(vertices + taller) > stature(vertices)
    for _ in range(HEIGHT_STEPS):
        middle = (low + high) / 2
        if (stature(vertices + middle * taller) < height) == rising:
            low = middle
        else:
            high = middle
    return (low + high) / 2
