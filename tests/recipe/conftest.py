"""Recipes for tests, written as briefly as they can be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from farm.recipe import Recipe


@pytest.fixture(scope="session")
def make_recipe() -> Callable[..., Recipe]:
    """A recipe from its axes and whatever else differs from the least one."""

    def make(axes: dict[str, Any] | None = None, **others: Any) -> Recipe:
        return Recipe.model_validate(
            {"digidouble": "recipe/1", "name": "test", "count": 8, "axes": axes or {}, **others}
        )

    return make
