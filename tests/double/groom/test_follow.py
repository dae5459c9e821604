"""Strands follow their guides: exactly at rest, rigidly with a turn, without stretching, in any order."""

import numpy as np
import pytest

pytest.importorskip("scipy", reason="strands that follow guides need scipy")

from farm.double.groom.follow import bind_strands


def curly(count, points, random):
    """Wavy chains (N, P, 3) side by side, hanging from a row."""
    along = np.linspace(0, 1, points)
    roots = random.uniform(-0.05, 0.05, (count, 1, 3)) * (1, 1, 0)
    phase = random.uniform(0, 6.28, (count, 1))
    wave = 0.01 * np.stack([np.cos(20 * along + phase), np.sin(20 * along + phase)], axis=-1)
    wave -= wave[:, :1]
    return roots + np.concatenate([wave, np.broadcast_to(-0.2 * along[:, None], (count, points, 1))], axis=-1)


def straight(count, points, random):
    roots = random.uniform(-0.05, 0.05, (count, 1, 3)) * (1, 1, 0)
    return roots + np.linspace(0, 1, points)[:, None] * (0, 0, -0.2)


def turned(chains, angle):
    """All chains turned sideways about their own roots, root and tip alike."""
    sine, cosine = np.sin(angle), np.cos(angle)
    matrix = np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])
    return chains[:, :1] + (chains - chains[:, :1]) @ matrix.T


@pytest.fixture(scope="module")
def scene():
    random = np.random.default_rng(3)
    guides, strands = straight(40, 12, random), curly(5000, 18, random)
    return guides, strands, bind_strands(strands, guides)


def lengths(strands):
    return np.linalg.norm(np.diff(strands, axis=1), axis=2)


def test_strands_of_guides_at_rest_stay(scene):
    guides, strands, followers = scene
    np.testing.assert_allclose(followers.moved(guides), strands, atol=1e-6)


@pytest.mark.parametrize("angle", [0.4, 1.6, 2.9])
def test_strands_turn_with_guides_and_keep_their_curls(scene, angle):
    guides, strands, followers = scene
    np.testing.assert_allclose(followers.moved(turned(guides, angle)), turned(strands, angle), atol=2e-6)


def test_strands_never_stretch_and_keep_their_roots(scene):
    guides, strands, followers = scene
    wild = guides + np.cumsum(np.random.default_rng(5).normal(scale=0.01, size=guides.shape), axis=1)
    moved = followers.moved(wild)
    np.testing.assert_allclose(lengths(moved), lengths(strands), rtol=2e-3, atol=1e-7)
    np.testing.assert_array_equal(moved[:, 0], strands[:, 0].astype(np.float32))
    assert np.abs(moved - strands).max() > 0.02


def test_a_strand_follows_the_guides_beside_it():
    left, right = (np.linspace((x, 0, 0), (x, 0, -0.2), 10) for x in (-0.05, 0.05))
    guides = np.stack([left, right])
    moved = turned(guides, 1.0)
    moved[0] = left
    strands = guides + np.array([0.001, 0.002, 0.0])
    followed = bind_strands(strands, guides).moved(moved)
    np.testing.assert_allclose(followed[0], strands[0], atol=0.005)
    np.testing.assert_allclose(followed[1], turned(strands, 1.0)[1], atol=0.005)


def test_strands_are_the_same_whatever_was_shown_before(scene):
    guides, _, followers = scene
    bent = turned(guides, 0.7)
    first = followers.moved(bent)
    followers.moved(guides)
    np.testing.assert_array_equal(followers.moved(bent), first)


def test_strands_may_have_fewer_or_more_points_than_guides():
    random = np.random.default_rng(2)
    guides = straight(10, 8, random)
    for points in (2, 3, 30):
        strands = straight(50, points, random)
        moved = bind_strands(strands, guides).moved(turned(guides, 1.2))
        np.testing.assert_allclose(moved, turned(strands, 1.2), atol=2e-6)
