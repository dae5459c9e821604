"""Sub-pixel points: the sequences that they come from."""

import numpy as np
import pytest

from farm.render.jitter import halton, partner_jitter, phases, sample_jitter


def test_halton_is_the_sequence_of_the_books():
    assert [halton(index, 2) for index in range(5)] == [0, 1 / 2, 1 / 4, 3 / 4, 1 / 8]
    assert [halton(index, 3) for index in range(5)] == pytest.approx([0, 1 / 3, 2 / 3, 1 / 9, 4 / 9])


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_partners_walk_the_whole_cycle_and_begin_again(factor):
    cycle = [partner_jitter("clip", place, factor) for place in range(phases(factor))]
    assert sorted(cycle) == sorted(
        (round(halton(index, 2) - 0.5, 6), round(halton(index, 3) - 0.5, 6)) for index in range(1, phases(factor) + 1)
    )
    assert partner_jitter("clip", phases(factor), factor) == cycle[0]
    assert np.abs(cycle).max() < 0.5
    assert np.abs(np.mean(cycle, axis=0)).max() < 0.05


def test_stills_have_jitters_of_their_own():
    assert len({partner_jitter(f"variant{number}", 0, 2) for number in range(40)}) > 20


def test_single_samples_are_drawn_from_the_pixel_filter():
    """Mean, spread and reach of a Blackman-Harris window of 3 pixels; the two axes do not know of each other."""
    points = np.array([sample_jitter(f"clip/{view}", number) for view in range(60) for number in range(16)])
    places = np.linspace(-1.5, 1.5, 3001)
    turn = np.pi * (places / 1.5 + 1)
    weights = 0.35875 - 0.48829 * np.cos(turn) + 0.14128 * np.cos(2 * turn) - 0.01168 * np.cos(3 * turn)
    spread = np.sqrt((weights * places**2).sum() / weights.sum())
    assert np.abs(points.mean(axis=0)).max() < 0.02
    np.testing.assert_allclose(points.std(axis=0), spread, rtol=0.05)
    assert np.abs(points).max() < 1.5
    assert abs(np.corrcoef(points.T)[0, 1]) < 0.1
    firsts = np.array([sample_jitter(f"clip/{view}", 0) for view in range(960)])
    np.testing.assert_allclose(firsts.std(axis=0), spread, rtol=0.1)
