"""What single strands do: cut, stray, gathered, curled; on a patch of straight strands."""

import numpy as np
import pytest

from farm.double.groom.curling import Strands, clump_locks, curl_locks, cut_unevenly, find_locks, stray
from farm.double.groom.style import Clump, Curl
from farm.double.groom.surface import CLIPPED
from farm.recipe.variant import stream

COUNT, POINTS, LENGTH = 600, 16, 0.2


@pytest.fixture
def patch() -> Strands:
    random = stream(1, "patch")
    roots = np.concatenate([random.uniform(0, 0.05, (COUNT, 2)), np.zeros((COUNT, 1))], axis=1)
    way = np.linspace(0, LENGTH, POINTS)[None, :, None] * np.array([0.0, 0.0, 1.0])
    return Strands(
        points=(roots[:, None] + way).astype(np.float32),
        uvs=np.zeros((COUNT, 2), dtype=np.float32),
        side=np.where(roots[:, 0] < 0.025, 1, -1).astype(np.float32),
        density=np.ones(COUNT, dtype=np.float32),
        locks=np.zeros(COUNT, dtype=np.int32),
        loose=np.ones(POINTS, dtype=np.float32),
    )


def test_strands_lose_at_most_what_the_style_says(patch):
    lengths = cut_unevenly(patch, 0.03, stream(2, "cut")).lengths()
    assert lengths.max() <= LENGTH + 1e-5
    assert LENGTH - 0.03 - 1e-5 <= lengths.min() < LENGTH - 0.025


def test_short_hair_keeps_four_fifths_of_its_length(patch):
    assert cut_unevenly(patch, 1.0, stream(2, "cut")).lengths().min() > 0.79 * LENGTH


def test_strays_leave_at_the_tip_and_not_at_the_root(patch):
    moved = stray(patch, 0.01, stream(3, "stray")).points - patch.points
    far = np.linalg.norm(moved, axis=2)
    assert far[:, 0].max() < 1e-6
    assert 0.004 < np.sqrt((far[:, -1] ** 2).mean()) < 0.025


def test_locks_lie_a_lock_apart_and_never_across_the_parting(patch):
    locks, middle = find_locks(patch, 0.01, stream(4, "locks"))
    assert 12 < len(middle) < 60
    assert (patch.side[middle[locks]] == patch.side).all()


@pytest.mark.parametrize(("shape", "middle"), [(-0.5, 0.65), (0.0, 0.5), (0.5, 0.25)])
def test_strands_gather_into_locks_as_the_shape_says(patch, shape, middle):
    clump = Clump(size=0.01, strength=0.8, shape=shape)
    locks, leading = find_locks(patch, clump.size, stream(6, "clump"))
    gathered = clump_locks(patch, clump, 1.0, stream(6, "clump")).points
    away = np.linalg.norm(gathered - patch.points[leading[locks]], axis=2)
    before = np.linalg.norm(patch.points[:, 0] - patch.points[leading[locks], 0], axis=1)
    strays = before > 0.002
    share = 1 - away[strays] / before[strays, None]
    assert share[:, 0] == pytest.approx(0.0, abs=1e-3)
    assert share[:, -1] == pytest.approx(0.8, abs=1e-3)
    assert share[:, POINTS // 2].mean() == pytest.approx(0.8 * middle, abs=0.08)


def test_locks_never_draw_strands_across_the_parting_and_leave_clipped_hair(patch):
    clump = Clump(size=0.02, strength=1.0, spread=0.002)
    gathered = clump_locks(patch, clump, 1.0, stream(6, "clump")).points
    assert ((gathered[:, -1, 0] < 0.03) | (patch.side < 0)).all()
    assert ((gathered[:, -1, 0] > 0.02) | (patch.side > 0)).all()
    clipped = Strands(**{**vars(patch), "side": np.full(COUNT, CLIPPED, dtype=np.float32)})
    np.testing.assert_array_equal(clump_locks(clipped, clump, 1.0, stream(6, "clump")).points, patch.points)


def test_loose_locks_gather_less(patch):
    def spread(firmness):
        gathered = clump_locks(patch, Clump(size=0.01, strength=0.9), firmness, stream(6, "clump")).points
        return np.linalg.norm(gathered[:, -1] - patch.points[:, -1], axis=1).mean()

    assert 0.4 < spread(0.5) / spread(1.0) < 0.6


def test_strands_curl_around_their_lock(patch):
    curl = Curl(radius=0.005, turns=25, size=0.01, start=0.0, tip=1.0, disorder=0.0, gather=1.0)
    curled = curl_locks(patch, curl, stream(5, "curl"))
    assert np.abs(curled.points[:, 0] - patch.points[:, 0]).max() < 1e-6
    lock = np.argmax(np.bincount(curled.locks))
    members = curled.points[curled.locks == lock]
    tail = members[:, members.shape[1] // 2 :]
    assert np.ptp(tail, axis=0).max() < 0.001
    arc = np.linalg.norm(np.diff(tail[0], axis=0), axis=1).sum() / np.ptp(tail[0, :, 2])
    assert arc == pytest.approx(np.hypot(1, 2 * np.pi * 0.005 * 25), rel=0.25)


def test_disorder_takes_strands_out_of_step(patch):
    spread = []
    for disorder in (0.0, 1.0):
        curl = Curl(radius=0.003, turns=40, size=0.01, start=0.0, disorder=disorder, gather=1.0)
        curled = curl_locks(patch, curl, stream(5, "curl"))
        members = curled.points[curled.locks == np.argmax(np.bincount(curled.locks)), -1]
        spread.append(members.std(axis=0).max())
    assert spread[0] < 0.0005
    assert spread[1] > 0.001


def test_clipped_hair_does_not_curl(patch):
    clipped = Strands(**{**vars(patch), "side": np.full(COUNT, CLIPPED, dtype=np.float32)})
    curl = Curl(radius=0.003, turns=40, size=0.01)
    assert curl_locks(clipped, curl, stream(5, "curl")).points[:, :, :2].std(axis=1).max() < 0.0025
    assert curl_locks(patch, curl, stream(5, "curl")).points[:, :, :2].std(axis=1).max() > 0.0025
