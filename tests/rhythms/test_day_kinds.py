"""Kinds of day: against planted effects, none, a season, and statsmodels' clustered errors."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import numpy as np
import pytest
import statsmodels.api as sm

from helpers.core.place_time.calendar import all_kinds
from helpers.core.stats.clustered import clustered_poisson
from helpers.rhythms import day_kinds, grades, words
from tests.fixtures.made_up import write_pack
from tests.fixtures.tables import table_of_facts
from tests.rhythms.test_week import KNOBS


def test_kinds_of_days_are_compared_and_silent_weeks_are_left_out(
    memory: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Twice as many facts on holidays, in truth; in the silent week, days of zero do not count."""
    city = write_pack(tmp_path)
    rng = np.random.default_rng(12)
    first = dt.date(2024, 1, 1)
    kinds = {
        first + dt.timedelta(i): ("public_holiday",) if i % 4 == 0 else ("working_day",)
        for i in range(280)
    }
    silent = first + dt.timedelta(weeks=10)
    table_of_facts(
        memory,
        [
            {
                "hour": dt.datetime.combine(day, dt.time(12)),
                "n": int(rng.poisson(40 if kind == ("public_holiday",) else 20)),
            }
            for day, kind in kinds.items()
            if not silent <= day < silent + dt.timedelta(7)
        ],
    )
    memory.execute("CREATE TABLE weeks (source VARCHAR, week DATE, status VARCHAR)")
    memory.execute("INSERT INTO weeks VALUES ('faits', ?, 'missing')", [silent])
    knobs = KNOBS.model_copy(update={"minimum_count": 30})
    table = day_kinds.by_kind(memory, city, kinds, knobs)
    (row,) = [r for r in table.to_pylist() if r["theme"] == "bruit"]
    assert (row["kind"], row["status"], row["days"]) == ("public_holiday", "ok", 70 - 2)
    assert row["low"] <= 2 <= row["high"]
    assert row["high"] - row["low"] < 0.4
    assert row["found"]
    assert "Jour férié** : " in words.kinds_of_day(table, city)
    few = dict(list(kinds.items())[:12])
    thin = day_kinds.by_kind(memory, city, few, knobs).to_pylist()
    assert {r["status"] for r in thin if r["theme"] == "bruit"} == {"abstained"}


def test_a_busy_summer_is_no_effect_of_school_holidays(
    memory: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Twice as many facts in July and August, the same day for day: nothing may be told."""
    city = write_pack(tmp_path)
    rng = np.random.default_rng(5)
    kinds = all_kinds(grades.FRANCE, grades.START, grades.END)
    table_of_facts(
        memory,
        [
            {"hour": dt.datetime.combine(day, dt.time(12)),
             "n": int(rng.poisson(40 if day.month in (7, 8) else 20))}
            for day in kinds
        ],
    )  # fmt: skip
    memory.execute("CREATE TABLE weeks (source VARCHAR, week DATE, status VARCHAR)")
    table = day_kinds.by_kind(memory, city, kinds, KNOBS)
    rows = {r["kind"]: r for r in table.to_pylist() if r["theme"] == "bruit"}
    assert set(rows) == {"public_holiday", "school_holidays", "weekend"}
    for row in rows.values():
        assert not row["found"]
        assert row["low"] <= 1 <= row["high"]
        assert row["high"] / row["low"] < 1.2


def test_what_fills_whole_months_is_not_told_from_them() -> None:
    first = dt.date(2024, 1, 1)
    days = [first + dt.timedelta(i) for i in range(366)]
    kinds = {day: ("school_holidays",) if day.month == 8 else ("working_day",) for day in days}
    found = day_kinds.effects(dict.fromkeys(days, 5), kinds)
    assert found is not None
    assert not found.knows("school_holidays")
    assert found.knows("weekend")
    assert found.against_working("weekend")[0] == pytest.approx(0, abs=1e-9)


def test_weekend_is_the_ratio_of_daily_means() -> None:
    first = dt.date(2024, 1, 1)
    days = [first + dt.timedelta(i) for i in range(7 * 52)]
    counts = {day: (2, 4, 6, 8, 10, 3, 9)[day.weekday()] for day in days}
    kinds = {d: ("weekend",) if d.weekday() >= 5 else ("working_day",) for d in days}
    found = day_kinds.effects(counts, kinds)
    assert found is not None
    value, slopes = found.against_working("weekend")
    assert np.exp(value) == pytest.approx(6 / 6, abs=1e-6)
    # Slopes are the derivatives of that ratio's log: moved a little, it moves as they say.
    moved = found.fitted.coefficients + 1e-6 * np.arange(len(slopes))
    level = np.exp(np.append(0.0, moved[1:7]))
    assert np.log(level[5:].mean() / level[:5].mean()) - value == pytest.approx(
        slopes @ (1e-6 * np.arange(len(slopes))), abs=1e-10
    )


def test_fit_and_errors_are_those_of_statsmodels() -> None:
    """Same coefficients; with many even groups CR2 errors are those of CR1, to a few percent."""
    rng = np.random.default_rng(8)
    groups = np.repeat(np.arange(80), 30)
    design = np.column_stack([np.ones(2400), rng.random(2400), rng.random(80)[groups]])
    noise = rng.normal(0, 0.3, 80)[groups]
    counts = rng.poisson(np.exp(design @ [1.0, 0.5, -0.4] + noise)).astype(float)
    model = sm.GLM(counts, design, family=sm.families.Poisson())
    theirs = model.fit(cov_type="cluster", cov_kwds={"groups": groups})
    ours = clustered_poisson(counts, design, groups)
    assert ours.coefficients == pytest.approx(theirs.params, abs=1e-7)
    errors = [ours.spread(row)[0] for row in np.eye(3)]
    assert errors == pytest.approx(theirs.bse, rel=0.06)
    freedom = [ours.spread(row)[1] for row in np.eye(3)]
    assert freedom[2] < 80 < 2400
    assert freedom[1] <= 80


def test_effects_are_covered_and_none_is_made_up() -> None:
    """Small runs of `grades`; its command's own are in docs/methodes/rhythms.md."""
    found = grades.kinds_found(grades.World(school=1.15, public=0.8), 31, 60)
    assert (found.covered.mean(axis=0) >= 0.86).all()
    assert found.plain_covered[:, 0].mean() < found.covered[:, 0].mean()
    p = grades.kinds_found(grades.World(), 32, 68).p
    assert grades.false_among(p[:, 0]).max() <= 1
    assert (p[:, 0] <= 0.05).mean() <= 0.12
