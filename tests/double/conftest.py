from __future__ import annotations

from types import SimpleNamespace

import pytest

from farm.recipe.parameters import AXES


@pytest.fixture
def collection():
    """An empty file with one collection in its scene."""
    bpy = pytest.importorskip("bpy", reason="building a double needs Blender's Python module")
    bpy.ops.wm.read_factory_settings(use_empty=True)
    made = bpy.data.collections.new("double")
    bpy.context.scene.collection.children.link(made)
    return made


@pytest.fixture
def build(collection):
    """Build a double from some values of Body, Skin, Hair, Face and Wardrobe, and the name of its `rig`."""
    from farm.double.body import Look, build_double

    def build(rig="default", **values):
        axes = {
            axis: AXES[axis](**{name: values[name] for name in AXES[axis].model_fields if name in values})
            for axis in ("body", "skin", "face", "wardrobe", "hair")
        }
        return build_double(Look(**axes, rig=AXES["rig"](name=rig)), collection)

    return build


@pytest.fixture
def posed():
    """The evaluated points (N, 3) in the world and the faces of an object, as it stands in the current pose."""
    import bpy
    import numpy as np

    def posed(thing):
        shown = thing.evaluated_get(bpy.context.evaluated_depsgraph_get())
        mesh = shown.to_mesh()
        points = np.empty(len(mesh.vertices) * 3, dtype=np.float32)
        mesh.vertices.foreach_get("co", points)
        faces = [tuple(face.vertices) for face in mesh.polygons]
        world = np.array(shown.matrix_world)
        shown.to_mesh_clear()
        return SimpleNamespace(points=points.reshape(-1, 3) @ world[:3, :3].T + world[:3, 3], faces=faces)

    return posed
