"""Grooms of one recipe measure differently. `make spread` does the same for a thousand."""

import pytest

pytest.importorskip("bpy", reason="grooms are made of Blender's hair node assets")
pytest.importorskip("matplotlib", reason="what is measured is plotted, too")

from tests.bench.spread import alike, drawn_grooms, measure_grooms

COUNT = 30


def test_grooms_of_a_recipe_differ_and_equal_ones_would_be_seen():
    grooms = drawn_grooms(COUNT)
    assert len({hair.style for hair in grooms}) > 12
    found = measure_grooms([*grooms, grooms[7]])
    assert alike(found[:COUNT]) == []
    assert alike(found) == [(7, COUNT)] or alike(found) == [(COUNT, 7)]
