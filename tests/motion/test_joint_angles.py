"""Angles to rotations and back, over the limits of every joint."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farm.motion.anatomy import ANGLES, SLOTS, rotations
from farm.motion.joint_angles import LIMITS, angles_of, beyond_limits
from farm.motion.skeleton import BONES, INDEX

LOOSE = [INDEX["hips"]]
"""Bones that turn all the way, so that two triples of angles within their limits mean the same."""


def drawn(seed: int) -> np.ndarray:
    share = np.random.default_rng(seed).uniform(size=(4, len(BONES), SLOTS))
    return LIMITS[..., 0] + share * (LIMITS[..., 1] - LIMITS[..., 0])


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_angles_within_limits_come_back(seed):
    angles = drawn(seed)
    for side in ("left", "right"):
        lower = angles[..., INDEX[f"{side}UpperArm"], 1]
        lower[np.abs(lower) < 1.0] = 5.0  # in the T-pose an arm swings and twists about one axis
    found = angles_of(rotations(angles))
    found[..., LOOSE, :] = angles[..., LOOSE, :]
    assert np.abs(found - angles).max() < 1e-4


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_rotations_come_back_whatever_the_angles_are_called(seed):
    angles = drawn(seed)
    angles[0, :, 1] = 0.0
    local = rotations(angles)
    found = angles_of(local)
    assert np.abs(rotations(found) - local).max() < 1e-7
    within = beyond_limits(found)
    within[..., [INDEX["leftUpperArm"], INDEX["rightUpperArm"]], :] = 0.0  # lower 0: what is swing, what twist?
    assert within.max() < 1e-4


@pytest.mark.parametrize("bend", [-90.0, 90.0])
def test_hips_that_lie_flat_come_back(bend):
    angles = np.zeros((len(BONES), SLOTS))
    angles[INDEX["hips"]] = 30.0, bend, 0.0
    local = rotations(angles)
    assert np.abs(rotations(angles_of(local)) - local).max() < 1e-7


def test_what_a_bone_cannot_do_is_left_out():
    angles = np.zeros((len(BONES), SLOTS))
    angles[INDEX["leftLowerArm"], :2] = 50.0, 30.0
    local = rotations(angles)
    sideways = np.radians(4.0)
    local[INDEX["leftLowerArm"]] = local[INDEX["leftLowerArm"]] @ np.array(
        [[np.cos(sideways), 0, np.sin(sideways)], [0, 1, 0], [-np.sin(sideways), 0, np.cos(sideways)]]
    )
    found = angles_of(local)[INDEX["leftLowerArm"]]
    assert found[:2] == pytest.approx([50.0, 30.0], abs=4.1)
    assert found[2] == 0.0


def test_how_far_limits_are_broken_is_told():
    angles = np.zeros((len(BONES), SLOTS))
    bend = [angle.name for angle in ANGLES["leftLowerLeg"]].index("bend")
    angles[INDEX["leftLowerLeg"], bend] = 150.0
    over = beyond_limits(angles)
    assert over[INDEX["leftLowerLeg"], bend] == pytest.approx(5.0)
    assert np.sum(over) == pytest.approx(5.0)
