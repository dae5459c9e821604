from __future__ import annotations

import numpy as np
import pytest

from farm.double.groom.statistics import GroomStatistics, measure_strands


def strands(*curves):
    first = np.cumsum([0, *(len(curve) for curve in curves)]).astype(np.int32)
    return np.concatenate([np.asarray(curve, dtype=np.float64) for curve in curves]), first


def line(length, points=11, at=0.0):
    curve = np.zeros((points, 3))
    curve[:, 0], curve[:, 2] = at, np.linspace(0, length, points)
    return curve


def test_straight_strands_have_no_curl_and_their_mean_length():
    found = measure_strands(*strands(line(0.1), line(0.3, at=0.5)))
    assert found.length == pytest.approx(0.2)
    assert found.curl == pytest.approx(0, abs=1e-5)


def test_a_circle_has_the_curvature_of_its_radius():
    angle = np.linspace(0, 2 * np.pi, 200)
    circle = 0.02 * np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    assert measure_strands(*strands(circle)).curl == pytest.approx(50, rel=0.02)


def test_what_lies_between_two_strands_is_not_measured():
    alone = measure_strands(*strands(line(0.1)))
    twice = measure_strands(*strands(line(0.1), line(0.1, at=9.0)))
    assert (twice.length, twice.curl) == pytest.approx((alone.length, alone.curl), abs=1e-5)


def test_volume_counts_space_once():
    one = measure_strands(*strands(line(0.3, points=200)))
    same = measure_strands(*strands(line(0.3, points=200), line(0.3, points=200)))
    apart = measure_strands(*strands(line(0.3, points=200), line(0.3, points=200, at=0.1)))
    assert same.volume == pytest.approx(one.volume)
    assert apart.volume == pytest.approx(2 * one.volume)


def test_no_hair_measures_nothing():
    assert measure_strands(np.zeros((0, 3)), np.zeros(1, dtype=np.int32)) == GroomStatistics(0, 0, 0, 0)


def test_grooms_differ_by_any_measure():
    one = GroomStatistics(0.1, 20, 1.5, 0.2)
    assert not one.differs(GroomStatistics(0.1, 20, 1.5, 0.2))
    assert one.differs(GroomStatistics(0.1, 20, 1.5, 0.2001))
