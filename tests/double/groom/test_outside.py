"""Strands that are led out of a ball: no point stays deep, lengths and roots do, nothing kinks, clothes cover skin."""

import numpy as np
import pytest

pytest.importorskip("scipy", reason="strands that are led out of the skin need scipy")

from farm.double.groom.outside import Solid, bare, lead_out

RADIUS = 0.1
DEEP = 0.002


def ball(radius=RADIUS, samples=4000):
    """A ball about the origin as a solid (Fibonacci's lattice)."""
    index = np.arange(samples) + 0.5
    height, around = 1 - 2 * index / samples, np.pi * (1 + 5**0.5) * index
    flat = np.sqrt(1 - height**2)
    normals = np.stack([flat * np.cos(around), flat * np.sin(around), height], axis=1)
    return Solid(radius * normals, normals)


def cutting(count=400, points=24, depth=0.006):
    """Strands (N, P, 3) that leave the top and cut through the ball's side, down to `depth` metres."""
    around = np.linspace(0, 2 * np.pi, count, endpoint=False)[:, None]
    angle = np.linspace(0, 0.75 * np.pi, points)
    sunk = depth * np.sin(np.linspace(0, np.pi, points)) ** 2
    flat, height = (RADIUS - sunk) * np.sin(angle), (RADIUS - sunk) * np.cos(angle)
    strands = np.stack([flat * np.cos(around), flat * np.sin(around), height + 0 * around], axis=-1)
    return strands.astype(np.float32)


def deep(strands):
    return (np.linalg.norm(strands, axis=2) < RADIUS - DEEP).mean()


def sharpest(strands):
    """The sharpest turn of any strand from a segment to the next, in radians."""
    ways = np.diff(strands, axis=1)
    ways /= np.linalg.norm(ways, axis=2, keepdims=True)
    return np.arccos(np.clip((ways[:, 1:] * ways[:, :-1]).sum(axis=2), -1, 1)).max()


@pytest.mark.parametrize("depth", [0.004, 0.008, 0.012])
def test_no_point_stays_deep_and_nothing_kinks(depth):
    strands = cutting(depth=depth)
    assert deep(strands) > 0.2
    out = lead_out(strands, ball())
    assert deep(out) < 0.002
    assert sharpest(out) < sharpest(strands) + 0.25


@pytest.mark.parametrize("depth", [0.025, 0.045])
def test_strands_that_motion_drew_far_into_the_body_come_out(depth):
    strands = cutting(depth=depth)
    assert (np.linalg.norm(strands, axis=2) < RADIUS - 0.02).mean() > 0.1
    assert deep(lead_out(strands, ball())) < 0.005


def test_lengths_and_roots_stay():
    strands = cutting()
    out = lead_out(strands, ball())
    lengths = [np.linalg.norm(np.diff(each, axis=1), axis=2) for each in (strands, out)]
    np.testing.assert_allclose(lengths[1], lengths[0], rtol=2e-4)
    np.testing.assert_array_equal(out[:, 0], strands[:, 0])


def test_strands_outside_stay_bit_for_bit():
    strands = np.concatenate([cutting(50, depth=-0.003), cutting(50)])
    out = lead_out(strands, ball())
    np.testing.assert_array_equal(out[:50], strands[:50])
    assert np.abs(out[50:] - strands[50:]).max() > DEEP


def test_given_strands_are_not_written_to():
    strands = cutting()
    before = strands.copy()
    lead_out(strands, ball())
    np.testing.assert_array_equal(strands, before)


def test_without_strands_or_surface_nothing_happens():
    none = np.zeros((0, 5, 3), dtype=np.float32)
    assert lead_out(none, ball()) is none
    strands = cutting()
    assert lead_out(strands, Solid(np.zeros((0, 3)), np.zeros((0, 3)))) is strands


def test_skin_under_a_garment_is_covered_and_the_rest_is_bare():
    skin, cloth = ball(), ball(RADIUS + 0.004)
    upper = cloth.samples[:, 2] > 0
    kept = bare(skin.samples, skin.normals, [(cloth.samples[upper], cloth.normals[upper])])
    assert not kept[skin.samples[:, 2] > 0.01].any()
    assert kept[skin.samples[:, 2] < -0.01].all()
