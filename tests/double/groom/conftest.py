"""A head to comb on, and grooms on a double in Blender, each built once."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from farm.double.base_mesh import base_mesh
from farm.double.groom.collider import Shell
from farm.double.groom.surface import Head
from farm.double.scalp import scalp_mask
from farm.double.shape import shape_vertices
from farm.recipe.parameters import Body, Hair

STYLES = ("short", "shoulder_straight", "afro")
STRANDS = 20_000

os.environ["DIGIDOUBLE_CACHE"] = ""


def make_head(body: Body) -> tuple[Head, list[Shell]]:
    base, rest = base_mesh(), shape_vertices(body)
    faces = base.groups["body"]
    eyes = np.stack([rest[base.group_vertices(f"joint-{side}-eye")].mean(axis=0) for side in "lr"])
    chin = rest[base.group_vertices("joint-jaw")].mean(axis=0) + np.array([0, -0.05, -0.03])
    head = Head(rest, rest, base.faces[faces], base.uvs[faces], scalp_mask(), eyes, chin)
    return head, [Shell(rest, base.faces[faces])]


@pytest.fixture(scope="session")
def head() -> tuple[Head, list[Shell]]:
    return make_head(Body())


@dataclass(frozen=True)
class Strands:
    """A groom's evaluated strands and who wears them."""

    points: Any
    first: Any
    head: Head
    shells: list[Shell]
    skin: Any

    @property
    def roots(self) -> Any:
        return self.points[self.first[:-1]]

    @property
    def tips(self) -> Any:
        return self.points[self.first[1:] - 1]


@pytest.fixture(scope="module")
def stage() -> Any:
    """An empty scene with a double."""
    bpy = pytest.importorskip("bpy")
    from farm.double.body import Look, build_double

    bpy.ops.wm.read_factory_settings(use_empty=True)
    collection = bpy.data.collections.new("double")
    bpy.context.scene.collection.children.link(collection)
    return build_double(Look(), collection)


@pytest.fixture(scope="module")
def grooms(stage: Any) -> dict[str, Strands]:
    """Each style on the same double, as numbers."""
    import bpy
    from mathutils.bvhtree import BVHTree

    from farm.double.groom.strands import build_groom, remove_groom, strand_points
    from farm.double.groom.wearer import read_wearer

    head, shells = read_wearer(stage)
    skin = BVHTree.FromObject(stage.body, bpy.context.evaluated_depsgraph_get())
    built = {}
    for style in STYLES:
        groom = build_groom(stage, Hair(style=style, seed=4, strands=STRANDS), collection=stage.collection)
        points, first = strand_points(groom)
        built[style] = Strands(points, first, head, shells, skin)
        remove_groom(groom)
    return built
