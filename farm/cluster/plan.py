"""A run's tasks: one for each view of the recipe, in an order that keeps a worker's scene warm."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from farm.dataset import EngineBuild, View, task_key
from farm.recipe import Capture, Recipe, Variant
from farm.stage.steps import step_keys

__all__ = ["Task", "plan_tasks"]


@dataclass(frozen=True)
class Task:
    """The work of one pair.

    double  equal where the same double is on stage, which is the dearest thing to build
    """

    variant: Variant
    view: View
    key: str
    double: str = field(default="", compare=False)

    @property
    def name(self) -> str:
        """What people see: the variant's number and the frame."""
        return f"variant {self.variant.index}, frame {self.view.frame} ({self.variant.id})"


def plan_tasks(recipe: Recipe, build: EngineBuild, variants: Sequence[Variant] | None = None) -> list[Task]:
    """All tasks of a recipe on a build of the engine; equal recipes and builds, equal tasks in equal order.

    Variants of the same double come together, and among them those of the same motion and groom, each kind where its
    first variant would come; a variant's frames follow one another. `variants` are the recipe's, where they are drawn.
    """
    settings = pixel_settings(recipe.capture)
    numbers, rate = recipe.capture.frames.numbers, recipe.capture.frames.rate
    tasks = []
    for variant, double in _warm(recipe.draw() if variants is None else variants, numbers, rate):
        for frame in numbers:
            view = View(frame=frame, resolution=recipe.capture.resolution)
            tasks.append(Task(variant, view, task_key(variant, view, settings, build), double))
    return tasks


def _warm(variants: Iterable[Variant], frames: range, rate: float) -> list[tuple[Variant, str]]:
    """Variants in the order in which least is built anew, each with the key of its double."""
    first: dict[str, int] = {}
    placed = []
    for variant in variants:
        keys = step_keys(variant, frames, rate)
        rank = [first.setdefault(keys[step], variant.index) for step in ("double", "motion", "groom")]
        placed.append(((*rank, variant.index), variant, keys["double"]))
    return [(variant, double) for _, variant, double in sorted(placed, key=lambda each: each[0])]


def pixel_settings(capture: Capture) -> dict[str, object]:
    """What of a capture decides a pair's pixels, as plain data.

    All of it does: also the first frame, from which a clip's motion and groom are made.
    """
    data: dict[str, object] = capture.model_dump(mode="json")
    return data
