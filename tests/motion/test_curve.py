"""Curves keep to their keys and end conditions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.motion.curve import Chain, Quintic, flow

values = st.floats(-10, 10)


@given(keys=st.lists(values, min_size=3, max_size=8), seed=st.integers(0, 1000))
def test_flow_passes_its_keys_and_never_beyond_them(keys, seed):
    times = np.cumsum(np.random.default_rng(seed).uniform(0.05, 1.0, len(keys)))
    keys = np.array(keys)
    assert flow(times, keys, times) == pytest.approx(keys)
    fine = flow(times, keys, np.linspace(times[0] - 1, times[-1] + 1, 2000))
    assert keys.min() - 1e-9 <= fine.min()
    assert fine.max() <= keys.max() + 1e-9


def test_flow_has_a_continuous_velocity_and_ends_at_rest():
    times, keys = np.array([0.0, 0.3, 0.4, 1.0]), np.array([0.0, 1.0, 3.0, 2.0])
    step = 1e-5
    velocity = np.diff(flow(times, keys, np.arange(-0.1, 1.1, step))) / step
    assert np.abs(np.diff(velocity)).max() < 0.02
    assert velocity[0] == velocity[-1] == 0


@given(*[st.tuples(values, values, values)] * 2, st.floats(0.1, 2.0))
def test_a_quintic_meets_both_states(start, end, duration):
    curve, step = Quintic(start, end, duration), 1e-4 * duration
    for at, (value, velocity, acceleration) in ((0.0, start), (duration, end)):
        before, here, after = curve(np.array([at - step, at, at + step]))
        scale = 1 + 100 / duration**2
        assert here == pytest.approx(value, abs=1e-9 * scale)
        assert (after - before) / (2 * step) == pytest.approx(velocity, abs=1e-3 * scale)
        assert (after - 2 * here + before) / step**2 == pytest.approx(acceleration, abs=1e-1 * scale)


def test_a_chain_runs_its_pieces_from_their_times():
    chain = Chain(np.array([0.0, 1.0]), (lambda at: at, lambda at: 10 + at))
    assert chain(np.array([-0.5, 0.5, 1.0, 3.0])).tolist() == [-0.5, 0.5, 10.0, 12.0]
