"""Weekends against counts given by hand: what is silent, too few or undated is no zero."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from helpers.core.city.city import City
from helpers.traffic import figures, weekend, words
from helpers.traffic.knobs import Knobs
from tests.fixtures.made_up import CITY, write_pack
from tests.fixtures.tables import table_of_facts

KNOBS = Knobs(window_days=56, confidence=0.95, minimum_count=30)
LAST = dt.date.fromisoformat(CITY["period"]["end"])


@pytest.fixture
def city(tmp_path: Path) -> City:
    return write_pack(tmp_path)


def fill(
    con: duckdb.DuckDBPyConnection, of_day: Callable[[dt.date], int], silent: tuple[str, ...] = ()
) -> None:
    """Make the cube of one theme, so many facts a day, and the weeks when its source was silent."""
    days = [LAST - dt.timedelta(days=i) for i in range(KNOBS.window_days)]
    hours = [(dt.datetime.combine(day, dt.time(10)), of_day(day)) for day in days]
    table_of_facts(con, [{"hour": hour, "n": n} for hour, n in hours if n])
    con.execute("CREATE OR REPLACE TABLE weeks (source VARCHAR, week DATE, status VARCHAR)")
    for week in silent:
        con.execute("INSERT INTO weeks VALUES ('faits', ?, 'missing')", [week])


def test_ratio_is_that_of_the_mean_days(city: City, memory: duckdb.DuckDBPyConnection) -> None:
    fill(memory, lambda day: 5 if day.weekday() >= 5 else 2)
    row = weekend.measure(memory, city, KNOBS).to_pylist()[0]
    assert (row["theme"], row["status"], row["days"]) == ("bruit", "ok", 56)
    assert row["n"] == 16 * 5 + 40 * 2
    assert row["ratio"] == pytest.approx(2.5)
    assert 1 < row["low"] < 2.5 < row["high"]


def test_silent_week_is_no_week_of_zeros(city: City, memory: duckdb.DuckDBPyConnection) -> None:
    """Weekends heard half the time would seem half as busy."""
    silent = "2024-12-09"
    quiet = dt.date.fromisoformat(silent)
    fill(memory, lambda day: 0 if 0 <= (day - quiet).days < 7 else 3, (silent,))
    row = weekend.measure(memory, city, KNOBS).to_pylist()[0]
    assert row["days"] == 49
    assert row["ratio"] == pytest.approx(1)


def test_too_few_facts_abstain_and_say_so(city: City, memory: duckdb.DuckDBPyConnection) -> None:
    fill(memory, lambda day: int(day.day == 1))
    table = weekend.measure(memory, city, KNOBS)
    assert {row["status"] for row in table.to_pylist()} == {"too_few"}
    assert {row["ratio"] for row in table.to_pylist()} == {None}
    assert words.in_words(table, city, KNOBS).count("abstention") == len(city.themes)


def test_figure_and_words_name_the_theme(city: City, memory: duckdb.DuckDBPyConnection) -> None:
    fill(memory, lambda day: 5 if day.weekday() >= 5 else 2)
    table = weekend.measure(memory, city, KNOBS)
    assert "« bruit »" not in words.in_words(table, city, KNOBS)
    assert "**Bruit** : un jour de week-end compte 2,50 fois" in words.in_words(table, city, KNOBS)
    assert figures.ratios(table, city).chart.to_dict()["layer"]
