"""Two windows: published limits, chance taken for change as often as said, and what is seen."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from helpers.core.stats.two_windows import FEW, MUTE, PAST, Compared, How, Span, compare
from helpers.trends import grades

RNG_SEED = 11
YEAR = How(52, 0.95, 30, 0.9)
Floats = np.typing.NDArray[np.float64]


def plain(a: float, ea: float, b: float, eb: float) -> Compared:
    """Return a comparison of pure Poisson counts."""
    recent, before = (
        Span(np.array([float(n)]), np.array([float(e)])) for n, e in ((a, ea), (b, eb))
    )
    none = np.zeros(1, dtype=np.int64)
    return Compared(recent, before, np.ones(1), none, np.zeros(1), np.array([""]))


def test_the_ratio_and_its_limits_are_those_of_the_exact_test() -> None:
    """R's documentation of poisson.test: 11 in 800 person-days against 21 in 3,011."""
    ratio, low, high = plain(11, 800, 21, 3011).ratio(0.95)
    assert (ratio[0], low[0], high[0]) == pytest.approx((1.971488, 0.8584264, 4.2772659), abs=1e-5)


@pytest.mark.parametrize(("a", "b"), [(0, 40), (40, 0), (3, 50), (17, 17)])
def test_limits_and_p_are_the_binomials(a: int, b: int) -> None:
    found = plain(a, 52, b, 52)
    interval = stats.binomtest(a, a + b).proportion_ci(0.95, "exact")
    _, low, high = found.ratio(0.95)
    assert low[0] == pytest.approx(interval.low / (1 - interval.low), abs=1e-9)
    if b:
        assert high[0] == pytest.approx(interval.high / (1 - interval.high), rel=1e-9)
    else:
        assert np.isinf(high[0])
    one_sided = min(stats.binom.cdf(a, a + b, 0.5), stats.binom.sf(a - 1, a + b, 0.5))
    assert found.p()[0] == pytest.approx(min(1.0, 2 * one_sided), abs=1e-9)


def test_the_level_has_garwoods_interval() -> None:
    level, low, high = plain(30, 52, 30, 52).level(0.95)
    expected = np.array([30, stats.gamma.ppf(0.025, 30), stats.gamma.ppf(0.975, 31)]) / 52
    assert [level[0], low[0], high[0]] == pytest.approx(expected)


def drawn(rng: np.random.Generator, mean: Floats, clump: float) -> Floats:
    """Return weekly counts of that mean whose variance is `clump` times it."""
    if clump == 1:
        return rng.poisson(mean).astype(float)
    return rng.negative_binomial(mean / (clump - 1), 1 / clump).astype(float)


@pytest.mark.parametrize("clump", [1, 3])
@pytest.mark.parametrize("mean", [0.8, 3, 60])
def test_chance_is_taken_for_a_change_at_most_as_often_as_said(mean: float, clump: float) -> None:
    rng = np.random.default_rng([RNG_SEED, int(mean * 10), clump])
    runs = 4000
    counts = drawn(rng, np.full((runs, 104), mean), clump)
    found = compare(counts, np.ones_like(counts), YEAR, np.zeros(runs))
    judged = found.why == ""
    assert judged.mean() > 0.7
    wrong = (found.p()[judged] <= 0.05).mean()
    assert wrong <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / judged.sum())
    _, low, high = found.ratio(0.95)
    covered = ((low <= 1) & (high >= 1))[judged].mean()
    assert covered >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / judged.sum())


@pytest.mark.parametrize("clump", [1, 3])
@pytest.mark.parametrize("mean", [1.5, 8, 60])
@pytest.mark.parametrize("way", [1, -1])
def test_a_change_as_great_as_the_detectable_one_is_seen_nine_times_in_ten(
    mean: float, clump: float, way: int
) -> None:
    """The true ratio is that which comparisons without change state, in the middle."""
    rng = np.random.default_rng([RNG_SEED, int(mean * 10), clump, way + 1])
    runs, alpha = 3000, np.full(3000, 0.05)
    still = drawn(rng, np.full((runs, 104), mean), clump)
    rise, fall = compare(still, np.ones_like(still), YEAR, np.zeros(runs)).detectable(alpha, 0.9)
    truth = float(np.median(rise if way > 0 else fall))
    # As many facts in all, so that the statement stays what it was.
    means = np.repeat([2 * mean / (1 + truth), 2 * mean * truth / (1 + truth)], 52)
    counts = drawn(rng, np.tile(means, (runs, 1)), clump)
    found = compare(counts, np.ones_like(counts), YEAR, np.zeros(runs))
    ratio = found.ratio(0.95)[0]
    seen = (found.p() <= 0.05) & ((ratio > 1) == (way > 0))
    rise, fall = found.detectable(alpha, 0.9)
    exceeds = truth >= rise if way > 0 else truth <= fall
    assert seen[exceeds].mean() >= 0.9


@pytest.mark.parametrize("mean", [0.7, 2, 20])
def test_a_fall_as_great_as_the_detectable_one_is_seen_though_facts_are_then_fewer(
    mean: float,
) -> None:
    """Stated by a level without change, then the last year falls by as much from that level."""
    rng = np.random.default_rng([RNG_SEED, int(mean * 10)])
    runs, alpha = 3000, np.full(3000, 0.05)
    still = rng.poisson(np.full((runs, 260), float(mean))).astype(float)
    _, fall = compare(still, np.ones_like(still), YEAR, np.zeros(runs)).detectable(alpha, 0.9)
    means = np.full((runs, 260), float(mean))
    means[:, -52:] *= np.median(fall)
    counts = rng.poisson(means).astype(float)
    found = compare(counts, np.ones_like(counts), YEAR, np.zeros(runs))
    assert ((found.p() <= 0.05) & (found.ratio(0.95)[0] < 1)).mean() >= 0.88


@pytest.mark.parametrize(("alike", "most"), [(0.0, 0.05), (0.5, 0.06), (0.7, 0.075)])
def test_weeks_that_are_alike_are_no_change(alike: float, most: float) -> None:
    """Small runs of `grades`; those of `make grade` are in docs/methodes/grades.md."""
    told, _ = grades.changes(31, 3000, 60, alike)
    assert np.nanmean(told) <= most + 3 * np.sqrt(0.05 * 0.95 / 3000)


def test_a_level_that_sways_from_year_to_year_is_no_change_either() -> None:
    told, _ = grades.changes(32, 3000, 200, 0.5, sway=0.03)
    assert np.nanmean(told) <= 0.05 + 3 * 0.004


def test_what_is_known_within_an_interval_only_widens_the_ratio() -> None:
    """A common factor drawn around the one taken out: intervals still cover."""
    rng = np.random.default_rng(RNG_SEED)
    runs, error = 4000, 0.05
    factor = np.exp(rng.normal(0, error, runs))
    counts = rng.poisson(np.repeat([[100.0, 100.0]], runs, axis=0).repeat(52, axis=1)).astype(float)
    counts[:, 52:] = rng.poisson(100 * factor[:, None], (runs, 52))
    ones = np.ones_like(counts)
    narrow = compare(counts, ones, YEAR, np.zeros(runs)).ratio(0.95)
    wide = compare(counts, ones, YEAR, np.full(runs, error**2)).ratio(0.95)
    cover = [((low <= 1) & (high >= 1)).mean() for _, low, high in (narrow, wide)]
    assert cover[0] < 0.7
    assert cover[1] == pytest.approx(0.955, abs=0.015)


def test_exposure_is_what_counts_are_held_against() -> None:
    """Half the entries of the last weeks missing, told by their exposure: no fall."""
    counts = np.full((1, 104), 20.0)
    exposure = np.ones((1, 104))
    counts[0, 100:], exposure[0, 100:] = 10, 0.5
    counts[0, 10:14], exposure[0, 10:14] = 9999, 0
    ratio, low, high = compare(counts, exposure, YEAR, np.zeros(1)).ratio(0.95)
    assert ratio[0] == pytest.approx(1.0)
    assert low[0] < 1 < high[0]


def test_why_nothing_is_said() -> None:
    counts = np.full((3, 104), 10.0)
    counts[1] = 0.1
    exposure = np.ones((3, 104))
    exposure[2, 60:] = 0
    found = compare(counts, exposure, YEAR, np.zeros(3))
    assert found.why.tolist() == ["", FEW, MUTE]
    assert compare(counts[:, :103], exposure[:, :103], YEAR, np.zeros(3)).why.tolist() == [PAST] * 3
