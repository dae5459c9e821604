import numpy as np
import pytest
import pytorch_msssim
import torch

from farm.dataset import relmse
from farm.learn.scores import ms_ssim, score


@pytest.fixture(scope="module")
def pictures():
    rng = np.random.default_rng(2)
    rows, columns = np.mgrid[0:192, 0:208] / 24
    truth = np.stack([np.sin(rows) ** 2, np.cos(columns) ** 2, (np.sin(rows + columns) + 1) / 2]).astype(np.float32)
    return truth * rng.gamma(20, 1 / 20, truth.shape).astype(np.float32), truth


def test_ms_ssim_is_what_another_library_gives(pictures):
    first, second = (torch.from_numpy(np.clip(each, 0, 1)) for each in pictures)
    theirs = pytorch_msssim.ms_ssim(first[None].double(), second[None].double(), data_range=1.0)
    assert ms_ssim(first.movedim(0, -1), second.movedim(0, -1)) == pytest.approx(float(theirs), abs=1e-5)


def test_relmse_is_the_datasets(pictures):
    noisy, truth = pictures
    assert score(noisy, truth).relmse == pytest.approx(relmse(noisy, truth), rel=1e-6)


def test_an_image_against_itself(pictures):
    scores = score(pictures[1], pictures[1])
    assert scores[:3] == pytest.approx((0, 0, 0), abs=1e-6)
    assert scores.msssim == pytest.approx(1)


def test_less_noise_scores_better(pictures):
    noisy, truth = pictures
    worse, better = score(noisy, truth), score((noisy + truth) / 2, truth)
    assert better.relmse < worse.relmse
    assert better.smape < worse.smape
    assert better.flip < worse.flip
    assert better.msssim > worse.msssim


def test_inside_a_mask_only_what_is_inside_counts(pictures):
    _, truth = pictures
    spoilt = truth.copy()
    spoilt[:, :96] *= 3
    mask = np.zeros(truth.shape[1:])
    mask[150:] = 1
    inside, outside, whole = score(spoilt, truth, mask), score(spoilt, truth, 1 - mask), score(spoilt, truth)
    assert inside.relmse == inside.smape == 0
    assert inside.flip < 1e-3
    assert outside.relmse > whole.relmse > 0
    assert outside.flip > whole.flip > 0.01
    half = score(spoilt, truth, np.full(mask.shape, 0.5))
    assert half == pytest.approx(whole)


def test_a_small_picture_has_fewer_scales():
    rng = np.random.default_rng(0)
    small = torch.from_numpy(rng.random((24, 24, 3)))
    assert ms_ssim(small, small) == pytest.approx(1)
    assert 0 <= ms_ssim(small, small.flip(0)) < 0.9
    assert np.isnan(ms_ssim(small[:8], small[:8]))
