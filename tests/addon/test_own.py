"""An artist's own double, under another rig's names: recognised, dressed and moved, with undo left to Blender."""

import numpy as np
import pytest


@pytest.fixture(scope="module")
def armature(addon):
    """A double whose bones have Mixamo's names, in the artist's scene, selected."""
    import bpy

    from farm.double.body import Look, build_double
    from farm.double.rig_table import named_bones, read_table
    from farm.recipe.parameters import Body, Rig, Wardrobe

    bpy.ops.wm.read_factory_settings(use_empty=True)
    made = build_double(Look(body=Body(identity=5), rig=Rig(), wardrobe=Wardrobe()), bpy.context.scene.collection)
    ours, theirs = read_table("default").bones, read_table("mixamo").bones
    for bone in ours:
        if bone in theirs:
            for old, new in zip(named_bones(ours[bone]), named_bones(theirs[bone]), strict=False):
                made.armature.data.bones[old].name = new
    bpy.context.view_layer.objects.active = made.armature
    return made.armature


def hand(armature):
    import bpy

    bpy.context.view_layer.update()
    bone = next(bone for bone in armature.pose.bones if bone.name.endswith("LeftHand"))
    return np.array(armature.matrix_world @ bone.head)


def test_the_rig_is_recognised(armature):
    from addon.own import match_of

    match = match_of(armature)
    assert (match.table, match.recognised, match.lacking) == ("mixamo", True, ())


def test_without_an_armature_the_operators_refuse(armature):
    import bpy

    bpy.context.view_layer.objects.active = None
    try:
        for name in ("paint_scalp", "comb_hair", "strike_pose", "do_stunt", "put_back"):
            assert not getattr(bpy.ops.digidouble, name).poll(), name
    finally:
        bpy.context.view_layer.objects.active = armature


def test_a_pose_is_struck_and_put_back(armature):
    import bpy

    before = hand(armature)
    assert bpy.ops.digidouble.strike_pose(pose="reaching") == {"FINISHED"}
    assert np.linalg.norm(hand(armature) - before) > 0.1
    assert bpy.ops.digidouble.put_back() == {"FINISHED"}
    assert np.allclose(hand(armature), before, atol=1e-5)


def test_a_stunt_is_done_at_the_scenes_rate(armature):
    import bpy

    before = hand(armature)
    assert bpy.ops.digidouble.do_stunt(stunt="jump") == {"FINISHED"}
    bpy.context.scene.frame_set(20)
    assert np.linalg.norm(hand(armature) - before) > 0.05
    assert bpy.ops.digidouble.put_back() == {"FINISHED"}
    assert np.allclose(hand(armature), before, atol=1e-5)


def test_the_scalp_is_painted_and_hair_combed_on_it(armature):
    import bpy

    assert bpy.ops.digidouble.paint_scalp() == {"FINISHED"}
    body = next(thing for thing in bpy.data.objects if thing.name == "body")
    assert body.vertex_groups.get("scalp") is not None
    assert bpy.ops.digidouble.comb_hair(style="bob", strands=2000) == {"FINISHED"}
    (hair,) = [thing for thing in bpy.data.objects if thing.type == "CURVES" and "groom" in thing.name]
    assert len(hair.evaluated_get(bpy.context.evaluated_depsgraph_get()).data.curves) > 1000


def test_an_unknown_rig_is_told_so_and_cannot_move(armature):
    import bpy

    from addon.own import match_of

    data = bpy.data.armatures.new("crane")
    crane = bpy.data.objects.new("crane", data)
    bpy.context.scene.collection.objects.link(crane)
    bpy.context.view_layer.objects.active = crane
    try:
        assert not match_of(crane).recognised
        with pytest.raises(RuntimeError, match="of no known rig"):
            bpy.ops.digidouble.strike_pose(pose="reaching")
        with pytest.raises(RuntimeError, match="Error"):
            bpy.ops.digidouble.comb_hair()
    finally:
        bpy.data.objects.remove(crane)
        bpy.context.view_layer.objects.active = armature
