"""Days and weeks against Python's own calendar."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.core.base import french
from helpers.core.city.about import Holidays, Slot
from helpers.core.place_time import calendar

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
    assert french.spoken(day) == said


def test_names_are_in_the_order_of_the_french_week_and_year() -> None:
    monday = dt.date(2024, 1, 1)
    assert monday.isoweekday() == 1
    assert calendar.FULL_DAYS[monday.weekday()] == "lundi"
    assert calendar.FULL_DAYS[6] == "dimanche"
    assert len(calendar.DAYS) == len(set(calendar.DAYS)) == 7
    short = [name.rstrip(".") for name in calendar.DAYS]
    assert all(f.startswith(s) for f, s in zip(calendar.FULL_DAYS, short, strict=True))
    assert len(set(french.MONTHS)) == 12
    assert french.MONTHS[0] == "janvier"
    assert calendar.HOURS_OF_WEEK == 24 * 7


def test_kinds_of_days_are_those_that_were_published() -> None:
    """Zone B's winter holidays of 2024: from the end of Friday 23 February to Monday 11 March."""
    france = Holidays(country="FR", school_zone="B")
    match = dt.date(2024, 3, 13)
    kinds = calendar.day_kinds(france, dt.date(2024, 2, 19), dt.date(2024, 5, 2), {match})
    assert kinds[dt.date(2024, 2, 22)] == "working_day"
    assert kinds[dt.date(2024, 2, 26)] == "school_holidays"
    assert kinds[dt.date(2024, 3, 8)] == "school_holidays"
    assert kinds[dt.date(2024, 3, 11)] == "working_day"
    assert kinds[dt.date(2024, 3, 16)] == "weekend"
    assert kinds[dt.date(2024, 4, 1)] == "public_holiday"
    assert kinds[dt.date(2024, 5, 1)] == "public_holiday"
    assert kinds[match] == calendar.EVENT
    assert len(kinds) == (dt.date(2024, 5, 2) - dt.date(2024, 2, 19)).days + 1


def test_another_country_has_its_own_holidays_and_no_school_zone() -> None:
    colorado = Holidays(country="US", subdivision="CO")
    kinds = calendar.day_kinds(colorado, dt.date(2018, 7, 2), dt.date(2018, 7, 8))
    assert [kinds[dt.date(2018, 7, d)] for d in (3, 4, 5, 7)] == [
        "working_day", "public_holiday", "working_day", "weekend",
    ]  # fmt: skip


def test_skipped_hours_are_those_that_no_clock_shows() -> None:
    """France has put its clocks forward on the last Sunday of March, at 2, since 1998."""
    found = calendar.skipped_hours("Europe/Paris")
    for year in range(1998, 2030):
        days = (dt.date(year, 3, 31) - dt.timedelta(days=i) for i in range(7))
        sunday = next(day for day in days if day.weekday() == 6)
        assert [h for h in found if h.year == year] == [dt.datetime.combine(sunday, dt.time(2))]
    assert calendar.skipped_hours("Africa/Abidjan") == ()


@given(
    st.sampled_from(["Europe/Paris", "America/Denver", "Australia/Lord_Howe", "Asia/Beirut",
                     "Africa/Abidjan"]),
    st.dates(dt.date(1995, 1, 1), dt.date(2035, 1, 1)),
    st.integers(0, 420),
)  # fmt: skip
def test_hours_lived_are_those_that_went_by(timezone: str, first: dt.date, count: int) -> None:
    """Against the time elapsed between two midnights, counted in UTC."""
    days = [first + dt.timedelta(i) for i in range(count)]
    ends = (dt.datetime.combine(d, dt.time()) for d in (first, first + dt.timedelta(count)))
    start, end = (one.replace(tzinfo=ZoneInfo(timezone)).astimezone(dt.UTC) for one in ends)
    lived = calendar.lived_hours(timezone, days)
    assert lived.sum() == (end - start) / dt.timedelta(hours=1)
    assert len(lived) == calendar.HOURS_OF_WEEK


def test_odd_hours_of_paris_in_2025() -> None:
    days = [dt.date(2025, 1, 1) + dt.timedelta(i) for i in range(365)]
    assert calendar.odd_hours("Europe/Paris", days) == {
        dt.datetime(2025, 3, 30, 2): 0,
        dt.datetime(2025, 10, 26, 2): 2,
    }


SHIFTS = {
    "matin": Slot(title="matin", start_h=6),
    "apres_midi": Slot(title="après-midi", start_h=13),
    "nuit": Slot(title="nuit", start_h=21),
}


@pytest.mark.parametrize(
    ("moment", "slot", "day"),
    [
        ("2024-05-03 06:00", "matin", "2024-05-03"),
        ("2024-05-03 12:59", "matin", "2024-05-03"),
        ("2024-05-03 13:00", "apres_midi", "2024-05-03"),
        ("2024-05-03 21:00", "nuit", "2024-05-03"),
        ("2024-05-03 23:59", "nuit", "2024-05-03"),
        ("2024-05-04 00:00", "nuit", "2024-05-03"),
        ("2024-05-04 05:59", "nuit", "2024-05-03"),
        ("2024-03-01 02:00", "nuit", "2024-02-29"),
    ],
)
def test_night_belongs_to_its_eve(moment: str, slot: str, day: str) -> None:
    told = duckdb.sql(
        f"SELECT {calendar.slot_of('t', SHIFTS)}, {calendar.working_day('t', SHIFTS)} "
        f"FROM (SELECT TIMESTAMP '{moment}' AS t)"
    ).fetchall()
    assert told == [(slot, dt.date.fromisoformat(day))]
