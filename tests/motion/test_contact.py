"""Legs that reach their feet, and weight over them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.motion.anatomy import read_bones, rotations
from farm.motion.contact import Feet, balance, solve_legs, support, two_bone
from farm.motion.mass import centre_of_mass
from farm.motion.skeleton import INDEX

lengths = st.floats(0.2, 0.6)
coordinates = st.floats(-1.0, 1.0)


@given(first=lengths, second=lengths, end=st.tuples(coordinates, coordinates, st.floats(-1.0, -0.1)))
def test_two_bones_reach_what_they_can_and_bend_towards_the_pole(first, second, end):
    end, pole = np.array(end), np.array([0.0, -1.0, 0.0])
    upper, lower, hinge = two_bone(np.zeros(3), end, pole, (np.array(first), np.array(second)))
    assert np.linalg.norm([upper, lower, hinge], axis=1) == pytest.approx(1)
    assert hinge @ upper == pytest.approx(0, abs=1e-6)
    reached, distance = first * upper + second * lower, np.linalg.norm(end)
    if abs(first - second) + 1e-3 < distance < first + second - 1e-3:
        assert reached == pytest.approx(end, abs=1e-6)
    elif distance > first + second:
        assert reached == pytest.approx(end / distance * (first + second), abs=1e-3)
    bulge = upper * first - end * (upper @ end) * first / distance**2
    assert bulge @ pole >= -1e-9


def standing(skeleton, heel=0.0, turn=0.0, ahead=0.0, grip=1.0):
    place = skeleton.soles[:, 1].copy()
    place[0, 1] -= ahead
    return Feet(place=place, turn=np.full(2, turn), heel=np.full(2, heel), grip=np.full(2, grip))


@pytest.mark.parametrize("heel", [-0.5, 0.0, 0.8])
@pytest.mark.parametrize("turn", [0.0, 0.6])
def test_solved_feet_touch_the_floor_where_they_should(skeleton, posed_soles, heel, turn):
    feet = standing(skeleton, heel=heel, turn=turn, ahead=0.1)
    hips = skeleton.joint("hips") - [0, 0, 0.2]
    local = solve_legs(skeleton, rotations(read_bones({"hips": {"bend": 20, "turn": 10}}, "test")), hips, feet)
    soles = posed_soles(skeleton, *skeleton.pose(local, hips))
    assert soles[..., 2].min() == pytest.approx(0, abs=1e-9)
    heels, balls, tips = soles[:, 0], soles[:, 1], soles[:, 2]
    if heel >= 0:
        assert balls == pytest.approx(feet.place, abs=1e-9)
        assert tips[:, 2] == pytest.approx(0, abs=1e-9)
    else:
        assert heels[:, 2] == pytest.approx(0, abs=1e-9)
        assert (tips[:, 2] > balls[:, 2]).all()
    outward = (tips - heels)[:, 0] * [1, -1]
    assert (outward > 0.02).all() if turn else outward == pytest.approx(0, abs=1e-9)


def test_balance_puts_the_centre_of_mass_where_it_is_asked(skeleton):
    feet = standing(skeleton)
    local = rotations(read_bones({"hips": {"bend": 40}, "bothUpperArm": {"lower": 80, "swing": -40}}, "test"))
    over = support(skeleton, feet, forward=np.array(0.5), left=np.array(0.5))
    target = np.array([*over, 0.75])
    hips = balance(skeleton, local, feet, target)
    _, places = skeleton.pose(solve_legs(skeleton, local, hips, feet), hips)
    assert centre_of_mass(places) == pytest.approx(target, abs=1e-6)
    assert places[INDEX["hips"], 1] > skeleton.joint("hips")[1], "bending forward moves the hips back"
