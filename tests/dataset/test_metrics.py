"""Errors and residuals."""

from __future__ import annotations

import numpy as np
import pytest

from farm.dataset import merge_halves, relmse, residual_relmse
from farm.dataset.metrics import luminance


def test_relmse_by_hand() -> None:
    assert relmse(np.array([1.2, 0.0]), np.array([1.0, 0.0])) == pytest.approx(0.04 / 1.01 / 2)
    assert relmse(np.array([0.3]), np.array([0.0])) == pytest.approx(0.09 / 0.01)


def test_halves_are_merged_into_mean_and_half_difference() -> None:
    mean, difference = merge_halves(np.array([3.0, 1.0]), np.array([1.0, 2.0]))
    assert mean.dtype == difference.dtype == np.float32
    assert mean.tolist() == [2.0, 1.5]
    assert difference.tolist() == [1.0, -0.5]


def test_the_residual_estimates_the_true_error_of_the_mean() -> None:
    """On Gaussian noise of known spread, the estimate from the halves is the error that only the truth reveals."""
    rng = np.random.Generator(np.random.PCG64(11))
    truth = rng.uniform(0.2, 2.0, (200, 200, 3))
    for sigma in (0.01, 0.03):
        halves = [truth + rng.normal(0, sigma, truth.shape) for _ in range(2)]
        mean, difference = merge_halves(*halves)
        assert residual_relmse(mean, difference) == pytest.approx(relmse(mean, truth), rel=0.03)
        assert np.mean(difference.astype(np.float64) ** 2) == pytest.approx(sigma**2 / 2, rel=0.03)


def test_halves_that_share_samples_would_read_too_low() -> None:
    rng = np.random.Generator(np.random.PCG64(12))
    truth = np.ones((100, 100))
    shared = rng.normal(0, 0.1, truth.shape)
    halves = [truth + shared + rng.normal(0, 0.1, truth.shape) for _ in range(2)]
    mean, difference = merge_halves(*halves)
    assert residual_relmse(mean, difference) < 0.5 * relmse(mean, truth)


def test_white_has_luminance_one() -> None:
    assert luminance(dict.fromkeys("RGB", np.ones((2, 2), np.float32))) == pytest.approx(1.0)
