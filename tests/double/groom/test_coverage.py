"""Every hairstyle on five heads: where its strands are rooted, and that they leave no hole."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="strands are interpolated by Blender's hair node assets")

from farm.double.groom.comb import comb_guides
from farm.double.groom.interpolate import build_scalp_object, spread_between
from farm.double.groom.style import load_hairstyle
from farm.recipe import templates

from .conftest import STRANDS, make_head
from .measure import closed_tree, heights, widest_hole
from .test_loose_styles import BODIES

FULL = [name for name in templates.names("hairstyles") if not load_hairstyle(name).bald]
FEW = 260
"""Combed guides: roots do not depend on them."""


@pytest.fixture(scope="module")
def heads():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    heads = {who: make_head(body) for who, body in BODIES.items()}
    return {who: (head, shells, closed_tree(shells[0])) for who, (head, shells) in heads.items()}


@pytest.mark.parametrize("name", FULL)
def test_every_style_is_rooted_in_every_scalp_and_leaves_no_hole(heads, name):
    style = load_hairstyle(name).model_copy(update={"guides": FEW})
    for who, (head, shells, skin) in heads.items():
        guides = comb_guides(head, shells, style, seed=5)
        scalp = build_scalp_object(guides.scalp, bpy.context.scene.collection)
        roots = spread_between(guides, style, STRANDS, seed=4, scalp=scalp).points[:, 0].astype(np.float64)
        bpy.data.objects.remove(scalp)
        assert len(roots) == STRANDS
        assert np.abs(heights(skin, roots[::40])).max() < 0.001, who
        assert widest_hole(head, roots) < 0.008, who
