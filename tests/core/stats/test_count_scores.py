"""Scores of forecast counts, held against another library and against laws that are known."""

from __future__ import annotations

import numpy as np
import pytest
import scoringrules
from scipy import stats

from helpers.core.stats import count_scores

SHARES = (0.05, 0.1, 0.5, 0.9, 0.95)


def test_scalars_are_those_of_the_acceptance() -> None:
    """CRPS of N(0, 1) at 0 tells that the other library is the one meant; ours is Poisson's."""
    assert float(scoringrules.crps_normal(0.0, 0.0, 1.0)) == pytest.approx(0.23369498, abs=1e-8)
    assert count_scores.crps([2], [3.0], [0.0])[0] == pytest.approx(0.5417440078, abs=1e-8)


def test_crps_is_that_of_another_library() -> None:
    rng = np.random.default_rng(4)
    mean, alpha = np.exp(rng.uniform(-5, 2.5, 600)), np.exp(rng.uniform(-4, 0.5, 600))
    y = rng.poisson(mean * 1.5).astype(float)
    ours = count_scores.crps(y, mean, alpha)
    theirs = scoringrules.crps_negbinom(y, 1 / alpha, 1 / (1 + alpha * mean))
    assert ours == pytest.approx(theirs, abs=1e-7)
    poisson = count_scores.crps(y, mean, np.zeros(600))
    assert poisson == pytest.approx(scoringrules.crps_poisson(y, mean), abs=1e-7)


def test_a_wide_forecast_is_scored_as_its_sum() -> None:
    """Means of hundreds: the integral against the sum of scipy's own distribution function."""
    for mean, alpha, y in ((900.0, 0.05, 1300.0), (2500.0, 0.0, 2400.0), (400.0, 0.8, 3.0)):
        k = np.arange(60_000)
        law = stats.nbinom(1 / alpha, 1 / (1 + alpha * mean)) if alpha else stats.poisson(mean)
        direct = float(((law.cdf(k) - (k >= y)) ** 2).sum())
        assert count_scores.crps([y], [mean], [alpha])[0] == pytest.approx(direct, rel=2e-4)


def test_quantiles_and_chances_are_scipys() -> None:
    mean, alpha = np.array([0.2, 3.0, 40.0]), np.array([0.0, 0.5, 0.1])
    found = count_scores.quantiles(mean, alpha, SHARES)
    for i, (m, a) in enumerate(zip(mean, alpha, strict=True)):
        law = stats.nbinom(1 / a, 1 / (1 + a * m)) if a else stats.poisson(m)
        assert found[:, i].tolist() == law.ppf(SHARES).astype(int).tolist()
        k = np.arange(8.0)
        assert count_scores.log_chance(k, m, a) == pytest.approx(law.logpmf(k))
        assert count_scores.cumulated(k, m, a) == pytest.approx(law.cdf(k))
    assert count_scores.cumulated([-1.0], [2.0], [0.0])[0] == 0


def test_the_right_forecast_is_calibrated_and_a_wrong_one_is_not() -> None:
    rng = np.random.default_rng(8)
    mean = np.exp(rng.uniform(-3, 3, 40_000))
    y = rng.poisson(mean * rng.gamma(4, 1 / 4, len(mean))).astype(float)
    right = count_scores.pit(y, mean, np.full(len(mean), 0.25), rng)
    assert count_scores.from_uniform(right) < 0.0136  # 1 % of the time beyond it: 1.63 / √40,000…
    assert count_scores.covered(right, 0.8) == pytest.approx(0.8, abs=0.008)
    assert count_scores.covered(right, 0.9) == pytest.approx(0.9, abs=0.006)
    narrow = count_scores.pit(y, mean, np.zeros(len(mean)), rng)
    assert count_scores.covered(narrow, 0.8) < 0.76
    doubled = count_scores.pit(y, 2 * mean, np.full(len(mean), 0.25), rng)
    assert count_scores.from_uniform(doubled) > 0.05


def test_a_dispersion_that_was_drawn_is_found() -> None:
    rng = np.random.default_rng(5)
    mean = np.exp(rng.uniform(-2, 4, 60_000))
    phi, alpha = count_scores.dispersion_of(
        rng.poisson(mean * rng.gamma(5, 1 / 5, len(mean))).astype(float), mean
    )
    assert alpha == pytest.approx(0.2, abs=0.02)
    assert phi == pytest.approx(0, abs=0.05)
    phi, alpha = count_scores.dispersion_of(rng.poisson(mean).astype(float), mean)
    assert (phi, alpha) == (pytest.approx(0, abs=0.03), pytest.approx(0, abs=0.003))
