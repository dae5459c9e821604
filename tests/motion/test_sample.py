"""Poses blended and varied: limits hold, feet stay on the floor, seeds decide."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farm.motion import sample_pose
from farm.motion.anatomy import rotations
from farm.motion.flesh import overlaps, surface_points
from farm.motion.joint_angles import LIMITS, angles_of, beyond_limits
from farm.motion.pose import load_pose, plant
from farm.motion.rotation import to_vector
from farm.motion.skeleton import INDEX
from farm.motion.spread import FARTHEST, draw_deviations, vary_pose
from farm.recipe import templates
from farm.recipe.parameters import Pose

POSES = st.sampled_from(templates.names("poses"))
SEEDS = st.integers(0, 2**31 - 1)


def lowest(skeleton, clip):
    turned, places = skeleton.pose(clip.rotations[0], clip.hips[0])
    return surface_points(skeleton, turned, places)[:, 2].min()


def broken(clip):
    return beyond_limits(angles_of(clip.rotations[0])).max()


@settings(max_examples=60, deadline=None)
@given(POSES, POSES, st.floats(0, 1), st.integers(0, 2), st.booleans())
def test_blends_keep_to_the_limits_and_to_the_floor(skeletons, first, second, blend, body, mirror):
    skeleton = skeletons[body]
    clip = sample_pose(Pose(name=first, second=second, blend=blend, mirror=mirror), skeleton)
    assert broken(clip) < 1.0
    on_floor = all(load_pose(name).stance.air is None for name in (first, second))
    assert lowest(skeleton, clip) > -0.01
    if on_floor:
        assert lowest(skeleton, clip) < 0.01


@settings(max_examples=60, deadline=None)
@given(POSES, st.floats(0, 15), SEEDS, st.integers(0, 2))
def test_varied_poses_keep_to_the_limits_to_the_floor_and_apart(skeletons, name, spread, seed, body):
    skeleton = skeletons[body]
    clip = sample_pose(Pose(name=name, spread=spread, seed=seed), skeleton)
    assert broken(clip) < 1.0
    stance = load_pose(name).stance
    low = lowest(skeleton, clip)
    assert low == pytest.approx((stance.air or 0.0) * skeleton.leg, abs=0.01)
    turned, places = skeleton.pose(clip.rotations[0], clip.hips[0])
    assert max(overlaps(skeleton, turned, places).values()) < 0.01


@settings(max_examples=25, deadline=None)
@given(POSES, st.floats(1, 15), SEEDS)
def test_seeds_decide(skeleton, name, spread, seed):
    once, again, other = (
        sample_pose(Pose(name=name, spread=spread, seed=each), skeleton) for each in (seed, seed, seed ^ 1)
    )
    assert np.array_equal(once.rotations, again.rotations)
    assert np.array_equal(once.hips, again.hips)
    apart = np.degrees(np.linalg.norm(to_vector(np.swapaxes(once.rotations, -1, -2) @ other.rotations), axis=-1))
    assert apart.max() > 0.1


@pytest.mark.parametrize("name", templates.names("poses"))
def test_no_blend_and_no_spread_is_the_pose_itself(skeleton, name):
    plain = sample_pose(Pose(name=name), skeleton)
    same = sample_pose(Pose(name=name, second="crouching", blend=0.0, spread=0.0, seed=7), skeleton)
    assert np.array_equal(plain.rotations, same.rotations)
    assert np.array_equal(plain.hips, same.hips)
    whole = sample_pose(Pose(name="crouching", second=name, blend=1.0), skeleton)
    assert np.array_equal(plain.rotations, whole.rotations)


@pytest.mark.parametrize(
    ("first", "second"), [("standing", "walking"), ("standing", "kicking"), ("sitting", "standing")]
)
def test_feet_that_both_poses_plant_stay_planted(skeletons, posed_soles, first, second):
    both = load_pose(first).stance.bears & load_pose(second).stance.bears
    for skeleton in skeletons:
        for blend in (0.1, 0.5, 0.9):
            clip = sample_pose(Pose(name=first, second=second, blend=blend), skeleton)
            soles = posed_soles(skeleton, *skeleton.pose(clip.rotations, clip.hips))[0]
            assert soles[both, :, 2].min(axis=-1) == pytest.approx(0.0, abs=2e-3)
            ends = [plant(skeleton, load_pose(name).stance).place for name in (first, second)]
            assert soles[both, 1, :2] == pytest.approx(((1 - blend) * ends[0] + blend * ends[1])[both, :2], abs=1e-2)


@pytest.mark.parametrize(
    ("first", "second"), [("standing", "walking"), ("standing", "lying_supine"), ("kicking", "leaping")]
)
def test_a_blend_goes_smoothly_from_one_pose_to_the_other(skeleton, first, second):
    clips = [sample_pose(Pose(name=first, second=second, blend=blend), skeleton) for blend in np.linspace(0, 1, 41)]
    local = np.concatenate([clip.rotations for clip in clips])
    steps = np.degrees(np.linalg.norm(to_vector(np.swapaxes(local[:-1], -1, -2) @ local[1:]), axis=-1))
    assert steps.max() < 6.0
    assert np.abs(np.diff(np.concatenate([clip.hips for clip in clips]), axis=0)).max() < 0.06


def test_the_spread_is_the_standard_deviation_at_the_core_and_smaller_further_out():
    template = load_pose("standing")
    varied = np.stack([vary_pose(template, draw_deviations(seed), 4.0).angles for seed in range(400)])
    away = (varied - template.angles).std(axis=0)
    for bone, slot, expected in (
        ("spine", 2, 4.0),
        ("leftUpperArm", 0, 4.0),
        ("rightUpperArm", 2, 4.0),
        ("neck", 1, 2.8),
        ("leftLowerArm", 1, 2.8),
        ("rightHand", 0, 2.0),
        ("leftIndexDistal", 0, 1.4),
        ("jaw", 0, 0.0),
    ):
        assert away[INDEX[bone], slot] == pytest.approx(expected, rel=0.12), bone
    assert (varied >= LIMITS[..., 0] - 1e-9).all()
    assert (varied <= LIMITS[..., 1] + 1e-9).all()
    assert np.abs(varied - template.angles).max() <= 4.0 * FARTHEST + 1e-9


def test_a_mirrored_variation_is_the_mirror_image(skeleton):
    plain, mirrored = (
        sample_pose(Pose(name="punching", spread=4, seed=3, mirror=mirror), skeleton) for mirror in (False, True)
    )
    _, places = skeleton.pose(plain.rotations[0], plain.hips[0])
    _, other = skeleton.pose(mirrored.rotations[0], mirrored.hips[0])
    assert other[INDEX["leftHand"]] == pytest.approx(places[INDEX["rightHand"]] * [-1, 1, 1], abs=3e-3)


def test_hips_blend_the_shortest_way_round(skeleton):
    half = sample_pose(Pose(name="lying_supine", second="standing", blend=0.5), skeleton)
    up = half.rotations[0, INDEX["hips"]] @ [0, 0, 1]
    assert np.degrees(np.arccos(up[2])) == pytest.approx(45, abs=6)
    assert rotations(load_pose("lying_supine").angles)[INDEX["hips"]] @ [0, 0, 1] == pytest.approx([0, 1, 0], abs=1e-6)
