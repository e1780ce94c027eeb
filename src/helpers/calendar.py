"""Days, weeks and hours of the week, in local time; Monday first, as in France."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import holidays
from vacances_scolaires_france import SchoolHolidayDates

from helpers.city import Holidays

DAYS = ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim.")
FULL_DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
HOURS_OF_WEEK = 168
EVENT, WORKING = "événement", "jour ouvré"


def spoken(day: dt.date) -> str:
    """Return the day as it is said: « 1er mars 2024 »."""
    number = "1er" if day.day == 1 else str(day.day)
    return f"{number} {MONTHS[day.month - 1]} {day.year}"


def window(end: dt.date, days: int) -> tuple[dt.date, dt.date]:
    """Return the first day and the day after the last of the `days` days that end with `end`."""
    after = end + dt.timedelta(days=1)
    return after - dt.timedelta(days=days), after


def full_weeks(start: dt.date, end: dt.date) -> list[dt.date]:
    """Return the Mondays of the weeks that lie wholly within `start`…`end`, both inclusive."""
    first = start + dt.timedelta(days=-start.weekday() % 7)
    count = (end - first).days + 1
    return [first + dt.timedelta(weeks=i) for i in range(max(0, count // 7))]


def hour_of_week(column: str) -> str:
    """Return the SQL of the hour of the week (0 = Monday 00 h) of a local timestamp."""
    return f"((isodow({column}) - 1) * 24 + hour({column}))"


def day_kinds(
    about: Holidays, start: dt.date, end: dt.date, events: Collection[dt.date] = ()
) -> dict[dt.date, str]:
    """Return what kind of day each one is, `start` to `end` inclusive.

    In this order: a day of the city's events, a public holiday, school holidays, a weekend, a
    working day. Everything is known offline; school holidays are France's, 1990 to 2028.
    """
    years = range(start.year, end.year + 1)
    public = holidays.country_holidays(about.country, subdiv=about.subdivision, years=years)
    school = SchoolHolidayDates() if about.school_zone else None
    count = (end - start).days + 1
    kinds = {}
    for day in (start + dt.timedelta(days=i) for i in range(count)):
        if day in events:
            kinds[day] = EVENT
        elif day in public:
            kinds[day] = "jour férié"
        elif school and school.is_holiday_for_zone(day, about.school_zone):
            kinds[day] = "vacances scolaires"
        else:
            kinds[day] = "week-end" if day.weekday() >= 5 else WORKING
    return kinds
