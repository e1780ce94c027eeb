"""Forecasts from past origins: nothing later is known, silence is no zero, models find what is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm

from helpers.core.stats import rolling
from helpers.core.stats.count_levels import (
    BASELINES,
    LAST,
    NOTHING,
    RECENT,
    SHRUNK,
    YEAR,
    Panel,
    Target,
    baselines,
    week_shape,
)
from helpers.core.stats.count_models import CHALLENGERS, poisson_slopes
from helpers.core.stats.count_scores import rounded

STEPS, ZONES = 1300, 12
SUNDAY = 6


def made(seed: int = 0) -> Panel:
    """Days of two slots and twelve zones, Sundays three times as busy."""
    rng = np.random.default_rng(seed)
    phase = np.arange(STEPS) % 7
    level = np.linspace(0.1, 2, ZONES)[None, None] * np.array([1.0, 0.4])[None, :, None]
    counts = rng.poisson(level * np.where(phase == SUNDAY, 3, 1)[:, None, None]).astype(float)
    season = 2 * np.pi * np.arange(STEPS + 364) / 365.2425
    return Panel(counts, np.ones((STEPS, ZONES), dtype=bool), phase, season, 7)


def all_means(panel: Panel, at: int, target: Target, known: int) -> dict[str, bytes]:
    fitted = rolling.learnt(panel, known, target, 104, 4, 1)
    found = rolling.block(panel, np.array([at]), target, fitted)
    return {name: mean.tobytes() for name, mean in found.means.items()}


@pytest.mark.parametrize("at", [900, 1000, 1200])
@pytest.mark.parametrize("length", [1, 7, 28])
def test_destroying_all_that_comes_after_the_origin_changes_no_byte(at: int, length: int) -> None:
    panel, target = made(), Target(4, length)
    later = panel.counts.copy()
    later[at:] = 999
    silent = panel.heard.copy()
    silent[at:] = False
    destroyed = replace(panel, counts=later, heard=silent)
    told = all_means(panel, at, target, at - 30)
    assert set(told) == {*BASELINES, *CHALLENGERS}
    assert all_means(destroyed, at, target, at - 30) == told
    before = panel.counts.copy()
    before[at - 1] += 50  # the test can fail: the last day that is known changes every forecast
    changed = all_means(replace(panel, counts=before), at, target, at - 30)
    assert [name for name in told if told[name] == changed[name]] in ([], [LAST])


def test_origins_are_weekly_turn_round_the_week_and_leave_targets_known() -> None:
    target = Target(4, 28)
    years = [rolling.origins(STEPS, target, 7, year) for year in (2, 1, 0)]
    for at in years:
        assert len(at) == 52
        assert {int(one) % 7 for one in at} == set(range(7))
    assert years[2].max() + 4 + 28 <= STEPS
    assert years[1].max() < years[2].min()


def test_silence_is_neither_a_zero_nor_a_judge() -> None:
    """A zone mute for half a year keeps its level; a target that touches silence is not judged."""
    panel = made()
    heard = panel.heard.copy()
    heard[1000:1180, 3] = False
    counts = np.where(heard[:, None], panel.counts, 0)
    mute = replace(panel, counts=counts, heard=heard)
    at, target = np.array([1190]), Target(0, 7)
    for name in (YEAR, RECENT, SHRUNK):
        told = baselines(panel, at, target)[name][0, :, 3]
        assert baselines(mute, at, target)[name][0, :, 3] == pytest.approx(told, rel=0.25)
    told = baselines(mute, np.array([1180]), target)  # its last week was wholly silent
    assert told[LAST][0, :, 3] == pytest.approx(told[RECENT][0, :, 3])
    found = rolling.block(mute, np.array([990, 998, 1100, 1180, 1181]), target, None)
    assert found.whole[:, 3].tolist() == [True, False, False, False, True]
    assert found.whole[:, [0, 1, 2, 4]].all()
    city = found.over(np.ones((1, ZONES)))
    assert city.whole[:, 0].tolist() == [True, False, False, False, True]


def test_sums_are_the_sums_of_their_zones() -> None:
    panel, target = made(), Target(2, 7)
    fitted = rolling.learnt(panel, 1000, target, 104, 4, 1)
    found = rolling.block(panel, np.array([1100]), target, fitted).with_day()
    city = found.over(np.ones((1, ZONES)))
    for name, mean in found.means.items():
        assert city.means[name][0, :, 0] == pytest.approx(mean[0].sum(axis=1))
        assert mean[0, 2] == pytest.approx(mean[0, :2].sum(axis=0))


def test_weekdays_are_found_and_shared_out() -> None:
    panel = made()
    shape = week_shape(panel, np.array([1250]))[0]
    assert shape.mean(axis=1) == pytest.approx([1, 1])
    assert shape[0, SUNDAY] / shape[0, 0] == pytest.approx(3, rel=0.15)
    at = np.array([1253, 1256])  # targets: a Monday and a Thursday; then a Sunday for one day more
    sunday = np.array([6 + 7 * 178])
    plain, busy = (baselines(panel, one, Target(0, 1))[YEAR].sum() for one in (at[:1], sunday))
    assert busy / plain == pytest.approx(3, rel=0.2)


def test_last_count_is_that_of_the_same_weekday() -> None:
    panel, at = made(), np.array([1200])
    assert baselines(panel, at, Target(0, 1))[LAST][0] == pytest.approx(
        panel.counts[1193] + NOTHING
    )
    assert baselines(panel, at, Target(4, 7))[LAST][0] == pytest.approx(
        panel.counts[1190:1197].sum(axis=0) + NOTHING
    )


def test_slopes_are_those_of_another_library() -> None:
    rng = np.random.default_rng(3)
    x, offset = rng.normal(size=(4000, 3)), rng.uniform(1, 4, 4000)
    y = rng.poisson(offset * np.exp(-0.5 + x @ [0.3, -0.2, 0.0])).astype(float)
    theirs = sm.GLM(y, sm.add_constant(x), family=sm.families.Poisson(), offset=np.log(offset))
    assert poisson_slopes(x, y, offset) == pytest.approx(theirs.fit().params, abs=2e-3)


def test_slopes_are_the_same_whatever_the_last_digits() -> None:
    rng = np.random.default_rng(4)
    x, offset = rng.normal(size=(4000, 3)), rng.uniform(1, 4, 4000)
    y = rng.poisson(offset * np.exp(-0.5 + x @ [0.3, -0.2, 0.0])).astype(float)
    order = rng.permutation(4000)  # other sums of the same numbers, as another processor's
    assert (poisson_slopes(x, y, offset) == poisson_slopes(x[order], y[order], offset[order])).all()


def test_a_half_is_rounded_the_same_way_whatever_the_last_digits() -> None:
    for k in range(200):
        half = (2 * k + 1) * 5e-7
        low, high = half * (1 - 1e-14), half * (1 + 1e-14)
        assert rounded(low) == rounded(half) == rounded(high) == pytest.approx((k + 1) * 1e-6)
    assert rounded(-0.25) == -0.25
    assert np.isnan(rounded(np.nan))


def test_too_little_to_learn_from_leaves_the_baselines_alone() -> None:
    empty = replace(made(), counts=np.zeros((STEPS, 2, ZONES)))
    assert rolling.learnt(empty, 1000, Target(0, 7), 104, 4, 1) is None
    assert set(rolling.block(empty, np.array([1100]), Target(0, 7), None).means) == {*BASELINES}
