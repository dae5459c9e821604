"""A run's tasks: one for each view of the recipe, in an order that keeps a worker's scene warm."""

from __future__ import annotations

from dataclasses import dataclass

from farm.dataset import EngineBuild, View, task_key
from farm.recipe import Capture, Recipe, Variant

__all__ = ["Task", "plan_tasks"]


@dataclass(frozen=True)
class Task:
    """The work of one pair."""

    variant: Variant
    view: View
    key: str

    @property
    def name(self) -> str:
        """What people see: the variant's number and the frame."""
        return f"variant {self.variant.index}, frame {self.view.frame} ({self.variant.id})"


def plan_tasks(recipe: Recipe, build: EngineBuild) -> list[Task]:
    """All tasks of a recipe on a build of the engine; equal recipes and builds, equal tasks in equal order."""
    settings = pixel_settings(recipe.capture)
    tasks = []
    for variant in recipe.draw():
        for frame in recipe.capture.frames.numbers:
            view = View(frame=frame, resolution=recipe.capture.resolution)
            tasks.append(Task(variant, view, task_key(variant, view, settings, build)))
    return tasks


def pixel_settings(capture: Capture) -> dict[str, object]:
    """What of a capture decides a pair's pixels, as plain data.

    All of it does: also the first frame, from which a clip's motion and groom are made.
    """
    data: dict[str, object] = capture.model_dump(mode="json")
    return data
