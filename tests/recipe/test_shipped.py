"""The recipes that ship."""

from __future__ import annotations

import pytest

from farm.recipe import load_recipe, templates


@pytest.mark.parametrize("name", templates.names("recipes"))
def test_it_reads_and_draws(name: str) -> None:
    recipe = load_recipe(templates.path("recipes", name))
    assert recipe.name == name
    assert len({variant.id for variant in recipe.draw()}) == recipe.count


def test_the_demo_shows_the_range() -> None:
    recipe = load_recipe(templates.path("recipes", "demo"))
    variants = recipe.draw()
    assert recipe.count * recipe.capture.frames.count == 6
    assert recipe.capture.resolution == (256, 256)
    assert recipe.capture.samples == (1, 4, 16)
    assert recipe.capture.reference.samples == 256
    assert len({variant.hair.style for variant in variants}) == 6
    assert {"afro", "cornrows", "shoulder_straight"} <= {variant.hair.style for variant in variants}
    assert len({variant.wardrobe.outfit for variant in variants}) == 3
    assert any(variant.beard.style != "clean_shaven" for variant in variants)
    assert len({variant.pose.name for variant in variants if variant.stunt.name == "none"}) >= 3
    assert len({variant.stunt.name for variant in variants} - {"none"}) >= 2
    assert {variant.light.preset for variant in variants} == {"studio", "courtyard", "sunset"}
    assert {variant.camera.framing for variant in variants} == {"full", "bust", "portrait"}
    assert min(variant.skin.tone for variant in variants) < 3
    assert max(variant.skin.tone for variant in variants) > 8
    assert max(variant.body.age for variant in variants) - min(variant.body.age for variant in variants) > 30
    assert max(abs(variant.camera.azimuth) for variant in variants) <= 40
    assert set(recipe.splits(variants).values()) == {"train", "valid", "test"}
