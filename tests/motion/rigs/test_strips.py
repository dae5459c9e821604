"""Motions laid out on the NLA, with few keys."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="the NLA is Blender's")

from farm.errors import BadInput
from farm.motion import perform
from farm.motion.apply import clear_motion
from farm.motion.skeleton import INDEX
from farm.motion.strips import TRACK, Piece, lay_out
from farm.recipe.parameters import Pose, Stunt

from .rigged import BODY, COMPARED, armature_of, evaluated_joints, fitted, new_scene

JUMP = Stunt(name="jump", phase=0.0)
RIGS = ("default", "rigify_generated")


@pytest.fixture(scope="module", params=RIGS)
def rig(request):
    return request.param


@pytest.fixture(scope="module")
def armature(rig):
    new_scene()
    return armature_of(rig, BODY)


@pytest.fixture(scope="module")
def clips(armature, rig):
    skeleton = fitted(armature, rig).skeleton
    jump = perform(Pose(), JUMP, skeleton, np.arange(74) / 24.0)
    return {"jump": jump, "reach": perform(Pose(name="reaching"), Stunt(), skeleton, np.zeros(20))}


@pytest.fixture
def laid(armature, rig, clips):
    def lay(*pieces, **more):
        lay_out(armature, [Piece(name, clips[name], *where) for name, *where in pieces], rig=rig, **more)
        return armature.animation_data

    yield lay
    clear_motion(armature)


def away(armature, rig, clip, frame, number):
    """How far the compared joints are from a clip's frame, in metres."""
    bpy.context.scene.frame_set(frame)
    fit = fitted(armature, rig)
    _, places = fit.skeleton.pose(clip.rotations[number : number + 1], clip.hips[number : number + 1])
    joints = evaluated_joints(armature, fit)
    return max(float(np.linalg.norm(joints[INDEX[bone]] - places[0, INDEX[bone]])) for bone in COMPARED)


def curves(action):
    return list(action.layers[0].strips[0].channelbags[0].fcurves)


def test_strips_are_named_placed_and_played(armature, rig, clips, laid):
    animation = laid(("jump", 11), ("reach", 90))
    assert [track.name for track in animation.nla_tracks] == [TRACK]
    strips = list(animation.nla_tracks[0].strips)
    assert [(strip.name, strip.frame_start, strip.frame_end) for strip in strips] == [
        ("jump", 11, 84),
        ("reach", 90, 109),
    ]
    assert animation.action is None
    assert all(strip.action_slot is not None and strip.action.name == strip.name for strip in strips)
    for frame in (11, 30, 37, 60, 84):
        assert away(armature, rig, clips["jump"], frame, frame - 11) < 0.01 * BODY.height
    assert away(armature, rig, clips["jump"], 87, 73) < 0.01 * BODY.height, "held until the next"
    assert away(armature, rig, clips["reach"], 95, 0) < 0.01 * BODY.height


def test_a_moved_and_trimmed_strip_plays_there(armature, rig, clips, laid):
    strip = laid(("jump", 11)).nla_tracks[0].strips[0]
    strip.action_frame_start, strip.action_frame_end = 31, 60
    strip.frame_start, strip.frame_end = 101, 130
    assert away(armature, rig, clips["jump"], 105, 24) < 0.01 * BODY.height


def test_a_strip_fades_in_over_the_one_below(armature, rig, clips, laid):
    animation = laid(("jump", 1), ("reach", 65, 10))
    assert len(animation.nla_tracks) == 2
    before, between, after = (away(armature, rig, clips["reach"], frame, 0) for frame in (65, 70, 76))
    assert before > 0.8
    assert 0.2 < between < before - 0.2
    assert after < 0.01 * BODY.height


def test_few_keys_stand_for_many(armature, rig, laid):
    dense = laid(("jump", 1), sparse=False).nla_tracks[0].strips[0].action
    sampled = {(c.data_path, c.array_index): [c.evaluate(f) for f in range(1, 75)] for c in curves(dense)}
    sparse = laid(("jump", 1)).nla_tracks[0].strips[0].action
    found = curves(sparse)
    keys = sum(len(curve.keyframe_points) for curve in found)
    assert keys < 0.4 * sum(len(values) for values in sampled.values())
    assert {point.interpolation for curve in found for point in curve.keyframe_points} <= {"BEZIER", "LINEAR"}
    turned = {}
    for curve in found:
        values = [curve.evaluate(frame) for frame in range(1, 75)]
        turned.setdefault(curve.data_path, []).append((values, sampled[curve.data_path, curve.array_index]))
    for path, channels in turned.items():
        new, old = np.moveaxis(np.array(channels), 0, -1).swapaxes(0, 1).transpose(1, 0, 2)
        if path.endswith("rotation_quaternion"):
            new = new / np.linalg.norm(new, axis=-1, keepdims=True)
            angle = 2 * np.arccos(np.clip(np.abs(np.sum(new * old, axis=-1)), 0, 1))
            assert np.degrees(angle).max() < 0.06, path
        else:
            assert np.linalg.norm(new - old, axis=-1).max() < 2e-4, path


def test_all_of_it_is_removed_and_the_artists_is_left(armature, laid):
    own = bpy.data.actions.new("own")
    slot = own.slots.new(id_type="OBJECT", name="own")
    animation = armature.animation_data_create()
    track = animation.nla_tracks.new()
    track.name = "mine"
    track.strips.new("own", 1, own).action_slot = slot
    animation.action, animation.action_slot = own, slot
    laid(("jump", 1), ("reach", 65, 10))
    laid(("reach", 5))
    assert len(bpy.data.actions) == 2
    clear_motion(armature)
    assert [track.name for track in animation.nla_tracks] == ["mine"]
    assert list(bpy.data.actions) == [own]
    assert animation.action == own
    animation.nla_tracks.remove(track)
    bpy.data.actions.remove(own)


def test_an_artists_strip_on_our_track_is_left(armature, laid):
    track = laid(("reach", 1)).nla_tracks[0]
    own = bpy.data.actions.new("own")
    own.slots.new(id_type="OBJECT", name="own")
    track.strips.new("own", 200, own)
    clear_motion(armature)
    assert [[strip.name for strip in track.strips] for track in armature.animation_data.nla_tracks] == [["own"]]
    armature.animation_data.nla_tracks.remove(armature.animation_data.nla_tracks[0])
    bpy.data.actions.remove(own)


def test_wrong_pieces_are_one_clear_message(armature, rig, clips):
    with pytest.raises(BadInput, match="no motions to lay out"):
        lay_out(armature, [], rig=rig)
    with pytest.raises(BadInput, match="'reach' cannot fade in over 15 frames and out over 9: it has 20"):
        lay_out(armature, [Piece("reach", clips["reach"], 1, blend_in=15, blend_out=9)], rig=rig)
    short = perform(Pose(), Stunt(), fitted(armature, rig).skeleton, np.zeros(1))
    with pytest.raises(BadInput, match="'short' has 1 frames; a strip of the NLA needs at least 2"):
        lay_out(armature, [Piece("short", short, 1)], rig=rig)
