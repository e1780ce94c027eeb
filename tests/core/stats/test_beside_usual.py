"""Windows beside their usual, on series whose truth is drawn: coverage, bias, what moved."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from helpers.core.stats import beside_usual
from helpers.core.stats.event_ratio import Ratio

Floats = NDArray[np.float64]
DAYS = 420
RUNS = 400
CHANCE = 2.6 * (0.05 * 0.95 / RUNS) ** 0.5  # of a share of 5 %, one run in a hundred beyond
WEEK = np.arange(DAYS) % 7
LEVELS = np.array([1.0, 1.05, 1.06, 1.07, 1.1, 0.9, 0.75])


def series(rng: np.random.Generator, count: int, drag: float, shared: float) -> Floats:
    """Return counts (count, days): weekdays, days shared, days of their own that drag on."""
    noise = 0.06 * rng.standard_normal((count, DAYS))
    own = noise.copy()
    for day in range(1, DAYS):
        own[:, day] = drag * own[:, day - 1] + np.sqrt(1 - drag**2) * noise[:, day]
    whole = own + shared * rng.standard_normal(DAYS)
    return rng.poisson(8000 * LEVELS[WEEK] * np.exp(whole)).astype(float)


def departed(counts: Floats, length: int) -> beside_usual.Departure | None:
    """Return how far the last days of the first series depart, beside the others."""
    at = np.arange(DAYS)
    window, usual = at >= DAYS - length, np.broadcast_to(at < DAYS - length, counts.shape)
    level = beside_usual.levels(counts, WEEK, usual)
    beside = beside_usual.less_controls(level[0], level[1:])
    return beside_usual.departure(beside, window, usual[0], WEEK)


@pytest.mark.parametrize("length", [1, 7, 28])
@pytest.mark.parametrize("drag", [0.0, 0.6])
def test_where_nothing_happens_one_window_in_twenty_departs(length: int, drag: float) -> None:
    wrong = []
    for run in range(RUNS):
        counts = series(np.random.default_rng([11, run]), 6, drag, 0.1)
        found = departed(counts, length)
        assert found is not None
        low, high = found.ratio.within(0.95)[1:]
        wrong.append(not low <= 1 <= high)
    assert np.mean(wrong) == pytest.approx(0.05, abs=0.015 + CHANCE)


def test_a_change_is_told_without_bias_whatever_all_roads_share() -> None:
    told = []
    for run in range(100):
        counts = series(np.random.default_rng([12, run]), 6, 0.5, 0.3)
        counts[0, -14:] *= 1.3
        found = departed(counts, 14)
        assert found is not None
        told.append(found.ratio.within(0.95))
    values, low, high = np.array(told).T
    assert np.log(values).mean() == pytest.approx(np.log(1.3), abs=0.015)
    assert np.mean((low <= 1.3) & (high >= 1.3)) > 0.88
    assert np.mean(low > 1) > 0.95


def test_too_little_past_few_controls_and_missing_days_say_nothing() -> None:
    counts = series(np.random.default_rng(13), 6, 0.0, 0.1)
    assert departed(counts[:3], 7) is None, "two controls"
    short = counts.copy()
    short[0, : DAYS - 7 * 5] = np.nan
    assert departed(short, 7) is None, "four windows elsewhere"
    mute = counts.copy()
    mute[0, -5:] = np.nan
    assert departed(mute, 7) is None, "two days of seven"
    mute[0, -5:-3] = counts[0, -5:-3]
    found = departed(mute, 7)
    assert found is not None
    assert found.days == 4


def test_a_missing_day_is_no_zero() -> None:
    counts = series(np.random.default_rng(14), 6, 0.0, 0.1)
    counts[0, -3:] = np.nan
    found = departed(counts, 14)
    assert found is not None
    assert found.ratio.within(0.95)[0] == pytest.approx(1, abs=0.1)


def test_several_events_err_as_they_differ_and_no_less_than_each_may() -> None:
    assert beside_usual.together(np.array([0.1, 0.2]), np.array([0.1, 0.1])) is None
    alike = beside_usual.together(np.full(9, 0.3), np.full(9, 0.3))
    assert alike is not None
    assert alike.error == pytest.approx(0.1)
    apart = beside_usual.together(np.array([-1.0, 0.0, 1.0]), np.full(3, 0.01))
    assert apart is not None
    assert apart.error == pytest.approx(1 / np.sqrt(3))
    assert apart.freedom == 2


@pytest.mark.parametrize("errors", [(0.05, 0.05), (0.10, 0.01)])
def test_the_share_moved_holds_its_truth_and_no_share_is_told_of_no_loss(
    errors: tuple[float, float],
) -> None:
    held, rng = [], np.random.default_rng(15)
    for _ in range(RUNS):
        lost = Ratio(np.log(0.1) + errors[0] * rng.standard_normal(), errors[0], 60.0)
        gained = Ratio(np.log(1.3) + errors[1] * rng.standard_normal(), errors[1], 60.0)
        counted = 1_000 / np.exp(lost.value), 15_600 / np.exp(gained.value)
        told = beside_usual.share_moved((counted[0], lost), (counted[1], gained), 0.95)
        assert told is not None
        held.append(told[1] <= 0.4 <= told[2])  # 3,600 of 9,000
    assert np.mean(held) == pytest.approx(0.95, abs=0.01 + CHANCE)
    vague = Ratio(np.log(0.9), 0.1, 60.0)
    assert beside_usual.share_moved((10_000.0, vague), (12_000.0, gained), 0.95) is None
