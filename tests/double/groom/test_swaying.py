"""Every hairstyle in motion: finite, as long as it was, rooted in the scalp; each of two tails by itself."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="grooms in motion need bpy")

from mathutils.bvhtree import BVHTree

from farm.algebra import on_one_thread
from farm.double.groom.cache import solved_guides
from farm.double.groom.dynamics import LOCKED
from farm.double.groom.strands import grow_strands, remove_groom, strand_points
from farm.double.groom.style import load_hairstyle
from farm.double.groom.swaying import sample_surfaces, sway_groom
from farm.double.groom.texture import textured
from farm.double.groom.wearer import read_wearer
from farm.motion.apply import apply_motion, clear_motion
from farm.recipe import templates
from farm.recipe.parameters import Hair, Pose, Stunt
from tests.pieces import whole

from .measure import heights

FRAMES = range(1, 6)
LEAD = 3
GUIDES = 140
STRANDS = 500
LONG = 0.12
"""Mean length in metres from which hair visibly swings."""


@pytest.fixture(scope="module")
def jumper(stage):
    """The double amid a jump; its head, skin and clothes as they are at rest."""
    stage.armature.data.pose_position = "REST"
    bpy.context.view_layer.update()
    worn = read_wearer(stage)
    combed = sample_surfaces([stage.body, *stage.garments])
    stage.armature.data.pose_position = "POSE"
    stunt = Stunt(name="jump", phase=0.4)
    apply_motion(stage.armature, Pose(), stunt, rig=stage.rig, frames=FRAMES, before=LEAD)
    yield stage, worn, combed
    clear_motion(stage.armature)
    bpy.context.view_layer.update()


def dressed(jumper, name):
    """A few strands of a style on the upright double, and what they do in the jump."""
    double, (head, shells), combed = jumper
    hair = Hair(style=name, type=load_hairstyle(name).free.type[0], strands=STRANDS, seed=4)
    style = load_hairstyle(name)
    style = textured(style.model_copy(update={"guides": min(style.guides, GUIDES)}), hair)
    double.armature.data.pose_position = "REST"
    bpy.context.view_layer.update()
    guides = solved_guides(head, shells, style, length=1.0, frizz=0.2, seed=4)
    groom = grow_strands(double, guides, style, hair, collection=double.collection, shells=shells)
    double.armature.data.pose_position = "POSE"
    bpy.context.view_layer.update()
    solids = [double.body, *double.garments]
    go = bpy.context.scene.frame_set
    return groom, on_one_thread(whole)(sway_groom(groom, solids, combed, FRAMES, lead=LEAD, go=go, fps=24.0))


def lengths(strands):
    return np.linalg.norm(np.diff(strands, axis=1), axis=2).sum(axis=1)


@pytest.mark.parametrize("name", templates.names("hairstyles"))
def test_a_style_sways_from_the_scalp(jumper, name):
    double = jumper[0]
    groom, swaying = dressed(jumper, name)
    try:
        if swaying is None:
            assert groom.style.bald or groom.style.sway.stiffness >= LOCKED
            return
        seen = []
        for frame in (FRAMES[0], FRAMES[-1]):
            bpy.context.scene.frame_set(frame)
            swaying.show(frame)
            points = strand_points(groom)[0].reshape(groom.points.shape)
            assert np.isfinite(points).all()
            np.testing.assert_allclose(lengths(points), lengths(groom.points), rtol=0.005)
            skin = BVHTree.FromObject(double.body, bpy.context.evaluated_depsgraph_get())
            assert np.abs(heights(skin, points[::5, 0])).max() < 0.0015
            flat = np.empty(groom.points.size, dtype=np.float32)
            groom.curves.data.position_data.foreach_get("vector", flat)
            seen.append(flat.reshape(groom.points.shape))
        tips = np.linalg.norm(seen[1][:, -1] - seen[0][:, -1], axis=1)
        if lengths(groom.points).mean() > LONG and groom.style.sway.stiffness < 2:
            assert tips.mean() > 0.005
        assert tips.max() < 2 * lengths(groom.points).max()
    finally:
        remove_groom(groom)


def test_either_of_two_tails_is_solved_by_itself(jumper):
    groom, swaying = dressed(jumper, "pigtail_braids")
    left, right = np.sort(swaying.guides[0, :, 0, 0])
    remove_groom(groom)
    assert swaying.guides.shape[1] == 2
    assert left < 0 < right
