"""An artist's files, made by Blender: our double under other names, rigs, scales and triangulations."""

from __future__ import annotations

import numpy as np
import pytest

from farm.double.base_mesh import base_mesh
from farm.double.rig_table import named_bones, read_table
from farm.recipe.parameters import Body, Rig, Wardrobe

WOMAN = Body(identity=5, age=25, gender=0.1, african=1, asian=0, caucasian=0)
MAN = Body(identity=77, age=60, gender=1.0, height=1.9, african=0, asian=0, caucasian=1)


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """The folder that files are saved in."""
    return tmp_path_factory.mktemp("artist")


@pytest.fixture(scope="session")
def double_file(files):
    """Save a double as an artist might have it; returns the file, built once by its name."""
    bpy = pytest.importorskip("bpy", reason="an artist's file is opened by Blender")
    from farm.double.body import Look, build_double

    def double_file(name, change=lambda double: None, *, body=WOMAN, rig="default"):
        path = files / f"{name}.blend"
        if not path.exists():
            bpy.ops.wm.read_factory_settings(use_empty=True)
            collection = bpy.data.collections.new("hero")
            bpy.context.scene.collection.children.link(collection)
            double = build_double(Look(body=body, rig=Rig(name=rig), wardrobe=Wardrobe()), collection)
            change(double)
            bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
        return path

    return double_file


def rename(table):
    """A change that gives a double on the default rig the bone names of another table."""

    def change(double):
        ours, theirs = read_table("default").bones, read_table(table).bones
        for bone in ours:
            if bone in theirs:
                for old, new in zip(named_bones(ours[bone]), named_bones(theirs[bone]), strict=False):
                    double.armature.data.bones[old].name = new

    return change


def remove_bones(*names):
    """A change that takes bones, and what hangs on them, out of a double's armature."""

    def change(double):
        import bpy

        bpy.context.view_layer.objects.active = double.armature
        bpy.ops.object.mode_set(mode="EDIT")
        bones = double.armature.data.edit_bones
        for name in names:
            for bone in [*bones[name].children_recursive, bones[name]]:
                bones.remove(bone)
        bpy.ops.object.mode_set(mode="OBJECT")

    return change


def foreign(double):
    """Turn, scale, shift, triangulate and rename: a mesh with no quad, no UV map and none of our order of vertices."""
    import bpy

    armature, body = double.armature, double.body
    armature.rotation_euler[2], armature.scale, armature.location = 2.2, (100.0,) * 3, (300.0, -50.0, 20.0)
    rename("character_creator")(double)
    body.modifiers.remove(body.modifiers["Subdivision"])
    body.shape_key_clear()
    decimate = body.modifiers.new("Decimate", "DECIMATE")
    decimate.ratio = 0.45
    bpy.context.view_layer.objects.active = body
    bpy.ops.object.modifier_move_to_index(modifier="Decimate", index=0)
    bpy.ops.object.modifier_apply(modifier="Decimate")
    triangulate = body.modifiers.new("Triangulate", "TRIANGULATE")
    bpy.ops.object.modifier_move_to_index(modifier="Triangulate", index=0)
    bpy.ops.object.modifier_apply(modifier=triangulate.name)
    body.data.uv_layers.remove(body.data.uv_layers[0])
    body.name = body.data.name = "Hero_Body"


def true_scalp(shape, places):
    """Our own scalp's density (N,) at places (N, 3) on a shaped double, from its nearest vertices."""
    from scipy.spatial import cKDTree

    from farm.double.scalp import scalp_mask

    body = base_mesh().group_vertices("body")
    span, index = cKDTree(shape[body]).query(places, k=3)
    weight = 1 / np.maximum(span, 1e-6)
    return (scalp_mask()[body][index] * weight).sum(axis=1) / weight.sum(axis=1)
