"""The plan's table and its JSON."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from farm.recipe import Recipe
from farm.recipe.table import plan_json, plan_rows, render_table

AXES = {
    "body": {"age": {"uniform": [20, 60]}, "height": {"uniform": [1.5, 2]}, "gender": {"uniform": [0, 1]}},
    "hair": {"style": {"choose": ["short", "shoulder_straight"]}, "melanin": {"uniform": [0, 1]}, "seed": 4},
    "pose": {"mirror": {"choose": [True, False]}},
    "light": {"rotation": {"uniform": [-0.4, 0.4]}, "strength": 2},
    "camera": {"azimuth": {"uniform": [-40, 40]}, "focal_length": {"choose": [50, 85]}},
}


@pytest.fixture
def recipe(make_recipe) -> Recipe:
    return make_recipe(AXES, count=5, capture={"samples": [1, 4], "replicas": 2, "reference": 64, "frames": 3})


def render(recipe: Recipe, width: int) -> list[str]:
    out = io.StringIO()
    render_table(recipe, Console(file=out, width=width))
    return out.getvalue().splitlines()


def test_rows_hold_what_varies(recipe: Recipe) -> None:
    rows = plan_rows(recipe)
    assert [row["number"] for row in rows] == [0, 1, 2, 3, 4]
    assert [row["id"] for row in rows] == [variant.id for variant in recipe.draw()]
    assert {row["split"] for row in rows} <= {"train", "valid", "test"}
    varied = ["body.identity", "body.age", "body.gender", "body.height", "hair.style", "hair.melanin", "pose.mirror",
              "light.rotation", "camera.azimuth", "camera.focal_length"]  # fmt: skip
    assert list(rows[0]) == ["number", "id", "split", *varied]


@pytest.mark.parametrize("width", [40, 80, 100, 160])
def test_the_table_fits_and_tells_all(recipe: Recipe, width: int) -> None:
    lines = render(recipe, width)
    text = "\n".join(lines)
    assert max(map(len, lines)) <= width
    assert "…" not in text
    for row in plan_rows(recipe):
        assert row["id"] in text
        assert f"{row['body.height']:.2f}" in text
        assert row["hair.style"] in text
    for word in ("strength 2", "style", "azimuth", "deg", "body.identity", "seed 4"):
        assert word in text
    assert "identity" not in text.replace("body.identity", "")
    assert " -0 " not in text


def test_a_wide_console_has_one_table(recipe: Recipe) -> None:
    heads = [line for line in render(recipe, 160) if line.startswith("#")]
    assert len(heads) == 1
    assert len([line for line in render(recipe, 60) if line.startswith("#")]) > 1


def test_totals_count_images(recipe: Recipe) -> None:
    lines = render(recipe, 160)
    assert lines[-2].startswith("15 pairs = 5 variants × 3 frames  (train ")
    assert lines[-1] == (
        "75 images of 256×256 = 60 noisy (1, 4 samples × 2 replicas) + 15 references (at most 64 samples), about 140 MB"
    )


def test_totals_count_data_images(make_recipe) -> None:
    capture = {"samples": [1, 4], "replicas": 2, "reference": 64, "passes": ["variance"]}
    plain = plan_json(make_recipe(count=3, capture=capture))["totals"]
    assert (plain["images"], plain["data_images"]) == (3 * 5, 0)
    assert plain["samples"] == {"noisy": 10, "reference_at_most": 64, "data": 1, "beside": 0}
    surface = plan_json(make_recipe(count=3, capture={**capture, "passes": ["uv"]}))["totals"]
    assert (surface["images"], surface["data_images"], surface["samples"]["data"]) == (3 * 6, 3, 1)
    hair = make_recipe(count=3, capture={**capture, "passes": ["everything"]})
    totals = plan_json(hair)["totals"]
    assert (totals["images"], totals["samples"]["data"]) == (3 * 6, 17)
    assert totals["bytes"] > 3 * plain["bytes"]
    assert (
        "18 images of 256×256 = 12 noisy (1, 4 samples × 2 replicas) + 3 references (at most 64 samples)"
        " + 3 data images, about" in render(hair, 200)[-1]
    )


def test_one_of_each_is_singular(make_recipe) -> None:
    assert "1 pair = 1 variant × 1 frame  (train 1)" in render(make_recipe(count=1), 100)


def test_a_split_that_gets_nothing_is_told(make_recipe) -> None:
    alone = make_recipe(count=5, axes={"body": {"identity": 7}})
    assert plan_json(alone)["totals"]["empty_splits"] == ["valid", "test"]
    assert any("nothing for valid and test: too few variants differ" in line for line in render(alone, 200))
    apart = make_recipe(count=30, axes={})
    assert plan_json(apart)["totals"]["empty_splits"] == []
    assert not any("nothing for" in line for line in render(apart, 200))


def test_the_json_holds_every_value(recipe: Recipe) -> None:
    plan = json.loads(json.dumps(plan_json(recipe)))
    assert plan["format"] == "digidouble-plan/1"
    assert (plan["recipe"], plan["digest"]) == ("test", recipe.digest)
    assert [variant["id"] for variant in plan["variants"]] == [variant.id for variant in recipe.draw()]
    assert plan["variants"][2]["values"]["hair"]["seed"] == 4
    totals = plan["totals"]
    assert totals["splits"]["train"] == sum(variant["split"] == "train" for variant in plan["variants"])
    assert {key: totals[key] for key in ("variants", "frames", "pairs", "noisy_images", "references", "images")} == {
        "variants": 5, "frames": 3, "pairs": 15, "noisy_images": 60, "references": 15, "images": 75,
    }  # fmt: skip
