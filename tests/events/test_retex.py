"""Afterwards: the plan beside the facts, and our sizing beside « the same as last time »."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from helpers.core.stats.event_ratio import Beside
from helpers.events import ratios, retex
from tests.events.conftest import Town


def test_foretold_without_itself_beats_the_last_time_in_a_town_of_known_truth(town: Town) -> None:
    """Of twelve such towns, ours was better in all, its interval above none in eleven."""
    found = ratios.find(town.past, town.rules)
    rows, scores = (table.to_pylist() for table in retex.measure(town.past, found, town.rules))
    (score,) = [one for one in scores if one["kind"] == "concert"]
    assert score["status"] == "ok"
    assert score["events"] >= 30
    assert score["deviance"] < score["deviance_last_time"]
    assert score["error"] < score["error_last_time"]
    assert score["spared_deviance_last_time_low"] > 0
    assert score["deviance"] < score["deviance_usual"]  # events do add something here
    assert 0.85 <= score["within"] <= 1
    assert all(row["measures"] == 1 and row["measures_taken"] == 1 for row in rows)
    assert all(row["status"] == "ok" for row in rows)
    (none,) = [one for one in scores if one["kind"] == "marche"]
    assert (none["status"], none["reason"]) == ("abstained", "too_few_events")


def test_an_event_does_not_speak_for_itself() -> None:
    """Ten strata alike but for one, whose count is absurd: its own forecast does not see it."""
    rng = np.random.default_rng(2)
    area = rng.poisson(10, 10).astype(float)
    area[3] = 900
    counts = Beside(area, np.full(10, 50.0), np.full(10, 100.0), np.full(10, 500.0), np.arange(10))
    ratio = retex.left_one_out(counts)
    more, less = counts.terms()
    for i in range(10):
        others = np.arange(10) != i
        assert ratio[i] == pytest.approx(more[others].sum() / less[others].sum())
    assert ratio[3] < 1.5 < ratio[0]


def test_what_is_spared_is_told_with_the_interval_of_student(town: Town) -> None:
    """The interval of each measure beside each rival is that of a paired t test."""
    found = ratios.find(town.past, town.rules)
    rows, scores = (table.to_pylist() for table in retex.measure(town.past, found, town.rules))
    (score,) = [one for one in scores if one["kind"] == "concert"]
    told = [row for row in rows if row["foretold"] is not None and row["last_time"] is not None]
    n, ours = (np.array([row[name] for row in told], dtype=float) for name in ("n", "foretold"))
    for rival in ("last_time", "usual"):
        theirs = np.array([row[rival] for row in told], dtype=float)
        apart = stats.ttest_rel(np.abs(n - theirs), np.abs(n - ours)).confidence_interval(0.95)
        assert score[f"spared_error_{rival}_low"] == pytest.approx(apart.low, abs=1e-4)
        assert score[f"spared_error_{rival}_high"] == pytest.approx(apart.high, abs=1e-4)


def test_a_deviance_is_that_of_the_books() -> None:
    n, mean = np.array([0.0, 3.0, 12.0]), np.array([2.0, 3.0, 8.0])
    law = stats.poisson
    told = [
        2 * (law.logpmf(k, max(k, 1e-12)) - law.logpmf(k, m))
        for k, m in zip(n.tolist(), mean.tolist(), strict=True)
    ]
    assert retex.deviance(n, mean) == pytest.approx(told, abs=1e-6)
