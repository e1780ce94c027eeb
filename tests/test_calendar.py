"""Days and weeks against Python's own calendar."""

from __future__ import annotations

import datetime as dt

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import calendar

DAYS = st.dates(dt.date(2000, 1, 1), dt.date(2040, 12, 31))


@given(DAYS, st.integers(1, 400))
def test_window_ends_with_the_day_and_holds_that_many(end: dt.date, days: int) -> None:
    first, after = calendar.window(end, days)
    held = [first + dt.timedelta(i) for i in range((after - first).days)]
    assert len(held) == days
    assert held[-1] == end


@given(DAYS, st.integers(0, 400))
def test_full_weeks_are_the_mondays_whose_seven_days_are_in(start: dt.date, length: int) -> None:
    end = start + dt.timedelta(length)
    days = {start + dt.timedelta(i) for i in range(length + 1)}
    expected = sorted(
        day
        for day in days
        if day.isoweekday() == 1 and all(day + dt.timedelta(i) in days for i in range(7))
    )
    assert calendar.full_weeks(start, end) == expected


@given(st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2040, 1, 1)))
def test_hour_of_week_counts_from_monday_midnight(moment: dt.datetime) -> None:
    sql = calendar.hour_of_week(f"TIMESTAMP '{moment.isoformat(sep=' ')}'")
    assert duckdb.sql(f"SELECT {sql}").fetchall() == [(moment.weekday() * 24 + moment.hour,)]


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (dt.date(2024, 3, 1), "1er mars 2024"),
        (dt.date(2024, 8, 15), "15 août 2024"),
        (dt.date(2023, 12, 31), "31 décembre 2023"),
        (dt.date(2024, 2, 11), "11 février 2024"),
    ],
)
def test_days_are_said_as_the_french_say_them(day: dt.date, said: str) -> None:
    assert calendar.spoken(day) == said


def test_names_are_in_the_order_of_the_french_week_and_year() -> None:
    monday = dt.date(2024, 1, 1)
    assert monday.isoweekday() == 1
    assert calendar.FULL_DAYS[monday.weekday()] == "lundi"
    assert calendar.FULL_DAYS[6] == "dimanche"
    assert len(calendar.DAYS) == len(set(calendar.DAYS)) == 7
    short = [name.rstrip(".") for name in calendar.DAYS]
    assert all(f.startswith(s) for f, s in zip(calendar.FULL_DAYS, short, strict=True))
    assert len(set(calendar.MONTHS)) == 12
    assert calendar.MONTHS[0] == "janvier"
    assert calendar.HOURS_OF_WEEK == 24 * 7
