"""Zones compared at equal size: known formulas, chance told as chance, clusters that are there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from helpers.core.stats.moran import global_moran, nearest
from helpers.core.stats.zone_rates import empirical_bayes, local_moran

SIDE = 7
CENTRES = np.array([(i * 500.0, j * 500.0) for i in range(SIDE) for j in range(SIDE)])
WEIGHTS = nearest(CENTRES, 4)


def sizes(rng: np.random.Generator, even: bool) -> np.ndarray:
    """Return people present in each zone: the same everywhere, or from hundreds to thousands."""
    return np.full(SIDE**2, 2000.0) if even else rng.lognormal(7, 1, SIDE**2)


@settings(max_examples=40)
@given(st.integers(0, 10_000))
def test_empirical_bayes_is_the_formula_written_out(seed: int) -> None:
    """Marshall 1991: m + (r − m)·A / (A + m / size), A the excess of variance between zones."""
    rng = np.random.default_rng(seed)
    size = rng.uniform(100, 5000, 30)
    n = rng.poisson(size * rng.gamma(3, 0.01 / 3, 30)).astype(float)
    found = empirical_bayes(n, size, 0.9)
    m, r = n.sum() / size.sum(), n / size
    a = max(0.0, (size * (r - m) ** 2).sum() / size.sum() - m / size.mean())
    expected = m + (r - m) * a / (a + m / size) if a else np.full(30, m)
    assert found.value == pytest.approx(expected, rel=1e-9)
    assert (found.low <= found.value + 1e-12).all()
    assert (found.value <= found.high + 1e-12).all()


def test_intervals_of_rates_hold_the_truth_as_often_as_said() -> None:
    rng = np.random.default_rng(2)
    inside = []
    for _ in range(200):
        size = rng.uniform(200, 3000, 100)
        true = rng.gamma(4, 0.01 / 4, 100)
        found = empirical_bayes(rng.poisson(size * true).astype(float), size, 0.95)
        inside.append(((found.low <= true) & (true <= found.high)).mean())
    assert 0.93 <= np.mean(inside) <= 0.97


def test_local_morans_sum_to_the_global_one() -> None:
    values = np.random.default_rng(1).normal(size=SIDE**2)
    local, _ = local_moran(values, WEIGHTS, 99, np.random.default_rng(2))
    assert local.sum() / len(values) == pytest.approx(global_moran(values, WEIGHTS))


@pytest.mark.parametrize("even", [True, False])
def test_chance_makes_no_zone_stand_out_more_often_than_said(even: bool) -> None:
    """500 cities where facts follow the people present: any discovery at most at the rate."""
    rng = np.random.default_rng(4)
    found = 0
    for _ in range(500):
        size = sizes(rng, even)
        rates = empirical_bayes(rng.poisson(size * 0.02).astype(float), size, 0.95)
        _, p = local_moran(rates.value, WEIGHTS, 999, rng)
        found += bool((stats.false_discovery_control(p) <= 0.05).any())
    assert found / 500 <= 0.05 + 2.6 * np.sqrt(0.05 * 0.95 / 500)


def test_local_moran_p_values_of_chance_are_uniform() -> None:
    rng = np.random.default_rng(8)
    p = [local_moran(rng.normal(size=SIDE**2), WEIGHTS, 199, rng)[1][24] for _ in range(400)]
    assert stats.kstest(p, "uniform").pvalue > 0.001


def test_zones_alike_and_high_are_told_apart() -> None:
    rng = np.random.default_rng(3)
    size = np.full(SIDE**2, 2000.0)
    rate = np.full(SIDE**2, 0.02)
    middle = [16, 17, 18, 23, 24, 25, 30, 31, 32]
    rate[middle] = 0.08
    hits = []
    for _ in range(20):
        rates = empirical_bayes(rng.poisson(size * rate).astype(float), size, 0.95)
        local, p = local_moran(rates.value, WEIGHTS, 4999, rng)
        hits.append(p[24] <= 0.005 and local[24] > 0)
    assert sum(hits) >= 18
