"""Rotations against what they are defined to do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.motion.rotation import about, between, frame, swing_twist, to_quaternion, to_vector, unit

X, Y, Z = np.eye(3)
directions = st.tuples(*[st.floats(-1, 1)] * 3).map(np.array).filter(lambda v: np.linalg.norm(v) > 0.1).map(unit)
angles = st.floats(-np.pi, np.pi)


def test_turns_are_right_handed():
    assert about(Z, np.pi / 2) @ X == pytest.approx(Y)
    assert about(X, np.pi / 2) @ Y == pytest.approx(Z)


@given(axis=directions, angle=angles)
def test_quaternions_and_vectors_tell_the_same_rotation(axis, angle):
    matrix = about(axis, angle)
    w, *v = to_quaternion(matrix)
    assert about(unit(np.array(v)), 2 * np.arctan2(np.linalg.norm(v), w)) == pytest.approx(matrix, abs=1e-9)
    vector = to_vector(matrix)
    assert about(unit(vector), np.linalg.norm(vector)) == pytest.approx(matrix, abs=1e-9)


def test_half_turns_have_quaternions():
    for axis in (X, Y, Z, unit(X + Y)):
        assert np.abs(to_quaternion(about(axis, np.pi))[1:]) == pytest.approx(np.abs(axis), abs=1e-9)


@given(first=directions, second=directions)
def test_the_least_rotation_between_directions(first, second):
    if first @ second < -0.999:
        return
    matrix = between(first, second)
    assert matrix @ first == pytest.approx(second, abs=1e-7)
    assert np.linalg.norm(to_vector(matrix)) == pytest.approx(np.arccos(np.clip(first @ second, -1, 1)), abs=1e-6)


@given(axis=directions, angle=angles, along=directions)
def test_swing_and_twist_make_up_the_rotation(axis, angle, along):
    matrix = about(axis, angle)
    if along @ matrix @ along < -0.99:
        return
    swing, twist = swing_twist(matrix, along)
    assert about(unit(swing), np.linalg.norm(swing)) @ about(along, twist) == pytest.approx(matrix, abs=1e-7)
    assert swing @ along == pytest.approx(0, abs=1e-6)


def test_a_frame_is_orthonormal_and_right_handed():
    axes = frame(np.array([2.0, 1.0, 0.0]), np.array([0.0, 1.0, 5.0]))
    assert axes.T @ axes == pytest.approx(np.eye(3))
    assert np.linalg.det(axes) == pytest.approx(1)
