"""Few keys within a tolerance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.motion.sparse import sparse_curve, travel_error, turn_error


@given(
    speeds=st.lists(st.floats(0.01, 0.5), min_size=3, max_size=3),
    tolerance=st.sampled_from([1e-4, 1e-3, 1e-2]),
    frames=st.integers(2, 120),
)
def test_every_frame_is_within_the_tolerance(speeds, tolerance, frames):
    times = np.arange(frames)
    values = np.sin(np.outer(times, speeds)) + 0.1 * np.abs(times[:, None] - 30.0)
    curve = sparse_curve(values, travel_error, tolerance)
    assert travel_error(curve(times.astype(float)), values).max() <= tolerance
    assert list(curve.at) == sorted(set(curve.at))


def test_smooth_motion_needs_few_keys():
    times = np.linspace(0.0, 2.0 * np.pi, 120)
    values = np.stack([np.cos(times / 4.0), np.sin(times / 4.0), 0.0 * times, 0.0 * times], axis=1)
    curve = sparse_curve(values, turn_error, np.radians(0.05))
    assert len(curve.at) < 12


def test_what_keeps_still_has_one_key():
    curve = sparse_curve(np.full((50, 3), 0.7), travel_error, 1e-4)
    assert len(curve.at) == 1
    assert curve(np.arange(50.0)) == pytest.approx(0.7)


def test_the_error_of_a_turn_is_its_angle():
    half = np.radians(30.0) / 2.0
    turned, still = np.array([np.cos(half), np.sin(half), 0.0, 0.0]), np.array([1.0, 0.0, 0.0, 0.0])
    assert np.degrees(turn_error(2.0 * turned, still)) == pytest.approx(30.0)
