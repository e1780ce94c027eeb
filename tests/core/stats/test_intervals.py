"""Intervals against published tables, other libraries, and counts drawn at random."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from helpers.core.stats.intervals import (
    dispersion,
    joint_ranks,
    poisson_interval,
    rate_ratio,
)

# Garwood (1936), Biometrika 28, table of 95 % and 99 % limits, as reprinted ever since.
GARWOOD_95 = {
    0: (0.0, 3.6889),
    1: (0.0253, 5.5716),
    2: (0.2422, 7.2247),
    5: (1.6235, 11.6683),
    10: (4.7954, 18.3904),
    30: (20.2409, 42.8269),
}


@pytest.mark.parametrize(("count", "limits"), GARWOOD_95.items())
def test_poisson_interval_is_that_of_the_table(count: int, limits: tuple[float, float]) -> None:
    low, high = poisson_interval(count, 0.95)
    assert (float(low), float(high)) == pytest.approx(limits, abs=1e-4)


@given(st.integers(0, 100_000), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_poisson_interval_is_the_chi_square_one(count: int, confidence: float) -> None:
    low, high = poisson_interval(count, confidence)
    tail = (1 - confidence) / 2
    assert float(high) == pytest.approx(stats.chi2.ppf(1 - tail, 2 * count + 2) / 2, abs=2e-6)
    expected = stats.chi2.ppf(tail, 2 * count) / 2 if count else 0.0
    assert float(low) == pytest.approx(expected, abs=2e-6)
    assert low <= count <= high


def test_poisson_interval_keeps_the_shape_of_the_counts() -> None:
    low, high = poisson_interval([[0, 5], [10, 2]], 0.95)
    assert low.shape == high.shape == (2, 2)
    assert high[0, 1] == pytest.approx(11.6683, abs=1e-4)


def test_poisson_interval_covers_the_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1936)
    for mean in (0.5, 3.0, 40.0):
        low, high = poisson_interval(rng.poisson(mean, 20_000), 0.9)
        assert np.mean((low <= mean) & (mean <= high)) >= 0.895


def test_dispersion_is_one_for_poisson_and_more_for_clumps() -> None:
    rng = np.random.default_rng(7)
    assert dispersion(rng.poisson(20, 5000)) == pytest.approx(1, abs=0.08)
    # Negative binomial of mean 20 and variance 60.
    assert dispersion(rng.negative_binomial(10, 1 / 3, 5000)) == pytest.approx(3, abs=0.3)
    assert dispersion([4, 4, 4, 4]) == 1.0
    assert dispersion([3]) == dispersion([0, 0]) == 1.0
    assert dispersion([1, 3]) == pytest.approx(1.0)
    assert dispersion([0, 8]) == pytest.approx(8.0)


def test_rate_ratio_by_hand() -> None:
    """Counts without clumps: the log ratio's variance is 1/100 + 1/200."""
    value, low, high = rate_ratio([10] * 10, [20] * 10, 0.95)
    spread = 1.959964 * np.sqrt(1 / 100 + 1 / 200)
    assert (value, low, high) == pytest.approx(
        (0.5, 0.5 * np.exp(-spread), 0.5 * np.exp(spread)), abs=1e-6
    )


def test_rate_ratio_compares_means_not_sums() -> None:
    assert rate_ratio([10] * 5, [10] * 10, 0.95)[0] == 1.0


@settings(max_examples=50)
@given(
    st.lists(st.integers(1, 300), min_size=3, max_size=20),
    st.lists(st.integers(1, 300), min_size=3, max_size=20),
)
def test_rate_ratio_turned_round_is_its_inverse(a: list[int], b: list[int]) -> None:
    value, low, high = rate_ratio(a, b, 0.9)
    other, other_low, other_high = rate_ratio(b, a, 0.9)
    for one, turned in ((value, other), (low, other_high), (high, other_low)):
        assert one * turned == pytest.approx(1, abs=1e-6 * (one + turned))  # rounded to 1e-6
    assert low <= value <= high


def test_rate_ratio_widens_with_clumps() -> None:
    even, clumped = [10] * 8, [0, 20] * 4
    assert rate_ratio(clumped, even, 0.95)[2] > 1.5 * rate_ratio(even, even, 0.95)[2]


@pytest.mark.parametrize(("a", "b"), [([0, 0], [1, 2]), ([1, 2], [0, 0]), ([0], [0])])
def test_rate_ratio_of_nothing_is_refused(a: list[int], b: list[int]) -> None:
    with pytest.raises(ValueError, match="positive"):
        rate_ratio(a, b, 0.95)


def test_rate_ratio_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1989)
    inside = 0
    for _ in range(2000):
        _, low, high = rate_ratio(rng.poisson(12, 26), rng.poisson(8, 26), 0.95)
        inside += low <= 1.5 <= high
    assert 0.94 <= inside / 2000 <= 0.985


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 12)), min_size=1, max_size=40))
def test_joint_ranks_are_their_definition(pairs: list[tuple[int, int]]) -> None:
    values, half = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    low, high = joint_ranks(values - half, values + half)
    for i in range(len(values)):
        above = sum(values - half > values[i] + half[i])
        below = sum(values + half < values[i] - half[i])
        assert (low[i], high[i]) == (above + 1, len(values) - below)


def test_joint_ranks_hold_all_together() -> None:
    """All true ranks within their intervals in 95 % of draws (Klein, Wright & Wieczorek 2020)."""
    rng = np.random.default_rng(5)
    truth = np.sort(rng.normal(0, 1, 40))[::-1]
    error, runs, held = 0.2, 400, 0
    half = np.full(40, error * special.ndtri((1 + 0.95 ** (1 / 40)) / 2))
    for _ in range(runs):
        seen = truth + rng.normal(0, error, 40)
        low, high = joint_ranks(seen - half, seen + half)
        held += bool(((low <= np.arange(1, 41)) & (high >= np.arange(1, 41))).all())
    assert held / runs >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / runs)
    assert (high - low).mean() < 30
