"""The line through effects and doses: statsmodels' weighted least squares, and a known truth."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from helpers.core.stats.dose_response import slope


def test_it_is_the_weighted_line_of_statsmodels() -> None:
    rng = np.random.default_rng(4)
    doses, errors = rng.uniform(20, 90, 12), rng.uniform(0.1, 0.5, 12)
    effects = -0.004 * doses + rng.normal(0, errors)
    fit = sm.WLS(effects, sm.add_constant(doses), weights=1 / errors**2).fit()
    told = slope(doses, effects, errors)
    assert (told.value, told.error) == pytest.approx((fit.params[1], fit.bse[1]))
    assert told.within(0.95) == pytest.approx(tuple(fit.conf_int()[1]))
    again = slope(doses, effects, 7 * errors)
    assert (again.value, again.error) == pytest.approx((told.value, told.error))


@pytest.mark.parametrize("truth", [0.0, -0.006])
def test_its_interval_holds_the_truth(truth: float) -> None:
    rng = np.random.default_rng(6)
    inside, off = [], []
    for _ in range(400):
        doses, errors = rng.uniform(30, 90, 10), rng.uniform(0.1, 0.4, 10)
        told = slope(doses, -0.1 + truth * doses + rng.normal(0, 1.3 * errors), errors)
        low, high = told.within(0.95)
        inside.append(low <= truth <= high)
        off.append(told.value - truth)
    assert 0.925 <= np.mean(inside) <= 0.975
    assert abs(np.mean(off)) < 3 * np.std(off) / 20


def test_one_dose_alone_tells_no_line() -> None:
    with pytest.raises(ValueError, match="all of one dose"):
        slope(np.full(5, 40.0), np.arange(5.0), np.ones(5))
    with pytest.raises(ValueError, match="fewer than three"):
        slope(np.array([1.0, 2.0]), np.zeros(2), np.ones(2))
