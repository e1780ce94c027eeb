"""The weekly regression against statsmodels; seasons, clumps and their dispersion as drawn."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from helpers.core.stats import quasi_poisson


def test_the_fit_is_that_of_statsmodels() -> None:
    rng = np.random.default_rng(1)
    weeks = 208
    design = np.column_stack(
        [np.ones(weeks), np.arange(weeks) / 100, quasi_poisson.harmonics(weeks)]
    )
    exposure = rng.uniform(0.5, 1.5, weeks)
    exposure[10:20] = 0
    beta = np.array([2.0, 0.3, 0.2, -0.1, 0.05, 0.0])
    counts = rng.poisson(exposure * np.exp(design @ beta)).astype(float)
    found = quasi_poisson.quasi_poisson(counts, design, exposure)
    kept = exposure > 0
    peer = sm.GLM(
        counts[kept], design[kept], family=sm.families.Poisson(), offset=np.log(exposure[kept])
    ).fit()
    assert found.coefficients == pytest.approx(np.asarray(peer.params), abs=1e-6)
    expected = np.asarray(peer.cov_params()) * found.dispersion
    assert found.covariance == pytest.approx(expected, abs=1e-8)


def test_single_weeks_give_pearsons_chi_square() -> None:
    """With few weeks the dispersion is statsmodels' own, floored at one."""
    rng = np.random.default_rng(2)
    counts = rng.negative_binomial(3, 0.2, 20).astype(float)
    design = np.ones((20, 1))
    found = quasi_poisson.quasi_poisson(counts, design, np.ones(20))
    peer = sm.GLM(counts, design, family=sm.families.Poisson()).fit()
    assert found.dispersion == pytest.approx(peer.pearson_chi2 / peer.df_resid, abs=1e-9)
    assert found.freedom == 19


def test_what_drags_on_from_week_to_week_widens() -> None:
    """Each fact of a clump within four weeks: single weeks see less of it than blocks do."""
    rng = np.random.default_rng(3)
    weeks = 2080
    clumps = np.repeat(rng.gamma(4, 1 / 4, weeks // 4), 4)
    counts = rng.poisson(20 * clumps).astype(float)
    means = np.full((1, weeks), counts.mean())
    phi, freedom = quasi_poisson.dispersion(counts[None], means, np.arange(weeks), used=1)
    # Variance of a block of four weeks: 80 + (80² / 4) over a mean of 80.
    assert phi[0] == pytest.approx(1 + 80 / 4, rel=0.15)
    assert freedom[0] == weeks // 4 - 1


def test_the_season_drawn_is_the_season_found() -> None:
    rng = np.random.default_rng(4)
    weeks, length = 260, 52
    wave = quasi_poisson.harmonics(weeks) @ np.array([0.4, 0.0, -0.2, 0.0])
    errors = []
    for _ in range(50):
        counts = rng.poisson(40 * np.exp(wave)).astype(float)
        found = quasi_poisson.season(counts, np.ones(weeks), length)
        assert found is not None
        errors.append(found.coefficients[-4:] - np.array([0.4, 0.0, -0.2, 0.0]))
    assert np.abs(np.mean(errors, axis=0)).max() < 0.01


@pytest.mark.parametrize(
    ("level", "heard"),
    [(40, 100), (1, 260)],
    ids=["too short", "too few"],
)
def test_no_season_is_told_from_too_little(level: float, heard: int) -> None:
    counts = np.random.default_rng(5).poisson(level, 260).astype(float)
    exposure = (np.arange(260) >= 260 - heard).astype(float)
    assert quasi_poisson.season(counts, exposure, 52) is None


def test_reach_is_students_and_gauss_without_freedom() -> None:
    found = quasi_poisson.reach(0.95, np.array([24, 0]))
    assert found == pytest.approx([stats.t.ppf(0.975, 24), stats.norm.ppf(0.975)])


@given(st.integers(1, 400), st.integers(1, 104))
def test_windows_cover_the_last_weeks_and_nothing_else(weeks: int, length: int) -> None:
    found = quasi_poisson.windows(weeks, length)
    whole = weeks // length
    assert (found >= 0).sum() == whole * length
    for one in range(whole):
        assert (np.flatnonzero(found == one) == np.arange(
            weeks - (one + 1) * length, weeks - one * length
        )).all()  # fmt: skip


def test_a_coefficient_without_bound_is_refused() -> None:
    counts = np.array([5.0] * 20 + [0.0] * 20)
    design = np.column_stack([np.ones(40), np.arange(40) >= 20])
    with pytest.raises(ValueError, match="did not settle"):
        quasi_poisson.quasi_poisson(counts, design, np.ones(40))
