"""Seasons and changes of clock: against known truths and closed forms."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from scipy import stats

from helpers.core.stats.month_season import month_ratios
from helpers.rhythms import grades, words, year
from tests.fixtures.made_up import CITY, write_pack
from tests.fixtures.tables import table_of_facts
from tests.rhythms.test_week import AUTUMN, KNOBS, SPRING, no_silence

LEAP = KNOBS.model_copy(update={"window_days": 366})
YEARS = 5
DAYS = np.array([[31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]] * YEARS)
TRUTH = 1 + 0.3 * np.cos(2 * np.pi * (np.arange(12) - 6) / 12)


# --- Seasons ---------------------------------------------------------------------------------


def years_of(
    rng: np.random.Generator, months: NDArray[np.float64], clumps: float
) -> NDArray[np.int64]:
    """Return counts (years, 12): levels that differ by year, months as given, and clumps."""
    mean = rng.uniform(2, 8, (YEARS, 1)) * months * DAYS
    return rng.poisson(rng.gamma(mean / clumps, clumps) if clumps else mean)


@pytest.mark.parametrize("clumps", [0, 2, 6])
def test_intervals_hold_the_true_season_as_said(clumps: float) -> None:
    """400 cities, counts of chance or clumped (variance 1, 3, 7 times the mean)."""
    rng = np.random.default_rng(17)
    inside, told = [], []
    for _ in range(400):
        ratio, low, high, p = month_ratios(years_of(rng, TRUTH, clumps), DAYS, range(YEARS), 0.95)
        inside.append((low <= TRUTH) & (high >= TRUTH))
        assert ratio.sum() == pytest.approx(12, abs=1e-4)
        told.append(p < 0.05)
    assert 0.92 <= np.mean(np.all(inside, axis=1)) <= 0.99, "the twelve months at once"
    assert np.mean(told) >= 0.98


def test_the_months_told_hold_their_truth_though_they_were_chosen() -> None:
    """The highest of twelve months nearly alike is half luck: its interval has to allow for it."""
    rng, truth = np.random.default_rng(23), 1 + 0.03 * (TRUTH - 1) / 0.3
    inside = []
    for _ in range(300):
        ratio, low, high, _ = month_ratios(years_of(rng, truth, 2), DAYS, range(YEARS), 0.95)
        held = (low <= truth) & (truth <= high)
        inside += [held[ratio.argmax()], held[ratio.argmin()]]
    assert np.mean(inside) >= 0.95 - 2.6 * np.sqrt(0.05 * 0.95 / 300)


@pytest.mark.parametrize("clumps", [0, 4])
def test_without_season_one_is_seldom_told(clumps: float) -> None:
    """800 cities without season: p below 5 % no more often than that."""
    rng = np.random.default_rng(18)
    flat = [
        month_ratios(years_of(rng, np.ones(12), clumps), DAYS, range(YEARS), 0.95)[3]
        for _ in range(800)
    ]
    assert np.mean(np.array(flat) <= 0.05) <= 0.05 + 2.6 * np.sqrt(0.05 * 0.95 / 800)


@pytest.mark.parametrize(("alike", "drift"), [(0.0, 0.1), (0.5, 0.1), (0.0, -0.1)])
def test_a_trend_is_no_season(alike: float, drift: float) -> None:
    """A level that rises or falls all through five years, months alike or not."""
    told, plain = grades.seasons_told(41, 300, alike, drift, spread=0.15)
    assert told.mean() <= 0.07 + 2 * 0.0126
    assert plain.mean() > 0.9, "les totaux des mois prennent la pente pour une saison"


def test_a_steady_rise_leaves_months_as_they_are() -> None:
    """+30 % a year and July twice as busy, without chance: the ratios are those of the season."""
    at = np.arange(12 * YEARS).reshape(YEARS, 12)
    n = 900 * np.exp(0.3 * at / 12) * np.where(at % 12 == 6, 2, 1)
    ratio, low, high, p = month_ratios(n.astype(int), np.full((YEARS, 12), 30), range(YEARS), 0.95)
    assert ratio == pytest.approx(np.where(np.arange(12) == 6, 2, 1) * 12 / 13, abs=0.003)
    assert ((low < ratio) & (ratio < high)).all()
    assert p < 1e-6


def counted(
    memory: duckdb.DuckDBPyConnection, first: dt.date, count: int, silent: dt.date | None = None
) -> None:
    """Write days of 20 facts, 40 in July, and none in the week `silent`, said to be missing."""
    rows = []
    for day in (first + dt.timedelta(i) for i in range(count)):
        if silent is None or not silent <= day < silent + dt.timedelta(7):
            n = 40 if day.month == 7 else 20
            rows.append({"hour": dt.datetime.combine(day, dt.time(12)), "n": n})
    table_of_facts(memory, rows)
    no_silence(memory)
    memory.execute(
        "INSERT INTO weeks SELECT 'faits', ?, 'missing' WHERE ? IS NOT NULL", [silent] * 2
    )


def test_a_month_twice_as_busy_is_told_though_a_week_was_silent(
    memory: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    city = write_pack(tmp_path, CITY | {"period": {"start": "2022-01-01", "end": "2024-12-31"}})
    counted(memory, dt.date(2022, 1, 1), 1096, dt.date(2023, 7, 3))
    table = year.seasons(memory, city, KNOBS)
    rows = {r["month"]: r for r in table.to_pylist() if r["theme"] == "bruit"}
    assert {m: round(r["ratio"], 4) for m, r in rows.items()} == {
        m: round(12 * (2 if m == 7 else 1) / 13, 4) for m in range(1, 13)
    }
    assert rows[7]["days"] == 3 * 31 - 7
    told = words.seasons(table, city, KNOBS)
    assert "**Bruit** : juillet +84,6" in told
    assert words.SEASON_OF_FEW_YEARS in told, "three years: the test is a little too easy"
    longer = pa.Table.from_pylist([r | {"years": 5} for r in table.to_pylist()], table.schema)
    assert words.SEASON_OF_FEW_YEARS not in words.seasons(longer, city, KNOBS)
    assert "**Dépôts** : abstention (aucun fait daté au jour près)" in told
    (none,) = [r for r in table.to_pylist() if r["theme"] == "depots"]
    assert none["n"] is None, "manquant n'est pas zéro"


def test_one_year_has_no_season(memory: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    city = write_pack(tmp_path, CITY | {"period": {"start": "2023-06-01", "end": "2024-12-31"}})
    counted(memory, dt.date(2023, 6, 1), 580)
    table = year.seasons(memory, city, KNOBS)
    (row,) = [r for r in table.to_pylist() if r["theme"] == "bruit"]
    assert (row["status"], row["years"], row["ratio"]) == ("abstained", 1, None)
    assert row["reason"] == "too_few_years"
    told = words.seasons(table, city, KNOBS)
    assert "**Bruit** : abstention (moins de 2 années entières)." in told


# --- Changes of clock ------------------------------------------------------------------------


def test_hour_that_is_jumped_over_is_no_zero_and_the_doubled_one_is_halved(
    memory: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Ten facts an hour lived at 2 h on each Sunday of 2024; on the autumn's night, 20 or 90."""
    city = write_pack(tmp_path)
    sundays = [dt.datetime(2024, 1, 7, 2) + dt.timedelta(weeks=i) for i in range(52)]
    rows = [{"hour": s, "n": 20 if s == AUTUMN else 10} for s in sundays if s != SPRING]
    busy = [{**row, "theme": "depots", "n": 90 if row["hour"] == AUTUMN else 10} for row in rows]
    table_of_facts(memory, rows + busy)
    no_silence(memory)
    table = year.clock_changes(memory, city, LEAP)
    found = {(r["theme"], r["hour"]): r for r in table.to_pylist()}
    spring, autumn = found["bruit", SPRING], found["bruit", AUTUMN]
    assert (spring["reason"], spring["n"], spring["rate"]) == ("skipped_hour", None, None)
    assert (autumn["n"], autumn["lived_h"], autumn["rate"], autumn["usual"]) == (20, 2, 10, 10)
    assert autumn["low"] == pytest.approx(stats.chi2.ppf(0.0125, 40) / 2 / 2, abs=1e-5)
    assert autumn["high"] == pytest.approx(stats.chi2.ppf(0.9875, 42) / 2 / 2, abs=1e-5)
    told = words.clock_changes(table, city)
    assert "**31 mars 2024** : 2 h n'existe pas" in told
    assert "2 h dure 2 heures ; Dépôts 45,0 par heure" in told
    assert "Bruit" not in told


def test_city_whose_clock_never_changes_says_so(
    memory: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    city = write_pack(tmp_path, CITY | {"timezone": "Africa/Abidjan"})
    table_of_facts(memory, [{"hour": AUTUMN, "n": 5}])
    no_silence(memory)
    table = year.clock_changes(memory, city, LEAP)
    assert table.num_rows == 0
    assert "pas changé" in words.clock_changes(table, city)


def test_a_level_that_falls_by_a_third_a_year_makes_no_season() -> None:
    """Five years at −30 % a year: told 8.7 times in a hundred where all counts sway alike."""
    found, _ = grades.seasons_told(77, 300, 0.0, -0.3)
    assert found.mean() <= 0.075  # 0.05, and two errors of so many worlds
