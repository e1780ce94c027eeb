"""Days received in part: found where whole days and days of nothing are two heaps, nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.core.stats.days_in_part import Bools, Floats, days_in_part

WEEK = np.tile([1, 1, 1, 1, 1.1, 1.3, 0.6], 104)
DAYS = len(WEEK)


def received(rng: np.random.Generator, part: float) -> tuple[Bools, Floats]:
    """Return two years of a source of 200 a day, of which `part` of the days came at 0 to 20 %."""
    little = rng.random(DAYS) < part
    share = np.where(little, rng.uniform(0, 0.2, DAYS), 1)
    return little, rng.poisson(share * rng.gamma(20, 10, DAYS) * WEEK).astype(float)


@pytest.mark.parametrize("part", [0.3, 0.5])
def test_days_received_in_part_are_found_and_no_others(part: float) -> None:
    rng = np.random.default_rng(7)
    for _ in range(20):
        little, n = received(rng, part)
        found = days_in_part(n, 0)
        assert found[little].mean() > 0.9
        assert found[~little].mean() < 0.02


@pytest.mark.parametrize("shape", [0.7, 1.0, 4.0])
def test_one_heap_has_none_however_spread(shape: float) -> None:
    rng = np.random.default_rng(8)
    told = [days_in_part(rng.poisson(rng.gamma(shape, 60 / shape, DAYS)).astype(float), 0).any()
            for _ in range(100)]  # fmt: skip
    assert sum(told) <= 1


def test_rest_days_a_closed_summer_and_holidays_are_whole_days() -> None:
    rng = np.random.default_rng(9)
    open_on = np.tile([1, 1, 1, 1, 1, 0.02, 0.02], 104)
    open_on[200:245] = open_on[565:610] = 0.1  # the summers
    open_on[rng.choice(DAYS, 22, replace=False)] = 0.05  # eleven holidays a year
    assert not days_in_part(rng.poisson(150 * open_on).astype(float), 0).any()


def test_a_thin_or_a_short_source_tells_nothing() -> None:
    rng = np.random.default_rng(10)
    assert not days_in_part(rng.poisson(np.where(rng.random(DAYS) < 0.5, 6, 0)) * 1.0, 0).any()
    assert not days_in_part(received(rng, 0.5)[1][:40], 0).any()
    assert not days_in_part(np.zeros(DAYS), 3).any()


def test_the_weekday_of_the_first_day_matters() -> None:
    """Rest days told as another weekday's would be days of nothing among whole ones."""
    rng = np.random.default_rng(11)
    n = rng.poisson(150 * np.tile([1, 1, 1, 1, 1, 0.02, 0.02], 104)[3:]).astype(float)
    assert not days_in_part(n, 3).any()
